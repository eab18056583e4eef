"""What every competitor measures with: clocks, memory, event loops, and a source that keeps real time."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

FRAME = bytes(640)  # 20 ms of PCM s16le, mono, 16 kHz
FRAME_S = 0.02
TEXT = "hello "
TOKENS = ("Hello ", "there, ", "this ", "is ", "the ", "first ", "sentence. ", "And ", "the ", "second.")
WARM_UP_S = 1.0  # of a source in real time, not counted
BATCH = 16  # frames that a source hands over before it lets others run


class Stopwatch:
    """Wall and processor time of a block, in ns; the garbage of what was before is collected first."""

    wall_ns = 0
    cpu_ns = 0

    def __enter__(self) -> Stopwatch:
        gc.collect()
        self._cpu_ns, self._wall_ns = time.process_time_ns(), time.perf_counter_ns()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall_ns = time.perf_counter_ns() - self._wall_ns
        self.cpu_ns = time.process_time_ns() - self._cpu_ns

    def each(self, count: float) -> dict[str, float]:
        """For each of so many."""
        return {"wall_ns": self.wall_ns / count, "cpu_ns": self.cpu_ns / count}


def now_ns() -> int:
    return time.perf_counter_ns()


def resident_bytes() -> int:
    """Of this process, as the kernel counts it; 0 where that cannot be read."""
    try:
        with open("/proc/self/statm") as file:  # noqa: PTH123 - opened thousands of times
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of them lie; 0.0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def p50_and_p99(latencies_ns: Sequence[float]) -> dict[str, float]:
    """As the figures of many sessions tell them."""
    return {"p50_ns": percentile(latencies_ns, 0.5), "p99_ns": percentile(latencies_ns, 0.99)}


def run_loop(main: Coroutine[Any, Any, Any], loop: str = "asyncio") -> Any:
    """Runs `main` on the loop of that name: asyncio, uvloop."""
    if loop == "uvloop":
        import uvloop

        return uvloop.run(main)
    return asyncio.run(main)


def spin(duration_s: float) -> None:
    """Keeps the core busy."""
    end = time.perf_counter() + duration_s
    while time.perf_counter() < end:
        pass


async def in_real_time(
    sessions: int, seconds: float, push: Callable[[int], Awaitable[object]], counting: Callable[[bool], None]
) -> dict[str, float]:
    """A frame every 20 ms into each of so many sessions, their phases spread over the 20 ms.

    One task for all, so that little is measured of the source itself: it wakes when the next frame is due, and hands
    over what is due by then, `BATCH` at a time, between which others have their turn, as behind a loop's sockets.
    `push(i)` hands a frame to session i; `counting` is told when the measured stretch begins and ends. Returns the
    share of one core that the process used, processor time a frame, frames per second and session, and how late the
    source itself was: it shares the core with all that it feeds, and is late when they do not keep up.
    """
    stopped = measured = False
    begin = time.perf_counter() + 0.1
    sent = 0
    late_ns: list[float] = []

    async def source() -> None:
        nonlocal sent
        number, gap_s = 0, FRAME_S / sessions  # frame `number` is due at begin + number * gap_s
        while not stopped:
            await asyncio.sleep(max(0.0, begin + number * gap_s - time.perf_counter()))
            now = time.perf_counter()
            for _ in range(BATCH):
                if (due := begin + number * gap_s) > now:
                    break
                if measured:
                    sent += 1
                    late_ns.append((time.perf_counter() - due) * 1e9)
                await push(number % sessions)
                number += 1

    running = asyncio.create_task(source())
    await asyncio.sleep(0.1 + WARM_UP_S)
    cpu, wall = time.process_time(), time.perf_counter()
    measured = True
    counting(True)
    await asyncio.sleep(seconds)
    spent, took = time.process_time() - cpu, time.perf_counter() - wall
    measured = False
    counting(False)
    stopped = True
    await running
    return {
        "cpu_share": spent / took,
        "cpu_frame_ns": spent * 1e9 / max(1, sent),
        "frames_per_second": sent / took / sessions,
        "source_late_p99_ns": percentile(late_ns, 0.99),
        "source_late_max_ns": max(late_ns, default=0.0),
    }
