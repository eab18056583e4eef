"""The shipped voice assistant as users have it: built from its source by the command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "pipelines" / "voice_assistant.rspp"


def built(output: Path, source: Path = SOURCE) -> Path:
    """Its folder below `output`, freshly built (from the compiler's cache if nothing changed)."""
    command = [sys.executable, "-m", "rspp_compiler.cli", "build", str(source), "-o", str(output), "--no-install"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return output / "voice_assistant"
