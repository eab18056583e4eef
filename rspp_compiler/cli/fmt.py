"""`rsppc fmt`: files in their canonical form, written in place, compared, or shown as a difference; and `--to`, which
writes a program in the other notation.
"""

from __future__ import annotations

import difflib
import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from rspp_compiler.cli import report
from rspp_compiler.diagnostics.machine import to_objects
from rspp_compiler.driver import Result, compile_pipeline
from rspp_compiler.emit.place import write_whole
from rspp_compiler.ir.context import Context, Options
from rspp_compiler.source import Source
from rspp_compiler.syntax.comments import comments
from rspp_compiler.syntax.format import format_document, format_file, in_notation, is_mistake_of_form
from rspp_compiler.syntax.parse import is_json

STDIN = "<stdin>"
Do = Literal["write", "check", "diff"]


@dataclass(frozen=True, slots=True)
class Formatted:
    """A source that can be read, and its canonical text."""

    source: Source
    text: str

    @property
    def before(self) -> str:
        """The source's text with its byte order mark, if it has one."""
        return "\ufeff" * bool(self.source.bytes_before) + self.source.text

    @property
    def is_changed(self) -> bool:
        return self.text != self.before

    @property
    def name(self) -> str:
        return _shown(self.source.name)


def fmt(paths: Sequence[Path], *, stdin: bool, do: Do, as_json: bool) -> tuple[list[Result], bool]:
    """Formats the files, or what comes by the standard input; findings, and whether a file would have to change.

    Raises OSError when a file cannot be written. Files with errors are left as they are.
    """
    readings = [_read_stdin()] if stdin else [_read(path) for path in paths]
    results = [result for result, _ in readings]
    formatted = [one for _, one in readings if one]
    changed = [one for one in formatted if one.is_changed]
    if do == "write" and not stdin:
        for one in changed:
            _write(one)
    if as_json:
        _print_json(results, changed)
    else:
        report.findings(results, to=sys.stderr)
        _print(formatted, changed, stdin, do)
    return results, do != "write" and bool(changed)


def pipeline_files(paths: Iterable[Path]) -> list[Path]:
    """The files as named, and every `.rspp` file below the folders, hidden folders aside; each once."""
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        for folder, subfolders, names in os.walk(path):
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            found += [Path(folder, name) for name in sorted(names) if name.endswith(".rspp")]
    return list(dict.fromkeys(found))


def _read(path: Path, overlays: dict[str, str] | None = None) -> tuple[Result, Formatted | None]:
    """Reads and formats one file. With mistakes of form, there is nothing but the result that holds them."""
    result = compile_pipeline([path], ctx=Context(options=Options(until="lower"), overlays=overlays or {}))
    result = replace(result, diagnostics=tuple(filter(is_mistake_of_form, result.diagnostics)))
    program = result.values.get("lower")
    if program is None or not result.ok:
        return result, None
    first = result.values["parse"][0]  # behind a bundle stand the files that it names
    if is_json(first.source.name):
        return result, Formatted(first.source, format_document(first.tree))
    return result, Formatted(first.source, format_file(program.files[0], first.source))


def _read_stdin() -> tuple[Result, Formatted | None]:
    return _read(Path(STDIN), {STDIN: sys.stdin.buffer.read().decode("utf-8", "surrogateescape")})


def _write(formatted: Formatted) -> None:
    """Puts the canonical text in the file's place, in one step."""
    path = Path(formatted.source.name).resolve()  # behind a link, so that the link stays one
    write_whole(path, formatted.text.encode("utf-8"), path.stat().st_mode & 0o7777)


# ---- the other notation


def convert(paths: Sequence[Path], to: Literal["rspp", "json"], output: Path | None) -> list[Result]:
    """Prints each file in a notation, or writes it to `output`. Raises OSError when that cannot be written."""
    results: list[Result] = []
    for path in paths:
        ctx = Context(options=Options(until="lower"))
        result = compile_pipeline([path], ctx=ctx)
        program = result.values.get("lower")
        text = in_notation(program.files[0], to, ctx) if program is not None and result.ok else None
        results.append(replace(result, diagnostics=ctx.sink.diagnostics))
        if text is None or program is None:
            continue
        if output is None:
            sys.stdout.write(text)
        else:
            write_whole(output, text.encode("utf-8"))
        source = ctx.sources[program.files[0].span.file]
        if to == "json" and not is_json(source.name) and (lost := len(comments(source))):
            what = "comment has" if lost == 1 else "comments have"
            print(f"rsppc fmt: {lost} {what} no place in JSON; `meta` holds notes", file=sys.stderr)
    report.findings(results, to=sys.stderr)
    return results


# ---- what is printed


def _print(formatted: list[Formatted], changed: list[Formatted], stdin: bool, do: Do) -> None:
    if do == "diff":
        sys.stdout.write("".join(map(_difference, changed)))
    elif do == "check":
        for one in changed:
            print(f"would change: {one.name}")
    elif stdin:
        sys.stdout.write("".join(one.text for one in formatted))
    else:
        for one in changed:
            print(f"formatted: {one.name}")


def _difference(formatted: Formatted) -> str:
    """What would change, as a unified diff."""
    before, after = (text.split("\n") for text in (formatted.before, formatted.text))
    lines = difflib.unified_diff(before, after, formatted.name, formatted.name, lineterm="")
    return "".join(f"{line}\n" for line in lines)


def _print_json(results: list[Result], changed: list[Formatted]) -> None:
    """`{"changed": [file, …], "findings": […]}`."""
    found = [one.renamed(_shown) for result in results for one in result.diagnostics]
    document = {"changed": [one.name for one in changed], "findings": to_objects(found)}
    print(json.dumps(document, indent=2, ensure_ascii=False))


def _shown(name: str) -> str:
    return name if name == STDIN else report.shown(Path(name))
