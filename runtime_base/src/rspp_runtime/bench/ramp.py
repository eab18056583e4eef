"""More and more sessions on one event loop, until it no longer keeps up."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rspp_runtime.bench.callers import FRAME_NS, Caller
from rspp_runtime.bench.meter import Meter, Probe
from rspp_runtime.session.clock import Clock, MonotonicClock
from rspp_runtime.session.host import Finished, Options, converse
from rspp_runtime.session.package import Bound, Package

LATE_NS_MAX = 10_000_000  # half a frame
CPU_MAX = 0.95
WARM_S = 2.5  # the callers' first question, and the beginning of its answer
CLOSE_S = 15.0
STEPS = (1, 2, 5)
REFINED = 1.25  # between the last point that keeps up and the first that does not


@dataclass(frozen=True, slots=True)
class Point:
    """What so many sessions showed."""

    sessions: int
    cpu: float  # of one core
    bytes_each: int  # resident memory that came with each session
    seconds: float  # of observation
    meter: Meter

    @property
    def keeps_up(self) -> bool:
        """Frames are handed in on time, and there is some of the core left."""
        return self.cpu <= CPU_MAX and self.meter.lateness.quantile(0.99) <= LATE_NS_MAX


def next_step(done: Sequence[Point], most: int) -> int:
    """How many sessions are tried next: 1, 2, 5, 10 … `most`, then between what keeps up and what does not; or 0."""
    good = max((point.sessions for point in done if point.keeps_up), default=0)
    bad = min((point.sessions for point in done if not point.keeps_up and point.sessions > good), default=0)
    if bad == 0:
        return min(most, _after(good)) if good < most else 0
    between = round((good * bad) ** 0.5)
    return between if good < between < bad and bad > good * REFINED else 0


def _after(sessions: int) -> int:
    """The next of 1, 2, 5, 10, 20, 50 …"""
    scale = 1
    while True:
        for step in STEPS:
            if step * scale > sessions:
                return step * scale
        scale *= 10


async def climb(
    package: Package, bound: Bound, most: int, seconds: float, kernel: str | None, show: Callable[[int], None]
) -> AsyncIterator[Point]:
    """One point after the other; `show` is told before each. Raises what `converse` raises."""
    done: list[Point] = []
    while sessions := next_step(done, most):
        show(sessions)
        point = await hold(package, bound, sessions, seconds, kernel)
        done.append(point)
        yield point


async def hold(
    package: Package,
    bound: Bound,
    sessions: int,
    seconds: float,
    kernel: str | None,
    clock: Callable[[], Clock] = MonotonicClock,
) -> Point:
    """Runs so many sessions side by side, and measures for `seconds` once all are under way."""
    gc.collect()
    before = resident()
    meter, over = Meter(package.plan), asyncio.Event()
    running = [
        asyncio.create_task(
            converse(
                package,
                bound,
                Caller(package.plan, meter, over, number * FRAME_NS // sessions),
                clock(),
                Options(kernel=kernel),
                [Probe(meter)],
            )
        )
        for number in range(sessions)
    ]
    try:
        await _unless_failed(running, WARM_S)
        meter.on = True
        cpu, wall = time.process_time(), time.perf_counter()
        await _unless_failed(running, seconds)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        meter.on = False
        each = max(0, resident() - before) // sessions
    finally:
        over.set()
        _, late = await asyncio.wait(running, timeout=CLOSE_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    return Point(sessions, cpu / wall, each, wall, meter)


async def _unless_failed(running: Sequence[asyncio.Task[Finished]], seconds: float) -> None:
    """Waits; raises what a session raised. One that has ended by itself (a pipeline may say so) is no failure."""
    done, _ = await asyncio.wait(running, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    for task in done:
        task.result()


def resident() -> int:
    """Bytes of memory that this process holds now."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # where there is no /proc: the most so far
        return most if sys.platform == "darwin" else most * 1024
