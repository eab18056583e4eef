"""The kernel's own time, apart from that of nodes: in OR-02, in the figures of a log, and against a budget."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rspp_runtime.abi.codes import Op, Signal
from rspp_runtime.abi.messages import Output
from rspp_runtime.evidence.entries import Evidence, Handler, Out, Step
from rspp_runtime.evidence.facts import Reader
from rspp_runtime.evidence.log import read
from rspp_runtime.evidence.or02 import Or02
from rspp_runtime.evidence.recorder import to_out
from rspp_runtime.evidence.summary import figures, over_budget, rows

MS = 1_000_000
NODE = 2  # whichever: the stamps are its name and two times


def decision(signal: Signal, t_ns: int, turn: int) -> Output:
    return Output(Op.DECISION, t_ns, t_ns, turn=turn, code=signal, payload=b"")


# What happens, in ms: (began, drained, what a node took inside, what was decided).
STEPS: tuple[tuple[float, float, float, Signal | None], ...] = (
    (0, 1, 0, None),  # before the turn
    (10, 12, 0, Signal.TURN_OPEN),
    (20, 29, 6, None),
    (30, 31, 0, None),
    (40, 44, 0, Signal.COMMIT),
    (50, 57, 0, None),  # after it
)
EXPECTED = {"kernel_ms": 10.0, "longest_step_ms": 4.0, "steps": 4}


def stamps(began: float, drained: float, inside: float) -> tuple[int, int, int, int]:
    return int(began * MS), int(drained * MS), int((began + 1) * MS), int((began + 1 + inside) * MS)


def outputs(signal: Signal | None, began: float) -> list[Output]:
    if signal is None:
        return []
    made = [decision(signal, int(began * MS), 1)]
    return [*made, decision(Signal.CLOSE, int(began * MS), 1)] if signal == Signal.COMMIT else made


@pytest.mark.feature("F-052", "separate")
def test_the_record_of_a_turn_tells_them_apart(scripted: ModuleType) -> None:
    """The steps that open and close the turn are its own; what a node took in one is not the kernel's."""
    plan, kept = scripted.plan(), []
    watch = Or02(plan, {}, session_id="s", epoch=1, seed=0, level="L0", started_ms=0, put=kept.append)
    for began, drained, inside, signal in STEPS:
        now_ns, drained_ns, start_ns, end_ns = stamps(began, drained, inside)
        if inside:
            watch.on_calls({NODE: end_ns - start_ns})
        watch.on_step(now_ns, -1, drained_ns, outputs(signal, began))
    (record,) = [one.or02 for one in kept if isinstance(one, Evidence) and one.stage == "terminal"]
    assert record["overhead"] == EXPECTED | {"nodes_ms": {plan.nodes[NODE].name: 6.0}}


def told(scripted: ModuleType) -> Any:
    reader = Reader(scripted.plan())
    for began, drained, inside, signal in STEPS:
        now_ns, drained_ns, start_ns, end_ns = stamps(began, drained, inside)
        if inside:
            reader.add(Handler(NODE, 1, start_ns, end_ns, (), ""))
        made = outputs(signal, began)
        reader.add(Step(now_ns, -1, drained_ns, len(made)))
        for one in made:
            reader.add(to_out(one, payload=True))
    return reader.conversation


@pytest.mark.feature("F-052", "separate")
def test_a_log_says_the_same(scripted: ModuleType) -> None:
    conversation = told(scripted)
    (turn,) = conversation.turns
    name = conversation.plan.nodes[NODE].name
    assert figures(conversation, turn)["overhead"] == EXPECTED | {"nodes_ms": {name: 6.0}}
    shown = dict(rows(conversation, turn))
    assert shown["the kernel itself"] == "10.0 ms in 4 steps, the longest 4.00 ms"
    assert shown["called in steps"] == f"{name} 6.0 ms"


@pytest.mark.feature("F-052", "alert")
@pytest.mark.feature("NF-002", "alert")
def test_a_budget_on_it_is_told_when_it_is_exceeded(scripted: ModuleType) -> None:
    """The budget is of one step; a node that takes long inside of one does not exceed it."""
    conversation = told(scripted)
    assert over_budget(conversation, 4 * MS) == []
    (line,) = over_budget(conversation, 3 * MS)
    assert line == "overhead: a step of turn 1 took the kernel 4 ms, more than 3 ms"


def test_record_and_log_of_a_conversation_agree(record: Callable[..., Path], scripted: ModuleType) -> None:
    """Which steps are a turn's, of a whole conversation; in virtual time each of them takes none."""
    path = record("L0")
    log = read(path)
    made = {entry.turn: entry.or02["overhead"] for entry in log.entries if isinstance(entry, Evidence)}
    reader = Reader(scripted.plan())
    conversation = reader.feed(log.entries)
    assert {turn.serial: figures(conversation, turn)["overhead"] for turn in conversation.turns} == made
    steps = [entry for entry in log.entries if isinstance(entry, Step | Out)]
    assert sum(one["steps"] for one in made.values()) < len(steps)
    assert all(one["steps"] > 0 for one in made.values())
