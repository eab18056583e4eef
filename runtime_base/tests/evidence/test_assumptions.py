"""Assumptions: a run that keeps within all of them reports none, one that breaks one reports its id, with figures."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rspp_runtime.abi.codes import Cause, In, Op, Result, Signal
from rspp_runtime.abi.plan import Assumption, Plan
from rspp_runtime.cli import replay as replay_command
from rspp_runtime.evidence.assumptions import Broken, Observation, as_data, broken, check
from rspp_runtime.evidence.entries import Handler, Input, Out
from rspp_runtime.evidence.facts import read as facts
from rspp_runtime.evidence.log import read
from rspp_runtime.evidence.modes import Mode
from rspp_runtime.evidence.summary import broken_assumptions
from rspp_runtime.evidence.timeline import draw
from rspp_runtime.session.package import Package

MS = 1_000_000
Record = Callable[..., Path]


def assumption(kind: str, subject: str, limit: int) -> Assumption:
    return Assumption(f"{kind}:{subject}", kind, subject, limit)


def plan(scripted: ModuleType, *rows: tuple[str, str, int]) -> Plan:
    made: Plan = scripted.plan(assumptions=tuple(assumption(*row) for row in rows))
    return made


def found(scripted: ModuleType, record: Record, *rows: tuple[str, str, int], **work: Any) -> list[str]:
    """What a conversation of scripted providers breaks, but for how often."""
    made = plan(scripted, *rows)
    return [str(one).partition(" (")[0] for one in check(made, read(record("L0", made, **work)).entries)]


# ---- runs

KEPT = (
    ("first_output", "stt", 300 * MS),
    ("first_output", "llm", 800 * MS),
    ("first_output", "voice", 300 * MS),
    ("chunk", "llm", 300 * MS),
    ("chunk", "voice", 300 * MS),
    ("age", "ingress.audio -> ears.audio", 200 * MS),
    ("age", "ears.speech -> stt.audio", 200 * MS),
    ("age", "stt.partial -> captions", 200 * MS),
    ("handoff", "llm.delta -> voice.text", 150 * MS),
    ("rate", "ingress.audio", 20 * MS),
    ("item", "ingress.audio", 640),
)


def test_a_run_that_keeps_within_all_reports_none(scripted: ModuleType, record: Record) -> None:
    assert found(scripted, record, *KEPT) == []


def test_a_node_slower_than_its_budget(scripted: ModuleType, record: Record) -> None:
    slow = scripted.answer("Four o'clock.", pause_s=0.5)
    assert found(scripted, record, ("first_output", "llm", 400 * MS), ("chunk", "llm", 300 * MS), llm=slow) == [
        "chunk:llm: 300 ms, assumed at most 300 ms",
        "first_output:llm: 500 ms, assumed at most 400 ms",
    ]


def test_a_node_that_gives_no_output_in_its_budget(scripted: ModuleType, record: Record) -> None:
    mute = scripted.answer("Four", pause_s=5)
    assert found(scripted, record, ("first_output", "llm", 800 * MS), llm=mute) == [
        "first_output:llm: 800 ms, assumed at most 800 ms"
    ]


def test_a_recogniser_late_with_its_final(scripted: ModuleType, record: Record) -> None:
    async def late(call: Any) -> None:
        async for _ in call.inputs():
            pass
        await asyncio.sleep(0.2)
        await call.emit("final", b"late", final=True)

    line = "first_output:stt: 200 ms, assumed at most 150 ms"
    assert found(scripted, record, ("first_output", "stt", 150 * MS), stt=late) == [line]


def test_an_edge_older_than_its_age(scripted: ModuleType, record: Record) -> None:
    async def dozing(call: Any) -> None:
        async for _ in call.inputs():
            await asyncio.sleep(0.1)
        await call.emit("final", b"heard", final=True)

    age = ("age", "ears.speech -> stt.audio", 50 * MS)
    (line,) = found(scripted, record, age, ("rate", "ingress.audio", 20 * MS), stt=dozing)
    assert line.startswith("age:ears.speech -> stt.audio: ")
    assert "assumed at most 50 ms" in line


def test_text_held_longer_than_assumed(scripted: ModuleType, record: Record) -> None:
    words = scripted.answer("and so on without an end to this sentence", pause_s=0.02)
    line = "handoff:llm.delta -> voice.text: 150 ms, assumed at most 100 ms"
    assert found(scripted, record, ("handoff", "llm.delta -> voice.text", 100 * MS), llm=words) == [line]


@pytest.mark.parametrize(
    ("late_ns", "told"), [(0, []), (5 * MS, []), (5 * MS + 1, [155 * MS + 1]), (90 * MS, [240 * MS])]
)
def test_a_driver_that_wakes_late_is_told_from_five_milliseconds_on(
    scripted: ModuleType, late_ns: int, told: list[int]
) -> None:
    made = plan(scripted, ("handoff", "llm.delta -> voice.text", 150 * MS))
    (edge,) = (edge for edge in made.edges if edge.handoff)
    text = Input(0, Result.ACCEPTED, In.CHUNK, edge.source, edge.source_port, 1, 1, 0, 0, 0, 0, 0, 5, None)
    released = out(Op.FEED, 150 * MS + late_ns, node=edge.target, port=edge.target_port, invocation=2)
    assert [one.observed for one in check(made, [text, released])] == told


def test_items_that_come_more_often_than_assumed(scripted: ModuleType, record: Record) -> None:
    (line,) = found(scripted, record, ("rate", "ingress.audio", 40 * MS))
    assert line == "rate:ingress.audio: 20 ms, assumed at least 40 ms"


# ---- entries by hand


def media(now_ns: int, size: int, result: int = Result.ACCEPTED, media_ns: int = 0) -> Input:
    return Input(now_ns, result, In.MEDIA, 0, 0, 0, 1, 0, media_ns, 0, 0, 0, size, None)


def out(op: int, t_ns: int, **fields: Any) -> Out:
    return Out(op, t_ns, 1, -1, -1, 0, 0, 0, 0, 0, 0, 0, None)._replace(**fields)


def test_an_item_larger_than_assumed_is_told_though_it_was_refused(scripted: ModuleType) -> None:
    made = plan(scripted, ("item", "ingress.audio", 640))
    assert [str(one) for one in check(made, [media(0, 640), media(1, 1280, Result.REFUSED)])] == [
        "item:ingress.audio: 1,280 bytes, assumed at most 640 bytes"
    ]


def test_what_is_shed_for_its_age_broke_the_assumption(scripted: ModuleType) -> None:
    made = plan(scripted, ("age", "ingress.audio -> ears.audio", 400 * MS))
    shed = out(Op.DECISION, 400 * MS, node=6, code=Signal.DROP_NOTICE, cause=Cause.QUEUE_AGE)
    assert [str(one) for one in check(made, [media(0, 640), shed])] == [
        "age:ingress.audio -> ears.audio: 400 ms, assumed at most 400 ms"
    ]


@pytest.mark.parametrize("kind", ["work", "timeout"])
def test_a_users_node_that_takes_longer_than_assumed(scripted: ModuleType, kind: str) -> None:
    made = plan(scripted, (kind, "captions", 2 * MS))
    calls = [
        Handler(5, 1, 0, 2 * MS, (), ""),
        Handler(5, 2, 10 * MS, 13 * MS, (), ""),
        Handler(5, 3, 0, 5 * MS, (), ""),
    ]
    (one,) = check(made, calls)
    assert (one.observed, one.t_ns, one.times) == (5 * MS, 13 * MS, 2)


def test_an_edge_that_holds_back_longer_than_assumed(scripted: ModuleType) -> None:
    made = plan(scripted, ("delay", "ingress.audio -> ears.audio", 30 * MS))
    taken = [out(Op.FEED, t * MS, node=1, port=0, x=t) for t in (20, 80)]
    entries = [media(0, 640, media_ns=20), taken[0], media(40 * MS, 640, media_ns=80), taken[1]]
    assert [one.observed for one in check(made, entries)] == [40 * MS]


# ---- any observations

KINDS = ("first_output", "chunk", "age", "handoff", "work", "timeout", "delay", "item")


@pytest.mark.parametrize("kind", KINDS)
def test_exactly_the_limit_is_kept_and_one_more_is_not(kind: str) -> None:
    known = [assumption(kind, "x", 10), assumption(kind, "y", 10)]
    assert broken(known, [Observation(kind, "x", 10, 0), Observation(kind, "z", 99, 0)]) == ()
    (one,) = broken(known, [Observation(kind, "x", 11, 5), Observation(kind, "x", 12, 6)])
    assert one == Broken(known[0], 12, 5, times=2)
    assert broken(known, [Observation(kind, "x", 10, 0, gave_up=True)])[0].assumption.id == f"{kind}:x"


def test_a_rate_is_broken_by_less_time_between() -> None:
    known = [assumption("rate", "x", 10)]
    assert broken(known, [Observation("rate", "x", 10, 0), Observation("rate", "x", 30, 0)]) == ()
    assert broken(known, [Observation("rate", "x", 9, 0), Observation("rate", "x", 4, 0)])[0].observed == 4


# ---- where it is shown


@pytest.fixture
def slow_log(scripted: ModuleType, record: Record, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log that breaks one assumption; `replay` finds the package that wrote it."""
    made = plan(scripted, ("first_output", "llm", 5 * MS))
    path = record("L0", made)

    def opened(session_id: str, epoch: int, handlers: Any, kernel: str | None) -> Any:
        return scripted.Session(made, session_id, epoch, handlers)

    package = Package("scripted", made, made.template_hash, {}, {}, {}, {}, opened)
    monkeypatch.setattr(replay_command, "load", lambda _: package)
    return path


LINE = "assumption broken: first_output:llm: 10 ms, assumed at most 5 ms"


def test_replay_says_which(slow_log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request = replay_command.Request(
        slow_log, None, None, Mode.RECOMPUTE_DECISIONS, None, None, step=False, save=None, resume=None, json=False
    )
    replay_command.replay(request)
    assert capsys.readouterr().out.splitlines()[-1].startswith(LINE)
    replay_command.replay(dataclasses.replace(request, json=True))
    (row,) = json.loads(capsys.readouterr().out)["broken_assumptions"]
    assert (row["id"], row["observed"], row["limit"]) == ("first_output:llm", 10 * MS, 5 * MS)


def test_summary_and_picture_say_which(scripted: ModuleType, slow_log: Path) -> None:
    log = read(slow_log)
    conversation = facts(plan(scripted, ("first_output", "llm", 5 * MS)), log.entries)
    assert broken_assumptions(conversation)[0].startswith(LINE)
    assert '<p class="broken">assumption broken: first_output:llm' in draw(conversation, log.header)
    assert [row["id"] for row in as_data(conversation.broken.values())] == ["first_output:llm"]
