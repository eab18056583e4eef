"""Hooks of Python nodes: each once, in order, and none longer than it may."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from typing import Any

import pytest

from rspp_runtime.abi.codes import Op, Scope, Signal
from rspp_runtime.abi.messages import Output
from rspp_runtime.abi.plan import Hook, Node, Plan
from rspp_runtime.session.handlers import NodeError
from rspp_runtime.session.hooks import Hooks
from rspp_runtime.session.virtual import run

MS = 1_000_000
ALL = ("init", "start", "stop", "on_cancel", "on_barge_in", "on_budget_exhausted")


class Told:
    """A node whose hooks write down that they were called."""

    def __init__(self, name: str, calls: list[str], slow: str = "", broken: str = "") -> None:
        self.name, self.calls, self.slow, self.broken = name, calls, slow, broken
        self.release = threading.Event()

    def __getattr__(self, hook: str) -> Any:
        if hook not in ALL:
            raise AttributeError(hook)

        def call() -> None:
            self.calls.append(f"{self.name}.{hook}")
            if hook == self.slow:
                self.release.wait(30)
            if hook == self.broken:
                raise ValueError("it cannot")

        return call


def plan_with(hooks: tuple[Hook, ...], scope: str = "turn") -> Any:
    """A plan of which only the nodes are looked at."""

    class Nodes:
        nodes = tuple(
            Node(id=id, name=name, kind="python", execution="kernel", scope=scope, line=1, hooks=hooks, handler=id)
            for id, name in enumerate(("one", "two"))
        )

    return Nodes


def every(timeout_ns: int = 500 * MS) -> tuple[Hook, ...]:
    return tuple(Hook(name, timeout_ns) for name in ALL)


def decision(signal: Signal, **fields: int) -> Output:
    return Output(Op.DECISION, 0, 1, code=signal, turn=1, **fields)


@pytest.mark.parametrize("virtual", [False, True])
@pytest.mark.feature("F-012", "once")
def test_each_is_called_once_in_order(virtual: bool) -> None:
    calls: list[str] = []

    async def session() -> None:
        hooks = Hooks(plan_with(every()), {0: Told("one", calls), 1: Told("two", calls)})
        await hooks.open()
        await hooks.close()
        await hooks.close()

    run(session(), virtual=virtual)
    assert calls == ["one.init", "two.init", "one.start", "two.start", "two.stop", "one.stop"]


@pytest.mark.parametrize("virtual", [False, True])
@pytest.mark.feature("F-012", "timeout")
def test_one_that_takes_too_long_ends_the_session_in_order(virtual: bool, caplog: pytest.LogCaptureFixture) -> None:
    """`init` of the second hangs: one error names it, and what had begun is stopped."""
    calls: list[str] = []
    hanging = Told("two", calls, slow="init")

    async def session() -> None:
        hooks = Hooks(plan_with(every(100 * MS)), {0: Told("one", calls), 1: hanging})
        try:
            await hooks.open()
        finally:
            await hooks.close()

    began = time.monotonic()
    with caplog.at_level(logging.ERROR), pytest.raises(NodeError, match=r"node two: its hook init .* within 0\.1 s"):
        run(session(), virtual=virtual)
    hanging.release.set()
    assert time.monotonic() - began < 10
    assert calls == ["one.init", "two.init", "two.stop", "one.stop"]
    assert "hook init takes longer" in caplog.text


def test_one_that_fails_is_told(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[str] = []

    async def session() -> None:
        hooks = Hooks(plan_with(every()), {0: Told("one", calls, broken="start"), 1: Told("two", calls)})
        try:
            await hooks.open()
        finally:
            await hooks.close()

    with caplog.at_level(logging.ERROR), pytest.raises(NodeError, match="node one: its hook start"):
        run(session(), virtual=False)
    assert "ValueError: it cannot" in caplog.text
    assert calls[-2:] == ["two.stop", "one.stop"]


@pytest.mark.parametrize(
    ("output", "hook"),
    [
        (decision(Signal.CANCEL, x=Scope.TURN), "on_cancel"),
        (decision(Signal.CANCEL, x=Scope.SESSION), "on_cancel"),
        (decision(Signal.CANCEL, x=Scope.NODE), ""),
        (decision(Signal.BARGE_IN), "on_barge_in"),
        (decision(Signal.BUDGET_EXHAUSTED, y=-1), "on_budget_exhausted"),
        (decision(Signal.BUDGET_EXHAUSTED, y=3), ""),
    ],
)
def test_what_is_decided_calls_its_hook(output: Output, hook: str) -> None:
    calls: list[str] = []

    async def session() -> None:
        hooks = Hooks(plan_with(every()), {0: Told("one", calls), 1: Told("two", calls)})
        await hooks.open()
        calls.clear()
        hooks.on_step(0, -1, 0, [output])
        await hooks.close()

    run(session(), virtual=False)
    expected = {f"one.{hook}", f"two.{hook}"} if hook else set()
    assert set(calls) - {"one.stop", "two.stop"} == expected


def test_the_session_does_not_wait_and_a_hanging_hook_is_left_alone() -> None:
    calls: list[str] = []
    hanging = Told("one", calls, slow="on_cancel")
    cancel = decision(Signal.CANCEL, x=Scope.TURN)

    async def session() -> float:
        hooks = Hooks(plan_with(every(50 * MS)), {0: hanging, 1: Told("two", calls)})
        await hooks.open()
        began = time.monotonic()
        hooks.on_step(0, -1, 0, [cancel])
        took = time.monotonic() - began
        await asyncio.sleep(0.2)
        hooks.on_step(0, -1, 0, [cancel])
        await hooks.close()
        return took

    assert run(session(), virtual=False) < 0.05
    hanging.release.set()
    assert calls.count("one.on_cancel") == 1
    assert calls.count("two.on_cancel") == 2


def test_a_hook_that_the_node_does_not_have_is_refused() -> None:
    plan: Plan = plan_with((Hook("init", MS),))
    with pytest.raises(NodeError, match=r"node one: .* its hook init .* take `init` out of `hooks`"):
        Hooks(plan, {0: lambda item, emit: None, 1: Told("two", [])})
