"""`rsppc fmt` and `rsppc schema`: the forms that a program can be written in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from rspp_compiler.cli import EXIT_USAGE
from rspp_compiler.cli.leave import leave
from rspp_compiler.cli.options import Notation


def fmt(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="Pipeline files; folders with such files.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; list the files that would change.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Write nothing; print what would change.")] = False,
    stdin: Annotated[bool, typer.Option("--stdin", help="Format the standard input to the standard output.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the changed files and the findings as JSON.")] = False,
    to: Annotated[Notation | None, typer.Option("--to", help="Print the file in this notation instead.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="With --to: write it there.")
    ] = None,
) -> None:
    """Lays files out in the one canonical form, or writes them in the other notation.

    What they mean stays the same, and so do their comments; JSON has none. A file with mistakes is left as it is.
    """
    if bool(files) == stdin:
        raise typer.BadParameter("name files or folders, or give --stdin", param_hint="FILE...")
    if check and diff:
        raise typer.BadParameter("--diff is --check that shows the lines: give one of them")
    if to and (check or diff or stdin or json):
        raise typer.BadParameter("--to only prints: it takes files, and none of the other options but -o")
    if output and (to is None or len(files or ()) != 1):
        raise typer.BadParameter("-o takes one file, and --to rspp or --to json")
    from rspp_compiler.cli import fmt as command

    try:
        if to:
            leave(command.convert(files or [], to.value, output))
            return
        paths = command.pipeline_files(files or [])
        if files and not paths:
            raise typer.BadParameter("no .rspp file in there", param_hint="FILE...")
        do: command.Do = "check" if check else "diff" if diff else "write"
        results, would_change = command.fmt(paths, stdin=stdin, do=do, as_json=json)
    except OSError as error:
        name = error.filename2 or error.filename
        if name is None:  # the standard output
            raise
        print(f"rsppc: cannot write {name}: {error.strerror}", file=sys.stderr)
        raise typer.Exit(EXIT_USAGE) from None
    leave(results, would_change)


def schema(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A schema, such as rspp.pipeline.spec.v1.")] = "",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Write it there, or all of them.")
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="Name every schema, with what it describes.")] = False,
) -> None:
    """Prints the JSON Schema of a document: of the JSON form, of plans, events, evidence, findings.

    Editors check a pipeline's .json with it while it is written.
    """
    if not name and output is None and not listing:
        raise typer.BadParameter("name a schema, or give --list, or -o DIR for all of them", param_hint="NAME")
    from rspp_compiler.cli.schema import run_schema

    try:
        raise typer.Exit(run_schema(name, output, listing=listing))
    except OSError as error:
        print(f"rsppc: cannot write {error.filename}: {error.strerror}", file=sys.stderr)
        raise typer.Exit(EXIT_USAGE) from None
