from collections.abc import Callable
from typing import Any

from rspp_runtime.abi.messages import Emission, Item

class NodeCall:
    every: bool
    def __init__(
        self,
        user: Callable[..., object],
        now: Callable[[], int],
        start_ns: int,
        told: Any,
        measured: Callable[..., Emission],
        reason_of: Callable[[BaseException], str],
        gone: type[Exception],
        node: int,
        names: tuple[str, ...],
        kinds: tuple[str, ...],
        most: tuple[int, ...],
        emissions_max: int,
        limit_ns: int,
        goes_on: bool = False,
    ) -> None: ...
    def taken(self) -> tuple[int, int]: ...
    def __call__(self, item: Item) -> tuple[Emission, ...] | None: ...
