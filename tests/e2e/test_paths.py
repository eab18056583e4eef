"""The way to the ear has a time of its own: a model that keeps its own time and says nothing is excused, then read."""

from __future__ import annotations

import asyncio
import html
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loading import module_of
from rspp_runtime.abi.codes import Cause, Op, Signal
from rspp_runtime.providers.contract import Invocation
from rspp_runtime.session.package import load

MS = 1_000_000
ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "tests" / "corpus" / "good" / "punctual_host.rspp"
SCRIPTED = ROOT / "runtime_base" / "tests" / "session" / "scripted.py"
TO_VOICE = "stt.utterance -> voice.audio"
EXCUSE = b"Let me think."


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of punctual_host, built (from the compiler's cache if nothing changed)."""
    output = tmp_path_factory.mktemp("generated")
    command = [sys.executable, "-m", "rspp_compiler.cli", "build", str(SOURCE), "-o", str(output), "--no-install"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return output / "punctual_host"


@pytest.fixture
def stage(host: Path, kernel: str, tmp_path: Path) -> Any:
    scripted = module_of("rspp_scripted", SCRIPTED)
    stage = module_of("rspp_stage", Path(__file__).with_name("stage.py"))
    return stage.Stage(scripted, load(str(host)), kernel, tmp_path)


async def mumbles(call: Invocation) -> None:
    """Answers in time, and often enough, and says nothing for 1.8 s."""
    async for _ in call.inputs():
        pass
    for _ in range(6):
        await asyncio.sleep(0.3)
        await call.emit("delta", b"")
    await call.emit("delta", b"It is four. ")


def budgets(seen: Any) -> list[tuple[str, int, int, int]]:
    """What was decided about budgets: signal, `y`, turn, ms since that turn opened."""
    opened = {one.turn: one.t_ns for one in seen.signals(Signal.TURN_OPEN)}
    return [
        (Signal(one.code).name, one.y, one.turn, (one.t_ns - opened[one.turn]) // MS)
        for one in seen.signals(Signal.BUDGET_WARNING, Signal.BUDGET_EXHAUSTED)
    ]


def test_a_way_that_is_too_long_is_excused_and_then_goes_on_in_writing(
    stage: Any, host: Path, rspp: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    paths = stage.package.plan.paths
    place = next(path.id for path in paths if path.name == TO_VOICE)
    seen = stage.play(stage.asks(times=2), llm=mumbles)

    spent = [one for one in seen.signals(Signal.BUDGET_EXHAUSTED) if one.y == -4 - place]
    asked = seen.ops(Op.FEED, stage.node("llm"))
    assert [one.t_ns for one in spent] == [one.t_ns + 1300 * MS for one in asked]
    (fallback,), (degrade,) = seen.signals(Signal.FALLBACK), seen.signals(Signal.DEGRADE)
    assert (fallback.turn, fallback.t_ns, fallback.cause) == (1, spent[0].t_ns, Cause.BUDGET_EXHAUSTED)
    assert (degrade.turn, degrade.t_ns, degrade.cause) == (2, spent[1].t_ns, Cause.BUDGET_EXHAUSTED)
    said = [one.payload for one in seen.ops(Op.FEED, stage.node("voice"))]
    assert said[0] == EXCUSE
    assert b"".join(said[1:]).strip() == b"It is four."
    assert len(seen.played(1)) > 10
    assert seen.played(2) == []
    shown = b"".join(one.payload for one in seen.ops(Op.SEND) if one.port == 1 and one.turn == 2)
    assert shown.strip() == b"It is four."
    assert [one.turn for one in seen.signals(Signal.COMMIT)] == [1, 2]

    lines = rspp("timeline", seen.log, "--signals", "--package", host).stdout.splitlines()
    told = [one for one in map(json.loads, lines) if one["signal"].startswith("budget_") and one.get("budget")]
    assert [(one["signal"], one["budget"], one["scope"]) for one in told] == [
        (name, TO_VOICE, "turn") for name in ("budget_warning", "budget_exhausted") * 2
    ]
    for kernel in ("compiled", "pure"):
        assert rspp("replay", seen.log, "--package", host, "--kernel", kernel).returncode == 0
    page = seen.log.with_suffix(".html")
    assert rspp("timeline", seen.log, "-o", page, "--package", host).returncode == 0
    assert f"budget of {TO_VOICE} exhausted" in html.unescape(page.read_text("utf-8"))
    for turn, opened in ((one.turn, one.t_ns) for one in seen.signals(Signal.TURN_OPEN)):
        ended_ms = seen.records[turn]["budgets_exhausted"][TO_VOICE]
        assert ended_ms == spent[turn - 1].t_ns // MS > opened // MS


def test_an_answer_in_time_leaves_no_word_about_it(stage: Any) -> None:
    seen = stage.play(stage.asks(times=2))
    assert budgets(seen) == []
    assert [one.turn for one in seen.signals(Signal.COMMIT)] == [1, 2]
