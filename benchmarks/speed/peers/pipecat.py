"""Pipecat: frames through processors, cancels, many pipelines, starting one. Turns are in `pipecat_turn`.

`config` is `lean` (no RTVI, no turn tracking, no idle timeout: what a careful user takes out) or `default`.
"""

from __future__ import annotations

import asyncio
import gc
import random
import threading
import time
from importlib import metadata
from typing import Any

from pipecat.frames.frames import Frame, InterruptionFrame, LLMTextFrame, TTSAudioRawFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.workers.runner import WorkerRunner

from speed.clocks import FRAME, TEXT, Stopwatch, in_real_time, now_ns, p50_and_p99, resident_bytes, run_loop, spin
from speed.peers.pipecat_turn import turn

SINK_S = 0.001
LEAN: dict[str, Any] = {"enable_rtvi": False, "enable_turn_tracking": False, "idle_timeout_secs": None}
COUNTED = (TTSAudioRawFrame, LLMTextFrame)


def version() -> str:
    return f"pipecat {metadata.version('pipecat-ai')}"


def audio() -> TTSAudioRawFrame:
    return TTSAudioRawFrame(audio=FRAME, sample_rate=16_000, num_channels=1)


class Pass(FrameProcessor):
    """Hands every frame on."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        await self.push_frame(frame, direction)


class Last(Pass):
    """The last stage: says when `wanted` frames have come; `stamp` sees each of them."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = self.wanted = 0
        self.news = asyncio.Event()
        self.stamp: Any = None

    def expect(self, wanted: int) -> None:
        self.seen, self.wanted = 0, wanted
        self.news.clear()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, COUNTED):
            if self.stamp is not None:
                self.stamp(frame)
            self.seen += 1
            if self.seen == self.wanted:
                self.news.set()


async def start(processors: list[FrameProcessor], config: str) -> tuple[PipelineWorker, asyncio.Task[Any]]:
    """A running pipeline; cancel the worker, then await the task."""
    worker = PipelineWorker(Pipeline(processors), **(LEAN if config == "lean" else {}))
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    return worker, asyncio.create_task(runner.run())


def hop(command: dict[str, Any]) -> dict[str, Any]:
    """ns a hop: `count` texts through `stages`, one at a time (`paced`) or all at once."""
    stages, count, paced = command["stages"], command["count"], command["paced"]

    async def main() -> dict[str, float]:
        last = Last()
        worker, running = await start([*(Pass() for _ in range(stages - 1)), last], command["config"])

        async def through(items: int) -> Stopwatch:
            frames = [LLMTextFrame(text=TEXT) for _ in range(items)]
            with Stopwatch() as watch:
                if paced:
                    for frame in frames:
                        last.expect(1)
                        await worker.queue_frame(frame)
                        await last.news.wait()
                else:
                    last.expect(items)
                    for frame in frames:
                        await worker.queue_frame(frame)
                    await last.news.wait()
            return watch

        await through(min(200, count))
        watch = await through(count)
        await worker.cancel()
        await running
        return watch.each(count * stages)

    return run_loop(main(), command.get("loop", "asyncio"))


