"""A source file: its text, and the way from character offsets to lines, columns and bytes."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate

from rspp_compiler.source.span import Span


@dataclass(frozen=True, slots=True)
class Source:
    """One text. `name` is the path as the user wrote it, or a label such as `execution_profile/simple/v1`.

    `text` is free of a byte order mark; `bytes_before` says how many bytes of the file precede it.
    """

    name: str
    text: str
    bytes_before: int = 0
    _line_starts: list[int] = field(init=False, repr=False, compare=False)
    _line_bytes: list[int] = field(init=False, repr=False, compare=False)
    _is_ascii: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        lines = self.text.split("\n")
        starts = accumulate((len(line) + 1 for line in lines[:-1]), initial=0)
        sizes = (len(line.encode("utf-8", "surrogatepass")) + 1 for line in lines[:-1])
        object.__setattr__(self, "_line_starts", list(starts))
        object.__setattr__(self, "_line_bytes", list(accumulate(sizes, initial=self.bytes_before)))
        object.__setattr__(self, "_is_ascii", self.text.isascii())

    @property
    def line_count(self) -> int:
        return len(self._line_starts)

    def line(self, number: int) -> str:
        """Text of line `number` (from 1) without its end; empty beyond the last line."""
        if not 1 <= number <= self.line_count:
            return ""
        start = self._line_starts[number - 1]
        end = self._line_starts[number] - 1 if number < self.line_count else len(self.text)
        return self.text[start:end].rstrip("\r")

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1, of the character at `offset`."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """Character offset of a line and column: the inverse of `position`."""
        return self._line_starts[line - 1] + column - 1

    def span(self, start: int, end: int) -> Span:
        """Span of the characters `[start, end)`; both are cut to the text."""
        size = len(self.text)
        start = 0 if start < 0 else start if start < size else size
        end = start if end < start else end if end < size else size
        starts = self._line_starts
        line = end_line = bisect_right(starts, start)
        if line < len(starts) and end >= starts[line]:  # most spans end in their line
            end_line = bisect_right(starts, end)
        column, end_column = start - starts[line - 1] + 1, end - starts[end_line - 1] + 1
        if self._is_ascii:
            return Span(
                self.name, start + self.bytes_before, end + self.bytes_before, line, column, end_line, end_column
            )
        return Span(self.name, self._byte(start), self._byte(end), line, column, end_line, end_column)

    def line_span(self, number: int) -> Span:
        """Span of line `number` without the blanks around it."""
        text = self.line(number)
        start = self._line_starts[number - 1] + len(text) - len(text.lstrip())
        return self.span(start, start + len(text.strip()))

    def _byte(self, offset: int) -> int:
        line, column = self.position(offset)
        before = self.text[offset - column + 1 : offset]
        return self._line_bytes[line - 1] + len(before.encode("utf-8", "surrogatepass"))
