"""`rsppc diff`: what a change of a pipeline means for those who use it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from rspp_compiler.cli import EXIT_FINDINGS, EXIT_USAGE, report
from rspp_compiler.compat.diff import Change, diff
from rspp_compiler.driver import Result, compile_pipeline
from rspp_compiler.ir.context import Options
from rspp_compiler.source import Span


def run_diff(old: Path, new: Path | None, against: str, *, as_json: bool) -> int:
    """Compares two files, or one with what it was at a commit; returns the exit code: 1 if something breaks."""
    if (new is None) == (against == ""):
        print("rsppc diff: name two files, or one file and --against REF", file=sys.stderr)
        return EXIT_USAGE
    if new is not None:
        return _compare(_compiled(old), _compiled(new), as_json=as_json)
    with tempfile.TemporaryDirectory() as folder:
        before = _at(against, old, Path(folder))
        return EXIT_USAGE if before is None else _compare(_compiled(before), _compiled(old), as_json=as_json)


def _compiled(path: Path) -> Result:
    return compile_pipeline([path], Options(until="freeze"))


def _at(ref: str, path: Path, folder: Path) -> Path | None:
    """The file as it was at a commit, with everything else of its repository, so that imports are found."""
    here = path.resolve().parent
    top = subprocess.run(["git", "rev-parse", "--show-toplevel"], cwd=here, capture_output=True, text=True, check=False)
    if top.returncode:
        print(f"rsppc diff: {path} lies in no git repository", file=sys.stderr)
        return None
    root = Path(top.stdout.strip())
    archive = subprocess.run(["git", "archive", "--format=tar", ref], cwd=root, capture_output=True, check=False)
    if archive.returncode:
        print(f"rsppc diff: git knows no commit {ref!r}", file=sys.stderr)
        return None
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    before = folder / path.resolve().relative_to(root)
    if not before.exists():
        print(f"rsppc diff: {path} is not in {ref}", file=sys.stderr)
        return None
    return before


def _compare(old: Result, new: Result, *, as_json: bool) -> int:
    before, after = old.values.get("freeze"), new.values.get("freeze")
    report.findings([one for one in (old, new) if not one.ok], to=sys.stderr)
    if before is None or after is None:
        is_missing = any(found.code == "E0101" for one in (old, new) for found in one.diagnostics)
        return EXIT_USAGE if is_missing else EXIT_FINDINGS
    changes = diff(before, after)
    if as_json:
        sys.stdout.write(json.dumps([_object(change) for change in changes], indent=2, ensure_ascii=False) + "\n")
    else:
        _print(changes)
    return EXIT_FINDINGS if any(change.rule.breaks for change in changes) else 0


def _print(changes: tuple[Change, ...]) -> None:
    for change in changes:
        place = change.after or change.before
        marks = ["breaks" if change.rule.breaks else "", "boundary" if change.rule.is_boundary else ""]
        said = ", ".join(mark for mark in marks if mark)
        print(f"{change.rule.category:<7} {change.rule.id}{f' ({said})' if said else ''}")
        print(f"        {change.message}")
        if place:
            print(f"        {'now at' if change.after else 'was at'} {place}: {change.rule.purpose}")
    broken = sum(change.rule.breaks for change in changes)
    boundary = any(change.rule.is_boundary for change in changes)
    if not changes:
        print("the same pipeline")
        return
    words = f"{len(changes)} change{'s' if len(changes) > 1 else ''}, {broken} breaking"
    print(f"\n{words}; {'sessions cannot move between the two' if boundary else 'sessions may move between the two'}")


def _object(change: Change) -> dict[str, Any]:
    return {
        "rule": change.rule.id,
        "category": change.rule.category,
        "breaks": change.rule.breaks,
        "is_boundary": change.rule.is_boundary,
        "purpose": change.rule.purpose,
        "message": change.message,
        "before": _place(change.before),
        "after": _place(change.after),
    }


def _place(span: Span | None) -> dict[str, Any] | None:
    return {"file": span.file, "line": span.line, "column": span.column} if span else None
