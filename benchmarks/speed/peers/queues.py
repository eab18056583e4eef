"""asyncio.Queue: a task and a queue a stage, as one writes it by hand, and nothing else. No fence, no evidence."""

from __future__ import annotations

import asyncio
import gc
import platform
import random
import threading
import time
from collections.abc import Callable
from typing import Any

from speed.clocks import (
    FRAME,
    TEXT,
    TOKENS,
    Stopwatch,
    in_real_time,
    now_ns,
    p50_and_p99,
    resident_bytes,
    run_loop,
    spin,
)

SINK_S = 0.001  # what a frame takes at the sink


def version() -> str:
    return f"Python {platform.python_version()}"


def chain(stages: int, done: Callable[[Any], None]) -> tuple[list[asyncio.Queue[Any]], list[asyncio.Task[None]]]:
    """So many queues, and the task behind each; the last one calls `done`."""
    queues: list[asyncio.Queue[Any]] = [asyncio.Queue() for _ in range(stages)]

    async def stage(index: int) -> None:
        own = queues[index]
        after = queues[index + 1] if index + 1 < stages else None
        while True:
            item = await own.get()
            if after is None:
                done(item)
            else:
                await after.put(item)

    return queues, [asyncio.create_task(stage(index)) for index in range(stages)]


async def end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def hop(command: dict[str, Any]) -> dict[str, Any]:
    """ns a hop: `count` texts through `stages`, one at a time (`paced`) or all at once."""
    stages, count, paced = command["stages"], command["count"], command["paced"]

    async def main() -> dict[str, float]:
        seen = wanted = 0
        news = asyncio.Event()

        def done(_: object) -> None:
            nonlocal seen
            seen += 1
            if seen == wanted:
                news.set()

        queues, tasks = chain(stages, done)

        async def through(items: int) -> Stopwatch:
            nonlocal seen, wanted
            with Stopwatch() as watch:
                if paced:
                    for _ in range(items):
                        seen, wanted = 0, 1
                        news.clear()
                        await queues[0].put(TEXT)
                        await news.wait()
                else:
                    seen, wanted = 0, items
                    news.clear()
                    for _ in range(items):
                        await queues[0].put(TEXT)
                    await news.wait()
            return watch

        await through(min(500, count))
        watch = await through(count)
        await end(tasks)
        return watch.each(count * stages)

    return run_loop(main(), command.get("loop", "asyncio"))


def cancel(command: dict[str, Any]) -> dict[str, Any]:
    """A backlog in front of a slow sink, cancelled by another thread: cancel the sink's task, empty every queue."""
    backlog, sink, trials = command["backlog"], command["sink"], command["trials"]

    async def main() -> dict[str, Any]:
        latencies_ns: list[int] = []
        stale: list[int] = []
        for _ in range(trials):
            latency_ns, leaked = await _cancelled(backlog, sink)
            latencies_ns.append(latency_ns)
            stale.append(leaked)
        return {"latency_ns": latencies_ns, "stale": stale}

    return run_loop(main())


async def _cancelled(backlog: int, kind: str) -> tuple[int, int]:
    """Latency until the sink touches nothing of the turn any more, and how many frames it began meanwhile."""
    loop = asyncio.get_running_loop()
    log: list[list[int]] = []  # of each frame at the sink: begun, ended (0 if it was cut)
    begun = threading.Event()
    over = asyncio.Event()
    last: asyncio.Queue[Any] = asyncio.Queue()
    queues, tasks = chain(3, last.put_nowait)

    async def drain() -> None:
        while True:
            await last.get()
            entry = [now_ns(), 0]
            log.append(entry)
            if kind == "busy":
                spin(SINK_S)
            else:
                await asyncio.sleep(SINK_S)
            entry[1] = now_ns()
            if len(log) == 20:
                begun.set()

    sink = asyncio.create_task(drain())
    for _ in range(backlog):
        await queues[0].put(FRAME)
    asked_ns = ended_ns = 0

    async def fence() -> None:
        nonlocal ended_ns
        sink.cancel()
        for queue in (*queues, last):
            while not queue.empty():
                queue.get_nowait()
        await asyncio.gather(sink, return_exceptions=True)
        ended_ns = now_ns()
        over.set()

    def ask() -> None:
        nonlocal asked_ns
        begun.wait()
        time.sleep(0.0003 + 0.0007 * random.random())
        asked_ns = now_ns()
        loop.call_soon_threadsafe(lambda: tasks.append(loop.create_task(fence())))

    thread = threading.Thread(target=ask)
    thread.start()
    await over.wait()
    await asyncio.sleep(0.01)
    thread.join()
    await end(tasks)
    touched = [entry[1] or entry[0] for entry in log]
    return max([ended_ns, *touched]) - asked_ns, sum(entry[0] > asked_ns for entry in log)


