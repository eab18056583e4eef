"""What sessions of one process share: so many calls of a node at once, and who waits takes turns by key (F-174).

    take(key, …)    a slot now, or a place in the key's queue
    give_back()     the slot goes to the key that was served longest ago, and there to who came first

A key is a tenant, or whatever the pipeline names as `fairness`; without one, each session is its own. So a key that
asks a hundred times as often is served as often as any other that waits. Everything is bounded: slots, keys, calls that
wait for each, and the time of a wait.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Hashable
from typing import TYPE_CHECKING

from rspp_runtime.providers.contract import Cancelled, Outcome, ProviderError

if TYPE_CHECKING:
    from rspp_runtime.session.invocation import Call

KEYS_MAX = 1024  # that wait, and that are remembered

Queue = deque["asyncio.Future[None]"]


class Pool:
    """`size` slots; `waiting_max` calls wait for each key."""

    def __init__(self, reference: str, size: int, waiting_max: int) -> None:
        self._reference, self._waiting_max = reference, waiting_max
        self._free = size
        self._waiting: dict[Hashable, Queue] = {}  # keys for which somebody waits
        self._served: dict[Hashable, int] = {}  # when a key had its last slot; the longest ago is first
        self._count = 0

    async def take(self, key: Hashable, call: Call, limit_s: float) -> None:
        """Returns with a slot. Raises `Cancelled`, and `ProviderError` if too many wait or it took `limit_s`."""
        if self._free and not self._waiting:
            self._free -= 1
            self._now(key)
            return
        queue = self._waiting.get(key)
        if queue is None:
            if len(self._waiting) >= KEYS_MAX:
                raise self._overload(f"{len(self._waiting)} keys wait for {self._reference}")
            queue = self._waiting[key] = deque()
            if key not in self._served:
                self._now(key)  # who is new waits one round
        if len(queue) >= self._waiting_max:
            raise self._overload(f"{len(queue)} calls of {self._reference} wait")
        await self._wait(key, queue, call, limit_s)

    def give_back(self) -> None:
        self._free += 1
        while self._free and self._waiting:
            key = min(self._waiting, key=lambda one: self._served.get(one, 0))
            queue = self._waiting[key]
            turn = queue.popleft()
            if not queue:
                del self._waiting[key]
            if not turn.done():
                self._free -= 1
                self._now(key)
                turn.set_result(None)

    async def _wait(self, key: Hashable, queue: Queue, call: Call, limit_s: float) -> None:
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        queue.append(turn)
        until_s = loop.time() + limit_s  # the kernel's own deadline comes first: this is for the day when it does not
        timer = loop.call_at(until_s, turn.cancel)
        call.on_cancel = turn.cancel
        try:
            await turn
        except asyncio.CancelledError:
            if turn in queue:
                queue.remove(turn)
            if not queue and self._waiting.get(key) is queue:
                del self._waiting[key]
            if not turn.cancelled():  # it had its turn in the very moment in which it was forced
                self.give_back()
            if call.cancelled and not call.forced:
                raise Cancelled from None
            if loop.time() >= until_s:
                raise self._overload(f"a call of {self._reference} waited for {limit_s:.1f} s") from None
            raise
        finally:
            timer.cancel()
            call.on_cancel = None

    def _now(self, key: Hashable) -> None:
        self._count += 1
        self._served.pop(key, None)
        self._served[key] = self._count
        if len(self._served) > KEYS_MAX:
            del self._served[next(iter(self._served))]

    def _overload(self, reason: str) -> ProviderError:
        return ProviderError(Outcome.OVERLOAD, reason)
