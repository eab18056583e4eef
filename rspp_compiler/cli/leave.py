"""How every command ends: its exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from rspp_compiler.cli import EXIT_FINDINGS, EXIT_USAGE

if TYPE_CHECKING:
    from rspp_compiler.driver import Result


def leave(results: list[Result], found_more: bool = False) -> None:
    """Leaves with the code that the findings ask for, if there are any; a file that cannot be read is wrong usage."""
    codes = {found.code for result in results for found in result.diagnostics}
    if "E0101" in codes:
        raise typer.Exit(EXIT_USAGE)
    if found_more or not all(result.ok for result in results):
        raise typer.Exit(EXIT_FINDINGS)
