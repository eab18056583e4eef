"""Text on a terminal: what it shows for a character, how many columns that takes, and colour."""

from __future__ import annotations

import re
import unicodedata

from rspp_compiler.source import Span

WIDTH_MAX = 160  # columns; a longer line is cut around what is marked in it
_LEAD = 40  # columns that are shown before the first mark of a cut line
_DOTS = "..."
_TAB = "    "
# What a terminal would obey, or nobody could see: controls, changes of direction, halves of a character.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_COLOURS = {
    **{"error": "1;31", "warning": "1;33", "frame": "1;34", "bold": "1", "note": "1;36", "help": "1;32"},
    **{"added": "32", "removed": "31"},
}


def visible(text: str) -> str:
    """The text with a sign in place of every control character; tabs become four blanks, line ends stay."""
    return _HIDDEN.sub(_sign, text).replace("\t", _TAB)


def _sign(hidden: re.Match[str]) -> str:
    code = ord(hidden[0])
    return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"


def cells(text: str) -> int:
    """Columns that a visible text takes: wide characters two, combining and zero-width ones none."""
    return sum(
        0 if unicodedata.category(c) in ("Mn", "Me", "Cf") else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


class Window:
    """The part of a line that is shown: all of it, or, where it is long, what lies around a mark."""

    def __init__(self, line: str, column: int = 1) -> None:
        """`column`, from 1 and in characters, is where the first mark begins."""
        self._line = line.rstrip()
        self._start, self._end = 0, len(self._line)
        if len(self._line) > WIDTH_MAX or cells(visible(self._line)) > WIDTH_MAX:
            self._start = self._back(min(column - 1, self._end), _LEAD)
            self._end = self._on(self._start, WIDTH_MAX - 2 * len(_DOTS))

    @property
    def text(self) -> str:
        before = _DOTS if self._start else ""
        behind = _DOTS if self._end < len(self._line) else ""
        return before + visible(self._line[self._start : self._end]) + behind

    def holds(self, span: Span) -> bool:
        """Whether `span`, which begins on this line, begins in the window."""
        return self._start <= span.column - 1 and (span.column - 1 < self._end or self._end == len(self._line))

    def place(self, span: Span) -> tuple[int, int]:
        """Columns before `span`, and the columns that it takes on its first line: at least 1."""
        start = min(span.column - 1, self._end)
        end = span.end_column - 1 if span.end_line == span.line else self._end
        lead = cells(visible(self._line[self._start : start])) + (len(_DOTS) if self._start else 0)
        return lead, max(1, cells(visible(self._line[start : min(end, self._end)].rstrip())))

    def _back(self, at: int, columns: int) -> int:
        while at > 0 and (columns := columns - cells(visible(self._line[at - 1]))) >= 0:
            at -= 1
        return at

    def _on(self, at: int, columns: int) -> int:
        while at < len(self._line) and (columns := columns - cells(visible(self._line[at]))) >= 0:
            at += 1
        return at


class Paint:
    """Colours text when it is on."""

    def __init__(self, on: bool) -> None:
        self._on = on

    def __call__(self, style: str, text: str) -> str:
        return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if self._on and text else text
