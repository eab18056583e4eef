"""The shipped pipeline, built from its source and run by its command on real recordings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import assistant
from loading import module_of

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "pipelines" / "samples"
SCRIPTED = ROOT / "runtime_base" / "tests" / "session" / "scripted.py"


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assistant.built(tmp_path_factory.mktemp("generated"))


@pytest.fixture(scope="session")
def samples() -> Path:
    return SAMPLES


@pytest.fixture(scope="session")
def rspp() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `rspp ARGUMENTS…`; the caller looks at the exit code."""

    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "120"}

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "rspp_runtime.cli", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=120)

    return run


@pytest.fixture(scope="session")
def converse(rspp: Callable[..., subprocess.CompletedProcess[str]], package: Path) -> Callable[..., dict[str, Any]]:
    """Runs a conversation and returns its report; real engines, virtual time unless `fast` is False."""

    def run(*arguments: str | Path, fast: bool = True) -> dict[str, Any]:
        done = rspp("run", package, "--json", *(["--fast"] if fast else []), *arguments)
        assert done.returncode == 0, done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    return run


@pytest.fixture(scope="session", params=["compiled", "pure"])
def kernel(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def shifted(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """interruption.wav with the pause before the interruption longer (or shorter) by so many milliseconds."""

    def make(ms: int) -> Path:
        pcm, rate_hz = soundfile.read(SAMPLES / "interruption.wav", dtype="int16")
        start, end = _longest_pause(np.abs(pcm.astype(int)) > 30)
        middle = (start + end) // 2
        count = abs(ms) * rate_hz // 1000
        half = count // 2
        if ms >= 0:
            pcm = np.concatenate([pcm[:middle], np.zeros(count, np.int16), pcm[middle:]])
        else:
            pcm = np.concatenate([pcm[: middle - half], pcm[middle - half + count :]])
        path = tmp_path_factory.mktemp("shifted") / f"interruption{ms:+d}.wav"
        soundfile.write(path, pcm, rate_hz)
        return path

    return make


@pytest.fixture(scope="session")
def words_by(
    rspp: Callable[..., subprocess.CompletedProcess[str]], package: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[float], int]:
    """How many words of the long answer are voiced so many milliseconds after it begins, when nobody interrupts it."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    pcm, rate_hz = soundfile.read(SAMPLES / "interruption.wav", dtype="int16")
    soundfile.write(folder / "first.wav", pcm[: _longest_pause(np.abs(pcm.astype(int)) > 30)[0] + rate_hz], rate_hz)
    done = rspp("run", package, "--wav", folder / "first.wav", "--fast", "--log", folder / "log", "--json")
    assert done.returncode == 0, done.stderr
    assert [turn["outcome"] for turn in json.loads(done.stdout)["turns"]] == ["commit"]
    lines = map(json.loads, rspp("timeline", folder / "log", "--jsonl").stdout.splitlines())
    sent = [line for line in lines if line["record"] == "output" and line["op"] == "SEND" and line["size"] == 640]
    ends_ms = [((line["x"] - sent[0]["x"]) / 1e6 + 20, line["y"]) for line in sent]

    def by(ms: float) -> int:
        return max((words for end_ms, words in ends_ms if end_ms <= ms), default=0)

    return by


def _longest_pause(loud: Any) -> tuple[int, int]:
    """First and last sample of the longest silence between two sounds."""
    at = np.flatnonzero(loud)
    gap = int(np.argmax(np.diff(at)))
    return int(at[gap]), int(at[gap + 1])


@pytest.fixture
def stage(package: Path, kernel: str, tmp_path: Path) -> Any:
    """Sessions of the built package with the test's own providers (`stage.py`)."""
    from rspp_runtime.session.package import load

    scripted = module_of("rspp_scripted", SCRIPTED)
    stage = module_of("rspp_stage", Path(__file__).with_name("stage.py"))
    return stage.Stage(scripted, load(str(package)), kernel, tmp_path)
