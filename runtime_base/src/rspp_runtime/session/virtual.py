"""An event loop in virtual time: when nothing is left to do, its clock jumps to the next timer (`--fast`).

The driver, the transports and the providers are the ones of real time; only the loop differs, so `asyncio.sleep` in a
provider is a virtual sleep too. What counts as "something left to do" besides ready callbacks and sockets is work in
executor threads (`asyncio.to_thread`): while one runs, time stands still and the loop waits for it in real time. When
for `PATIENCE_S` no thread has reported and the process has hardly computed, they count as parked (they may themselves
be waiting for the loop), and time goes on; their next sign of life unparks them.

The order of what happens within one instant follows the order in which threads finish. A session is still exactly
replayable, because each input is recorded with its stamp.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE_S = 0.5
BUSY = 0.02  # of a core: a process that computes more is not merely waiting


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of sleeping until the next timer, moves the time there."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ns = 0
        self.threads = 0  # executor jobs under way
        self.parked = False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            self.parked = self.parked and not ready
            return ready
        if self.threads and not self.parked:
            computed_s = time.process_time()
            ready = super().select(PATIENCE_S)
            self.parked = not ready and time.process_time() - computed_s < BUSY * PATIENCE_S
            return ready
        if timeout is None:  # no timer at all: only a socket or a thread can bring news
            return super().select(None)
        if timeout > 0:
            self.now_ns += max(1, round(timeout * 1e9))  # the loop's own tolerance is 1 ns
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """See the module. `time()` starts at 0."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_ns / 1e9

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        future: asyncio.Future[T] = super().run_in_executor(executor, func, *args)
        self._jumping.threads += 1
        self._jumping.parked = False  # others may be: this one has not had its chance yet
        future.add_done_callback(self._thread_ended)
        return future

    def _thread_ended(self, _: asyncio.Future[Any]) -> None:
        self._jumping.threads -= 1


def run(main: Coroutine[Any, Any, T], *, virtual: bool) -> T:
    """Runs `main` to its end on a real or a virtual loop, and cleans the loop up as `asyncio.run` does."""
    with asyncio.Runner(loop_factory=VirtualLoop if virtual else None) as runner:
        return runner.run(main)
