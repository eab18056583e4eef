"""Many mechanical bugs in one build of the compiled kernel: each is behind a number that is chosen at run time.

A mutated module has a C variable `MUTANT`; a statement becomes `if MUTANT == 7: WRONG else: RIGHT`, a condition
`(MUTANT == 7 and (WRONG)) or (MUTANT != 7 and (RIGHT))`. With 0 it is the right kernel, so one build (without
optimisation) serves all.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from changes import Change

import rspp_runtime

RUNTIME = Path(rspp_runtime.__file__).parent
_CONDITION = re.compile(r"(if|elif|while) (.+):$")
_SETTER = "\n\ndef set_mutant(int number):\n    global MUTANT\n    MUTANT = number\n"
BUILD = """
from pathlib import Path
from setuptools import Extension, setup
from Cython.Build import cythonize
directives = dict(language_level="3str", boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False)
flags = ["-O0", "-w"]
paths = sorted(Path("rspp_runtime").glob("*/*.pyx"))
modules = [Extension(".".join(path.with_suffix("").parts), [str(path)], extra_compile_args=flags) for path in paths]
setup(name="mutated", packages=[], script_args=["-q", "build_ext", "--inplace"],
      ext_modules=cythonize(modules, compiler_directives=directives, quiet=True))
"""


def switch(text: str, changes: Sequence[tuple[int, Change]]) -> str:
    """The text with all of these in it, by number."""
    lines = text.split("\n")
    for number, change in changes:
        lines[change.line - 1] = _switched(number, change)
    body = "\n".join(lines)
    end = body.index('"""', 3) + 3  # behind the docstring
    return f"{body[:end]}\n\ncdef int MUTANT = 0\n{body[end:].rstrip()}\n{_SETTER}"


def _switched(number: int, change: Change) -> str:
    indent = change.right[: len(change.right) - len(change.right.lstrip())]
    right, wrong = (text.strip().partition("  # ")[0] for text in (change.right, change.wrong))
    one, other = _CONDITION.match(right), _CONDITION.match(wrong)
    if one and other:
        is_wrong, is_right = f"MUTANT == {number} and ({other.group(2)})", f"MUTANT != {number} and ({one.group(2)})"
        return f"{indent}{one.group(1)} ({is_wrong}) or ({is_right}):"
    return f"{indent}if MUTANT == {number}:\n{indent}    {wrong}\n{indent}else:\n{indent}    {right}"


def build_runtime(folder: Path, drawn: Sequence[tuple[int, Change]]) -> list[tuple[int, Change]]:
    """A copy of the runtime in `folder` with these in its kernel; returns those that the compiler took.

    A bug that is no valid Cython (a pointer for a number) is left out: the compiler has found it.
    """
    target = folder / "rspp_runtime"
    shutil.copytree(RUNTIME, target, ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.c"))
    (folder / "setup.py").write_text(BUILD, "utf-8")
    kept = list(drawn)
    while True:
        for path in sorted((RUNTIME / "kernel").glob("*.pyx")):
            mine = [(number, change) for number, change in kept if change.file == path.name]
            if mine:
                (target / "kernel" / path.name).write_text(switch(path.read_text("utf-8"), mine), "utf-8")
            else:
                shutil.copy(path, target / "kernel" / path.name)
        done = subprocess.run([sys.executable, "setup.py"], cwd=folder, capture_output=True, text=True)
        if not done.returncode:
            return kept
        told = done.stdout + done.stderr
        bad = _refused(told, target / "kernel", kept)
        if not bad:
            raise RuntimeError(told[-3000:])
        kept = [(number, change) for number, change in kept if number not in bad]


def _refused(told: str, kernel: Path, kept: Sequence[tuple[int, Change]]) -> set[int]:
    """Numbers of the bugs at the lines that the compiler complained about."""
    bad: set[int] = set()
    for name, line in re.findall(r"(\w+\.pyx):(\d+):\d+:", told):
        lines = (kernel / name).read_text("utf-8").split("\n")
        near = "\n".join(lines[max(0, int(line) - 3) : int(line)])
        numbers = {int(number) for number in re.findall(r"MUTANT == (\d+)", near)}
        bad |= {max(numbers)} if numbers else set()
    return bad & {number for number, _ in kept}
