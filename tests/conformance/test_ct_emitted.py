"""CT: what the runtime really writes keeps CONTRACTS §2 to §6 and §8: decisions, plans, evidence of recorded sessions.

Sessions of the shipped voice assistant with providers written in the test, and random schedules of the stub plans; on
both kernels, each through a log on disk.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from kernels import plan_of
from plans import PLANS
from recorded import Recorded, header
from schedule import Driver, handlers

from rspp_compiler.ir.contracts.control_signal import ControlSignal
from rspp_compiler.ir.contracts.decision_outcome import DecisionOutcome
from rspp_compiler.ir.contracts.event import EventRecord
from rspp_compiler.ir.contracts.evidence import TurnEvidence
from rspp_compiler.ir.contracts.rules import Contract
from rspp_compiler.ir.contracts.turn_plan import ResolvedTurnPlan
from rspp_compiler.ir.contracts.turn_transition import TurnTransition
from rspp_runtime.abi import Control, Signal
from rspp_runtime.abi.codes import RECORDED_ONLY
from rspp_runtime.cli.app import run_app
from rspp_runtime.contracts.validation import contract
from rspp_runtime.evidence.entries import Evidence
from rspp_runtime.evidence.log import read
from rspp_runtime.evidence.records import records
from rspp_runtime.providers.contract import Invocation, Outcome, ProviderError

Data = dict[str, Any]
KINDS: dict[str, type[Contract]] = {
    "control_signal": ControlSignal,
    "decision_outcome": DecisionOutcome,
    "event": EventRecord,
    "turn_transition": TurnTransition,
    "resolved_turn_plan": ResolvedTurnPlan,
}


def kind_of(record: Data) -> str:
    return "decision_outcome" if "outcome_kind" in record else "control_signal" if "signal" in record else "event"


def hold(kind: str, data: Data) -> None:
    """Neither the model nor the runtime's own check has anything against it."""
    assert contract(kind).check(data).problems == [], data
    assert KINDS[kind].problems(data) == [], data


# ---- the life of each turn, as its signals tell it


NEXT = {
    "turn_open_proposed": "Opening",
    "turn_open": "Active",
    "commit": "Terminal",
    "abort": "Terminal",
    "close": "Closed",
}


def transitions(signals: list[Data]) -> Iterator[Data]:
    """Each step in the life of a turn. After a closed turn comes another one, from Idle."""
    state = "Idle"
    for at, one in enumerate(signals):
        trigger = one["signal"]
        if trigger in NEXT:
            state = "Idle" if state == "Closed" else state
            yield {"from_state": state, "trigger": trigger, "to_state": NEXT[trigger], "deterministic": True}
            state = NEXT[trigger]
        elif state == "Opening" and is_of_the_turn(one, signals[at + 1 :]):
            yield {"from_state": state, "trigger": trigger, "to_state": "Idle", "deterministic": True}
            state = "Idle"


def is_of_the_turn(one: Data, later: list[Data]) -> bool:
    """Whether a refusal while a turn is Opening is that turn's. An input that is refused at the door meanwhile, because
    it is unknown, too large or of another epoch (T12), or a second proposal that is deferred, is no step of it.
    """
    both = one["signal"] == "stale_epoch_reject" or one.get("reason") == "session_not_running"
    if one["signal"] in ("reject", "defer") and not both:
        return bool(one["reason"].startswith("snapshot_") or one["reason"] == "plan_not_freezable")
    if both:  # of either, the record is the same: the turn did not go on after its own
        return next((two["signal"] for two in later if two["signal"] in NEXT), "") != "turn_open"
    return bool(one["signal"] == "deauthorized_drain")


