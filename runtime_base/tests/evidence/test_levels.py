"""Recording levels: the policy, what each level keeps, and what a replay proves when the level changed on the way."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rspp_runtime.abi.codes import In, Op, Signal
from rspp_runtime.abi.messages import Output
from rspp_runtime.evidence import levels
from rspp_runtime.evidence.entries import Entry, Evidence, Input, Level, Log, Out
from rspp_runtime.evidence.levels import Change, Levels, Reason
from rspp_runtime.evidence.log import read
from rspp_runtime.evidence.recorder import Recorder
from rspp_runtime.evidence.records import records
from rspp_runtime.evidence.replay import Report, replay
from rspp_runtime.reference import Session

Record = Callable[..., Path]
MS = 1_000_000


def _replay(scripted: ModuleType, log: Log) -> Report:
    plan = scripted.plan()
    return replay(log, plan, lambda sid, epoch, handlers: Session(plan, sid, epoch, handlers))


# ---- the policy


def test_a_full_queue_steps_down_after_its_time() -> None:
    policy = Levels("L2")
    assert policy.observe(0, 0.80, 0) is None
    assert policy.observe(499 * MS, 0.95, 0) is None
    assert policy.observe(500 * MS, 0.80, 0) == Change(500 * MS, "L2", "L1", Reason.QUEUE_PRESSURE)
    assert policy.observe(501 * MS, 0.90, 0) is None  # L1 has its own 500 ms
    assert policy.observe(1000 * MS, 0.90, 0) is None
    assert policy.observe(1001 * MS, 0.90, 0) == Change(1001 * MS, "L1", "L0", Reason.QUEUE_PRESSURE)
    assert policy.observe(9000 * MS, 1.0, 10**12) is None  # L0 is the baseline


@pytest.mark.parametrize(("level", "fill"), [("L2", 0.799), ("L1", 0.899)])
def test_a_queue_that_is_less_full_steps_nowhere(level: str, fill: float) -> None:
    policy = Levels(level)
    assert all(policy.observe(t * MS, fill, 0) is None for t in range(0, 5000, 20))


def test_relief_begins_the_time_anew() -> None:
    policy = Levels("L2")
    for t, fill in ((0, 0.9), (400, 0.9), (450, 0.7), (460, 0.9), (950, 0.9)):
        assert policy.observe(t * MS, fill, 0) is None
    assert policy.observe(960 * MS, 0.9, 0) is not None


@pytest.mark.parametrize(("level", "late_ms"), [("L2", 2000), ("L1", 5000)])
def test_a_late_export_steps_down_at_once(level: str, late_ms: int) -> None:
    policy = Levels(level)
    assert policy.observe(0, 0.0, late_ms * MS - 1) is None
    change = policy.observe(1, 0.0, late_ms * MS)
    assert change is not None
    assert (change.before, change.reason) == (level, Reason.EXPORT_LAG)


def test_up_again_only_at_a_turn_boundary_after_a_stable_window() -> None:
    policy = Levels("L2")
    assert policy.observe(0, 0.0, 6000 * MS) is not None
    assert policy.observe(1, 0.0, 6000 * MS) is not None
    assert policy.level == "L0"
    assert policy.turn_boundary(10) is None
    policy.observe(100 * MS, 0.5, 0)
    assert policy.turn_boundary(5099 * MS) is None
    assert policy.turn_boundary(5100 * MS) == Change(5100 * MS, "L0", "L1", Reason.STABLE)
    assert policy.turn_boundary(5101 * MS) is None  # one level at a time, each after its own window
    policy.observe(5200 * MS, 0.85, 0)  # too full for L2
    policy.observe(5300 * MS, 0.5, 0)
    assert policy.turn_boundary(10_299 * MS) is None
    assert policy.turn_boundary(10_300 * MS) == Change(10_300 * MS, "L1", "L2", Reason.STABLE)
    assert policy.turn_boundary(99_000 * MS) is None


@given(
    level=st.sampled_from(levels.LEVELS),
    seen=st.lists(
        st.tuples(st.integers(0, 700), st.sampled_from([0.0, 0.79, 0.8, 0.89, 0.9, 1.0]), st.integers(0, 6000),
                  st.booleans()), max_size=80),
)  # fmt: skip
def test_whatever_it_sees(level: str, seen: list[tuple[int, float, int, bool]]) -> None:
    """One level a step, never above the first; down only under pressure that lasted, up only at a boundary."""
    policy, now_ns, since = Levels(level), 0, {"L2": -1, "L1": -1}
    calm_from = -1
    for pause_ms, fill, lag_ms, boundary in seen:
        now_ns += pause_ms * MS
        before = policy.level
        for name in since:
            since[name] = -1 if fill < levels.FILL[name] else since[name] if since[name] >= 0 else now_ns
        pressed = fill >= 0.9 or lag_ms >= 5000
        calm_from = -1 if pressed else calm_from if calm_from >= 0 else now_ns
        down = policy.observe(now_ns, fill, lag_ms * MS)
        if down is not None:
            assert levels.LEVELS.index(down.before) - levels.LEVELS.index(down.level) == 1
            late = lag_ms * MS >= levels.LAG_NS[before]
            assert late or now_ns - since[before] >= levels.PRESSED_NS
        if boundary and down is None and (up := policy.turn_boundary(now_ns)) is not None:
            assert levels.LEVELS.index(up.level) - levels.LEVELS.index(up.before) == 1
            assert up.level <= level
            assert calm_from >= 0
            assert now_ns - calm_from >= levels.STABLE_NS
        assert policy.level <= level


def test_no_such_level() -> None:
    with pytest.raises(ValueError, match="no recording level 'L3'; there are L0, L1, L2"):
        Levels("L3")


# ---- L1


@pytest.mark.feature("F-153", "l0", "l2")
def test_l1_keeps_texts_and_no_audio(scripted: ModuleType, record: Record) -> None:
    plan = scripted.plan()
    log = read(record("L1"))
    kinds: dict[tuple[str, bool], int] = {}
    for entry in log.entries:
        kind = ""
        if isinstance(entry, Input) and entry.op in (In.MEDIA, In.CHUNK):
            kind = plan.nodes[entry.node].outputs[entry.port].type
        elif isinstance(entry, Out) and entry.op in (Op.FEED, Op.SEND, Op.TAP):
            kind = plan.nodes[entry.node].inputs[entry.port].type
        elif isinstance(entry, Out) and entry.op == Op.CONTEXT:
            kind = "text"
        if kind and isinstance(entry, Input | Out) and entry.size:
            kinds[kind, entry.payload is not None] = kinds.get((kind, entry.payload is not None), 0) + 1
    assert kinds.keys() == {("audio", False), ("text", True)}
    assert min(kinds.values()) > 10
    report = _replay(scripted, log)
    assert report.identical
    assert report.proved == "L1: every decision, and every text bit for bit"


def test_a_changed_text_is_found_at_l1(scripted: ModuleType, record: Record) -> None:
    log = read(record("L1"))
    index = next(i for i, e in enumerate(log.entries) if isinstance(e, Out) and e.op == Op.CONTEXT and e.payload)
    changed = log.entries[index]
    assert isinstance(changed, Out)
    assert changed.payload is not None
    log.entries[index] = changed._replace(payload=b"?" * len(changed.payload))
    report = _replay(scripted, log)
    assert report.differences[0].record == index + 2
    assert report.proved == "none"


def test_the_level_that_is_proved_is_not_the_one_that_is_claimed(scripted: ModuleType, record: Record) -> None:
    """Payloads that are missing lower it, whatever the header says."""
    for really, proved in (("L0", "L0"), ("L1", "L1"), ("L2", "L2")):
        log = read(record(really))
        log.header = dataclasses.replace(log.header, level="L2")
        report = _replay(scripted, log)
        assert report.identical
        assert report.proved.startswith(proved)


# ---- on the way


def lag(now_ns: int) -> int:
    """The export is late once, and then very late."""
    if 200 * MS <= now_ns < 300 * MS:
        return 3000 * MS
    return 6000 * MS if 300 * MS <= now_ns < 500 * MS else 0


@pytest.fixture
def stepped(record: Record, monkeypatch: pytest.MonkeyPatch) -> Log:
    monkeypatch.setattr(levels, "STABLE_NS", 300 * MS)
    return read(record("L2", lag=lag))


def _changes(entries: list[Entry]) -> list[Level]:
    return [entry for entry in entries if isinstance(entry, Level)]


@pytest.mark.feature("F-176", "steps")
def test_a_session_under_pressure(scripted: ModuleType, stepped: Log) -> None:
    changes = _changes(stepped.entries)
    assert [(c.before, c.level, c.reason) for c in changes] == [
        ("L2", "L1", "export_lag"), ("L1", "L0", "export_lag"), ("L0", "L1", "stable"), ("L1", "L2", "stable"),
    ]  # fmt: skip
    closes = [e.t_ns for e in stepped.entries if isinstance(e, Out) and e.code == Signal.CLOSE and e.op == Op.DECISION]
    assert [c.now_ns for c in changes[2:]] == closes
    newest = {entry.turn: entry.or02["recording_level"] for entry in stepped.entries if isinstance(entry, Evidence)}
    assert newest == {1: "L0", 2: "L1"}  # the lowest that was kept while the turn was open


@pytest.mark.feature("F-176", "evidence")
def test_each_stretch_says_what_it_proves(scripted: ModuleType, stepped: Log) -> None:
    report = _replay(scripted, stepped)
    assert report.identical, report.differences[0]
    assert [stretch.level for stretch in report.stretches] == ["L2", "L1", "L0", "L1", "L2"]
    assert [stretch.record for stretch in report.stretches[1:]] == [
        index + 2 for index, entry in enumerate(stepped.entries) if isinstance(entry, Level)
    ]
    later = report.stretches[3]
    assert later.but > 0  # the context that the second turn's model got has words that were said at L0
    assert later.proved.endswith(f"but for {later.but} that hold what was left out before")
    assert report.proved == "L0: every decision"


def test_each_step_down_is_a_signal(scripted: ModuleType, stepped: Log) -> None:
    told = [r for r in records(stepped, scripted.plan()) if r.get("signal") == "recording_level_downgraded"]
    assert [(r["recording_level"], r["reason"], r["emitted_by"]) for r in told] == [
        ("L1", "export_lag", "OR-02"), ("L0", "export_lag", "OR-02"),
    ]  # fmt: skip
    assert len({r["event_id"] for r in told}) == 2


def test_the_queue_of_the_writer_is_what_presses(scripted: ModuleType) -> None:
    """The recorder asks its sink's queue after each step, and leaves payloads out from the next one on."""
    kept: list[Entry] = []
    fill = 0.85
    recorder = Recorder(kept.append, scripted.plan(), level="L2", pressure=lambda: (fill, 0))
    sent = Output(Op.SEND, 0, 1, node=scripted.EGRESS, port=0, payload=b"\1\2")
    for now_ms in range(0, 1200, 100):
        recorder.on_step(now_ms * MS, -1, now_ms * MS, [sent])
    payloads = [entry.payload for entry in kept if isinstance(entry, Out)]
    assert payloads == [b"\1\2"] * 6 + [None] * 6
    assert [(c.now_ns // MS, c.level) for c in _changes(kept)] == [(500, "L1")]
