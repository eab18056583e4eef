"""The fuzzer, for a while, on the whole front end. `make fuzz` runs it for an hour."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

SECONDS = 20
FUZZ = Path(__file__).with_name("fuzz.py")

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None,
    reason="atheris is not installed: it has wheels for CPython 3.11 to 3.13 on 64-bit Linux",
)


def test_nothing_falls_over_in_the_time_there_is(tmp_path: Path) -> None:
    command = [sys.executable, str(FUZZ), "--seconds", str(SECONDS), "--corpus", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS + 120, check=False)
    assert run.returncode == 0, f"{run.stdout[-4000:]}\n{run.stderr[-1000:]}"  # libFuzzer's words are on the second
    executed = re.search(r"stat::number_of_executed_units: (\d+)", run.stderr)
    assert executed
    print(f"{executed[1]} executions in {SECONDS} s")
    assert int(executed[1]) > 100


def test_a_kept_input_can_be_run_again(tmp_path: Path) -> None:
    kept = tmp_path / "crash"
    kept.write_bytes(b"pipeline a {\n  b => \xffc\n")
    run = subprocess.run(
        [sys.executable, str(FUZZ), str(kept)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
