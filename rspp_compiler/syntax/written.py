"""What the AST does not say about a program's looks: asked of its source, or, where there is none, decided."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

from rspp_compiler.ir import ast
from rspp_compiler.source import Source, Span
from rspp_compiler.syntax.comments import closers

Literal = ast.Text | ast.Quantity | ast.Number
COUNTED = ("items", "chars", "tokens", "words")


class Looks(Protocol):
    """How literals are written, where lines begin, where blank lines are; and the offsets of spans."""

    def literal(self, value: Literal, is_short: bool = False) -> str:
        """A literal as it stands in the text; `is_short` where it must not go over several lines."""

    def is_spread(self, items: Sequence[Span], is_body: bool) -> bool:
        """Whether what is between brackets has a line each; `is_body` for the lines of a declaration."""

    def blank_before(self, at: Span, is_new_group: bool) -> bool:
        """Whether a blank line precedes; `is_new_group` if the line is of another sort than the one before."""

    def start(self, at: Span) -> int: ...

    def end(self, at: Span) -> int: ...

    def closer(self, opener: Span) -> int:
        """Offset of the bracket that closes the one at the beginning of a span."""


class AsWritten:
    """As the source has it."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def literal(self, value: Literal, is_short: bool = False) -> str:
        """Byte for byte, but for the ends of lines."""
        return re.sub(r"(?<!\r)\r\n", "\n", self._source.text[self.start(value.span) : self.end(value.span)])

    def is_spread(self, items: Sequence[Span], is_body: bool) -> bool:
        """Brackets whose first item begins a line stay spread."""
        return bool(items) and self._begins_line(items[0])

    def blank_before(self, at: Span, is_new_group: bool) -> bool:
        return at.line > 1 and self._begins_line(at) and self._indents[at.line - 2] is None

    def start(self, at: Span) -> int:
        return self._source.offset(at.line, at.column)

    def end(self, at: Span) -> int:
        return self._source.offset(at.end_line, at.end_column)

    def closer(self, opener: Span) -> int:
        return self._closers[self.start(opener)]

    def _begins_line(self, at: Span) -> bool:
        return self._indents[at.line - 1] == at.column - 1

    @cached_property
    def _indents(self) -> list[int | None]:
        """The blanks at the beginning of each line; None for a blank line."""
        lines = self._source.text.split("\n")
        return [len(line) - len(line.lstrip()) if line.strip() else None for line in lines]

    @cached_property
    def _closers(self) -> dict[int, int]:
        return closers(self._source.text)


class Anew:
    """For a program that was never written: its spans mean nothing."""

    def literal(self, value: Literal, is_short: bool = False) -> str:
        match value:
            case ast.Text():
                return (None if is_short else _long(value.text)) or _quoted(value.text)
            case ast.Quantity():
                is_counted = value.unit in COUNTED and value.number.isdigit()
                return f"{value.number}{' ' if is_counted else ''}{value.unit}"
            case ast.Number():
                return value.number

    def is_spread(self, items: Sequence[Span], is_body: bool) -> bool:
        return is_body and len(items) > 1

    def blank_before(self, at: Span, is_new_group: bool) -> bool:
        return is_new_group

    def start(self, at: Span) -> int:
        return 0

    def end(self, at: Span) -> int:
        return 0

    def closer(self, opener: Span) -> int:
        return 0


def _quoted(text: str) -> str:
    for plain, escaped in (("\\", r"\\"), ('"', r"\""), ("\n", r"\n"), ("\t", r"\t")):
        text = text.replace(plain, escaped)
    return f'"{text}"'


def _long(text: str) -> str | None:
    """Between three quotes, for a text of several lines that reads back as the same."""
    if "\n" not in text or "\r" in text or text != text.strip():
        return None
    body = re.sub('"{3,}', lambda quotes: r"\"" * len(quotes[0]), text.replace("\\", r"\\"))
    lines = "\n".join(f"    {line}" if line else "" for line in body.split("\n"))
    return f'"""\n{lines}\n    """'
