"""Diagnostics are data: a code, a sentence, and the places in the source that it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from rspp_compiler.source import Span

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Edit:
    """Put `replacement` where `span` is. An empty span inserts, an empty replacement removes."""

    span: Span
    replacement: str


@dataclass(frozen=True, slots=True)
class Fix:
    """The smallest change that would help: put `replacement` where `span` is, and make the edits of `also` with it.

    Its edits do not overlap; they are applied all or none. `fixes` has helpers that build and apply fixes. One that
    `is_guess` makes the text compile, and may not be what its author meant: it is not made unless it is asked for.
    """

    span: Span
    replacement: str
    also: tuple[Edit, ...] = ()
    is_guess: bool = False

    @property
    def edits(self) -> tuple[Edit, ...]:
        """Every edit, the first one first."""
        return (Edit(self.span, self.replacement), *self.also)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    `primary` is what is wrong, `label` what to write under its carets; `secondary` are the other places involved, each
    with its label; `notes` explain, `help` says what to do.
    """

    code: str
    severity: Severity
    message: str
    primary: Span
    label: str = ""
    secondary: tuple[tuple[Span, str], ...] = ()
    notes: tuple[str, ...] = ()
    help: str = ""
    fix: Fix | None = None

    def renamed(self, name: Callable[[str], str]) -> Diagnostic:
        """The same finding, every file under the name that `name` gives it."""

        def there(span: Span) -> Span:
            return replace(span, file=name(span.file))

        fix = self.fix and Fix(
            there(self.fix.span),
            self.fix.replacement,
            tuple(Edit(there(edit.span), edit.replacement) for edit in self.fix.also),
            self.fix.is_guess,
        )
        secondary = tuple((there(span), label) for span, label in self.secondary)
        return replace(self, primary=there(self.primary), secondary=secondary, fix=fix)

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        """Errors and warnings are shown in the order of the source."""
        return (self.primary.file, self.primary.start, self.primary.end, self.code, self.message)


def is_label(file: str) -> bool:
    """Whether a span's file is no file: a text of the compiler's own, `execution_profile/simple/v1`, or `--set`."""
    return file.startswith("execution_profile/") or file == "--set"