def turn(command: dict[str, Any]) -> dict[str, Any]:
    """Transcript to first audio: recogniser, aggregator, model, voice, output; one task and queue each."""
    trials = command["trials"]

    async def main() -> dict[str, Any]:
        heard, prompts, words, frames = (asyncio.Queue[Any]() for _ in range(4))
        history: list[dict[str, str]] = []
        first = asyncio.Event()
        first_ns = 0

        async def aggregate() -> None:
            while True:
                history.append({"role": "user", "content": await heard.get()})
                await prompts.put(list(history))

        async def think() -> None:
            while True:
                await prompts.get()
                for token in TOKENS:
                    await words.put(token)
                history.append({"role": "assistant", "content": "".join(TOKENS)})

        async def speak() -> None:
            while True:
                await words.get()
                for _ in range(2):
                    await frames.put(FRAME)

        async def play() -> None:
            nonlocal first_ns
            while True:
                await frames.get()
                if not first.is_set():
                    first_ns = now_ns()
                    first.set()

        tasks = [asyncio.create_task(stage()) for stage in (aggregate, think, speak, play)]
        latencies_ns = []
        for _ in range(trials):
            await asyncio.sleep(0.02)
            first.clear()
            began_ns = now_ns()
            await heard.put("what is the weather")
            await first.wait()
            latencies_ns.append(first_ns - began_ns)
        await end(tasks)
        return {"first_ns": latencies_ns}

    return run_loop(main(), command.get("loop", "asyncio"))


def opening(command: dict[str, Any]) -> dict[str, Any]:
    """A chain of five, until the first item is through."""

    async def main() -> dict[str, Any]:
        up_ns = []
        for _ in range(command["trials"]):
            arrived = asyncio.Event()
            began_ns = now_ns()
            queues, tasks = chain(5, lambda _, arrived=arrived: arrived.set())
            await queues[0].put(FRAME)
            await arrived.wait()
            up_ns.append(now_ns() - began_ns)
            await end(tasks)
        return {"up_ns": up_ns}

    return run_loop(main())


def sessions(command: dict[str, Any]) -> dict[str, Any]:
    """So many chains of five stages, a frame every 20 ms into each."""
    count, seconds = command["sessions"], command["seconds"]

    async def main() -> dict[str, Any]:
        gc.collect()
        before = resident_bytes()
        latencies_ns: list[int] = []
        counted = False

        def done(sent_ns: int) -> None:
            if counted:
                latencies_ns.append(now_ns() - sent_ns)

        def counting(on: bool) -> None:
            nonlocal counted
            counted = on

        chains = [chain(5, done) for _ in range(count)]

        async def push(index: int) -> None:
            await chains[index][0][0].put(now_ns())

        for index in range(count):
            await push(index)
        await asyncio.sleep(0.5)
        gc.collect()
        each_bytes = (resident_bytes() - before) / count
        figures = await in_real_time(count, seconds, push, counting)
        for _, tasks in chains:
            await end(tasks)
        return figures | p50_and_p99(latencies_ns) | {"session_bytes": each_bytes}

    return run_loop(main())


def source_alone(command: dict[str, Any]) -> dict[str, Any]:
    """The source of `sessions` without anything behind it: what all of them pay for the load itself."""

    async def push(_: int) -> None:
        return None

    return run_loop(in_real_time(command["sessions"], command["seconds"], push, lambda on: None))


CASES = {
    "hop": hop,
    "cancel": cancel,
    "turn": turn,
    "opening": opening,
    "sessions": sessions,
    "source_alone": source_alone,
}
