from collections.abc import Mapping, Sequence

from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.evidence.overhead import Overhead

class Timing:
    working: list[Overhead]
    accepted_ns: int
    def on_input(self, event: Inbound, now_ns: int, result: int) -> None: ...
    def on_calls(self, took_ns: Mapping[int, int]) -> None: ...
    def on_step(self, now_ns: int, deadline_ns: int, drained_ns: int, outputs: Sequence[Output]) -> None: ...
