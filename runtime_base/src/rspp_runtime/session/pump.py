"""The pump of an event loop: the one place that steps its sessions, and the one timer that waits for all of them.

    seat = Pump.enter(loop, step)   a session is here: `step()` does all that it can do now
    ready(seat)                     it has something to do: stepped in the next round, in the order of asking
    at(seat, pause_ns)              it has nothing to do before that: one heap for all, one timer of the loop
    leave(seat)                     it is gone

A session is stepped once a round, however many inputs came for it meanwhile: they are one step. A round steps at most
`ROUND_MAX` sessions, so that sockets and other tasks have their turn between rounds, and who was not stepped goes first
in the next. No task, no event and no timer of the loop belongs to a session (decision 0042).
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Callable

ROUND_MAX = 64  # sessions stepped before the loop looks at its sockets again
SECOND_NS = 1_000_000_000
NEVER = float("inf")
RESOLUTION_S = 1e-9  # as fine as loops tell time: what is due by then is due now
TICK_S = 0.001  # of libuv's timers, which may ring by so much too soon


class Seat:
    """What the pump knows of a session. Times are the loop's."""

    __slots__ = ("armed_s", "due_s", "queued", "step")

    def __init__(self, step: Callable[[], None]) -> None:
        self.step: Callable[[], None] | None = step
        self.queued = False  # for the next round
        self.due_s = NEVER  # when it is to be stepped, unless it is before
        self.armed_s = NEVER  # the earliest entry that the heap has for it


class Pump:
    """One for each event loop that runs sessions. Belongs to the loop's thread."""

    __slots__ = ("_count", "_heap", "_loop", "_ready", "_rounds", "_seats", "_timer", "_timer_s")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._seats = 0
        self._ready: deque[Seat] = deque()
        self._rounds = False  # the loop was asked for a round
        self._heap: list[tuple[float, int, Seat]] = []
        self._count = itertools.count()  # of two that are due at once, who asked first
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = NEVER

    @classmethod
    def enter(cls, loop: asyncio.AbstractEventLoop, step: Callable[[], None]) -> tuple[Pump, Seat]:
        """A seat at the pump of that loop. `step` raises nothing: it tells whoever runs the session."""
        pump = _PUMPS.get(loop)
        if pump is None:
            pump = _PUMPS[loop] = cls(loop)
        pump._seats += 1
        return pump, Seat(step)

    def leave(self, seat: Seat) -> None:
        """Is not stepped again. The pump goes with its last session."""
        seat.step = None
        seat.due_s = NEVER
        self._seats -= 1
        if not self._seats:
            if self._timer is not None:
                self._timer.cancel()
            _PUMPS.pop(self._loop, None)

    def ready(self, seat: Seat) -> None:
        """It has something to do."""
        if not seat.queued:
            seat.queued = True
            self._ready.append(seat)
            if not self._rounds:
                self._rounds = True
                self._loop.call_soon(self._round)

    def at(self, seat: Seat, pause_ns: int) -> None:
        """It is to be stepped in `pause_ns`, unless something comes before. Replaces what it asked for before.

        What the heap has for an earlier moment stays there: when that comes, the seat is put where it belongs then.
        """
        seat.due_s = due_s = self._loop.time() + pause_ns / SECOND_NS
        if due_s < seat.armed_s:
            self._put(seat)
            if due_s < self._timer_s:
                self._arm(due_s)

    def _put(self, seat: Seat) -> None:
        seat.armed_s = seat.due_s
        heapq.heappush(self._heap, (seat.due_s, next(self._count), seat))

    def _arm(self, due_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_s = due_s
        self._timer = self._loop.call_at(due_s, self._due)

    def _due(self) -> None:
        """Deadlines have passed: whose they are is stepped in the next round."""
        self._timer, self._timer_s = None, NEVER
        now_s = self._loop.time() + RESOLUTION_S
        heap, is_early = self._heap, True
        while heap and heap[0][0] < now_s:
            armed_s, _, seat = heapq.heappop(heap)
            is_early = False
            if armed_s != seat.armed_s:
                continue  # it has an earlier entry, or had one that came up
            seat.armed_s = NEVER
            if seat.due_s < now_s:
                seat.due_s = NEVER
                self.ready(seat)
            elif seat.due_s < NEVER:
                self._put(seat)
        if heap:  # who rang too soon, and asked for the little that is left, would ring at once, again and again
            self._arm(max(heap[0][0], now_s + TICK_S) if is_early else heap[0][0])

    def _round(self) -> None:
        ready = self._ready
        for _ in range(min(len(ready), ROUND_MAX)):
            seat = ready.popleft()
            seat.queued = False
            if seat.step is not None:
                seat.step()
        if ready:
            self._loop.call_soon(self._round)
        else:
            self._rounds = False


_PUMPS: dict[asyncio.AbstractEventLoop, Pump] = {}  # of loops that run sessions now
