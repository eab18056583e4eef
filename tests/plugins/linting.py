"""For tests of `lint`: what its rules find in a text, and the text after their fixes."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from rspp_compiler.diagnostics import Diagnostic
from rspp_compiler.diagnostics.fixes import apply_all
from rspp_compiler.driver import lint_pipeline
from rspp_compiler.ir.context import Context, Options

MAIN = "example.rspp"


def lint(text: str, *, errors: bool = False, until: str = "link", **files: str) -> tuple[Diagnostic, ...]:
    """The findings of a text as `example.rspp`, compiled up to a pass, with `files` beside it; fails on errors."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for path, content in {MAIN: text, **files}.items():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(content, encoding="utf-8")
        found = lint_pipeline([Path(MAIN)], Context(options=Options(until=until))).diagnostics
    wrong = [f"{one.code} {one.message}" for one in found if one.severity == "error"]
    assert errors or not wrong, wrong
    return found


def codes(text: str, *, errors: bool = False, until: str = "link", **files: str) -> list[str]:
    return [found.code for found in lint(text, errors=errors, until=until, **files)]


def fixed(text: str, code: str, **files: str) -> str:
    """The text after all fixes of one code, made until there are none left."""
    for _ in range(10):
        fixes = [found.fix for found in lint(text, errors=True, **files) if found.code == code and found.fix]
        if not fixes:
            break
        text = apply_all({MAIN: text}, fixes)[0][MAIN]
    assert code not in codes(text, errors=True, **files)
    return text
