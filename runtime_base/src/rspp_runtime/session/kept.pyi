import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.session.audience import Audience

class Line:
    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        pause_s: float,
        serve: Callable[[Any], None],
        round_max: int,
        spread_s: float = 0,
    ) -> None: ...
    def join(self, one: object) -> None: ...

class Kept:
    audience: Audience
    keeps: bool
    def __init__(self, audience: Audience, waiting_max: int, line: Line) -> None: ...
    def catch_up(self) -> None: ...
    def keep(self, tells: tuple[Callable[..., None], ...], what: tuple[Any, ...]) -> None: ...
    def on_input(self, event: Inbound, now_ns: int, result: int) -> None: ...
    def on_step(self, now_ns: int, deadline_ns: int, drained_ns: int, outputs: Sequence[Output]) -> None: ...
    def _knows_all(self) -> None: ...
