"""What recording costs: a conversation is held once, and what its observers were told is told to a log again and again.

Nothing else runs in the stretch that is timed: no kernel, no event loop, no provider. Its processor time is that of the
whole process, so the thread that writes counts too, and the stretch ends when all is in the segment (`close`).
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.abi.plan import Plan
from rspp_runtime.evidence.entries import Header
from rspp_runtime.evidence.levels import Keeps
from rspp_runtime.evidence.log import LogFile, read
from rspp_runtime.evidence.recorder import LogRecorder
from rspp_runtime.evidence.writer import LogWriter
from rspp_runtime.session.clock import VirtualClock
from rspp_runtime.session.host import Options, converse
from rspp_runtime.session.later import Desk, Later
from rspp_runtime.session.observer import Observer
from rspp_runtime.session.virtual import run
from rspp_runtime.transports.contract import Ears
from speed.clocks import FRAME
from speed.peers.rspp.fakes import Model, Open, Party, Voice, typed
from speed.peers.rspp.packages import MS_NS, package

PACKAGE = "voice_assistant"
FRAMES_IN = 50  # of the microphone, in a turn
FRAMES_SAID = 50  # for each of two sentences
ROUNDS = 7
BATCH = 16  # inputs and steps between two times that evidence catches up


def recording(command: dict[str, Any]) -> dict[str, Any]:
    """Medians of `ROUNDS`, in ns. `l0_told_ns`: what a turn waits for, which is that it is remembered until later.
    `l0_turn_ns`, `l2_turn_ns`: everything that a log adds to a turn, from telling to the segment. `l2_frame_ns`: the
    same of the inputs and steps that have audio, for each frame that is recorded there. `records`: of a turn.
    """
    turns = command["turns"]
    heard = run(_talk(turns), virtual=True)
    audio = [row for row in heard.rows if frames_of(row)]
    frames = sum(frames_of(row) for row in audio)
    l0, l2 = ([_recorded(heard, level, heard.rows) for _ in range(ROUNDS)] for level in ("L0", "L2"))
    of_frames = [_recorded(heard, "L2", audio) for _ in range(ROUNDS)]
    return {
        "l0_told_ns": statistics.median(_told(heard.rows) for _ in range(ROUNDS)) / turns,
        "l0_turn_ns": statistics.median(took_ns for took_ns, _ in l0) / turns,
        "l2_turn_ns": statistics.median(took_ns for took_ns, _ in l2) / turns,
        "l2_frame_ns": statistics.median(took_ns for took_ns, _ in of_frames) / frames,
        "records": l0[0][1] / turns,
        "frames": frames / turns,
    }


def frames_of(row: tuple[Any, ...]) -> int:
    """How often 20 ms of audio are recorded there: as an input, or as an output of a step."""
    payloads = [row[0].payload] if isinstance(row[0], Inbound) else [output.payload for output in row[-1]]
    return sum(len(payload) == len(FRAME) for payload in payloads)


class _Heard(Observer):
    """What the observers of a session are told, in order: the arguments of `on_input` and of `on_step`."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rows: list[tuple[Any, ...]] = []

    def on_input(self, event: Inbound, now_ns: int, result: int) -> None:
        self.rows.append((event, now_ns, result))

    def on_step(self, now_ns: int, deadline_ns: int, drained_ns: int, outputs: Sequence[Output]) -> None:
        self.rows.append((now_ns, deadline_ns, drained_ns, outputs))


async def _talk(turns: int) -> _Heard:
    async def script(ears: Ears) -> None:
        for _ in range(turns):
            for _ in range(FRAMES_IN):
                await ears.media("audio", FRAME, ears.clock.now_ns())
                await asyncio.sleep(0.02)
            await typed(ears, b"what is the weather")
            while ears.activity.quiet_ns(ears.clock.now_ns()) < 20 * MS_NS:
                await asyncio.sleep(0.02)

    made = package(PACKAGE)
    providers = {"ears": Open("vad"), "stt": Open("stt"), "llm": Model(), "voice": Voice(FRAMES_SAID)}
    bound = {node: [("fake", provider)] for node, provider in providers.items()}
    clock, heard = VirtualClock(asyncio.get_running_loop()), _Heard(made.plan)
    await converse(made, bound, Party(script), clock, Options(), [heard])
    return heard


def _told(rows: Sequence[tuple[Any, ...]]) -> float:
    """Processor time of telling alone, in ns; whoever it is told later is not there."""

    async def tell() -> float:
        later = Later([], Desk(asyncio.get_running_loop(), 1.0))
        began_ns = time.process_time_ns()
        _tell(later, rows)
        return time.process_time_ns() - began_ns

    gc.collect()
    return asyncio.run(tell())


def _recorded(heard: _Heard, level: str, rows: Sequence[tuple[Any, ...]]) -> tuple[float, int]:
    """Processor time of all of it, in ns; and how many records there are."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_record(heard, level, rows, Path(folder) / "call.log"))


async def _record(heard: _Heard, level: str, rows: Sequence[tuple[Any, ...]], path: Path) -> tuple[float, int]:
    header = Header(PACKAGE, PACKAGE, "1", "simple/v1", "", "", "bench", 1, 0, level, "compiled", 0)
    writer = LogWriter(LogFile(path, header), threaded=True, keeps=Keeps(heard.plan))
    pressure = (lambda: (writer.fill, 0)) if level > "L0" else None  # as `session.host` has it
    recorder = LogRecorder(writer, heard.plan, level=level, pressure=pressure)
    later = Later([recorder], Desk(asyncio.get_running_loop(), 1.0), recorder.caught_up, recorder.flush)
    gc.collect()
    began_ns = time.process_time_ns()
    for start in range(0, len(rows), BATCH):
        _tell(later, rows[start : start + BATCH])
        later.catch_up()
    writer.close()
    took_ns = time.process_time_ns() - began_ns
    return took_ns, len(read(path).entries)


def _tell(later: Later, rows: Sequence[tuple[Any, ...]]) -> None:
    for row in rows:
        if len(row) == 3:
            later.on_input(*row)
        else:
            later.on_step(*row)
