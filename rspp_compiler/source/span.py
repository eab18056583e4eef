"""A span is a half-open range of a file, exact to the byte."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The range `[start, end)` of `file`, in bytes; lines and columns count from 1, columns in characters.

    `end_line` and `end_column` name the position just behind the last character.
    """

    file: str
    start: int
    end: int
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        """`voice_assistant.rspp:8:3`, without folders, so that output does not depend on where a file lies."""
        return f"{PurePath(self.file).name}:{self.line}:{self.column}"

    def to(self, other: Span) -> Span:
        """The span from the beginning of this one to the end of `other`, which lies behind it in the same file."""
        return Span(self.file, self.start, other.end, self.line, self.column, other.end_line, other.end_column)

    def holds(self, other: Span) -> bool:
        """Whether `other` lies within this one."""
        return self.file == other.file and self.start <= other.start and other.end <= self.end
