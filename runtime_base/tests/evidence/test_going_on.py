"""Going on with a session that another process has left: from whatever record was the last, and again."""

from __future__ import annotations

import asyncio
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

from rspp_runtime.abi.codes import Op, Signal
from rspp_runtime.evidence.entries import End, Evidence, Input, Log, LogError, Out, Recovered
from rspp_runtime.evidence.log import LogFile, read
from rspp_runtime.evidence.or02 import missing_fields
from rspp_runtime.evidence.replay import replay
from rspp_runtime.providers.contract import Invocation
from rspp_runtime.reference import Session
from rspp_runtime.session.clock import VirtualClock
from rspp_runtime.session.host import Finished, Options, converse
from rspp_runtime.session.virtual import run

Record = Callable[..., Path]
ENDLESS = Path(__file__).parent / "endless.py"


def shortened(path: Path, log: Log, keep: int) -> Path:
    """A log of the first `keep` entries, as a writer that was killed behind them leaves it."""
    living = path.with_name(f"{path.name}.living")
    file = LogFile(living, log.header)
    for entry in log.entries[:keep]:
        file.write(entry)
    shutil.copy(living, path)
    file.close()
    return path


def go_on(scripted: ModuleType, path: Path) -> tuple[Finished, list[list[str]]]:
    """Another process goes on, and the user asks once more; also what the model was told of the conversation."""
    told: list[list[str]] = []

    async def think(call: Invocation) -> None:
        async for _ in call.inputs():
            pass
        told.append([message.text for message in call.messages])
        await call.emit("delta", b"And on we go. ")

    async def user(ears: Any, _: Any) -> None:
        await scripted.hush(ears, 3)
        await scripted.talk(ears, 15)
        await scripted.quiet(ears)

    async def whole() -> Finished:
        work = {"ears": scripted.listen, "stt": scripted.recognise, "llm": think, "voice": scripted.speak}
        providers = {name: [(name, scripted.Fake("x", does))] for name, does in work.items()}
        options = Options(log=path, resume=True)
        clock = VirtualClock(asyncio.get_running_loop())
        return await converse(scripted.package(scripted.plan()), providers, scripted.Party(user), clock, options)

    return run(whole(), virtual=True), told


def decisions(log: Log) -> list[Out]:
    return [entry for entry in log.entries if isinstance(entry, Out) and entry.op == Op.DECISION]


def check(scripted: ModuleType, path: Path, before: list[Any], holders: int = 2) -> Log:
    """One log of one session: nothing of it has changed, each turn has its end and its evidence, and it replays."""
    log, plan = read(path), scripted.plan()
    assert log.torn == ""
    assert isinstance(log.entries[-1], End)
    assert log.entries[: len(before)] == before
    report = replay(log, plan, lambda sid, epoch, handlers: Session(plan, sid, epoch, handlers))
    assert report.identical, report.differences[0]
    told = decisions(log)
    opened = [out.turn for out in told if out.code == Signal.TURN_OPEN]
    assert opened == list(range(1, len(opened) + 1))
    assert [out.turn for out in told if out.code in (Signal.COMMIT, Signal.ABORT)] == opened
    assert [out.turn for out in told if out.code == Signal.CLOSE] == opened
    newest = {entry.turn: entry.or02 for entry in log.entries if isinstance(entry, Evidence)}
    assert {turn: missing_fields(record) for turn, record in newest.items()} == {turn: [] for turn in opened}
    assert newest[opened[-1]]["lease_epoch_at_turn_open"] == holders
    assert len(newest[opened[-1]]["migrations"]) == holders - 1
    for code in (Signal.MIGRATION_START, Signal.SESSION_HANDOFF, Signal.MIGRATION_FINISH):
        assert sum(out.code == code for out in told) == holders - 1
    times = [entry.now_ns for entry in log.entries if isinstance(entry, Input)]
    assert times == sorted(times)
    return log


@pytest.mark.feature("F-157", "markers", "identity")
@pytest.mark.parametrize("level", ["L0", "L1", "L2"])
def test_from_whatever_record_was_the_last(scripted: ModuleType, record: Record, tmp_path: Path, level: str) -> None:
    log = read(record(level))
    every = {"L0": 97, "L1": 131, "L2": 113}[level]
    for keep in range(0, len(log.entries) - 1, every):
        path = shortened(tmp_path / "cut.log", log, keep)
        finished, told = go_on(scripted, path)
        assert finished.header == log.header
        again = check(scripted, path, log.entries[:keep])
        assert any(isinstance(entry, Recovered) for entry in again.entries)
        closed = any(out.code == Signal.CLOSE for out in decisions(Log(log.header, log.entries[:keep])))
        if level == "L0" or closed:
            assert bool(told[-1]) is (level != "L0"), "the conversation is known if its texts were kept"


def test_the_open_turn_ends_before_the_new_one(scripted: ModuleType, record: Record, tmp_path: Path) -> None:
    log = read(record("L2"))
    playing = next(i for i, e in enumerate(log.entries) if isinstance(e, Out) and e.code == Signal.PLAYBACK_STARTED)
    path = shortened(tmp_path / "cut.log", log, playing + 1)
    go_on(scripted, path)
    again = check(scripted, path, log.entries[: playing + 1])
    records = {entry.turn: entry.or02 for entry in again.entries if isinstance(entry, Evidence)}
    assert records[1]["terminal_reason"] == "authority_loss"
    assert (records[1]["lease_epoch_at_turn_open"], records[1]["lease_epoch_at_terminal"]) == (1, 2)
    (migration,) = records[1]["migrations"]
    assert (migration["from_epoch"], migration["to_epoch"]) == (1, 2)
    assert migration["finish_timestamp"] >= migration["start_timestamp"]
    assert records[2]["terminal_outcome"] == "commit"


def test_the_next_process_may_die_too(scripted: ModuleType, record: Record, tmp_path: Path) -> None:
    log = read(record("L1"))
    first = shortened(tmp_path / "first.log", log, len(log.entries) // 2)
    go_on(scripted, first)
    gone_on = read(first)
    taken = next(i for i, entry in enumerate(gone_on.entries) if isinstance(entry, Recovered))
    finished = next(
        i for i, e in enumerate(gone_on.entries) if isinstance(e, Out) and e.code == Signal.MIGRATION_FINISH
    )
    for keep in (taken + 1, finished, finished + 1, (finished + len(gone_on.entries)) // 2):
        path = shortened(tmp_path / "second.log", gone_on, keep)
        go_on(scripted, path)
        again = read(path)
        check(scripted, path, gone_on.entries[:keep], holders=2 if keep <= taken + 1 else 3)
        assert again.entries[:keep] == gone_on.entries[:keep]


def test_an_ended_session_cannot_be_gone_on_with(scripted: ModuleType, record: Record) -> None:
    path = record("L0")
    before = path.read_bytes()
    with pytest.raises(LogError, match="its session has ended"):
        go_on(scripted, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("level", ["L0", "L2"])
def test_a_killed_session_is_gone_on_with(scripted: ModuleType, tmp_path: Path, level: str) -> None:
    path = tmp_path / "s.log"
    command = [sys.executable, str(ENDLESS), str(path), level, str(256 << 10), "fast"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "talking\n"
        time.sleep(0.6)
        child.send_signal(signal.SIGKILL)
        child.communicate(timeout=30)
    before: Any = read(path).entries
    go_on(scripted, path)
    check(scripted, path, before)
