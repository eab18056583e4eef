"""What `rsppc check --json` prints: every finding, its places in bytes as well as in lines and columns."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, RootModel

from rspp_compiler.ir.contracts.rules import Contract
from rspp_compiler.ir.contracts.words import Count, Positive


class Place(Contract):
    """The range `[start, end)` of a file, in bytes; lines and columns count from 1, columns in characters."""

    file: str
    start: Count
    end: Count
    line: Positive
    column: Positive
    end_line: Positive
    end_column: Positive


class Marked(Place):
    """A place, and what is to be said about it."""

    label: str


class Change(Place):
    """What is to stand there instead. An empty place inserts, an empty replacement removes."""

    replacement: str


class Repair(Change):
    """The smallest change that would help; the changes of `also` are made with it, or none is.

    One that `is_guess` makes the text compile, and may not be what its author meant.
    """

    also: list[Change]
    is_guess: bool = False


class Finding(Contract):
    """One finding. `rsppc explain CODE` says more."""

    code: Annotated[str, Field(pattern=r"^[EW]\d{4}$")]
    severity: Literal["error", "warning"]
    message: str
    primary: Marked
    secondary: list[Marked]
    notes: list[str]
    help: str
    fix: Repair | None


class Findings(RootModel[list[Finding]]):
    """All findings of a run, in the order of the source."""
