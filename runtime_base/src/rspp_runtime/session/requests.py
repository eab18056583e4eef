"""Control inputs that other threads ask for: a cancel, say, of somebody's who does not wait for the loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from rspp_runtime.abi.codes import Control, Result

Take = Callable[[], object]


class Requests(list[tuple[Control, int, int]]):
    """Those that the kernel has not been given yet: code, a, b. Threads add to it; the loop's takes from it."""

    __slots__ = ()

    def ask(self, request: tuple[Control, int, int], loop: asyncio.AbstractEventLoop | None, take: Take) -> None:
        """From any thread: `loop` calls `take` soon."""
        self.append(request)
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed, and the session gone
                loop.call_soon_threadsafe(take)

    def deliver(self, offer: Callable[[Control, int, int], int]) -> bool:
        """In order, until one finds the inbox full; whether one was taken."""
        taken = False
        while self and offer(*self[0]) != Result.FULL:
            del self[0]
            taken = True
        return taken
