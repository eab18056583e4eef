"""Builds the kernel, and what else is compiled. The rest of the distribution is described in pyproject.toml."""

from __future__ import annotations

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

HERE = Path(__file__).parent
ROOMS = ("kernel", "evidence")
MODULES = sorted(path.relative_to(HERE) for room in ROOMS for path in (HERE / "src/rspp_runtime" / room).glob("*.pyx"))
DIRECTIVES = {
    "language_level": "3str",
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
    "embedsignature": False,
}
FLAGS = os.environ.get("RSPP_CFLAGS", "-O2 -Wno-unused-function").split()


def extension(path: Path) -> Extension:
    """The extension module of `src/rspp_runtime/ROOM/NAME.pyx`."""
    name = ".".join(path.with_suffix("").parts[1:])
    return Extension(name, [str(path)], extra_compile_args=FLAGS)


os.chdir(HERE)
setup(
    ext_modules=cythonize(
        [extension(path) for path in MODULES],
        build_dir="build/cython",
        compiler_directives=DIRECTIVES,
        force=True,  # declarations of one module are compiled into the others
        quiet=True,
    )
)