class Sink(FrameProcessor):
    """A slow output: a millisecond a frame, waiting (`sleep`) or computing (`busy`)."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.reset()

    def reset(self) -> None:
        self.log: list[tuple[int, list[int]]] = []  # (turn, [begun, ended or 0])
        self.interrupted_ns = 0
        self.begun = threading.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, TTSAudioRawFrame):
            if isinstance(frame, InterruptionFrame):
                self.interrupted_ns = now_ns()
            await self.push_frame(frame, direction)
            return
        entry = [now_ns(), 0]
        self.log.append((frame.metadata["turn"], entry))
        if self.kind == "busy":
            spin(SINK_S)
        else:
            await asyncio.sleep(SINK_S)
        entry[1] = now_ns()
        if len(self.log) == 20:
            self.begun.set()


def cancel(command: dict[str, Any]) -> dict[str, Any]:
    """A backlog in front of a slow sink, interrupted by another thread; then `late` frames of the old turn."""
    backlog, trials, late = command["backlog"], command["trials"], command.get("late", 0)

    async def main() -> dict[str, Any]:
        sink, first = Sink(command["sink"]), Pass()
        worker, running = await start([first, Pass(), Pass(), sink], command["config"])
        latencies_ns, stale, delivered = [], [], []
        for _ in range(trials):
            asked_ns = await _interrupted(worker, first, sink, backlog, late)
            old = [entry for turn_number, entry in sink.log if turn_number == 1]
            touched = [entry[1] or entry[0] for entry in old]
            latencies_ns.append(max([sink.interrupted_ns, *touched]) - asked_ns)
            stale.append(sum(entry[0] > asked_ns for entry in old))
            delivered.append(sum(turn_number == 2 for turn_number, _ in sink.log))
        await worker.cancel()
        await running
        return {"latency_ns": latencies_ns, "stale": stale} | ({"late_delivered": delivered} if late else {})

    return run_loop(main())


async def _interrupted(worker: PipelineWorker, first: Pass, sink: Sink, backlog: int, late: int) -> int:
    """When it was asked for. Frames of the backlog have turn 1, late ones turn 2."""
    loop = asyncio.get_running_loop()
    sink.reset()
    for _ in range(backlog):
        frame = audio()
        frame.metadata["turn"] = 1
        await worker.queue_frame(frame)
    over = asyncio.Event()
    tasks: list[asyncio.Task[None]] = []
    asked_ns = 0

    async def interrupt() -> None:
        await worker.queue_frame(InterruptionFrame())
        for _ in range(late):
            frame = audio()
            frame.metadata["turn"] = 2
            await first.push_frame(frame)
            await asyncio.sleep(0.001)
        over.set()

    def ask() -> None:
        nonlocal asked_ns
        sink.begun.wait()
        time.sleep(0.0003 + 0.0007 * random.random())
        asked_ns = now_ns()
        loop.call_soon_threadsafe(lambda: tasks.append(loop.create_task(interrupt())))

    thread = threading.Thread(target=ask)
    thread.start()
    await over.wait()
    while not sink.interrupted_ns:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.02 + late * 0.004)
    thread.join()
    return asked_ns


def opening(command: dict[str, Any]) -> dict[str, Any]:
    """A pipeline of five processors, until the first frame is through."""

    async def main() -> dict[str, Any]:
        up_ns = []
        for _ in range(command["trials"]):
            began_ns = now_ns()
            last = Last()
            last.expect(1)
            worker, running = await start([*(Pass() for _ in range(4)), last], command["config"])
            await worker.queue_frame(audio())
            await last.news.wait()
            up_ns.append(now_ns() - began_ns)
            await worker.cancel()
            await running
        return {"up_ns": up_ns}

    return run_loop(main())


def sessions(command: dict[str, Any]) -> dict[str, Any]:
    """So many pipelines of five processors, a frame every 20 ms into each."""
    count, seconds = command["sessions"], command["seconds"]

    async def main() -> dict[str, Any]:
        gc.collect()
        before = resident_bytes()
        latencies_ns: list[int] = []
        counted = False

        def stamp(frame: Frame) -> None:
            if counted:
                latencies_ns.append(now_ns() - frame.metadata["sent_ns"])

        def counting(on: bool) -> None:
            nonlocal counted
            counted = on

        workers = []
        for _ in range(count):
            last = Last()
            last.stamp = stamp
            workers.append((await start([*(Pass() for _ in range(4)), last], command["config"]))[0])

        async def push(index: int) -> None:
            frame = audio()
            frame.metadata["sent_ns"] = now_ns()
            await workers[index].queue_frame(frame)

        for index in range(count):
            await push(index)
        await asyncio.sleep(1.0)
        gc.collect()
        each_bytes = (resident_bytes() - before) / count
        figures = await in_real_time(count, seconds, push, counting)
        figures |= p50_and_p99(latencies_ns)
        for worker in workers:
            await worker.cancel()
        return figures | {"session_bytes": each_bytes}

    return run_loop(main())


CASES = {"hop": hop, "cancel": cancel, "opening": opening, "sessions": sessions, "turn": turn}
