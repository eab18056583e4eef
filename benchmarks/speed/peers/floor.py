"""The floor: a prototype of rings in C (`speed/floor/ring.h`) with nothing around it. What a hop costs at least."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any

from speed.clocks import FRAME, TEXT, Stopwatch, now_ns, run_loop, spin

sys.path.insert(0, str(Path(os.environ["RSPP_BENCH"]) / "floor"))

import ring

SINK_S = 0.001
WARM_UP = 1000


def version() -> str:
    return "ring.h, C and Cython"


def look(view: Any) -> None:
    """A stage that does nothing."""


async def stay(port: Any) -> None:
    """The same as a coroutine that lives as long as its session."""
    while True:
        await port


def make(kind: str, stages: int) -> Any:
    """`kind`: c, function, coroutine."""
    if kind == "function":
        return ring.Ring(stages, [look] * stages)
    if kind == "coroutine":
        port = ring.Port()
        return ring.Ring(stages, [stay(port) for _ in range(stages)], coroutines=True)
    return ring.Ring(stages)


def hop(command: dict[str, Any]) -> dict[str, Any]:
    """ns a hop. `paced`: fed from Python, one at a time; else items are made in C, 64 at a time."""
    stages, count = command["stages"], command["count"]
    rings = make(command["kind"], stages)
    if command["paced"]:
        feed = rings.feed
        for _ in range(WARM_UP):
            feed(TEXT)
        with Stopwatch() as watch:
            for _ in range(count):
                feed(TEXT)
    else:
        fused = bool(command.get("fused"))
        rings.flood(WARM_UP, fused)
        with Stopwatch() as watch:
            rings.flood(count, fused)
    return watch.each(count * stages)


def cancel(command: dict[str, Any]) -> dict[str, Any]:
    """A backlog behind a fence, in front of a slow sink; another thread cancels by one store."""
    trials = command["trials"]

    async def main() -> dict[str, Any]:
        results = [await _cancelled(command["backlog"], command["sink"], command.get("late", 0)) for _ in range(trials)]
        latencies, stale, delivered = zip(*results, strict=True)
        figures: dict[str, Any] = {"latency_ns": list(latencies), "stale": list(stale)}
        return figures | ({"late_delivered": list(delivered)} if command.get("late") else {})

    return run_loop(main())


async def _cancelled(backlog: int, kind: str, late: int) -> tuple[int, int, int]:
    """Latency of the fence, frames of the old turn begun behind it, late frames delivered."""
    loop = asyncio.get_running_loop()
    queue = ring.Fence(4096)
    log: list[list[Any]] = []  # of each frame: begun, ended (0 if it was cut), what it was
    begun, over, news = threading.Event(), asyncio.Event(), asyncio.Event()
    asked_ns = fenced_ns = 0

    async def drain() -> None:
        while True:
            item = queue.pop()
            if item is None:
                news.clear()
                await news.wait()
                continue
            entry = [now_ns(), 0, item]
            log.append(entry)
            if kind == "busy":
                spin(SINK_S)
            else:
                await asyncio.sleep(SINK_S)
            entry[1] = now_ns()
            if len(log) == 20:
                begun.set()

    sinks = [asyncio.create_task(drain())]
    epoch = queue.epoch
    for _ in range(backlog):
        queue.push(FRAME, epoch)
    news.set()

    async def cut() -> None:
        sinks[0].cancel()
        await asyncio.gather(sinks[0], return_exceptions=True)
        sinks.append(asyncio.create_task(drain()))
        for _ in range(late):
            queue.push("late", epoch)
            news.set()
            await asyncio.sleep(0.001)
        over.set()

    def ask() -> None:
        nonlocal asked_ns, fenced_ns
        begun.wait()
        time.sleep(0.0003 + 0.0007 * random.random())
        asked_ns = now_ns()
        queue.cancel()
        fenced_ns = now_ns()
        loop.call_soon_threadsafe(lambda: sinks.append(loop.create_task(cut())))

    thread = threading.Thread(target=ask)
    thread.start()
    await over.wait()
    await asyncio.sleep(0.01)
    thread.join()
    for task in sinks:
        task.cancel()
    await asyncio.gather(*sinks, return_exceptions=True)
    stale = sum(entry[0] > fenced_ns for entry in log if entry[2] != "late")
    return fenced_ns - asked_ns, stale, sum(entry[2] == "late" for entry in log)


def opening(command: dict[str, Any]) -> dict[str, Any]:
    """Five stages, until the first item is through."""
    up_ns = []
    for _ in range(command["trials"]):
        began_ns = now_ns()
        rings = ring.Ring(5, [look] * 5, capacity=64)
        rings.feed(FRAME)
        up_ns.append(now_ns() - began_ns)
        if rings.done != 1:
            raise RuntimeError("the item is not through")
    return {"up_ns": up_ns}


CASES = {"hop": hop, "cancel": cancel, "opening": opening}
