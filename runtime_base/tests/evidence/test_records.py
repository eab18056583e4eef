"""Decisions in the contracts' JSON form: every field that CONTRACTS §2 to §4 ask for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rspp_runtime.abi.codes import EMITTER, RECORDED_ONLY, Cause, Op, Scope, Signal
from rspp_runtime.evidence.entries import Out
from rspp_runtime.evidence.log import read
from rspp_runtime.evidence.records import Records, records

ENVELOPE = {
    "schema_version", "event_scope", "session_id", "pipeline_version", "event_id", "lane", "transport_sequence",
    "runtime_sequence", "authority_epoch", "runtime_timestamp_ms", "wall_clock_timestamp_ms", "payload_class",
}  # fmt: skip
NEEDS_REASON = {"abort", "budget_warning", "budget_exhausted", "degrade", "fallback", "flow_xoff", "drop_notice",
                "provider_error", "reject", "defer", "stale_epoch_reject", "deauthorized_drain"}  # fmt: skip
TURN_SCOPED = {"turn_open", "commit", "abort", "close", "output_accepted", "playback_started", "playback_completed",
               "playback_cancelled"}  # fmt: skip
OUTCOME = {"outcome_kind", "phase", "scope", "session_id", "event_id", "runtime_timestamp_ms",
           "wall_clock_timestamp_ms", "emitted_by", "reason"}  # fmt: skip


def check(record: dict[str, Any]) -> None:
    """The rules of CONTRACTS §2 to §4 that apply to the record."""
    if "outcome_kind" in record:
        assert record.keys() >= OUTCOME
        assert all(record[name] not in ("", None) for name in OUTCOME)
        assert (record["scope"] == "turn") <= ("turn_id" in record)
        return
    assert record.keys() >= ENVELOPE, ENVELOPE - record.keys()
    assert all(record[n] >= 0 for n in ("transport_sequence", "runtime_sequence", "runtime_timestamp_ms"))
    assert (record["event_scope"] == "turn") == ("turn_id" in record)
    if "signal" not in record:
        assert record["late_after_cancel"] is True
        assert (record["payload_class"] == "audio_raw") <= ("media_time" in record)
        return
    assert (record["lane"], record["payload_class"]) == ("ControlLane", "metadata")
    assert record["emitted_by"] == EMITTER[Signal[record["signal"].upper()]]
    if record["signal"] in NEEDS_REASON:
        assert record["reason"]
    if record["signal"] in TURN_SCOPED:
        assert record["event_scope"] == "turn"
    if record["signal"] in ("flow_xoff", "flow_xon", "drop_notice"):
        assert record["edge_id"]
        assert record["target_lane"] == "DataLane"
    if record["signal"] == "drop_notice":
        assert record["seq_range"]["start"] <= record["seq_range"]["end"]
    if record["signal"] == "cancel":
        assert record["scope"] in ("session", "turn", "node", "provider_invocation")


def test_a_sessions_decisions(record: Callable[..., Path], scripted: ModuleType) -> None:
    path = record("L0", llm=scripted.answer(scripted.LONG))
    made = list(records(read(path), scripted.plan()))
    for one in made:
        check(one)
    signals = [one["signal"] for one in made if "signal" in one]
    for expected in ("turn_open_proposed", "turn_open", "barge_in", "cancel", "abort", "close", "commit", "flow_xoff"):
        assert expected in signals
    assert any(one.get("late_after_cancel") for one in made)
    assert next(one for one in made if one.get("signal") == "turn_open")["turn_id"] == "test/1"


@pytest.mark.parametrize("signal", sorted(set(Signal) - RECORDED_ONLY))
def test_every_signal_has_its_fields(signal: Signal, record: Callable[..., Path], scripted: ModuleType) -> None:
    turn = 3 if signal.name.lower() in TURN_SCOPED or signal is Signal.DEAUTHORIZED_DRAIN else 0
    node = 4 if signal in (Signal.LATE_AFTER_CANCEL, Signal.PROVIDER_ERROR, Signal.DROP_NOTICE) else 0
    out = Out(Op.DECISION, 5_000_000, 9, node, 0, turn, 7, signal, Cause.CANCELLED, 0, 0, 0, b"")
    log = read(record("L0"))
    made = Records(scripted.plan(), log.header).of(out)
    assert made
    for one in made:
        check(one)


def test_what_is_no_decision_makes_no_record(record: Callable[..., Path], scripted: ModuleType) -> None:
    log = read(record("L0"))
    send = Out(Op.SEND, 0, 1, 6, 0, 1, 0, 0, 0, 0, 0, 640, None)
    assert Records(scripted.plan(), log.header).of(send) == []


@pytest.mark.feature("F-035", "mapped")
@pytest.mark.feature("F-041", "visible")
@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (Cause.BARGE_IN, "barge_in"),
        (Cause.NODE_TIMEOUT, "timeout"),
        (Cause.USER, "user_cancel"),
        (Cause.NODE_ERROR, "provider_error"),
    ],
)
@pytest.mark.parametrize("mode", ["hard", "soft"])
def test_a_cancel_has_its_reason_its_mode_and_its_time(
    cause: Cause, reason: str, mode: str, record: Callable[..., Path], scripted: ModuleType
) -> None:
    log = read(record("L0"))
    port = int(mode == "soft")
    out = Out(Op.DECISION, 5_000_000, 9, -1, port, 1, 0, Signal.CANCEL, cause, Scope.TURN, 0, 0, b"")
    (made,) = Records(scripted.plan(), log.header).of(out)
    check(made)
    assert (made["reason"], made["mode"], made["scope"]) == (reason, mode, "turn")
    assert made["runtime_timestamp_ms"] == 5
