"""What the driver acts on before the call returns, and what waits for the next round (decision 0047)."""

from __future__ import annotations

import asyncio
import contextvars
from types import ModuleType
from typing import Any

import pytest

from rspp_runtime.abi.codes import Control, Result, Signal
from rspp_runtime.providers.contract import Invocation
from rspp_runtime.session.virtual import run


async def _ask(s: ModuleType, ears: Any) -> None:
    await s.hush(ears, 3)
    await s.talk(ears, 20)
    await s.hush(ears, 2)


def _asks_once(s: ModuleType) -> Any:
    async def user(ears: Any, _: Any) -> None:
        await _ask(s, ears)
        await s.quiet(ears)

    return user


def test_what_comes_from_outside_is_acted_on_before_the_call_returns(scripted: ModuleType) -> None:
    seen: list[list[Signal]] = []

    async def user(ears: Any, _: Any) -> None:
        await _ask(scripted, ears)
        await scripted.hush(ears, 20)
        before = len(watches[0].signals())
        asking = ears.control(Control.CANCEL_TURN)
        with pytest.raises(StopIteration):
            asking.send(None)  # it has waited for nothing
        seen.append([Signal(o.code) for o in watches[0].signals()[before:]])
        await scripted.quiet(ears)

    watches: list[Any] = []

    class Party(scripted.Party):  # type: ignore[misc, name-defined]
        async def run(self, ears: Any) -> None:
            watches.append(next(one for one in _observers(ears) if isinstance(one, scripted.Watch)))
            await super().run(ears)

    run(scripted.converse(Party(user)), virtual=True)
    assert Signal.CANCEL in seen[0]
    assert Signal.ABORT in seen[0]


def _observers(driver: Any) -> list[Any]:
    """Whom it tells of steps."""
    return [tell.__self__ for tell in driver.audience.steps]


def test_a_burst_is_one_step_after_its_first_output(scripted: ModuleType) -> None:
    """A voice that gives eight frames at once: the first is at the loudspeaker when its call returns."""
    sent: list[int] = []

    async def voice(call: Invocation) -> None:
        async for _ in call.inputs():
            pass
        await asyncio.sleep(0.1)
        for _ in range(6):
            await call.emit("audio", bytes(640))
            sent.append(len([port for _, port, _ in party.sent if port == "audio"]))
        await asyncio.sleep(0.1)
        sent.append(len([port for _, port, _ in party.sent if port == "audio"]))

    party = scripted.Party(_asks_once(scripted))
    run(scripted.converse(party, voice=voice), virtual=True)
    assert sent[:7] == [1, 1, 1, 1, 1, 1, 6]


def test_what_a_transport_offers_within_a_step_waits_for_the_next(scripted: ModuleType) -> None:
    deep = 0

    class Echo(scripted.Party):  # type: ignore[misc, name-defined]
        def send(self, port: str, turn: int, payload: bytes, play_at_ns: int) -> None:
            nonlocal deep
            super().send(port, turn, payload, play_at_ns)
            if port == "audio" and not deep:
                deep += 1
                event = self.ears.gateway.control(Control.CANCEL_TURN)
                assert self.ears.take(event) == Result.ACCEPTED
                assert not self.flushes  # the kernel has not acted: its step goes on

        async def run(self, ears: Any) -> None:
            self.ears = ears
            await super().run(ears)

    party = Echo(_asks_once(scripted))
    _, watch, _ = run(scripted.converse(party), virtual=True)
    assert deep == 1
    assert watch.signals(Signal.CANCEL)
    assert party.flushes


def test_a_transport_with_much_to_hand_in_gives_way(scripted: ModuleType) -> None:
    async def user(ears: Any, _: Any) -> None:
        rounds = 0

        async def other() -> None:
            nonlocal rounds
            while True:
                rounds += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        for _ in range(80):
            await ears.media("audio", bytes(640), ears.clock.now_ns())
        assert rounds >= 8
        task.cancel()

    run(scripted.converse(scripted.Party(user)), virtual=True)


def test_a_provider_runs_in_the_context_of_its_session(scripted: ModuleType) -> None:
    """Not in that of the provider whose output has led to it: a trace's span would have the wrong parent."""
    span: contextvars.ContextVar[str] = contextvars.ContextVar("span", default="")
    seen: list[str] = []

    async def model(call: Invocation) -> None:
        span.set("model")
        await scripted.answer("It is four. Good bye.")(call)

    async def voice(call: Invocation) -> None:
        seen.append(span.get())
        await scripted.speak(call)

    async def whole() -> None:
        span.set("session")
        await scripted.converse(scripted.Party(_asks_once(scripted)), llm=model, voice=voice)

    run(whole(), virtual=True)
    assert set(seen) == {"session"}
