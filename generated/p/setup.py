"""Builds the compiled kernel. With RSPP_PURE=1 it is left out, and sessions run on the runtime's pure twin."""

from __future__ import annotations

import os
from pathlib import Path

from setuptools import Extension, setup


def extensions() -> list[Extension]:
    """The kernel, against the declarations of the installed runtime."""
    if os.environ.get("RSPP_PURE") == "1":
        return []
    import rspp_runtime
    from Cython.Build import cythonize

    runtime = Path(rspp_runtime.__file__).parents[1]
    kernel = Extension(
        "p._kernel",
        ["src/p/_kernel.pyx"],
        extra_compile_args=os.environ.get("RSPP_CFLAGS", "-O2").split(),
    )
    made: list[Extension] = cythonize([kernel], include_path=["src", str(runtime)], language_level=3)
    return made


setup(ext_modules=extensions())
