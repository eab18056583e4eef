"""`--fix`: the fixes of a run, made in the files that it read, until nothing is left to fix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from rspp_compiler.cli import report
from rspp_compiler.diagnostics.diagnostic import is_label
from rspp_compiler.diagnostics.fixes import apply_all
from rspp_compiler.diagnostics.render import render_changes
from rspp_compiler.driver import Result
from rspp_compiler.emit.write import write_whole
from rspp_compiler.source import Source

_ROUNDS_MAX = 10  # a fix may bring the next mistake to light; two that undo each other end here


def fix(run: Callable[[], list[Result]], to: TextIO) -> list[Result]:
    """Runs, makes every fix, says what was changed, and runs again; the results of the last run.

    Raises OSError when a file cannot be read again or written; each file is written in one piece.
    """
    results = run()
    for _ in range(_ROUNDS_MAX):
        if not _round(results, to):
            break
        results = run()
    return results


def _round(results: list[Result], to: TextIO) -> bool:
    """Makes the fixes of one run; whether anything was changed."""
    sources = {name: one for result in results for name, one in result.context.sources.items() if not is_label(name)}
    wanted = [found.fix for result in results for found in result.diagnostics if found.fix]
    named = {edit.span.file for fix in wanted for edit in fix.edits} & sources.keys()
    texts = {name: text for name in sorted(named) if (text := _as_compiled(sources[name])) is not None}
    fixed, made = apply_all(texts, wanted)
    changed = [name for name in texts if fixed[name] != texts[name]]
    for name in changed:
        path = Path(name).resolve()
        try:
            write_whole(path, fixed[name].encode("utf-8", "surrogateescape"), path.stat().st_mode & 0o7777)
        except OSError as error:
            raise OSError(error.errno, error.strerror, name) from error  # the file meant, not the one beside it
    to.write(render_changes(made, sources, colour=report.has_colour(to)))
    return bool(changed)


def _as_compiled(source: Source) -> str | None:
    """The file's whole text; None if it is no longer what was compiled, since the places would be wrong."""
    data = Path(source.name).read_bytes()
    is_same = data[source.bytes_before :].decode("utf-8", "replace") == source.text
    return data.decode("utf-8", "surrogateescape") if is_same else None
