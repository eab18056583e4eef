"""The lag of a loop: measured, reported, and blamed on who made it."""

from __future__ import annotations

import asyncio
import logging
import threading
import time

import pytest

from rspp_runtime.telemetry.lag import INTERVAL_S, NAMES_MAX, STEADY, LagSampler, culprit

MS = 1_000_000


def dawdle(seconds: float) -> None:
    """Holds the loop up."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        pass


def test_a_loop_that_is_held_up_is_late_and_says_by_whom(caplog: pytest.LogCaptureFixture) -> None:
    readings: list[tuple[int, int]] = []

    async def work() -> LagSampler:
        sampler = LagSampler(lambda ns, steady_ns: readings.append((ns, steady_ns)), slow_s=0.05)
        sampler.start()
        await asyncio.sleep(4 * INTERVAL_S)
        calm = len(readings)
        assert calm >= 2
        dawdle(0.3)
        await asyncio.sleep(2 * INTERVAL_S)
        assert readings[calm][0] >= 200 * MS
        assert readings[-1][1] < 100 * MS, "once is no load"
        for _ in range(STEADY + 2):
            await asyncio.sleep(0)
            dawdle(0.15)  # longer than the timer's interval: it is due meanwhile
            await asyncio.sleep(0)
        sampler.stop()
        assert readings[-1][1] >= 40 * MS
        before = len(readings)
        await asyncio.sleep(2 * INTERVAL_S)
        assert len(readings) == before, "it has stopped"
        return sampler

    with caplog.at_level(logging.WARNING):
        sampler = asyncio.run(work())
    assert [name for name in sampler.slow if ".dawdle:" in name]
    assert "the event loop is held up by " in caplog.text
    assert ".dawdle:" in caplog.text
    assert not [thread for thread in threading.enumerate() if thread.name == "rspp-lag"]


def test_a_calm_loop_is_blamed_on_nobody() -> None:
    async def work() -> LagSampler:
        sampler = LagSampler(slow_s=0.2)
        sampler.start()
        await asyncio.sleep(6 * INTERVAL_S)
        sampler.stop()
        return sampler

    sampler = asyncio.run(work())
    assert not sampler.slow
    assert 0 <= sampler.steady_ns < 200 * MS


def test_a_stack_is_blamed_on_its_innermost_function_of_ours() -> None:
    assert culprit(None) == "something outside of Python"
    seen: list[str] = []

    def in_the_library() -> None:
        sorted([2, 1], key=lambda number: seen.append(_here()) or number)  # type: ignore[func-returns-value]

    in_the_library()
    assert "in_the_library.<locals>.<lambda>" in seen[0] or "_here" in seen[0]
    assert NAMES_MAX > 0


def _here() -> str:
    import sys

    return culprit(sys._getframe())
