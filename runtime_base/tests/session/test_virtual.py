"""Virtual time: waiting takes none, work in threads is waited for."""

from __future__ import annotations

import asyncio
import time

import pytest

from rspp_runtime.session import virtual
from rspp_runtime.session.clock import VirtualClock, sleep_until


def test_an_hour_passes_at_once() -> None:
    async def main() -> list[str]:
        clock = VirtualClock(asyncio.get_running_loop())
        order: list[str] = []

        async def wait(name: str, due_s: int) -> None:
            await sleep_until(clock, due_s * 10**9)
            order.append(f"{name} at {clock.now_ns() / 1e9:.3f}")

        await asyncio.gather(wait("late", 3600), wait("early", 1), wait("middle", 60))
        return order

    started = time.monotonic()
    assert virtual.run(main(), virtual=True) == ["early at 1.000", "middle at 60.000", "late at 3600.000"]
    assert time.monotonic() - started < 1


def test_time_stands_still_while_a_thread_works() -> None:
    async def main() -> tuple[float, list[float]]:
        loop = asyncio.get_running_loop()
        ticks: list[float] = []

        async def tick() -> None:
            while True:
                await asyncio.sleep(0.02)
                ticks.append(loop.time())

        ticking = asyncio.create_task(tick())
        await asyncio.to_thread(time.sleep, 0.2)
        ended = loop.time()
        await asyncio.sleep(0.1)
        ticking.cancel()
        return ended, ticks

    ended, ticks = virtual.run(main(), virtual=True)
    assert ended == 0.0
    assert len(ticks) in (4, 5)


def test_a_thread_that_computes_for_long_is_not_parked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual, "PATIENCE_S", 0.05)

    def compute() -> None:
        end = time.thread_time() + 0.3
        while time.thread_time() < end:
            sum(range(1000))

    async def main() -> float:
        loop = asyncio.get_running_loop()
        ticking = asyncio.create_task(asyncio.sleep(3600))
        await asyncio.to_thread(compute)
        ticking.cancel()
        return loop.time()

    assert virtual.run(main(), virtual=True) == 0.0


def test_a_thread_that_waits_for_the_loop_is_parked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual, "PATIENCE_S", 0.05)

    async def main() -> float:
        loop = asyncio.get_running_loop()

        def thread() -> None:
            asyncio.run_coroutine_threadsafe(asyncio.sleep(30), loop).result()

        await asyncio.to_thread(thread)
        return loop.time()

    assert virtual.run(main(), virtual=True) == pytest.approx(30)
