"""The compiled kernel built in other ways: a copy of the runtime, compiled with other flags, kept by content."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import rspp_runtime

RUNTIME = Path(rspp_runtime.__file__).parent
LANGUAGE = {"language_level": "3str", "boundscheck": False, "wraparound": False, "cdivision": True,
            "initializedcheck": False}  # fmt: skip
SETUP = """
from pathlib import Path
from setuptools import Extension, setup
from Cython.Build import cythonize
paths = sorted(Path("rspp_runtime").glob("*/*.pyx"))
modules = [Extension(".".join(path.with_suffix("").parts), [str(path)], extra_compile_args={flags!r}) for path in paths]
setup(name="copy", packages=[], script_args=["-q", "build_ext", "--inplace"],
      ext_modules=cythonize(modules, compiler_directives={directives!r}, quiet=True))
"""

DEBUG = ("-O0", "-g", "-UNDEBUG", "-DCYTHON_TRACE_NOGIL=1", "-w")
SANITIZED = ("-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined",
             "-w")  # fmt: skip


def copy_runtime(folder: Path) -> Path:
    """The runtime's sources in `folder`, without anything compiled."""
    target = folder / "rspp_runtime"
    shutil.copytree(RUNTIME, target, ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.c"))
    return target


def compile_copy(folder: Path, flags: tuple[str, ...], directives: dict[str, object]) -> str:
    """Compiles the copy; returns "" or what the tools said when they failed."""
    (folder / "setup.py").write_text(SETUP.format(flags=list(flags), directives=LANGUAGE | directives), "utf-8")
    done = subprocess.run([sys.executable, "setup.py"], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


@functools.cache
def runtime_with(flags: tuple[str, ...], *, traced: bool = False) -> Path:
    """The folder to put in front of `PYTHONPATH`; built once for the same sources. Raises RuntimeError."""
    directives: dict[str, object] = {"boundscheck": True, "initializedcheck": True, "linetrace": True} if traced else {}
    digest = hashlib.sha256(f"{sys.version}{flags}{directives}".encode())
    for path in sorted(RUNTIME.rglob("*.p*")):
        if path.suffix in (".py", ".pyx", ".pxd"):
            digest.update(f"{path.relative_to(RUNTIME)}\0".encode() + path.read_bytes())
    folder = Path(tempfile.gettempdir()) / f"rspp-test-runtimes-{os.getuid()}" / digest.hexdigest()[:24]
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as name:
            made = Path(name) / "made"
            copy_runtime(made)
            told = compile_copy(made, flags, directives)
            if told:
                raise RuntimeError(told[-3000:])
            made.rename(folder)
    return folder


def sanitizers() -> str:
    """The sanitizers' libraries that go with the C compiler, for `LD_PRELOAD`; "" if it lacks one."""
    compiler = (os.environ.get("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        return ""
    found = []
    for name in ("libasan.so", "libubsan.so"):
        done = subprocess.run([compiler, f"-print-file-name={name}"], capture_output=True, text=True, check=False)
        found.append(Path(done.stdout.strip()))
    return " ".join(map(str, found)) if all(path.is_absolute() and path.exists() for path in found) else ""
