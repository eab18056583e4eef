"""`rsppc run`: hands a built package over to the runtime's own command, in a process of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from rspp_compiler.cli import EXIT_FINDINGS


def run_package(folder: Path, arguments: list[str]) -> int:
    """Runs `rspp run FOLDER ARGUMENTS…` and returns its exit code. The compiler never imports the runtime."""
    beside = Path(sys.executable).parent / "rspp"
    command = str(beside) if beside.exists() else shutil.which("rspp")
    if command is None:
        print("rsppc run: the runtime is not installed here: pip install rspp-runtime", file=sys.stderr)
        return EXIT_FINDINGS
    try:
        code = subprocess.run([command, "run", str(folder), *arguments], check=False).returncode
    except KeyboardInterrupt:
        return 130
    return code if code >= 0 else 128 - code  # ended by a signal: as a shell says it
