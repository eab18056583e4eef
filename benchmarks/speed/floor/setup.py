"""Builds the floor with the flags that a generated package is built with (`RSPP_CFLAGS`, else -O2; no -march)."""

from __future__ import annotations

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

HERE = Path(__file__).parent


def extension(name: str) -> Extension:
    return Extension(
        name,
        [str(HERE / f"{name}.pyx")],
        include_dirs=[str(HERE)],
        depends=[str(HERE / "ring.h")],
        extra_compile_args=os.environ.get("RSPP_CFLAGS", "-O2").split(),
    )


setup(
    name="floor",
    ext_modules=cythonize([extension("ring"), extension("allocations")], build_dir=os.environ.get("FLOOR_BUILD")),
)
