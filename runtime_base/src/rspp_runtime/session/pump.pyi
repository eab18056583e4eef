import asyncio
from collections.abc import Callable

ROUND_MAX: int
TICK_S: float
PUMPS: dict[asyncio.AbstractEventLoop, Pump]

class Seat: ...

class Heap:
    seats: list[Seat]

class Pump:
    heap: Heap
    @classmethod
    def enter(cls, loop: asyncio.AbstractEventLoop, step: Callable[[], object]) -> tuple[Pump, Seat]: ...
    def leave(self, seat: Seat) -> None: ...
    def ready(self, seat: Seat) -> None: ...
    def at(self, seat: Seat, pause_ns: int) -> None: ...
