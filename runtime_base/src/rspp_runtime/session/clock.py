"""Session time: integer nanoseconds since the session began, never going back."""

from __future__ import annotations

import asyncio
from typing import Protocol

from rspp_runtime.session.monotonic import MonotonicClock

__all__ = ("MS_NS", "SECOND_NS", "Clock", "LaterClock", "MonotonicClock", "VirtualClock", "sleep_until")

SECOND_NS = 1_000_000_000
MS_NS = 1_000_000


class Clock(Protocol):
    """The one clock of a session. Transports, driver and handlers all read it."""

    def now_ns(self) -> int: ...


class VirtualClock:
    """The time of a virtual event loop (`session.virtual.VirtualLoop`), from the moment the clock was made.

    Between two jumps of the loop it stands still: work takes no time, only waiting does.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._start_ns = round(loop.time() * SECOND_NS)

    def now_ns(self) -> int:
        return round(self._loop.time() * SECOND_NS) - self._start_ns


class LaterClock:
    """Another clock, which `go_on` sets forward: that of a session which another process began."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead_ns = 0

    def go_on(self, since_ns: int) -> None:
        """It is `since_ns` now, or later already."""
        self._ahead_ns = max(self._ahead_ns, since_ns - self._clock.now_ns())

    def now_ns(self) -> int:
        return self._clock.now_ns() + self._ahead_ns


async def sleep_until(clock: Clock, due_ns: int) -> None:
    """Waits until session time `due_ns`; returns at once, but not before other tasks ran, if it has passed."""
    await asyncio.sleep(max(0, due_ns - clock.now_ns()) / SECOND_NS)
