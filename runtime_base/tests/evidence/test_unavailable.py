"""Case T9, from the disk to the turn: evidence that cannot be appended aborts the turn, and the session goes on."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rspp_runtime.abi.codes import Cause, Signal
from rspp_runtime.evidence.entries import Header
from rspp_runtime.evidence.log import LogFile, read
from rspp_runtime.evidence.recorder import Recorder
from rspp_runtime.evidence.segment import SEGMENT_BYTES_MIN
from rspp_runtime.evidence.writer import LogWriter
from rspp_runtime.session.virtual import run


class StuckDisk:
    """Takes nothing until it is released."""

    def __init__(self, log: LogFile) -> None:
        self.released = False
        self._append = log.append
        log.append = self.append  # type: ignore[method-assign]

    def append(self, framed: bytes) -> None:
        while not self.released:
            time.sleep(0.001)
        self._append(framed)


def header(plan: Any) -> Header:
    return Header(
        package="p", pipeline=plan.pipeline, pipeline_version="1.0.0", profile="simple/v1",
        template_hash=plan.template_hash, abi_hash="0" * 64, session_id="t", epoch=1, seed=0, level="L0",
        kernel="pure", started_ms=0,
    )  # fmt: skip


@pytest.mark.feature("F-176", "control")
@pytest.mark.parametrize("items_max", [40, 65_536])
def test_a_log_that_takes_nothing_more_aborts_the_turn(scripted: ModuleType, tmp_path: Path, items_max: int) -> None:
    """A queue that is full before the answer was played, or a disk that is silent until the evidence's deadline."""
    plan = scripted.plan()
    path = tmp_path / "s.log"
    file = LogFile(path, header(plan), SEGMENT_BYTES_MIN)
    disk = StuckDisk(file)
    writer = LogWriter(file, threaded=True, items_max=items_max)
    recorder = Recorder(writer.put, plan, level="L0")

    def append(turn: int) -> asyncio.Future[bool] | bool:
        return False if recorder.failed else writer.durable()

    async def user(ears: Any, party: Any) -> None:
        await scripted.quiet(ears)  # the greeting's turn, which nothing can record
        await scripted.talk(ears, 20)
        await scripted.hush(ears, 20)
        await scripted.quiet(ears)

    _, watch, _ = run(scripted.converse(scripted.Party(user), append=append, observers=[recorder]), virtual=True)
    decided = [(Signal(o.code), o.cause) for o in watch.signals()]
    ends = [index for index, (signal, _) in enumerate(decided) if signal is Signal.ABORT]
    assert len(ends) == [signal for signal, _ in decided].count(Signal.TURN_OPEN) >= 1
    for index in ends:
        assert decided[index] == (Signal.ABORT, Cause.RECORDING_EVIDENCE_UNAVAILABLE)
        assert decided[index + 1][0] is Signal.CLOSE
    assert Signal.COMMIT not in [signal for signal, _ in decided]
    assert decided[-1][0] is Signal.ENDED
    assert recorder.failed == (items_max == 40)
    disk.released = True
    writer.close()
    assert len(read(path).entries) >= min(items_max, 40)  # what was taken is a whole beginning
