"""The generated kernel does not need more instructions than it did: a gate that repeats where seconds do not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from count import Unavailable, ceilings, count, counts_here

PIPELINE = Path(__file__).parents[2] / "pipelines" / "voice_assistant.rspp"


@pytest.fixture(scope="module")
def limits() -> dict[str, int]:
    """Looked at before anything is built: where nothing can be counted, nothing is."""
    try:
        counts_here()
        return ceilings()
    except Unavailable as why:
        pytest.skip(f"instructions cannot be counted here: {why}")


@pytest.fixture(scope="module")
def packages(limits: dict[str, int], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with voice_assistant as users build it (from the compiler's cache if nothing changed)."""
    output = tmp_path_factory.mktemp("counted")
    command = [sys.executable, "-m", "rspp_compiler.cli", "build", str(PIPELINE), "-o", str(output), "--no-install"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return output


def test_turn_and_frame_stay_below_their_ceilings(packages: Path, limits: dict[str, int]) -> None:
    counted = count(packages)
    told = ", ".join(f"{name} {number:,} of {limits[name]:,}" for name, number in counted.items())
    assert all(number > 1_000 for number in counted.values()), f"nothing was counted: {told}"
    assert all(counted[name] <= limit for name, limit in limits.items()), (
        f"the kernel needs more instructions than before: {told}; `benchmarks/instructions/count.py` shows them, and "
        "with --write raises the ceilings if that was meant"
    )
