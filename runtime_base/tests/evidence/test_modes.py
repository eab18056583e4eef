"""Replay modes, places and cursors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rspp_runtime.abi.codes import Op, Signal
from rspp_runtime.evidence.cursor import Cursor, Place, seek, walk
from rspp_runtime.evidence.entries import Entry, Log, LogError, Out
from rspp_runtime.evidence.execution import Execution
from rspp_runtime.evidence.log import read
from rspp_runtime.evidence.modes import Mode, check_served, replay_decisions
from rspp_runtime.reference import Session

Record = Callable[..., Path]


def _execution(scripted: ModuleType, log: Log) -> Execution:
    plan = scripted.plan()
    return Execution(log, plan, lambda sid, epoch, handlers: Session(plan, sid, epoch, handlers))


def _index(log: Log, signal: Signal) -> int:
    found = (i for i, e in enumerate(log.entries) if isinstance(e, Out) and e.op == Op.DECISION and e.code == signal)
    return next(found)


# ---- which log serves which mode


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("level", ["L0", "L1", "L2"])
def test_a_log_that_lacks_what_a_mode_needs_is_refused(record: Record, mode: Mode, level: str) -> None:
    log = read(record(level))
    if level == "L2" or mode in (Mode.REPLAY_DECISIONS, Mode.RECOMPUTE_DECISIONS):
        check_served(log, mode)
        return
    with pytest.raises(LogError, match=rf"record \d+ has no payload .*at {level}.*{mode} needs every payload"):
        check_served(log, mode)


# ---- replay_decisions


def test_recorded_decisions_are_a_legal_history(scripted: ModuleType, record: Record) -> None:
    log = read(record("L0"))
    report = replay_decisions(log, scripted.plan())
    assert report.identical, report.differences[0]
    assert report.decisions > 15


def _drop(log: Log, index: int) -> None:
    del log.entries[index]


def _set(**fields: Any) -> Callable[[Log, int], None]:
    def change(log: Log, index: int) -> None:
        log.entries[index] = log.entries[index]._replace(**fields)  # type: ignore[union-attr]

    return change


@pytest.mark.feature("F-139", "invalid")
@pytest.mark.parametrize(
    ("signal", "change", "said"),
    [
        (Signal.CLOSE, _drop, "has its terminal, and only its close may follow"),
        (Signal.TURN_OPEN, _drop, "the turn is Opening, not Active"),
        (Signal.TURN_OPEN, _set(turn=3), "turn 3 opens after turn 0"),
        (Signal.ABORT, _drop, "the turn is Active, not Terminal"),
        (Signal.COMMIT, _set(turn=9), "turn 9 ends, and turn 2 is open"),
        (Signal.COMMIT, _set(seq=1), "the runtime sequence does not go on"),
        (Signal.COMMIT, _set(t_ns=1), "time goes back"),
    ],
)
def test_a_history_that_is_not_legal(
    scripted: ModuleType, record: Record, signal: Signal, change: Callable[[Log, int], None], said: str
) -> None:
    log = read(record("L0"))
    change(log, _index(log, signal))
    report = replay_decisions(log, scripted.plan())
    assert any(said in difference.replayed for difference in report.differences), report.differences


# ---- places and cursors


@pytest.mark.parametrize(
    ("text", "place"), [("2210", Place(2210)), ("5.54s", Place(t_ns=5_540_000_000)), ("0s", Place(t_ns=0))]
)
def test_a_place(text: str, place: Place) -> None:
    assert Place.parse(text) == place


@pytest.mark.parametrize("text", ["", "0", "-1", "5.5", "5ms", "s", "1e9s", "9" * 13])
def test_no_place(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no place: write a record \(2210\) or a time"):
        Place.parse(text)


def test_a_window_compares_only_itself(scripted: ModuleType, record: Record) -> None:
    log = read(record("L0"))
    index = _index(log, Signal.ABORT)
    _set(cause=1 + log.entries[index].cause)(log, index)  # type: ignore[union-attr]
    for start, end, differs in ((None, index, False), (index + 3, None, False), (2, None, True)):
        execution = _execution(scripted, log)
        walk(execution, None if start is None else Place(start), None if end is None else Place(end - 20))
        assert execution.report.identical is not differs
        execution.close()


def test_a_window_in_time(scripted: ModuleType, record: Record) -> None:
    log = read(record("L0"))
    execution = _execution(scripted, log)
    seen: list[int] = []

    def each(_: int, __: Entry) -> bool:
        seen.append(execution.now_ns)
        return True

    walk(execution, Place(t_ns=500_000_000), Place(t_ns=700_000_000), each)
    assert min(seen) >= 500_000_000
    assert max(seen) <= 700_000_000
    assert len(seen) > 20
    assert 0 < execution.report.steps < len(seen)


@pytest.mark.feature("F-152", "cursor", "resume")
def test_a_replay_that_is_resumed_goes_on_alike(scripted: ModuleType, record: Record) -> None:
    """Wherever it stopped: what follows, and what it comes to, is what an unbroken replay has."""
    log = read(record("L2"))
    whole = _execution(scripted, log)
    walk(whole)
    for stop in range(2, len(log.entries), 97):
        first = _execution(scripted, log)
        walk(first, end=Place(stop))
        saved = Cursor.from_json(Cursor.of(first, "recompute_decisions").to_json())
        second = _execution(scripted, log)
        seek(second, saved)
        assert second.record == saved.record
        seen: list[int] = []
        walk(second, each=lambda number, _, seen=seen: not seen.append(number))  # type: ignore[misc]
        assert seen[0] == saved.record
        assert second.digest == whole.digest
        parts = first.report, second.report
        assert sum(part.steps for part in parts) == whole.report.steps
        assert sum(part.decisions for part in parts) == whole.report.decisions
        assert all(part.identical for part in parts)


def test_a_cursor_of_something_else_is_refused(scripted: ModuleType, record: Record) -> None:
    log = read(record("L0"))
    execution = _execution(scripted, log)
    walk(execution, end=Place(500))
    cursor = Cursor.of(execution, "recompute_decisions")
    changed = log.entries[300:]
    log.entries[300:] = changed[1:]
    with pytest.raises(LogError, match="is not what it was when the cursor was saved"):
        seek(_execution(scripted, log), cursor)
    with pytest.raises(LogError, match="the cursor is of session 'other'"):
        seek(_execution(scripted, log), Cursor("other", "", "", 2, 0, ""))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"record": 5}'])
def test_what_is_no_cursor(text: str) -> None:
    with pytest.raises(LogError, match="this is not a cursor"):
        Cursor.from_json(text)
