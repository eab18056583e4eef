"""What a run was made on: processor, system, load, and the versions of everybody."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from pathlib import Path


def describe() -> list[tuple[str, str]]:
    """Pairs of what and which."""
    return [
        ("when", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())),
        ("commit", _commit()),
        ("processor", f"{_processor()}, {os.cpu_count()} cores"),
        ("system", f"{platform.system()} {platform.release()}"),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("C compiler", _first_line([os.environ.get("CC", "cc"), "--version"])),
        ("flags", os.environ.get("RSPP_CFLAGS", "-O2")),
        ("load before", load()),
    ]


def load() -> str:
    """Of the last minute, and of the last five."""
    one, five, _ = os.getloadavg()
    return f"{one:.2f}, {five:.2f}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _commit() -> str:
    revision = _first_line(["git", "rev-parse", "--short=12", "HEAD"])
    changed = _first_line(["git", "status", "--porcelain", "--untracked-files=no"])
    return f"{revision}, with changes" if changed else revision


def _first_line(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parent)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return next(iter(done.stdout.splitlines()), "")
