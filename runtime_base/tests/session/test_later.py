"""Observers that are told a little later: everything, in order, bounded, and in time for whoever needs it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from types import ModuleType
from typing import Any

import pytest

from rspp_runtime.abi.codes import In, Op
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.session import later
from rspp_runtime.session.audience import Audience
from rspp_runtime.session.later import Desk, Later
from rspp_runtime.session.observer import HandlerCall, InvocationEnd, Observer
from rspp_runtime.session.virtual import run


class Everything(Observer):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def on_input(self, event: Inbound, now_ns: int, result: int) -> None:
        self.told.append(("input", event, now_ns, result))

    def on_handler(self, call: HandlerCall) -> None:
        self.told.append(("handler", call))

    def on_calls(self, took_ns: Any) -> None:
        self.told.append(("calls", took_ns))

    def on_state(self, node: int, seq: int, durable: bytes) -> None:
        self.told.append(("state", node, seq, durable))

    def on_step(self, now_ns: int, deadline_ns: int, drained_ns: int, outputs: Sequence[Output]) -> None:
        self.told.append(("step", now_ns, deadline_ns, drained_ns, list(outputs)))

    def on_invocation(self, end: InvocationEnd) -> None:
        self.told.append(("invocation", end))


class Choosy(Everything):
    INPUTS = (In.MEDIA,)
    QUIET_STEPS = False


def happen(observer: Observer, at_ns: int) -> None:
    """One of everything."""
    observer.on_input(Inbound(In.CHUNK), at_ns, 0)
    observer.on_handler(HandlerCall(1, 2, 3, 4, None, "no"))
    observer.on_calls({1: 1})
    observer.on_state(1, 2, b"x")
    observer.on_invocation(InvocationEnd(1, 1, "p", 0, False, "", 0, 1, 2))
    observer.on_step(at_ns, -1, at_ns, [])
    observer.on_input(Inbound(In.MEDIA), at_ns, 0)
    observer.on_step(at_ns, -1, at_ns, [Output(Op.SEND, at_ns, 1)])


def in_loop(work: Callable[[asyncio.AbstractEventLoop], Coroutine[Any, Any, None]], *, virtual: bool = True) -> None:
    async def whole() -> None:
        await work(asyncio.get_running_loop())

    run(whole(), virtual=virtual)
    assert not later._DESKS


@pytest.mark.parametrize("virtual", [True, False])
def test_all_of_it_is_told_in_order_and_not_at_once(virtual: bool) -> None:
    at_once, told, choosy = Everything(), Everything(), Choosy()

    async def work(loop: asyncio.AbstractEventLoop) -> None:
        desk = Desk.enter(loop, is_virtual=virtual)
        one = Later([told, choosy], desk, lambda: bool(told.told.append("caught up")))  # type: ignore[func-returns-value]
        for at_ns in range(3):
            happen(at_once, at_ns)
            happen(one, at_ns)
        one.then(told.told.append, "then")
        assert told.told == []
        started_s = loop.time()
        while not told.told:
            await asyncio.sleep(0)
        assert virtual == (loop.time() == started_s)  # in virtual time nothing passes before it is told
        desk.leave()

    in_loop(work, virtual=virtual)
    assert told.told == [*at_once.told, "then", "caught up"]
    kinds = [row[0] for row in choosy.told if row[0] in ("input", "step")]
    assert kinds == ["input", "step"] * 3  # each is told what it wants to be told


def test_what_waits_is_bounded() -> None:
    told = Everything()

    async def work(loop: asyncio.AbstractEventLoop) -> None:
        desk = Desk.enter(loop, is_virtual=False)
        one = Later([told], desk)
        for at_ns in range(later.WAITING_MAX - 1):
            one.on_step(at_ns, -1, at_ns, [])
        assert told.told == []
        one.on_step(0, -1, 0, [])
        assert len(told.told) == later.WAITING_MAX
        desk.leave()

    in_loop(work, virtual=False)


def test_many_sessions_take_turns_and_share_one_timer() -> None:
    told = [Everything() for _ in range(later.ROUND_MAX + 1)]

    async def work(loop: asyncio.AbstractEventLoop) -> None:
        desks = [Desk.enter(loop, is_virtual=True) for _ in told]
        assert len({id(desk) for desk in desks}) == 1
        for one in told:
            Later([one], desks[0]).on_step(0, -1, 0, [])
        await asyncio.sleep(0)
        while not told[0].told:
            await asyncio.sleep(0)
        assert [len(one.told) for one in told] == [1] * later.ROUND_MAX + [0]
        await asyncio.sleep(0)
        assert [len(one.told) for one in told] == [1] * len(told)
        for desk in desks:
            desk.leave()

    in_loop(work)


def test_what_is_kept_is_flushed_once_in_a_while() -> None:
    flushed: list[float] = []

    async def work(loop: asyncio.AbstractEventLoop) -> None:
        desk = Desk.enter(loop, is_virtual=False)
        one = Later([], desk, lambda: True, lambda: flushed.append(loop.time()))
        for _ in range(3):
            one.on_step(0, -1, 0, [])
            one.catch_up()
        await asyncio.sleep(later.KEEP_S / 2)
        assert flushed == []
        await asyncio.sleep(later.KEEP_S)
        assert len(flushed) == 1
        await asyncio.sleep(2 * later.KEEP_S)
        assert len(flushed) == 1  # nothing happened, and nothing is kept
        one.on_step(0, -1, 0, [])
        await asyncio.sleep(2 * later.KEEP_S)
        assert len(flushed) == 2
        desk.leave()

    in_loop(work)


class Broken(Observer):
    def on_step(self, now_ns: int, deadline_ns: int, drained_ns: int, outputs: Sequence[Output]) -> None:
        raise RuntimeError("it is broken")


def test_an_observer_that_raises_ends_the_session(scripted: ModuleType) -> None:
    """As it would if it were told at once; what it raised is not lost in a timer."""

    async def user(ears: Any, _: Any) -> None:
        await scripted.hush(ears, 100)

    async def work(loop: asyncio.AbstractEventLoop) -> None:
        desk = Desk.enter(loop, is_virtual=True)
        one = Later([Broken()], desk)
        with pytest.raises(RuntimeError, match="it is broken"):
            await scripted.converse(scripted.Party(user), observers=[one])
        with pytest.raises(RuntimeError, match="it is broken"):
            one.catch_up()
        desk.leave()

    in_loop(work)


def test_steps_are_told_by_what_came_of_them() -> None:
    class Decisions(Everything):
        QUIET_STEPS = MOVES = False

    everything, decisions = Everything(), Decisions()
    audience = Audience([everything, decisions])
    moved = [Output(Op.FEED, 1, 1), Output(Op.SEND, 1, 2)]
    refused = [Output(Op.FEED, 1, 1), Output(Op.DECISION, 1, 2), Output(Op.SEND, 1, 3)]  # by the fence, in its place
    for outputs, told in (
        ([], 1),
        (moved, 1),
        (refused, 2),
        ([Output(Op.DECISION, 1, 1)], 2),
        ([*moved, Output(Op.METRIC, 1, 3)], 2),
    ):
        tells = audience.of_step(outputs)
        assert tells == (everything.on_step, decisions.on_step)[:told]
