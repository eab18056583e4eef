"""Where the passes leave what they found."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rspp_compiler.diagnostics.catalog import CODES
from rspp_compiler.diagnostics.diagnostic import Diagnostic, Fix
from rspp_compiler.source import Span

_OF_THE_TEXT = "E01"  # the codes of source and syntax


class Sink:
    """Collects diagnostics; the same finding twice is one finding."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], Diagnostic] = {}
        self._muted: list[Span] = []
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
        if found.code.startswith(_OF_THE_TEXT) or not any(_is_in(found.primary, muted) for muted in self._muted):
            self._found[found.sort_key] = self._adapted(found) if self._adapters else found

    def adapt(self, file: str, how: Callable[[Diagnostic], Diagnostic]) -> None:
        """Changes every finding that is about a file, or whose fix is: a JSON file is fixed in JSON."""
        self._adapters[file] = how

    def like(self) -> Sink:
        """An empty one that adapts findings in the same way."""
        sink = Sink()
        sink._adapters = self._adapters
        return sink

    def _adapted(self, found: Diagnostic) -> Diagnostic:
        edits = found.fix.edits if found.fix else ()
        for file in dict.fromkeys((found.primary.file, *(edit.span.file for edit in edits))):
            if how := self._adapters.get(file):
                found = how(found)
        return found

    def mute(self, span: Span) -> None:
        """Drops what begins in `span` from now on, unless it is about the text itself: it was not read as meant."""
        self._muted.append(span)

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


def _is_in(span: Span, outer: Span) -> bool:
    return span.file == outer.file and outer.start <= span.start < outer.end
