"""The compiled kernel, in a debug build and in one that a sanitizer watches, on a reduced set of tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kernel_builds import DEBUG, SANITIZED, runtime_with, sanitizers

EXERCISE = Path(__file__).with_name("exercise.py")


def exercise(runtime: Path, flags: tuple[str, ...], *options: str, **environment: str) -> str:
    """What it printed last; asserts that nothing was found."""
    done = subprocess.run(
        [sys.executable, EXERCISE, *options, *flags],
        env={**os.environ, "PYTHONPATH": str(runtime), **environment},
        capture_output=True, text=True, timeout=1200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout.splitlines()[-1]


def test_the_debug_build_agrees_and_is_traced() -> None:
    told = exercise(runtime_with(DEBUG, traced=True), DEBUG, "--traced")
    word, lines = told.split()
    assert word == "fine"
    assert int(lines) > 1000


@pytest.mark.skipif(sys.platform != "linux" or not sanitizers(), reason="this C compiler has no address sanitizer")
def test_the_sanitizers_find_nothing() -> None:
    environment = {
        "LD_PRELOAD": sanitizers(),
        "PYTHONMALLOC": "malloc",  # so that every allocation is watched
        "ASAN_OPTIONS": "detect_leaks=0",  # Python itself keeps much until it ends; leaks are counted elsewhere
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    }
    assert exercise(runtime_with(SANITIZED), SANITIZED, **environment).startswith("fine")


@pytest.mark.skipif(sys.platform != "linux" or not sanitizers(), reason="this C compiler has no address sanitizer")
def test_the_sanitizer_would_find_something(tmp_path: Path) -> None:
    """A write behind a block, compiled and run in the same way, is found."""
    (tmp_path / "wrong.pyx").write_text(
        "from libc.stdlib cimport free, malloc\n"
        "def write(int at):\n"
        "    cdef char* block = <char*> malloc(8)\n"
        "    block[at] = 1\n"
        "    free(block)\n",
        encoding="utf-8",
    )
    (tmp_path / "setup.py").write_text(
        "from setuptools import Extension, setup\n"
        "from Cython.Build import cythonize\n"
        f"wrong = Extension('wrong', ['wrong.pyx'], extra_compile_args={list(SANITIZED)})\n"
        "setup(name='wrong', ext_modules=cythonize([wrong]))",
        encoding="utf-8",
    )
    subprocess.run([sys.executable, "setup.py", "-q", "build_ext", "--inplace"], cwd=tmp_path, check=True)
    environment = {**os.environ, "LD_PRELOAD": sanitizers(), "ASAN_OPTIONS": "detect_leaks=0"}
    for at, code in ((7, True), (8, False)):
        line = [sys.executable, "-c", f"import wrong; wrong.write({at})"]
        done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) is code, done.stderr[-500:]
