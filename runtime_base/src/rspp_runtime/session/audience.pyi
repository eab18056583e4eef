from collections.abc import Callable, Mapping, Sequence

from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.session.observer import HandlerCall, InvocationEnd, Observer

OnInput = Callable[[Inbound, int, int], None]
OnStep = Callable[[int, int, int, Sequence[Output]], None]

class Audience:
    steps: tuple[OnStep, ...]
    moves: tuple[OnStep, ...]
    quiet_steps: tuple[OnStep, ...]
    handlers: tuple[Callable[[HandlerCall], None], ...]
    calls: tuple[Callable[[Mapping[int, int]], None], ...]
    states: tuple[Callable[[int, int, bytes], None], ...]
    invocations: tuple[Callable[[InvocationEnd], None], ...]
    every_call: bool
    def __init__(self, observers: Sequence[Observer]) -> None: ...
    def of_input(self, event: Inbound) -> tuple[OnInput, ...]: ...
    def of_step(self, outputs: Sequence[Output]) -> tuple[OnStep, ...]: ...
