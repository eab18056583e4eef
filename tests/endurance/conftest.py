"""The shipped pipeline, built once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of voice_assistant, freshly built (from the compiler's cache if nothing changed)."""
    output = tmp_path_factory.mktemp("generated")
    source = ROOT / "pipelines" / "voice_assistant.rspp"
    command = [sys.executable, "-m", "rspp_compiler.cli", "build", str(source), "-o", str(output), "--no-install"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return output / "voice_assistant"
