"""Control inputs that other threads ask for: a cancel, say, of somebody's who does not wait for the loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from rspp_runtime.abi.codes import Control, Op, Result
from rspp_runtime.abi.messages import Output

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


def behind(held: list[Output], outputs: list[Output]) -> list[Output]:
    """Outputs of a step that was interrupted, and of the step that followed, in the order in which they are performed.

    Audio of a turn that the later step took back is not performed: it would be forgotten at once.
    """
    flushed = {output.turn for output in outputs if output.op == Op.FLUSH}
    return [output for output in held if output.op != Op.SEND or output.turn not in flushed] + outputs