def hold_together(made: list[Data]) -> Counter[str]:
    """Every record, and what holds between them; how often each signal was met."""
    for one in made:
        hold(kind_of(one), one)
    signals = [one for one in made if "signal" in one]
    steps = list(transitions(signals))
    for step in steps:
        hold("turn_transition", step)
    numbers = [one["runtime_sequence"] for one in made if "runtime_sequence" in one]
    assert all(a < b for a, b in pairwise(numbers)), "each decision takes the next number"
    epochs = [one["authority_epoch"] for one in made if "authority_epoch" in one]
    assert epochs == sorted(epochs)
    opened, closed, ended = ([one["turn_id"] for one in signals if one["signal"] in names] for names in (
        ("turn_open",), ("close",), ("commit", "abort")))  # fmt: skip
    assert ended == closed == opened[: len(closed)], "one end and one close for each turn that opened, in order"
    assert len(opened) - len(closed) <= 1
    return Counter(one["signal"] for one in signals) + Counter(
        {"late_after_cancel": sum(one.get("late_after_cancel", False) for one in made)}
    )


# ---- sessions of the shipped pipeline


async def broken(call: Invocation) -> None:
    async for _ in call.inputs():
        pass
    raise ProviderError(Outcome.INFRASTRUCTURE_FAILURE, "gone")


async def deaf(call: Invocation) -> None:
    """Takes nothing that it is given, for a second."""
    await asyncio.sleep(1.0)
    async for _ in call.inputs():
        pass


def during_the_answer(stage: Any, code: Control, a: int = 0) -> Any:
    """The user asks; while the answer is spoken something happens; the user asks again."""
    s = stage.scripted

    async def user(ears: Any, _: Any) -> None:
        await s.hush(ears, 3)
        await s.talk(ears, 15)
        await s.hush(ears, 50)
        await ears.control(code, a)
        await s.hush(ears, 10)
        if code == Control.DISCONNECTED:
            await ears.control(Control.CONNECTED)
        await s.talk(ears, 15)
        await s.quiet(ears)

    return user


def floods(stage: Any) -> Any:
    s = stage.scripted

    async def user(ears: Any, _: Any) -> None:
        await s.hush(ears, 3)
        await s.talk(ears, 120)
        await s.quiet(ears)

    return user


SESSIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], dict[str, Any]], set[str]]] = {
    "answered": (lambda s: s.asks(2), lambda s: {}, {"turn_open", "commit", "playback_completed"}),
    "interrupted": (
        lambda s: s.interrupts(), lambda s: {"llm": s.scripted.answer(s.scripted.LONG)},
        {"barge_in", "cancel", "abort", "playback_cancelled", "commit", "drop_notice"},
    ),
    "model_fails": (lambda s: s.asks(), lambda s: {"llm": broken}, {"provider_error", "fallback", "commit"}),
    "voice_fails": (lambda s: s.asks(), lambda s: {"voice": broken}, {"provider_error", "degrade"}),
    "deaf": (floods, lambda s: {"stt": deaf}, {"drop_notice"}),
    "epoch_rotates": (
        lambda s: during_the_answer(s, Control.LEASE_ROTATED, 2), lambda s: {"llm": s.scripted.answer(s.scripted.LONG)},
        {"lease_rotated", "deauthorized_drain", "abort"},
    ),
    "authority_revoked": (
        lambda s: during_the_answer(s, Control.LEASE_REVOKED), lambda s: {"llm": s.scripted.answer(s.scripted.LONG)},
        {"deauthorized_drain", "abort"},
    ),
    "disconnected": (
        lambda s: during_the_answer(s, Control.DISCONNECTED), lambda s: {"llm": s.scripted.answer(s.scripted.LONG)},
        {"disconnected", "connected", "abort", "commit"},
    ),
    "cancelled": (
        lambda s: during_the_answer(s, Control.CANCEL_TURN), lambda s: {"llm": s.scripted.answer(s.scripted.LONG)},
        {"cancel", "abort", "commit"},
    ),
}  # fmt: skip


