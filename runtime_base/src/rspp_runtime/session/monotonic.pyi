from collections.abc import Callable
from typing import Protocol

class _Clock(Protocol):
    def now_ns(self) -> int: ...

class MonotonicClock:
    start_ns: int
    def __init__(self) -> None: ...
    def now_ns(self) -> int: ...

class Watch:
    now_ns: Callable[[], int]
    def __init__(self, clock: _Clock) -> None: ...
