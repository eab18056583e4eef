"""What is wrong with one file's text: reported by characters, a line at most once, and only so many."""

from __future__ import annotations

from collections.abc import Iterable

from rspp_compiler.diagnostics import Fix, Sink
from rspp_compiler.source import Source

FOUND_MAX = 99  # and one that counts the rest: as many as are shown


class Findings:
    """Reports to a sink. Behind `FOUND_MAX` findings it only counts."""

    def __init__(self, source: Source, sink: Sink) -> None:
        self.source = source
        self._sink = sink
        self._lines: set[int] = set()
        self._counted = 0
        self._first_counted = 0  # offset

    @property
    def is_full(self) -> bool:
        """Whether further findings are only counted: then it does not matter what they would say."""
        return len(self._lines) >= FOUND_MAX

    def is_new(self, offset: int) -> bool:
        """Whether nothing was reported about the line at `offset` yet. One mistake often looks like several."""
        return self.source.position(offset)[0] not in self._lines

    def add(
        self,
        code: str,
        message: str,
        start: int,
        end: int,
        *,
        help: str = "",
        fix: Fix | None = None,
        secondary: Iterable[tuple[int, int, str]] = (),
    ) -> None:
        """Reports a finding about the characters `[start, end)`, if it is the first about its line."""
        if not self.is_new(start):
            return
        if self.is_full:
            self._first_counted = min(self._first_counted, start) if self._counted else start
            self._counted += 1
            return
        self._lines.add(self.source.position(start)[0])
        marks = [(self.source.span(begin, stop), label) for begin, stop, label in secondary]
        self._sink.add(code, message, self.source.span(start, end), secondary=marks, help=help, fix=fix)

    def change(self, start: int, end: int, text: str) -> Fix:
        """The fix that puts `text` in the place of the characters `[start, end)`."""
        return Fix(self.source.span(start, end), text)

    def mute(self, start: int, end: int) -> None:
        """Later passes have nothing to say about `[start, end)`, since it is not what the user meant."""
        self._sink.mute(self.source.span(start, end))

    def finish(self) -> None:
        """Says how many findings were only counted."""
        if self._counted:
            at = self.source.line_span(self.source.position(self._first_counted)[0])
            more = f"{self._counted} more {'line' if self._counted == 1 else 'lines'} of this file cannot be read"
            self._sink.add("E0110", more, at, help="mend the lines above first")
