"""Observers that are told a little later: nobody writes records while somebody waits for an answer.

    on_input, on_step, …  ──▶ kept, by reference        within the driver's step: a moment
                                  │
    catch_up()            ──▶ told to the observers     once the loop has been given time for outputs to be performed,
                                                        when `WAITING_MAX` wait, and when somebody asks for it
    flush()               ──▶ given to the threads      when there is enough of it, or it has been kept for `KEEP_S`
                              that write

All of it in the order in which it happened. An event loop has one `Desk`, with two timers for all of its sessions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rspp_runtime.session.audience import Audience
from rspp_runtime.session.kept import Kept, Line
from rspp_runtime.session.observer import HandlerCall, InvocationEnd, Observer

WAITING_MAX = 256  # inputs, steps and calls of one session that were not told yet
PAUSE_S = 0.001  # for which the first of them waits: an answer's first audio has long been sent by then
KEEP_S = 0.25  # for which records that are made are kept: waking a thread for a few costs more than they do
SPREAD_S = 0.2  # over which hundreds of sessions flush, rather than all of them at the same moment
ROUND_MAX = 64  # sessions that catch up, or flush, before the loop looks at its sockets again

Tell = Callable[..., None]


class Later(Kept, Observer):
    """Tells `observers` everything, later. `caught_up()` is called when they know everything that there was; if it says
    that something is kept, `flush()` is called when it has been kept for long enough, and `caught_up()` not before.

    What an observer raises ends the session as it would have at once: the next step raises it, or `catch_up`.
    """

    def __init__(
        self,
        observers: Sequence[Observer],
        desk: Desk,
        caught_up: Callable[[], bool] = lambda: False,
        flush: Callable[[], None] = lambda: None,
    ) -> None:
        audience = Audience(observers)
        super().__init__(audience, WAITING_MAX, desk.catching_up)
        self.EVERY_CALL = audience.every_call  # type: ignore[misc]  # as whom it tells wants it
        self._desk = desk
        self._caught_up = caught_up
        self._flush = flush

    def _knows_all(self) -> None:
        """They have been told everything."""
        if self._caught_up():
            self.keeps = True
            self._desk.flushing.join(self)

    def flush(self) -> None:
        """What is kept is on its way. Raises nothing: who cannot flush says so when it is asked for evidence."""
        self.keeps = False
        self._flush()

    def then(self, tell: Tell, *what: Any) -> None:
        """`tell(*what)`, behind everything that has happened so far."""
        self.keep((tell,), what)

    def on_handler(self, call: HandlerCall) -> None:
        self.keep(self.audience.handlers, (call,))

    def on_calls(self, took_ns: Mapping[int, int]) -> None:
        self.keep(self.audience.calls, (took_ns,))

    def on_state(self, node: int, seq: int, durable: bytes) -> None:
        self.keep(self.audience.states, (node, seq, durable))

    def on_invocation(self, end: InvocationEnd) -> None:
        self.keep(self.audience.invocations, (end,))


class Desk:
    """Whoever has something to catch up with, or to flush, on one event loop, and the timers that wait for them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, pause_s: float) -> None:
        self._loop = loop
        self._sessions = 0
        self.catching_up = Line(loop, pause_s, Later.catch_up, ROUND_MAX)  # who has something to tell
        self.flushing = Line(loop, KEEP_S, Later.flush, ROUND_MAX, SPREAD_S)  # who keeps something

    @classmethod
    def enter(cls, loop: asyncio.AbstractEventLoop, *, is_virtual: bool) -> Desk:
        """The desk of that loop, for one more session. In virtual time it pauses for no time at all."""
        desk = _DESKS.get(loop)
        if desk is None:
            desk = _DESKS[loop] = cls(loop, 0.0 if is_virtual else PAUSE_S)
        desk._sessions += 1
        return desk

    def leave(self) -> None:
        """The desk goes with its last session."""
        self._sessions -= 1
        if not self._sessions:
            _DESKS.pop(self._loop, None)


_DESKS: dict[asyncio.AbstractEventLoop, Desk] = {}  # of loops that run sessions now