def printed(capsys: pytest.CaptureFixture[str], log: Path, option: str, package: Path) -> list[Data]:
    """The lines of `rspp timeline LOG OPTION`."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as left:
        run_app(["timeline", str(log), option, "--package", str(package)])
    out, err = capsys.readouterr()
    assert (left.value.code, err) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.feature("F-032", "offline")
@pytest.mark.parametrize("session", SESSIONS)
def test_a_recorded_conversation(session: str, stage: Any, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    user, work, wanted = SESSIONS[session]
    log = stage.play(user(stage), **work(stage)).log
    counts = hold_together(made := printed(capsys, log, "--signals", package))
    assert wanted <= counts.keys()

    plans = printed(capsys, log, "--plans", package)
    opened = {one["turn_id"]: one for one in made if one.get("signal") == "turn_open"}
    assert [plan["turn_id"] for plan in plans] == list(opened)
    for plan in plans:
        hold("resolved_turn_plan", plan)
        assert plan["plan_hash"] == opened[plan["turn_id"]]["plan_hash"]
        assert plan["authority_epoch"] == opened[plan["turn_id"]]["authority_epoch"]

    newest = {entry.turn: entry.or02 for entry in read(log).entries if isinstance(entry, Evidence)}
    assert len(newest) == len(opened)
    for record in newest.values():
        assert TurnEvidence.problems(json.loads(json.dumps(record))) == []
        assert record["plan_hash"] == opened[record["turn_id"]]["plan_hash"]


# ---- random schedules

SEEDS, SEEDS_LEAST = 40, 12  # more than the first only until everything was met
STEPS = 200


OF_MARKS, OF_ATTEMPTS = {"watermark"}, {"provider_switch", "circuit_event"}
OF_EDGES = {"discontinuity", "credit_grant"}
OF_TURNS = {"commit", "abort", "cancel", "late_after_cancel"}
CONTRACT = {signal.name.lower() for signal in Signal if signal not in RECORDED_ONLY}
WANTED = {
    "stub_assistant": CONTRACT - OF_MARKS - OF_ATTEMPTS - OF_EDGES,
    "stub_attendant": OF_TURNS | OF_ATTEMPTS | {"barge_in", "degrade", "fallback", "budget_exhausted"},
    "stub_junction": OF_TURNS | {"drop_notice"},
    "stub_keypad": OF_TURNS | {"drop_notice", "fallback", "provider_error"},
    "stub_patience": OF_TURNS | {"barge_in", "playback_started", "playback_cancelled"},
    "stub_shop": OF_TURNS | {"provider_error", "fallback"},
    "stub_sorter": OF_TURNS | {"drop_notice", "watermark"},
    "stub_studio": OF_TURNS | OF_EDGES | {"drop_notice", "flow_xoff", "flow_xon"},
    "stub_switchboard": OF_TURNS | OF_ATTEMPTS | {"provider_error"},  # what it adds to the assistant
    "stub_switchyard": OF_TURNS | OF_MARKS | {"drop_notice"},
    "stub_tollgate": OF_TURNS | {"provider_error", "budget_exhausted"},
    "stub_typist": OF_TURNS | {"provider_error"},
    "stub_workshop": OF_TURNS | {"drop_notice", "lease_rotated", "stale_epoch_reject"},  # no barge-in, no mode
}


@pytest.mark.parametrize("name", sorted(PLANS))
def test_random_schedules(name: str, kernel: Callable[[str], Any], kernel_name: str, tmp_path: Path) -> None:
    """Cancels, drops, rotations, failures, mischief: every signal that the kernel has, and its record."""
    plan = plan_of(name)
    met: Counter[str] = Counter()
    for seed in range(SEEDS):
        session = kernel(name)(plan, "call", 1, handlers(seed))
        recorded = Recorded(plan, session, tmp_path / f"{seed}.log", header(plan, "call", kernel_name))
        Driver(seed, plan, [recorded]).run(STEPS)
        recorded.close()
        made = [json.loads(json.dumps(one)) for one in records(recorded.log(), plan)]
        met += hold_together(made)
        if seed >= SEEDS_LEAST and WANTED[name] <= met.keys():
            break
    assert WANTED[name] - met.keys() == set()


def test_all_signals_are_wanted_of_some_plan() -> None:
    """But for those that are only recorded, and no signals of the contract."""
    assert set().union(*WANTED.values()) == CONTRACT
