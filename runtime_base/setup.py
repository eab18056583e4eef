"""Builds the kernel, and what else is compiled. The rest of the distribution is described in pyproject.toml.

Only what changed is built: Cython follows what a module cimports, and compares times. What it does not look at (flags,
directives, versions) is in a file that every module depends on, and that is written anew only when it changes.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import PackageNotFoundError, version
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
FLAGS = os.environ.get("RSPP_CFLAGS", "-O3 -Wno-unused-function").split()
BUILD = Path("build/cython")
MADE_WITH = BUILD / "made_with"


def picows_version() -> str:
    """Of the picows that is here. Without one the module that goes by it is not built: its twin in Python serves."""
    try:
        return version("picows")
    except PackageNotFoundError:
        return ""


def extension(path: Path) -> Extension:
    """The extension module of `src/rspp_runtime/ROOM/NAME.pyx`."""
    name = ".".join(path.with_suffix("").parts[1:])
    macros = [("RSPP_PICOWS", f'"{PICOWS}"')] if path.stem == BY_PICOWS else []
    return Extension(name, [str(path)], extra_compile_args=FLAGS, define_macros=macros)


def modules() -> list[Extension]:
    """The modules as C: every one if it would be made with anything else than before, else those that changed."""
    now = f"{sys.version}\n{Cython.__version__}\n{os.environ.get('CC', '')}\n{FLAGS}\n{DIRECTIVES}\n{PICOWS}\n"
    is_same = MADE_WITH.is_file() and MADE_WITH.read_text(encoding="utf-8") == now
    made: list[Extension] = cythonize(
        [extension(path) for path in MODULES if PICOWS or path.stem != BY_PICOWS],
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


BY_PICOWS = "framed"
PICOWS = picows_version()
os.chdir(HERE)
setup(ext_modules=modules())
