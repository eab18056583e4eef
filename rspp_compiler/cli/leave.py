"""How every command ends: its exit code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rspp_compiler.cli import EXIT_FINDINGS, EXIT_USAGE

if TYPE_CHECKING:
    from rspp_compiler.driver import Result


def put(text: str, output: Path | None, command: str) -> None:
    """What a command made: to a file, or to the standard output. Leaves as wrong usage where it cannot be written."""
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        print(f"rsppc {command}: cannot write {output}: {reason}", file=sys.stderr)
        raise typer.Exit(EXIT_USAGE) from None


def leave(results: list[Result], found_more: bool = False) -> None:
    """Leaves with the code that the findings ask for, if there are any; a file that cannot be read is wrong usage."""
    codes = {found.code for result in results for found in result.diagnostics}
    if "E0101" in codes:
        raise typer.Exit(EXIT_USAGE)
    if found_more or not all(result.ok for result in results):
        raise typer.Exit(EXIT_FINDINGS)
