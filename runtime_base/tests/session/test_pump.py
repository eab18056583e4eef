"""The pump that steps all sessions of an event loop."""

from __future__ import annotations

import asyncio
from types import ModuleType
from typing import Any

import pytest

from rspp_runtime.session.pump import PUMPS, ROUND_MAX, Pump
from rspp_runtime.session.virtual import VirtualLoop, run

MS = 1_000_000


def test_what_is_ready_is_stepped_once_and_in_order() -> None:
    async def whole() -> list[int]:
        loop, stepped = asyncio.get_running_loop(), list[int]()
        seats = [Pump.enter(loop, lambda i=i: stepped.append(i)) for i in range(3)]
        for index in (2, 0, 2, 1, 0):
            seats[index][0].ready(seats[index][1])
        assert not stepped  # nothing is stepped within somebody's call
        await asyncio.sleep(0)
        return stepped

    assert run(whole(), virtual=True) == [2, 0, 1]


def test_a_round_is_bounded_and_nobody_starves() -> None:
    """Sessions that always have something to do: others have their turn between rounds, and all are stepped alike."""

    async def whole() -> tuple[dict[int, int], int]:
        loop, steps, others = asyncio.get_running_loop(), dict.fromkeys(range(ROUND_MAX * 2), 0), 0
        pump, seats = None, {}

        def step(index: int) -> None:
            steps[index] += 1
            assert pump is not None
            pump.ready(seats[index])

        for index in steps:
            pump, seats[index] = Pump.enter(loop, lambda index=index: step(index))
        assert pump is not None
        for seat in seats.values():
            pump.ready(seat)
        while sum(steps.values()) < 10 * len(steps):
            before = sum(steps.values())
            await asyncio.sleep(0)
            others += 1
            assert sum(steps.values()) - before <= ROUND_MAX
        for seat in seats.values():
            pump.leave(seat)
        return steps, others

    steps, others = run(whole(), virtual=True)
    assert max(steps.values()) - min(steps.values()) <= 1
    assert others >= 20


def test_one_timer_of_the_loop_waits_for_all() -> None:
    loop = VirtualLoop()
    stepped: list[tuple[str, float]] = []

    async def whole() -> None:
        pump, slow = Pump.enter(loop, lambda: stepped.append(("slow", loop.time())))
        _, fast = Pump.enter(loop, lambda: stepped.append(("fast", loop.time())))
        _, gone = Pump.enter(loop, lambda: stepped.append(("gone", loop.time())))
        pump.at(slow, 50 * MS)
        pump.at(fast, 30 * MS)
        pump.at(fast, 20 * MS)  # sooner
        pump.at(gone, 10 * MS)
        pump.at(slow, 90 * MS)  # later: its entry stays, and is put where it belongs when it comes up
        pump.leave(gone)
        assert sum(not timer.cancelled() for timer in loop._scheduled) == 1  # type: ignore[attr-defined]
        await asyncio.sleep(0.2)
        assert not pump.heap.seats
        pump.leave(slow)
        pump.leave(fast)

    loop.run_until_complete(whole())
    assert [(name, round(at_s * 1e3)) for name, at_s in stepped] == [("fast", 20), ("slow", 90)]
    assert loop not in PUMPS
    loop.close()


def test_a_step_that_fails_ends_its_session_and_no_other(scripted: ModuleType) -> None:
    class Broken(scripted.Watch):  # type: ignore[misc, name-defined]
        def on_step(self, now_ns: int, *_: Any) -> None:
            if now_ns > 100 * MS:
                raise KeyError("an observer of our own")

    async def user(ears: Any, _: Any) -> None:
        await scripted.hush(ears, 3)
        await scripted.talk(ears, 20)
        await scripted.quiet(ears)

    async def both() -> Any:
        return await asyncio.gather(
            scripted.converse(scripted.Party(user)),
            scripted.converse(scripted.Party(user), observers=[Broken()]),
            return_exceptions=True,
        )

    (_, watch, _), failed = run(both(), virtual=True)
    assert isinstance(failed, KeyError)
    assert watch.ends
    assert [o.turn for o in watch.outputs if o.op == 1][-1:] == [0]
    with pytest.raises(KeyError):
        raise failed
