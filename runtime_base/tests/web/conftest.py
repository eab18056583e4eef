"""The TypeScript client and the console: what is built, checked and tested with Node, where there is Node."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`runtime_base/web` with what it needs installed, as package-lock.json has it."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("there is no Node.js here")
    with (tmp_path_factory.getbasetemp().parent / "npm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the workers of a test run share the folder
        if not (WEB / "node_modules" / "esbuild").is_dir():
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(command, cwd=WEB, capture_output=True, text=True, check=False, timeout=300)
            if done.returncode != 0:
                pytest.skip(f"npm cannot install: {done.stderr.strip().splitlines()[-1:]}")
    return WEB


@pytest.fixture(scope="session")
def run(web: Path) -> Run:
    """Runs a command there."""

    def running(*command: str, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=web, capture_output=True, text=True, check=False, timeout=timeout)

    return running
