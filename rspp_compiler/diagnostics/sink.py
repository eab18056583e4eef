"""Where the passes leave what they found."""

from __future__ import annotations

import sys
from bisect import bisect_right, insort
from collections.abc import Callable, Iterable

from rspp_compiler.diagnostics.catalog import CODES
from rspp_compiler.diagnostics.diagnostic import Diagnostic, Fix
from rspp_compiler.source import Span

_OF_THE_TEXT = "E01"  # the codes of source and syntax


class Sink:
    """Collects diagnostics; the same finding twice is one finding."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], Diagnostic] = {}
        self._muted: dict[str, list[tuple[int, int]]] = {}  # by file, in their order
        self._adapters: dict[str, Callable[[Diagnostic], Diagnostic]] = {}

    def add(
        self,
        code: str,
        message: str,
        primary: Span,
        *,
        label: str = "",
        secondary: Iterable[tuple[Span, str]] = (),
        notes: Iterable[str] = (),
        help: str = "",
        fix: Fix | None = None,
    ) -> None:
        """Records a finding. The catalogue gives its severity; `KeyError` for a code that it does not list."""
        self.take(
            Diagnostic(code, CODES[code].severity, message, primary, label, tuple(secondary), tuple(notes), help, fix)
        )

    def take(self, found: Diagnostic) -> None:
        """Records a finding that was made elsewhere."""
        if found.sort_key in self._found:
            return
        if found.code.startswith(_OF_THE_TEXT) or not self._is_muted(found.primary):
            self._found[found.sort_key] = self._adapted(found) if self._adapters else found

    def adapt(self, file: str, how: Callable[[Diagnostic], Diagnostic]) -> None:
        """Changes every finding that is about a file, or whose fix is: a JSON file is fixed in JSON."""
        self._adapters[file] = how

    def like(self) -> Sink:
        """An empty one that adapts findings, and drops them, in the same way."""
        sink = Sink()
        sink._adapters, sink._muted = self._adapters, self._muted
        return sink

    def _adapted(self, found: Diagnostic) -> Diagnostic:
        edits = found.fix.edits if found.fix else ()
        for file in dict.fromkeys((found.primary.file, *(edit.span.file for edit in edits))):
            if how := self._adapters.get(file):
                found = how(found)
        return found

    def mute(self, span: Span) -> None:
        """Drops what begins in `span` from now on, unless it is about the text itself: it was not read as meant."""
        muted, end = self._muted.setdefault(span.file, []), span.end
        if muted and muted[-1][0] == span.start:
            end = max(end, muted.pop()[1])
        insort(muted, (span.start, end))

    def _is_muted(self, span: Span) -> bool:
        muted = self._muted.get(span.file, ())
        at = bisect_right(muted, (span.start, sys.maxsize)) - 1
        return at >= 0 and span.start < muted[at][1]

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Takes over what another sink has."""
        for found in diagnostics:
            self.take(found)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All findings in the order of the source."""
        return tuple(sorted(self._found.values(), key=lambda found: found.sort_key))

    @property
    def has_errors(self) -> bool:
        return any(found.severity == "error" for found in self._found.values())
