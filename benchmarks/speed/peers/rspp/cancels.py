"""A cancel while thousands of frames wait: by hand, and under asyncio from the loop or from another thread."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from typing import Any

from rspp_runtime.abi.codes import Control, Op, Result, Signal
from rspp_runtime.providers.contract import Invocation
from rspp_runtime.session.driver import Driver
from rspp_runtime.transports.contract import Ears
from speed.clocks import FRAME, now_ns, run_loop
from speed.peers.rspp.calls import converse_with
from speed.peers.rspp.fakes import Party, Playing, typed
from speed.peers.rspp.packages import Machine

BEGUN = 5  # frames that have reached the sink before a cancel is asked for


def cancel(command: dict[str, Any]) -> dict[str, Any]:
    """From `ingest` of the cancel until `drain` has given the transport's flush.

    `stale`: frames that left behind the cancel; of `late` frames that the voice still offers, those that were
    `late_delivered`, `late_refused` at the door, and `late_recorded` as a decision.
    """
    machine = Machine("backlog")
    figures: dict[str, list[int]] = {
        name: [] for name in ("latency_ns", "stale", "late_delivered", "late_refused", "late_recorded")
    }
    for trial in range(command["trials"] + 1):
        found = _one(machine, command["backlog"], command.get("late", 0))
        if trial:  # the first one warms up
            for name, values in figures.items():
                values.append(found[name])
    machine.close()
    return dict(figures)


def _one(machine: Machine, backlog: int, late: int) -> dict[str, int]:
    session = machine.session
    machine.open_turn()
    machine.offer(machine.chunk("llm", "delta", b"Once upon a time.", a=17, b=4))
    machine.offer(machine.done("llm"))
    machine.step()
    frame = machine.chunk("voice", "audio", FRAME)
    for _ in range(backlog):
        machine.offer(frame)
    machine.step()
    ask, now = machine.control(Control.CANCEL_TURN), machine.now_ns
    began_ns = now_ns()
    session.ingest(ask, now)
    session.advance(now)
    outputs = session.drain()
    latency_ns = now_ns() - began_ns
    if not any(output.op == Op.FLUSH for output in outputs):
        raise RuntimeError("the cancel has not flushed the transport")
    refused = sum(session.ingest(frame, now) == Result.REFUSED for _ in range(late))
    later = machine.step()
    for _ in range(3):  # evidence, and whatever else the end of a turn asks for
        later += machine.step(100_000_000)
    return {
        "latency_ns": latency_ns,
        "stale": sum(output.op == Op.SEND for output in outputs),
        "late_delivered": sum(output.op == Op.SEND for output in later),
        "late_refused": refused,
        "late_recorded": sum(
            output.op == Op.DECISION and output.code == Signal.LATE_AFTER_CANCEL for output in later
        ),
    }  # fmt: skip


def cancel_asyncio(command: dict[str, Any]) -> dict[str, Any]:
    """From asking until the transport is told to forget. `by`: loop, or thread (`Driver.request`).

    `sink`: `awaiting` has the backlog wait for the loudspeaker's pace, `busy` for a Python node that keeps the core.
    """
    trials, backlog, by = command["trials"], command["backlog"], command["by"]
    package = "busy" if command["sink"] == "busy" else "backlog"

    async def main() -> dict[str, Any]:
        attempt = Attempt(backlog, by)
        party = Party(attempt.script)
        party.on_send, party.on_flush = attempt.on_send, attempt.on_flush
        providers = {"llm": Playing("llm", _say), "voice": Playing("tts", attempt.play)}
        attempt.trials = trials + 1  # the first one warms up
        await converse_with(package, providers, party, command["config"])
        return {"latency_ns": attempt.latencies_ns[1:], "stale": attempt.stale[1:]}

    return run_loop(main())


async def _say(call: Invocation) -> None:
    await call.emit("delta", b"Once upon a time.")


class Attempt:
    """What happens in one session: turns that are cancelled while a backlog waits."""

    def __init__(self, backlog: int, by: str) -> None:
        self.trials = 0
        self.latencies_ns: list[int] = []
        self.stale: list[int] = []
        self._backlog = backlog
        self._by = by
        self._said = asyncio.Event()
        self._flushed = asyncio.Event()
        self._begun = threading.Event()
        self._sent = self._behind = 0
        self._asked_ns = self._flushed_ns = 0

    def on_send(self, port: str, _: int) -> None:
        self._sent += 1
        self._behind += self._asked_ns > 0
        if self._sent == BEGUN:
            self._begun.set()

    def on_flush(self) -> None:
        self._flushed_ns = now_ns()
        self._flushed.set()

    async def play(self, call: Invocation) -> None:
        for _ in range(self._backlog):
            await call.emit("audio", FRAME)
        self._said.set()

    async def script(self, ears: Ears) -> None:
        assert isinstance(ears, Driver)
        for _ in range(self.trials):
            self._said.clear()
            self._flushed.clear()
            self._begun.clear()
            self._sent = self._behind = self._asked_ns = 0
            await typed(ears, b"go")
            if self._by == "thread":
                thread = threading.Thread(target=self._ask, args=(ears,))
                thread.start()
                await self._flushed.wait()
                thread.join()
            else:
                await self._said.wait()
                await asyncio.sleep(0.005)
                self._asked_ns = now_ns()
                await ears.control(Control.CANCEL_TURN)
                await self._flushed.wait()
            self.latencies_ns.append(self._flushed_ns - self._asked_ns)
            self.stale.append(self._behind)
            while ears.activity.busy:
                await asyncio.sleep(0.005)

    def _ask(self, driver: Driver) -> None:
        self._begun.wait()
        time.sleep(0.0003 + 0.0007 * random.random())
        self._asked_ns = now_ns()
        driver.request(Control.CANCEL_TURN)
