import asyncio
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from rspp_runtime.abi.plan import Node
from rspp_runtime.providers.contract import Input
from rspp_runtime.session.guard import Guarded
from rspp_runtime.session.invocation import Door
from rspp_runtime.session.usage import Usage

YIELD_EVERY: int
BURST_MAX: int
BURST_PAUSE_S: float

class Exchange:
    id: int
    node_id: int
    row: Node
    door: Door
    items: deque[tuple[int, Input]]
    seq: int
    cancelled: bool
    finished: bool
    resumed: asyncio.Event
    guard: Guarded[None] | None
    usage: Usage | None
    owed: int
    first_ns: int
    def __init__(self, invocation: int, node: Node, door: Door, epoch: int | None) -> None: ...
    @property
    def epoch(self) -> int: ...
    def feed(self, port: int, payload: bytes, media_ns: int, flags: int = 0, seq: int = 0) -> None: ...
    def wait(self) -> asyncio.Future[None]: ...
    def tell(self) -> None: ...
    def inputs(self) -> AsyncIterator[Input]: ...
    def pause_s(self) -> float: ...
    def resume(self) -> None: ...
    def wait_anew(self) -> None: ...
    def emit(
        self,
        port: str,
        payload: bytes = b"",
        *,
        media_ns: int = 0,
        words: int = 0,
        text_end: int = 0,
        final: bool = False,
        failed: bool = False,
    ) -> Coroutine[Any, Any, None]: ...
