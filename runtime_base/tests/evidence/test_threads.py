"""A few threads write the logs of all sessions: a disk that holds one up holds up nobody else."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rspp_runtime.evidence import threads, writer
from rspp_runtime.evidence.entries import Header, Step
from rspp_runtime.evidence.log import LogFile, read
from rspp_runtime.evidence.segment import SEGMENT_BYTES_MIN
from rspp_runtime.evidence.threads import LogThreads
from rspp_runtime.evidence.writer import LogWriter

HEADER = Header("p", "p", "1", "simple/v1", "ab" * 32, "cd", "s", 1, 0, "L0", "pure", 0)


def steps(count: int, start: int = 0) -> list[Step]:
    return [Step(number, -1, number, 0) for number in range(start, start + count)]


def log_threads() -> int:
    return sum(thread.name.startswith("rspp-log") for thread in threading.enumerate())


def until(true: Callable[[], bool]) -> None:
    limit_s = time.monotonic() + 10
    while not true():
        assert time.monotonic() < limit_s
        time.sleep(0.001)


def test_many_sessions_share_a_few_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "THREADS", LogThreads())
    before = log_threads()

    async def talk() -> None:
        logs = [LogWriter(LogFile(tmp_path / f"{n}", HEADER, SEGMENT_BYTES_MIN), threaded=True) for n in range(60)]
        for start in range(0, 100, 20):
            for one in logs:
                for entry in steps(20, start):
                    one.put(entry)
                one.flush()
            assert await asyncio.gather(*(one.durable() for one in logs)) == [True] * len(logs)
        for one in logs:
            one.close()

    asyncio.run(talk())
    assert 1 <= log_threads() - before <= threads.THREADS_MAX
    for number in range(60):
        assert read(tmp_path / f"{number}").entries == steps(100)


def test_a_disk_that_is_stuck_holds_up_its_own_log_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "THREADS", LogThreads())
    gate = threading.Event()
    stuck, well = (LogFile(tmp_path / name, HEADER, SEGMENT_BYTES_MIN) for name in ("stuck", "well"))
    append = stuck.append

    def hang(records: bytes) -> None:
        gate.wait()
        append(records)

    monkeypatch.setattr(stuck, "append", hang)

    async def talk() -> None:
        bad, good = LogWriter(stuck, threaded=True), LogWriter(well, threaded=True)
        bad.put(steps(1)[0])
        waits = bad.durable()
        good.put(steps(1)[0])
        assert await asyncio.wait_for(asyncio.ensure_future(good.durable()), 10)  # type: ignore[arg-type]
        assert isinstance(waits, asyncio.Future)
        assert not waits.done()
        good.put(steps(1, 1)[0])
        good.flush()  # asked for as what can wait, and then somebody cannot
        assert await asyncio.wait_for(asyncio.ensure_future(good.durable()), 10)  # type: ignore[arg-type]
        time.sleep(2 * threads.STUCK_S)
        good.put(steps(1, 2)[0])
        good.flush()  # nobody waits for it, and yet it is written
        until(lambda: good.fill == 0)
        gate.set()
        assert await waits
        bad.close()
        good.close()

    asyncio.run(talk())
    assert read(tmp_path / "stuck").entries == steps(1)
    assert read(tmp_path / "well").entries == steps(3)


def test_what_is_asked_is_done_in_order_and_there_is_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, gate, done, before = LogThreads(), threading.Event(), [], log_threads()
    for number in range(threads.THREADS_MAX + 3):
        pool.ask(lambda number=number: (gate.wait(), done.append(number)), at_once=True)  # type: ignore[misc]
    until(lambda: log_threads() - before == threads.THREADS_MAX)
    assert done == []
    gate.set()
    until(lambda: len(done) == threads.THREADS_MAX + 3)
    assert sorted(done) == list(range(threads.THREADS_MAX + 3))
    assert log_threads() - before == threads.THREADS_MAX
