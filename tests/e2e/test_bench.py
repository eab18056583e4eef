"""`rspp bench` on the built voice assistant: its callers talk, and are answered."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from rspp_runtime.bench.ramp import Point, hold
from rspp_runtime.bench.stand_ins import WORD_FRAMES, WORDS, stood_in
from rspp_runtime.cli.app import run_app
from rspp_runtime.session.clock import VirtualClock
from rspp_runtime.session.package import Package, load
from rspp_runtime.session.virtual import run


async def _held(package: Package, kernel: str, sessions: int, seconds: float) -> Point:
    loop = asyncio.get_running_loop()
    return await hold(package, await stood_in(package), sessions, seconds, kernel, lambda: VirtualClock(loop))


def test_callers_talk_and_are_answered(package: Path, kernel: str) -> None:
    """In virtual time nothing is late, and each question has its answer."""
    assistant = load(str(package))
    plan = assistant.plan
    seen = run(_held(assistant, kernel, 2, 20.0), virtual=True)
    meter = seen.meter
    assert meter.lateness.longest_ns == 0
    assert meter.lateness.count == pytest.approx(2 * 20 * 50, abs=4)
    period_s = 2.0 + WORDS * WORD_FRAMES * 0.02 + 0.3
    assert meter.answers.count >= 2 * int(20 / period_s) - 2
    assert {plan.nodes[node].name for node in meter.nodes} == {"stt", "llm", "voice"}
    assert meter.turns >= meter.answers.count - 2
    assert meter.kernel.count > 2 * 20 * 50


def test_the_command(package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In real time: a busy machine may serve nobody on time, and then it says so."""
    picture = tmp_path / "curve.svg"
    with pytest.raises(SystemExit) as left:
        run_app(["bench", str(package), "--sessions", "1", "--seconds", "0.5", "--picture", str(picture), "--json"])
    out, err = capsys.readouterr()
    assert left.value.code == 0
    assert err == "bench: 1 session\n"
    data = json.loads(out)
    assert data["pipeline"] == "voice_assistant"
    assert data["points"][0]["sessions"] == 1
    assert data["points"][0]["stages"]["kernel"]["count"] > 0
    assert picture.read_text("utf-8").startswith("<svg")
