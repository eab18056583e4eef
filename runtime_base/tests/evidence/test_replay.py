"""Replay: the same decisions, or the first that differs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rspp_runtime.abi.codes import Cause, Op, Result, Signal
from rspp_runtime.evidence.entries import Input, Invocation, Log, Out, Step, from_json, to_json
from rspp_runtime.evidence.log import read
from rspp_runtime.evidence.replay import Divergence, Report, replay
from rspp_runtime.reference import Session

Record = Callable[..., Path]


def _replay(scripted: ModuleType, log: Log, plan: Any = None) -> Report:
    plan = plan or scripted.plan()
    return replay(log, plan, lambda sid, epoch, handlers: Session(plan, sid, epoch, handlers))


def _change(log: Log, which: Callable[[Any], bool], **fields: Any) -> int:
    """Changes the first entry for which `which` holds; returns its record number."""
    index = next(i for i, entry in enumerate(log.entries) if which(entry))
    log.entries[index] = log.entries[index]._replace(**fields)  # type: ignore[union-attr]
    return index + 2


def _decision(signal: Signal) -> Callable[[Any], bool]:
    return lambda entry: isinstance(entry, Out) and entry.op == Op.DECISION and entry.code == signal


@pytest.mark.feature("F-029", "record", "same")
@pytest.mark.feature("F-151", "playback")
@pytest.mark.parametrize("level", ["L0", "L2"])
def test_a_session_replays_exactly(scripted: ModuleType, record: Record, level: str) -> None:
    report = _replay(scripted, read(record(level)))
    assert report.identical
    assert report.decisions > 15
    assert report.proved.startswith(level)


@pytest.mark.parametrize(
    ("signal", "fields", "kind"),
    [
        (Signal.ABORT, {"cause": Cause.BUDGET_EXHAUSTED}, Divergence.OUTCOME),
        (Signal.COMMIT, {"code": Signal.ABORT}, Divergence.OUTCOME),
        (Signal.TURN_OPEN, {"payload": bytes(32)}, Divergence.PLAN),
        (Signal.HEARD, {"code": Signal.STALE_EPOCH_REJECT}, Divergence.AUTHORITY),
        (Signal.PLAYBACK_CANCELLED, {"x": 99}, Divergence.OUTCOME),
    ],
)
def test_a_changed_decision_is_named(
    scripted: ModuleType, record: Record, signal: Signal, fields: dict[str, Any], kind: Divergence
) -> None:
    log = read(record("L0"))
    place = _change(log, _decision(signal), **fields)
    report = _replay(scripted, log)
    assert report.differences[0].kind is kind
    assert report.differences[0].record == place
    assert report.counts.total() == 1
    assert report.proved == "none"


def test_a_shifted_time_carries_its_difference(scripted: ModuleType, record: Record) -> None:
    log = read(record("L0"))
    place = _change(log, lambda e: isinstance(e, Step) and e.deadline_ns > 0, deadline_ns=10**12)
    deadline = next(e for e in read(record("L0")).entries if isinstance(e, Step) and e.deadline_ns > 0).deadline_ns
    first = _replay(scripted, log).differences[0]
    assert (first.kind, first.record) == (Divergence.TIMING, place)
    assert first.diff_ms == (10**12 - deadline) / 1e6


def test_swapped_decisions_are_a_matter_of_order(scripted: ModuleType, record: Record) -> None:
    log = read(record("L0"))
    index = next(i for i, e in enumerate(log.entries) if _decision(Signal.ABORT)(e))
    log.entries[index], log.entries[index + 1] = log.entries[index + 1], log.entries[index]
    first = _replay(scripted, log).differences[0]
    assert (first.kind, first.record) == (Divergence.ORDERING, index + 2)


def test_a_changed_answer(scripted: ModuleType, record: Record) -> None:
    log = read(record("L0"))
    place = _change(log, lambda e: isinstance(e, Input) and e.op == 2, result=Result.REFUSED)
    first = _replay(scripted, log).differences[0]
    assert (first.kind, first.record) == (Divergence.OUTCOME, place)
    assert "answered REFUSED" in first.recorded


def test_a_removed_decision(scripted: ModuleType, record: Record) -> None:
    log = read(record("L0"))
    index = next(i for i, e in enumerate(log.entries) if _decision(Signal.COMMIT)(e))
    del log.entries[index]
    report = _replay(scripted, log)
    assert report.differences[0].kind in (Divergence.OUTCOME, Divergence.ORDERING)
    assert report.differences[0].replayed.startswith("commit")


def test_another_provider(scripted: ModuleType, record: Record) -> None:
    log = read(record("L0"))
    _change(log, lambda e: isinstance(e, Invocation), provider="acme")
    assert _replay(scripted, log).differences[0].kind is Divergence.PROVIDER_CHOICE


def test_another_template(scripted: ModuleType, record: Record) -> None:
    plan = dataclasses.replace(scripted.plan(), template_hash="cd" * 32)
    report = _replay(scripted, read(record("L0")), plan)
    assert [d.kind for d in report.differences] == [Divergence.PLAN]


def test_a_kernel_that_decides_otherwise(scripted: ModuleType, record: Record) -> None:
    """The plan of the replay has another grace: same template, other behaviour."""
    plan = dataclasses.replace(scripted.plan(), grace_ns=50_000_000)
    report = _replay(scripted, read(record("L0")), plan)
    assert not report.identical
    assert report.differences[0].kind is Divergence.TIMING
    assert report.differences[0].diff_ms == 25


def test_a_torn_log_replays_as_far_as_it_goes(scripted: ModuleType, record: Record) -> None:
    path = record("L0")
    data = path.read_bytes()
    for keep in (0.3, 0.5, 0.77):
        path.write_bytes(data[: int(len(data) * keep)])
        report = _replay(scripted, read(path))
        assert report.torn
        assert report.identical


def test_a_decision_changed_by_hand_in_the_json_lines(scripted: ModuleType, record: Record) -> None:
    log = read(record("L0"))
    lines = [to_json(entry) for entry in log.entries]
    at = next(i for i, line in enumerate(lines) if json.loads(line).get("code") == "COMMIT")
    lines[at] = lines[at].replace('"COMMIT"', '"ABORT"')
    changed = Log(log.header, [from_json(line) for line in lines])  # type: ignore[misc]
    first = _replay(scripted, changed).differences[0]
    assert (first.record, first.recorded.split()[0], first.replayed.split()[0]) == (at + 2, "abort", "commit")
