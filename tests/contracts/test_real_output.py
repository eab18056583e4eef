"""What the compiler and the runtime really write keeps the contracts that they share."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pipelines import NAMES, SHOP, compile_file, compile_text, shipped, value
from rspp_compiler.diagnostics.machine import to_json
from rspp_compiler.ir.contracts.control_signal import ControlSignal
from rspp_compiler.ir.contracts.decision_outcome import DecisionOutcome
from rspp_compiler.ir.contracts.event import EventRecord
from rspp_compiler.ir.contracts.evidence import TurnEvidence
from rspp_compiler.ir.contracts.findings import Findings
from rspp_compiler.ir.contracts.rules import Contract
from rspp_compiler.ir.contracts.turn_plan import ResolvedTurnPlan, TurnPlanTemplate
from rspp_runtime.abi.codes import RECORDED_ONLY, Cause, Op, Signal
from rspp_runtime.abi.plan import Sync
from rspp_runtime.evidence.entries import Evidence, Header, Out
from rspp_runtime.evidence.log import read
from rspp_runtime.evidence.records import Records, records

Record = Callable[..., Path]
HEADER = Header(
    package="scripted", pipeline="scripted", pipeline_version="1.0.0", profile="simple/v1", template_hash="0" * 64,
    abi_hash="0" * 64, session_id="test", epoch=1, seed=0, level="L0", kernel="pure", started_ms=1,
)  # fmt: skip
# Every form of an edge's policy.
SHEDDING = """pipeline shedding {
  node notes : tap
  node more  : tap
  node names : tap
  ingress.audio -> vad -> stt { buffer = [8 items, 100ms], overflow = [block(40ms), drop_newest] }
  stt -> llm -> tts -> egress.audio
  stt.partial -> notes { overflow = coalesce(latest_partial) }
  llm.delta   -> more  { overflow = sample(25%) }
  llm.final   -> names { overflow = latest_only }
}
"""


def problems(contract: type[Contract], data: Any) -> list[tuple[str, str]]:
    """After a way through JSON: what is written is what counts."""
    return contract.problems(json.loads(json.dumps(data)))


# ---- the compiler


@pytest.mark.parametrize("name", NAMES)
def test_plans_of_the_pipelines_that_we_ship(name: str) -> None:
    template = value(compile_file(shipped(name)), "freeze").resolved_plan
    assert problems(TurnPlanTemplate, template) == []
    of_a_turn = {"turn_id": "s/1", "plan_hash": "0f" * 32, "authority_epoch": 1}
    assert problems(ResolvedTurnPlan, template | of_a_turn) == []
    assert {field for field, _ in problems(ResolvedTurnPlan, template)} == set(of_a_turn)


@pytest.mark.parametrize("text", [SHOP, SHEDDING], ids=["shop", "shedding"])
def test_plans_of_other_pipelines(text: str) -> None:
    assert problems(TurnPlanTemplate, value(compile_text(text), "freeze").resolved_plan) == []


def test_findings() -> None:
    lines = ("node ears : vda", "ingress.audio -> eras -> stt -> llm", "node ears : vad { min_silence = 3 }")
    found = compile_text(f"pipeline a {{ {', '.join(lines)} }}").diagnostics
    assert len(found) >= 3
    assert len(Findings.model_validate_json(to_json(found)).root) == len(found)


# ---- the runtime


def test_a_recording_that_steps_down(record: Record, scripted: ModuleType) -> None:
    """The recorder's own signal is one of CONTRACTS §3, and the evidence of its turns is complete."""
    log = read(record("L2", lag=lambda now_ns: 9 * 10**9 if 300 * 10**6 <= now_ns < 500 * 10**6 else 0))
    made = [one for one in records(log, scripted.plan()) if one.get("signal") == "recording_level_downgraded"]
    assert [one["recording_level"] for one in made] == ["L1", "L0"]
    assert [problems(ControlSignal, one) for one in made] == [[], []]
    evidence = [entry.or02 for entry in log.entries if isinstance(entry, Evidence) and entry.stage != "baseline"]
    assert [problems(TurnEvidence, one) for one in evidence] == [[] for _ in evidence]
    assert {one["recording_level"] for one in evidence} == {"L0"}


def test_a_sessions_decisions(record: Record, scripted: ModuleType) -> None:
    path = record("L0", llm=scripted.answer(scripted.LONG))
    made = list(records(read(path), scripted.plan()))
    assert {"turn_open", "barge_in", "cancel", "abort", "close", "commit"} <= {one.get("signal") for one in made}
    assert any(one.get("late_after_cancel") for one in made)
    for one in made:
        assert problems(contract_of(one), one) == [], one


@pytest.mark.parametrize("signal", sorted(set(Signal) - RECORDED_ONLY), ids=lambda signal: signal.name.lower())
def test_every_signal(signal: Signal, scripted: ModuleType) -> None:
    """Every decision that the kernel can make; those that end a turn, within one."""
    of_a_turn = {"turn_open", "commit", "abort", "close", "output_accepted", "deauthorized_drain"}
    turn = 3 if signal.name.lower() in of_a_turn or signal.name.startswith("PLAYBACK") else 0
    node = 4 if signal in (Signal.LATE_AFTER_CANCEL, Signal.PROVIDER_ERROR, Signal.DROP_NOTICE) else 0
    payload = bytes(32) if signal is Signal.TURN_OPEN else b""
    plan = scripted.plan()
    if signal is Signal.DISCONTINUITY:  # only an edge of a sync domain has one
        marked = replace(plan.edges[0], sync=Sync("room", "discontinuity", "event", 1))
        plan = replace(plan, edges=(marked, *plan.edges[1:]))
    x = 1 if signal is Signal.CREDIT_GRANT else 0  # nothing is granted without a place
    made = Records(plan, HEADER).of(
        Out(Op.DECISION, 5_000_000, 9, node, 0, turn, 7, signal, Cause.CANCELLED, x, 0, len(payload), payload)
    )
    assert made
    for one in made:
        assert problems(contract_of(one), one) == [], one


def contract_of(one: dict[str, Any]) -> type[Contract]:
    return DecisionOutcome if "outcome_kind" in one else ControlSignal if "signal" in one else EventRecord


def test_evidence_of_a_turn_that_was_answered_and_one_that_was_not(record: Record, scripted: ModuleType) -> None:
    entries = read(record("L0", llm=scripted.answer(scripted.LONG))).entries
    newest = {entry.turn: entry.or02 for entry in entries if isinstance(entry, Evidence)}
    assert [one["terminal_outcome"] for one in newest.values()] == ["abort", "commit"]
    for one in newest.values():
        assert problems(TurnEvidence, one) == []
