"""Compiles a kernel for a test: quickly, and once for the same contents."""

from __future__ import annotations

import fcntl
import hashlib
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import rspp_runtime

RUNTIME = Path(rspp_runtime.__file__).parent
FLAGS = "-O1"
SETUP = """
from setuptools import Extension, setup
from Cython.Build import cythonize

kernel = Extension("{name}._kernel", ["{name}/_kernel.pyx"], extra_compile_args=["{flags}", "-Wno-unused-function"])
setup(name="{name}", packages=[], ext_modules=cythonize([kernel], include_path=["{runtime}"], quiet=True))
"""


def _key(files: dict[str, str]) -> str:
    digest = hashlib.sha256(f"{sys.version}{FLAGS}".encode())
    texts = dict(files) | {path.name: path.read_text() for path in sorted((RUNTIME / "kernel").glob("*.px*"))}
    for name, text in sorted(texts.items()):
        digest.update(f"{name}\0{text}\0".encode())
    return digest.hexdigest()[:24]


def build(name: str, files: dict[str, str]) -> ModuleType:
    """The module `_kernel` of package `name` made of `files`; raises RuntimeError with what the C compiler said."""
    root = Path(tempfile.gettempdir()) / f"rspp-test-kernels-{os.getuid()}"
    folder = root / _key(files) / name
    if not (folder / "built").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (folder.parent / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two workers want the same kernel: one compiles it
            if not (folder / "built").exists():
                _compile(name, files, folder)
    return _load(folder, name)


def _compile(name: str, files: dict[str, str], folder: Path) -> None:
    work = Path(tempfile.mkdtemp(prefix="rspp-kernel-"))
    (work / name).mkdir()
    for file, text in files.items():
        (work / name / file).write_text(text, encoding="utf-8")
    (work / "setup.py").write_text(SETUP.format(name=name, flags=FLAGS, runtime=RUNTIME.parent))
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    (work / name / "built").touch()
    shutil.rmtree(folder, ignore_errors=True)
    shutil.move(work / name, folder)
    shutil.rmtree(work)


def _load(folder: Path, name: str) -> ModuleType:
    """Imports the kernel from this folder, whatever else has its package's name, before and after."""
    _forget(name)
    sys.path.insert(0, str(folder.parent))
    try:
        importlib.invalidate_caches()
        return importlib.import_module(f"{name}._kernel")
    finally:
        sys.path.remove(str(folder.parent))
        _forget(name)


def _forget(name: str) -> None:
    for module in [module for module in sys.modules if module == name or module.startswith(f"{name}.")]:
        del sys.modules[module]


def committed(name: str) -> dict[str, str]:
    """The files of a stub as committed."""
    folder = Path(__file__).parent / name
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir()) if path.is_file()}
