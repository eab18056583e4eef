"""Builds the kernel, and what else is compiled. The rest of the distribution is described in pyproject.toml.

Only what changed is built: Cython follows what a module cimports, and compares times. What it does not look at (flags,
directives, versions) is in a file that every module depends on, and that is written anew only when it changes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import Cython
from Cython.Build import cythonize
from setuptools import Extension, setup

HERE = Path(__file__).parent
ROOMS = ("kernel", "evidence", "session", "serving", "audio")
MODULES = sorted(path.relative_to(HERE) for room in ROOMS for path in (HERE / "src/rspp_runtime" / room).glob("*.pyx"))
DIRECTIVES = {
    "language_level": "3str",
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "binding": False,  # as built-in methods are called: a frame is told to twenty of them
    "initializedcheck": False,
    "embedsignature": False,
}
FLAGS = os.environ.get("RSPP_CFLAGS", "-O2 -Wno-unused-function").split()
BUILD = Path("build/cython")
MADE_WITH = BUILD / "made_with"


def extension(path: Path) -> Extension:
    """The extension module of `src/rspp_runtime/ROOM/NAME.pyx`."""
    name = ".".join(path.with_suffix("").parts[1:])
    return Extension(name, [str(path)], extra_compile_args=FLAGS)


def modules() -> list[Extension]:
    """The modules as C: every one if it would be made with anything else than before, else those that changed."""
    now = f"{sys.version}\n{Cython.__version__}\n{os.environ.get('CC', '')}\n{FLAGS}\n{DIRECTIVES}\n"
    is_same = MADE_WITH.is_file() and MADE_WITH.read_text(encoding="utf-8") == now
    made: list[Extension] = cythonize(
        [extension(path) for path in MODULES],
        build_dir=str(BUILD),
        compiler_directives=DIRECTIVES,
        force=not is_same,
        quiet=True,
    )
    if not is_same:  # only now: what is interrupted begins anew
        BUILD.mkdir(parents=True, exist_ok=True)
        MADE_WITH.write_text(now, encoding="utf-8")
    for one in made:
        one.depends.append(str(MADE_WITH))
    return made


os.chdir(HERE)
setup(ext_modules=modules())
