"""`rsppc run` and `serve`: hand a built package over to the runtime's own command, in a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from rspp_compiler.cli import EXIT_FINDINGS

IN_DEVELOPMENT = {"--log-dir": "out/sessions", "--level": "L2"}
KEYS = ("--signing-key", "--trust", "--dev")


def serving(arguments: list[str]) -> list[str]:
    """The arguments of `rspp serve` with what development wants where nothing was said: no keys, all of it recorded."""
    given = {argument.partition("=")[0] for argument in arguments}
    more = [] if given & set(KEYS) else ["--dev"]
    for option, value in IN_DEVELOPMENT.items():
        if option not in given:
            more += [option, value]
    return [*arguments, *more]


def run_package(command: str, folder: Path, source: Path, arguments: list[str]) -> int:
    """Runs `rspp COMMAND FOLDER ARGUMENTS…` and returns its exit code. The compiler never imports the runtime.

    The folder of the pipeline's file is on its Python path, so that Python nodes which lie there are found.
    """
    beside = Path(sys.executable).parent / "rspp"
    rspp = str(beside) if beside.exists() else shutil.which("rspp")
    if rspp is None:
        print(f"rsppc {command}: the runtime is not installed here: pip install rspp-runtime", file=sys.stderr)
        return EXIT_FINDINGS
    paths = [str(source.resolve().parent), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}
    with subprocess.Popen([rspp, command, str(folder), *arguments], env=environment) as process:
        # Ctrl-C reaches both: what runs ends in its own order, and we wait for it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda _signal, _frame: process.terminate())
        code = process.wait()
    return code if code >= 0 else 128 - code  # ended by a signal: as a shell says it
