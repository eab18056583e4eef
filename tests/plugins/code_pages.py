"""The page of a diagnostic, as data, and what comes of its examples when they are executed.

A page begins with `# CODE: title` and a paragraph, and has fenced examples; the words behind the language say what for:

    ```rspp bad              causes the code
    ```rspp good             is clean
    ```sh bad                where it takes a command, or a file that cannot be shown
    ```sh fix                run behind it: what clears a code whose cause is not in the text
    ```rspp beside lib/a.rspp   another file of both examples; `bad lib/a.rspp` and `good lib/a.rspp`: of one of them

The examples themselves are read as `example.rspp`, in a folder of their own; `json` examples as `example.json`.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines import ROOT
from rspp_compiler.diagnostics import Diagnostic
from rspp_compiler.diagnostics.catalog import page
from rspp_compiler.diagnostics.fixes import apply_all
from rspp_compiler.diagnostics.render import render
from rspp_compiler.driver import compile_pipeline, lint_pipeline
from rspp_compiler.ir.context import Context, Options
from rspp_compiler.source import Source

MAIN = {"rspp": "example.rspp", "json": "example.json"}  # the main file, by the language of its fence
KINDS = ("bad", "good", "beside", "fix")
_FENCE = re.compile(r"^```([a-z]+) ([a-z]+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ROUNDS_MAX = 3  # of fixing: a fix may bring the same code to light in another place


@dataclass(frozen=True)
class Fence:
    language: str
    kind: str
    path: str
    text: str


@dataclass(frozen=True)
class Run:
    """What came of one example: its files as they were, and the findings."""

    code: str
    texts: dict[str, str]
    found: tuple[Diagnostic, ...]
    sources: dict[str, Source]

    @property
    def codes(self) -> list[str]:
        return [found.code for found in self.found]

    @property
    def errors(self) -> list[str]:
        return [found.code for found in self.found if found.severity == "error"]

    @property
    def printed(self) -> str:
        """As it is printed. A rule's page shows what the rule finds; what others think would only distract."""
        shown = [one for one in self.found if one.code == self.code or one.severity == "error"]
        return render(shown if is_about_lint(self.code) else self.found, self.sources)


def is_about_lint(code: str) -> bool:
    return code.startswith(("W", "E019"))


def fences(code: str) -> list[Fence]:
    """The examples of a page; none for a code that has no page."""
    try:
        text = page(code)
    except FileNotFoundError:
        return []
    return [Fence(language, kind, path, text) for language, kind, path, text in _FENCE.findall(text)]


def fence(code: str, language: str, kind: str) -> str | None:
    """The text of an example's main file, or its commands; None if the page has none."""
    return next((one.text for one in fences(code) if (one.language, one.kind, one.path) == (language, kind, "")), None)


def has(code: str, kind: str) -> bool:
    """Whether the page has an example of that kind that is compiled."""
    return any(fence(code, language, kind) is not None for language in MAIN)


@functools.cache
def example(code: str, kind: str) -> Run:
    """The `bad` or `good` example of a page, read with the files beside it."""
    return run(code, {one.path or MAIN[one.language]: one.text for one in fences(code) if _belongs(one, kind)})


def _belongs(one: Fence, kind: str) -> bool:
    return one.kind in (kind, "beside") and bool(one.path or one.language in MAIN)


@functools.cache
def fixed(code: str) -> Run | None:
    """The bad example after the fixes of its findings of this code; None if they have none."""
    before = example(code, "bad")
    made_any = False
    for _ in range(_ROUNDS_MAX):
        fixes = [found.fix for found in before.found if found.code == code and found.fix]
        texts, made = apply_all(before.texts, fixes)
        if not made:
            break
        made_any = True
        before = run(code, texts)
    return before if made_any else None


def run(code: str, texts: dict[str, str]) -> Run:
    """Compiles the main file among its files as far as nothing is written; a code of `lint` is linted as well."""
    # Only pages about what the runtime cannot run yet ask whether it can: others may show all of the language.
    until = "target" if code.startswith(("E09", "E0602")) else "freeze"
    return Run(code, texts, *_compiled(tuple(sorted(texts.items())), until, is_about_lint(code)))


@functools.cache
def _compiled(
    texts: tuple[tuple[str, str], ...], until: str, linted: bool
) -> tuple[tuple[Diagnostic, ...], dict[str, Source]]:
    """The findings, and the texts that they point into. Many pages share an example."""
    with in_folder() as folder:
        for path, text in texts:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8", newline="")
        ctx = Context(options=Options(until=until))
        main = [Path(path) for path, _ in texts if path in MAIN.values()]
        result = lint_pipeline(main, ctx) if linted else compile_pipeline(main, ctx=ctx)
        return result.diagnostics, ctx.sources


@functools.cache
def shell(code: str) -> tuple[str, int, str]:
    """Runs a page's commands in one folder: what `bad` said, and the exit code and the words of the `fix` behind it."""
    with in_folder() as folder:
        bad = _bash(fence(code, "sh", "bad") or "", folder)
        fix = _bash(fence(code, "sh", "fix") or "", folder)
        return bad.stdout, fix.returncode, fix.stdout


def _bash(commands: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", commands],
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "RSPP_CACHE": _cache(),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@functools.cache
def _cache() -> str:
    """One of the pages' own, so that what a user compiled before does not help; a page's package is compiled once."""
    folder = tempfile.mkdtemp(prefix="rspp-pages-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@contextlib.contextmanager
def in_folder() -> Iterator[Path]:
    """A folder of its own to work in, with the dialogues that we ship."""
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        Path("dialogues").symlink_to(ROOT / "pipelines" / "dialogues")
        yield Path(name)
