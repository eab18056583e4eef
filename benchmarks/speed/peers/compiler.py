"""How long `rsppc build` takes for the voice assistant: to generate, to compile in an empty folder, and once more."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from rspp_compiler.driver import Options, compile_pipeline
from speed.clocks import now_ns

PIPELINE = Path(__file__).resolve().parents[3] / "pipelines" / "voice_assistant.rspp"
GENERATED, WARM = 5, 5  # times


def version() -> str:
    return f"rspp-compiler {metadata.version('rspp-compiler')}"


def build(command: dict[str, Any]) -> dict[str, Any]:
    """`generate_ns`: everything but the C compiler, in a process that is warm, processor time.

    The others are of the command, from start to end: `cold_ns`, and `cold_cpu_ns` the processor time of it and of the
    compilers that it calls; `warm_ns` while nothing changes; `kept_ns` after the package was removed, not the cache.
    """
    generate_ns = []
    with tempfile.TemporaryDirectory() as folder:
        for trial in range(GENERATED + 1):
            began_ns = time.process_time_ns()
            result = compile_pipeline([PIPELINE], Options(until="write", output=Path(folder), force=True))
            if not result.ok:
                raise RuntimeError("the voice assistant does not compile")
            if trial:
                generate_ns.append(time.process_time_ns() - began_ns)
    with tempfile.TemporaryDirectory() as folder:
        before = os.times()
        cold_ns = _command(folder)
        after = os.times()
        warm_ns = [_command(folder) for _ in range(WARM)]
        kept_ns = [_command(folder, anew=True) for _ in range(WARM)]
    spent_s = after.children_user + after.children_system - before.children_user - before.children_system
    return {
        "generate_ns": generate_ns,
        "cold_ns": cold_ns,
        "cold_cpu_ns": spent_s * 1e9,
        "warm_ns": warm_ns,
        "kept_ns": kept_ns,
    }


def _command(folder: str, *, anew: bool = False) -> int:
    if anew:
        shutil.rmtree(Path(folder) / PIPELINE.stem)
    began_ns = now_ns()
    subprocess.run(
        [sys.executable, "-m", "rspp_compiler.cli", "build", str(PIPELINE), "-o", folder, "--no-install"],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "RSPP_CACHE": f"{folder}/cache"},  # wheels that were built before are no cold build
    )
    return now_ns() - began_ns


CASES = {"build": build}
