from typing import Any

from rspp_runtime.abi.messages import Inbound

WINDOW_NS: int

class Delay:
    window_ns: int
    since_ns: int
    least_ns: int
    first_ns: int
    def within(self, its_ns: int, now_ns: int) -> bool: ...

class Delays:
    next_ns: int
    def __init__(self, stream: Delay | None) -> None: ...
    def on_input(self, event: Inbound, now_ns: int, result: int) -> None: ...
    def _look(self, now_ns: int) -> None: ...
    def _observe(self, stream: Any, its_ns: int, now_ns: int) -> None: ...
