"""Recovery: the next holder closes what a killed session left open, and the log replays as if never torn."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rspp_runtime.abi.codes import Cause, In, Op, Signal
from rspp_runtime.evidence.entries import End, Entry, Evidence, Input, Log, LogError, Out, Recovered, to_json
from rspp_runtime.evidence.log import LogFile, read
from rspp_runtime.evidence.or02 import missing_fields
from rspp_runtime.evidence.recover import Recovery, recover
from rspp_runtime.evidence.replay import Report, replay
from rspp_runtime.evidence.segment import path_of
from rspp_runtime.reference import Session

Record = Callable[..., Path]
ENDLESS = Path(__file__).parent / "endless.py"


def _recover(scripted: ModuleType, path: Path, epoch: int | None = None) -> Recovery | None:
    plan = scripted.plan()
    return recover(path, plan, scripted.RESOLVED, lambda sid, held, handlers: Session(plan, sid, held, handlers), epoch)


def _replay(scripted: ModuleType, log: Log) -> Report:
    plan = scripted.plan()
    return replay(log, plan, lambda sid, epoch, handlers: Session(plan, sid, epoch, handlers))


def _decisions(entries: list[Entry]) -> list[Out]:
    return [entry for entry in entries if isinstance(entry, Out) and entry.op == Op.DECISION]


def _shortened(path: Path, log: Log, keep: int) -> Path:
    """A log of the first `keep` entries, as a writer that was killed behind them leaves it."""
    living = path.with_name(f"{path.name}.living")
    file = LogFile(living, log.header)
    for entry in log.entries[:keep]:
        file.write(entry)
    shutil.copy(living, path)
    file.close()
    return path


def check_whole(scripted: ModuleType, path: Path, before: list[Entry]) -> None:
    """Every accepted turn has its one terminal, its close and complete evidence; nothing that was there has changed."""
    log = read(path)
    assert log.torn == ""
    assert log.entries[: len(before)] == before
    report = _replay(scripted, log)
    assert report.identical, report.differences[0]
    decided = _decisions(log.entries)
    opened = [out.turn for out in decided if out.code == Signal.TURN_OPEN]
    assert [out.turn for out in decided if out.code in (Signal.COMMIT, Signal.ABORT)] == opened
    assert [out.turn for out in decided if out.code == Signal.CLOSE] == opened
    newest = {entry.turn: entry.or02 for entry in log.entries if isinstance(entry, Evidence)}
    assert {turn: missing_fields(record) for turn, record in newest.items()} == {turn: [] for turn in opened}


def test_an_open_turn_is_aborted_and_closed(scripted: ModuleType, record: Record, tmp_path: Path) -> None:
    log = read(record("L2"))
    opened = next(i for i, e in enumerate(log.entries) if e in _decisions([e]) and e.code == Signal.PLAYBACK_STARTED)
    path = _shortened(tmp_path / "cut.log", log, opened + 1)
    done = _recover(scripted, path)
    assert done is not None
    assert (done.epoch, done.turns, done.proposals, done.records) == (2, [1], 0, opened + 2)
    again = read(path)
    index = next(i for i, entry in enumerate(again.entries) if isinstance(entry, Recovered))
    after = again.entries[index + 1 :]
    told = [(Signal(out.code).name, out.turn, Cause(out.cause).name) for out in _decisions(after)]
    ends = ["LEASE_ROTATED", "DEAUTHORIZED_DRAIN", "ABORT", "CLOSE", "ENDED"]
    assert [name for name, _, _ in told if name in ends] == ends
    assert ("ABORT", 1, "AUTHORITY_LOSS") in told
    assert [entry.op for entry in after if isinstance(entry, Input)] == [In.CONTROL] * 2  # before any other input
    assert isinstance(again.entries[-1], End)
    evidence = [entry for entry in after if isinstance(entry, Evidence)]
    assert [(e.turn, e.stage, e.or02["terminal_reason"]) for e in evidence] == [(1, "terminal", "authority_loss")]
    assert evidence[0].or02["lease_epoch_at_turn_open"] == 1
    assert evidence[0].or02["lease_epoch_at_terminal"] == 2
    check_whole(scripted, path, log.entries[: opened + 1])
    assert _recover(scripted, path) is None


@pytest.mark.parametrize("level", ["L0", "L1", "L2"])
def test_whatever_record_was_the_last(scripted: ModuleType, record: Record, tmp_path: Path, level: str) -> None:
    log = read(record(level))
    every = {"L0": 17, "L1": 41, "L2": 23}[level]
    closed = set()
    for keep in range(0, len(log.entries) - 1, every):
        path = _shortened(tmp_path / "cut.log", log, keep)
        done = _recover(scripted, path)
        assert done is not None
        closed.add(tuple(done.turns) + ("proposal",) * done.proposals)
        check_whole(scripted, path, log.entries[:keep])
        assert _replay(scripted, read(path)).proved.startswith(level)
    assert {(), (1,), (2,)} <= closed


def test_a_turn_that_was_proposed_is_refused(scripted: ModuleType, record: Record, tmp_path: Path) -> None:
    """Its opening is decided within the step that proposes it, so what is left of it is an input without its step."""
    log = read(record("L0"))
    proposed = next(
        i for i, e in enumerate(log.entries) if e in _decisions([e]) and e.code == Signal.TURN_OPEN_PROPOSED
    )
    last_input = max(i for i in range(proposed) if isinstance(log.entries[i], Input))
    path = _shortened(tmp_path / "cut.log", log, last_input + 1)
    done = _recover(scripted, path)
    assert done is not None
    assert (done.turns, done.proposals) == ([], 1)
    check_whole(scripted, path, log.entries[: last_input + 1])


def test_recovery_that_is_killed_is_recovered(scripted: ModuleType, record: Record, tmp_path: Path) -> None:
    log = read(record("L2"))
    keep = len(log.entries) // 2
    first = _shortened(tmp_path / "first.log", log, keep)
    _recover(scripted, first)
    recovered = read(first)
    for stop in range(keep, len(recovered.entries) - 1):
        path = _shortened(tmp_path / "second.log", recovered, stop)
        done = _recover(scripted, path)
        assert done is not None
        assert done.epoch in (2, 3)
        check_whole(scripted, path, recovered.entries[:stop])


def test_a_log_that_does_not_replay_is_not_written_to(scripted: ModuleType, record: Record, tmp_path: Path) -> None:
    log = read(record("L0"))
    index = next(i for i, e in enumerate(log.entries) if e in _decisions([e]) and e.code == Signal.TURN_OPEN)
    log.entries[index] = log.entries[index]._replace(cause=Cause.USER)  # type: ignore[union-attr]
    path = _shortened(tmp_path / "cut.log", log, index + 1)
    before = path.read_bytes()
    with pytest.raises(LogError, match=rf"a replay of it differs.*OUTCOME_DIVERGENCE, record {index + 2}"):
        _recover(scripted, path)
    assert path.read_bytes() == before


def test_the_new_epoch_is_higher(scripted: ModuleType, record: Record, tmp_path: Path) -> None:
    log = read(record("L0"))
    path = _shortened(tmp_path / "cut.log", log, 300)
    with pytest.raises(LogError, match="epoch 1 is not higher than the log's, 1"):
        _recover(scripted, path, 1)
    done = _recover(scripted, path, 7)
    assert done is not None
    assert done.epoch == 7


def test_json_lines_are_not_recovered(scripted: ModuleType, record: Record, tmp_path: Path) -> None:
    log = read(record("L0"))
    lines = tmp_path / "log.jsonl"
    lines.write_text("\n".join(map(to_json, [log.header, *log.entries[:50]])))
    with pytest.raises(LogError, match="JSON lines; recover the log that it was printed from"):
        _recover(scripted, lines)


@pytest.mark.parametrize("seed", range(8))
def test_a_killed_session_is_recovered(scripted: ModuleType, tmp_path: Path, seed: int) -> None:
    dice = random.Random(1000 + seed)
    level, pace = ("L0", "L1", "L2")[seed % 3], ("fast", "real")[seed % 2]
    path = tmp_path / "s.log"
    command = [sys.executable, str(ENDLESS), str(path), level, str(32 << 10), pace]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "talking\n"
        time.sleep(dice.random() * (1.0 if pace == "fast" else 3.0))
        child.send_signal(signal.SIGKILL)
        child.communicate(timeout=30)
    before: Any = read(path).entries
    segments = sum(path_of(path, index).exists() for index in range(50))
    done = _recover(scripted, path)
    assert done is not None
    assert done.records == len(before) + 1
    assert sum(path_of(path, index).exists() for index in range(50)) >= segments
    check_whole(scripted, path, before)
