"""`--fix`: the fixes of a run, made in the files that it read, until nothing is left to fix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from rspp_compiler.cli import report
from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.diagnostic import is_label
from rspp_compiler.diagnostics.fixes import apply_all
from rspp_compiler.diagnostics.patch import loses
from rspp_compiler.diagnostics.render import render_changes
from rspp_compiler.driver import Result
from rspp_compiler.emit.place import write_whole
from rspp_compiler.source import Source

_ROUNDS_MAX = 10  # a fix may bring the next mistake to light; two that undo each other end here


def fix(run: Callable[[], list[Result]], to: TextIO, *, everything: bool) -> list[Result]:
    """Runs, makes the fixes, says what was changed, and runs again; the results of the last run.

    Fixes that take away what the user wrote are left, and counted, unless `everything` is asked for. A file is written
    in one piece. Raises OSError when one cannot be read again or written.
    """
    results = run()
    for _ in range(_ROUNDS_MAX):
        if not _round(results, to, everything):
            break
        results = run()
    left = [one for one in _wanted(results) if not everything and loses(one, _sources(results))]
    if left:
        many = len(left) > 1
        what = f"{len(left)} fixes that take" if many else "1 fix that takes"
        to.write(f"left {what} away what you wrote, or guess{'' if many else 'es'}: `--fix-all` does that too\n")
    return results


def _round(results: list[Result], to: TextIO, everything: bool) -> bool:
    """Makes the fixes of one run; whether anything was changed."""
    sources = _sources(results)
    wanted = [one for one in _wanted(results) if everything or not loses(one, sources)]
    named = {edit.span.file for one in wanted for edit in one.edits} & sources.keys()
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


def _wanted(results: list[Result]) -> list[Fix]:
    return list(dict.fromkeys(found.fix for result in results for found in result.diagnostics if found.fix))


def _sources(results: list[Result]) -> dict[str, Source]:
    """The files that may be changed."""
    return {name: one for result in results for name, one in result.context.sources.items() if not is_label(name)}


def _as_compiled(source: Source) -> str | None:
    """The file's whole text; None if it is no longer what was compiled, since the places would be wrong."""
    data = Path(source.name).read_bytes()
    is_same = data[source.bytes_before :].decode("utf-8", "replace") == source.text
    return data.decode("utf-8", "surrogateescape") if is_same else None
