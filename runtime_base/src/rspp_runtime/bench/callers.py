"""A party who talks for a while, listens to the answer, and talks again: one transport for each session.

A microphone sends a frame every 20 ms, speech or not. How late a frame is handed in is how late the process serves
this session; a process that keeps up is never late by more than a fraction of a frame.
"""

from __future__ import annotations

import asyncio

from rspp_runtime.abi.codes import Control
from rspp_runtime.abi.plan import Plan
from rspp_runtime.bench.meter import Meter
from rspp_runtime.bench.stand_ins import FRAME, SILENCE
from rspp_runtime.session.clock import MS_NS, SECOND_NS, sleep_until
from rspp_runtime.transports.contract import Ears

FRAME_NS = 20 * MS_NS
SPEAKS_NS = 2 * SECOND_NS
QUIET_NS = 200 * MS_NS
ANSWER_NS_MAX = 20 * SECOND_NS  # then the party talks again, answered or not
TEXT = b"what is the weather like today?"


class Caller:
    """See the module. `over` ends the conversation; `delay_ns` sets it apart from others that began with it."""

    def __init__(self, plan: Plan, meter: Meter, over: asyncio.Event, delay_ns: int = 0) -> None:
        ports = {port.name for port in plan.nodes[plan.ingress].outputs} if plan.ingress >= 0 else set()
        self._speaks = any(
            edge.source == plan.ingress and plan.nodes[plan.ingress].outputs[edge.source_port].name == "audio"
            for edge in plan.edges
        )
        self._types = not self._speaks and "text" in ports
        self._has_button = plan.turn_owner < 0 and self._speaks
        self._meter = meter
        self._over = over
        self._delay_ns = delay_ns
        self._asked_ns = -1  # when the present question ended; -1 once it is answered
        self._ears: Ears | None = None

    async def run(self, ears: Ears) -> None:
        self._ears = ears
        await ears.control(Control.CONNECTED)
        await sleep_until(ears.clock, ears.clock.now_ns() + self._delay_ns)
        if self._speaks:
            await self._speak(ears)
        elif self._types:
            await self._type(ears)
        else:
            await self._over.wait()
        await ears.control(Control.ENDED)

    async def _speak(self, ears: Ears) -> None:
        due_ns = began_ns = ears.clock.now_ns()
        loud = True
        if self._has_button:
            await ears.control(Control.BUTTON_DOWN)
        while not self._over.is_set() and not ears.activity.ended:
            now_ns = ears.clock.now_ns()
            self._meter.late(now_ns - due_ns)
            await ears.media("audio", FRAME if loud else SILENCE, due_ns)
            due_ns += FRAME_NS
            if loud and due_ns - began_ns >= SPEAKS_NS:
                loud, began_ns, self._asked_ns = False, due_ns, now_ns
                if self._has_button:
                    await ears.control(Control.BUTTON_UP)
            elif not loud and self._may_go_on(ears, due_ns - began_ns, now_ns):
                loud, began_ns = True, due_ns
                if self._has_button:
                    await ears.control(Control.BUTTON_DOWN)
            await sleep_until(ears.clock, due_ns)

    def _may_go_on(self, ears: Ears, waited_ns: int, now_ns: int) -> bool:
        is_answered = self._asked_ns < 0 and ears.activity.quiet_ns(now_ns) >= QUIET_NS
        return is_answered or waited_ns >= ANSWER_NS_MAX

    async def _type(self, ears: Ears) -> None:
        while not self._over.is_set() and not ears.activity.ended:
            self._asked_ns = began_ns = due_ns = ears.clock.now_ns()
            await ears.media("text", TEXT, began_ns)
            while not self._over.is_set():
                due_ns += FRAME_NS
                await sleep_until(ears.clock, due_ns)
                now_ns = ears.clock.now_ns()
                self._meter.late(now_ns - due_ns)
                if self._may_go_on(ears, now_ns - began_ns, now_ns):
                    break

    def send(self, port: str, turn: int, payload: bytes, play_at_ns: int) -> None:
        """The first item of an answer is what the party waits for."""
        if self._asked_ns >= 0 and self._ears is not None:
            self._meter.answered(self._ears.clock.now_ns() - self._asked_ns)
            self._asked_ns = -1

    def flush(self, turn: int, now_ns: int) -> None:
        """Nothing is held."""

    async def close(self) -> None:
        """Nothing is open."""
