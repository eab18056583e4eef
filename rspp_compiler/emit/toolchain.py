"""The tools that turn a package into a wheel, each run in a process of its own.

The compiler never imports the runtime: `installed` finds its declarations.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from rspp_compiler.emit import installed

CFLAGS = "-O2"
_FLAGS = "-g0 -Wno-unused-function"  # no debugging information: it would name the folder that we build in
# A debug build: nothing optimised, assertions on, and `sys.settrace` sees each line of the kernel.
DEBUG_CFLAGS = "-O0 -g -UNDEBUG -DCYTHON_TRACE_NOGIL=1 -Wno-unused-function"
DEBUG_DIRECTIVES = (
    "# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True, linetrace=True"
)
# The date of every file in a wheel; any fixed one gives the same bytes, and zip archives know none before 1980.
EPOCH = "315532800"


class ToolError(Exception):
    """A tool failed. `code` is the diagnostic's, `detail` the last lines that the tool printed."""

    def __init__(self, code: str, message: str, detail: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.code, self.message, self.detail = code, message, tuple(detail)


def c_compiler() -> str:
    """Path of the C compiler. Raises `ToolError` E0704 if there is none."""
    found = installed.c_compiler()
    if found is None:
        raise ToolError("E0704", f"no C compiler: `{installed.c_command().split()[0]}` is not installed")
    return found


def fingerprint(backend: str, debug: bool = False) -> str:
    """What a built wheel depends on besides the package's files: Python, and for `cython` the C toolchain."""
    facts = [sysconfig.get_platform(), platform.python_implementation(), platform.python_version(), backend]
    facts.append(f"setuptools {metadata.version('setuptools')}")
    if backend == "cython":
        version = run([c_compiler(), "--version"], Path.cwd(), "E0704", "the C compiler does not run")
        facts += [f"cython {metadata.version('cython')}", version.splitlines()[0], CFLAGS, _FLAGS, _declarations()]
        facts += [DEBUG_CFLAGS, DEBUG_DIRECTIVES] if debug else []
    return "\n".join(facts)


def _declarations() -> str:
    found = installed.declarations()
    if found is None:
        raise ToolError("E0705", "`rspp-runtime` is not installed beside rsppc")
    return found


def build_wheel(folder: Path, output: Path, backend: str, debug: bool = False) -> Path:
    """Runs the package's `setup.py` in `folder`, which is ours to dirty; returns the wheel in `output`.

    Raises `ToolError` E0706 with what the tool said.
    """
    if debug:
        for kernel in folder.glob("src/*/_kernel.pyx"):
            _, rest = kernel.read_text("utf-8").split("\n", 1)  # the first line holds the directives
            kernel.write_text(f"{DEBUG_DIRECTIVES}\n{rest}", "utf-8")
    environment = dict(
        os.environ,
        SOURCE_DATE_EPOCH=EPOCH,
        PYTHONHASHSEED="0",
        RSPP_PURE="1" if backend == "python" else "0",
        RSPP_CFLAGS=f"{DEBUG_CFLAGS if debug else f'{CFLAGS} {_FLAGS}'} -ffile-prefix-map={folder}=.",
    )
    command = [sys.executable, "setup.py", "-q", "bdist_wheel", "--dist-dir", str(output)]
    run(command, folder, "E0706", "the generated package does not build", environment)
    return next(output.glob("*.whl"))


def install(wheel: Path) -> None:
    """Puts a wheel into the current environment, without its dependencies. Raises `ToolError` E0707."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-deps", "--no-index"]
    command += ["--force-reinstall", str(wheel.resolve())]
    run(command, wheel.parent, "E0707", f"`{wheel.name}` cannot be installed here")


def run(
    command: Sequence[str], folder: Path, code: str, message: str, environment: Mapping[str, str] | None = None
) -> str:
    """What the command prints. Raises `ToolError` with the last lines of what it said if it fails."""
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, errors="replace", check=False
        )
    except OSError as error:
        raise ToolError(code, message, [str(error)]) from error
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()
        raise ToolError(code, message, said[-12:])
    return done.stdout
