"""Places in a text. The compiler counts lines and characters from 1 (`Span`), a client lines and code units from 0."""

from __future__ import annotations

import re
from bisect import bisect_right

from lsprotocol.types import Position, PositionEncodingKind, Range

from rspp_compiler.source import Source, Span

_LINE_END = re.compile(r"\r\n|\n|\r")  # the protocol's; to the compiler a lone \r is a blank
_UTF8, _UTF32 = PositionEncodingKind.Utf8, PositionEncodingKind.Utf32


class Positions:
    """A text's lines, and offsets of its characters as positions in the client's code units.

    `encoding` is what client and server agreed on: `utf-8`, `utf-16` (the default) or `utf-32`.
    """

    def __init__(self, text: str, encoding: str = PositionEncodingKind.Utf16) -> None:
        self.text = text
        self._encoding = encoding
        ends = list(_LINE_END.finditer(text))
        self._starts = [0, *(end.end() for end in ends)]
        self._ends = [*(end.start() for end in ends), len(text)]

    def offset(self, position: Position) -> int:
        """The character at a position. Beyond the end of a line it is the end, inside a character its start."""
        if position.line >= len(self._starts):
            return len(self.text)
        start, end = self._starts[position.line], self._ends[position.line]
        if self._encoding == _UTF32:
            return min(start + position.character, end)
        units = 0
        for offset in range(start, end):
            units += self._units(self.text[offset])
            if units > position.character:
                return offset
        return end

    def position(self, offset: int) -> Position:
        """The position of the character at `offset`."""
        line = bisect_right(self._starts, offset) - 1
        before = self.text[self._starts[line] : offset]
        return Position(line, len(before) if self._encoding == _UTF32 else sum(map(self._units, before)))

    def range(self, start: int, end: int) -> Range:
        return Range(self.position(start), self.position(end))

    def _units(self, character: str) -> int:
        point = ord(character)
        if self._encoding == _UTF8:
            return 1 + (point > 0x7F) + (point > 0x7FF) + (point > 0xFFFF)
        return 1 + (point > 0xFFFF)


class Text:
    """A text as both sides see it: the compiler's `source`, the client's `positions`."""

    def __init__(self, source: Source, encoding: str = PositionEncodingKind.Utf16) -> None:
        self.source = source
        self.positions = Positions(source.text, encoding)

    def range(self, span: Span) -> Range:
        """The range of a span of this text. A span that is not, such as one of an older text, is cut to it."""
        return self.positions.range(self._offset(span.line, span.column), self._offset(span.end_line, span.end_column))

    def place(self, position: Position) -> tuple[int, int]:
        """Line and column, from 1, of a position."""
        return self.source.position(self.positions.offset(position))

    def _offset(self, line: int, column: int) -> int:
        if line > self.source.line_count:
            return len(self.source.text)
        return min(self.source.offset(line, column), len(self.source.text))
