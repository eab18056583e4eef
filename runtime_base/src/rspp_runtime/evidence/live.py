"""The conversation of a session that runs here, as it goes: what a log would say, without one.

The reader that draws pictures of a log (`facts.Reader`) is told of the same things. Of the calls of Python nodes it
gets the time that each node took in a step, and single ones only where an assumption about them was broken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.abi.plan import Plan
from rspp_runtime.evidence.entries import Handler, Invocation, Step
from rspp_runtime.evidence.facts import Reader
from rspp_runtime.evidence.recorder import to_input, to_out
from rspp_runtime.session.observer import HandlerCall, InvocationEnd, Observer

WAITING_MAX = 64  # inputs, steps and calls that the reader has not been told of


class Live(Observer):
    """Tells `reader` what happens, a little later: nobody looks at pictures while somebody waits for an answer. What it
    was not told yet is bounded; `catch_up` tells it."""

    EVERY_CALL = False

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._waiting: list[Callable[[], None]] = []

    def catch_up(self) -> None:
        """The reader knows everything now."""
        waiting, self._waiting = self._waiting, []
        for tell in waiting:
            tell()

    def on_input(self, event: Inbound, now_ns: int, result: int) -> None:
        self._waiting.append(partial(self._input, event, now_ns, result))

    def on_handler(self, call: HandlerCall) -> None:
        row = Handler(call.node, call.seq, call.start_ns, call.end_ns, None, call.reason)
        self._waiting.append(partial(self._reader.slow, row))

    def on_calls(self, took_ns: Mapping[int, int]) -> None:
        self._waiting.append(partial(self._reader.took, took_ns))

    def on_step(self, now_ns: int, deadline_ns: int, drained_ns: int, outputs: Sequence[Output]) -> None:
        self._waiting.append(partial(self._step, now_ns, deadline_ns, drained_ns, outputs))
        if len(self._waiting) >= WAITING_MAX:
            self.catch_up()

    def on_invocation(self, end: InvocationEnd) -> None:
        self._waiting.append(partial(self._reader.add, Invocation(*end)))

    def _input(self, event: Inbound, now_ns: int, result: int) -> None:
        self._reader.add(to_input(event, now_ns, result, payload=True))

    def _step(self, now_ns: int, deadline_ns: int, drained_ns: int, outputs: Sequence[Output]) -> None:
        add = self._reader.add
        add(Step(now_ns, deadline_ns, drained_ns, len(outputs)))
        for output in outputs:
            add(to_out(output, payload=True))


def work_limits(plan: Plan) -> dict[int, int]:
    """By node: the least that is assumed of a call of it, in ns (`assumptions.Watch`)."""
    ids = {node.name: node.id for node in plan.nodes}
    found: dict[int, int] = {}
    for one in plan.assumptions:
        if one.kind in ("work", "timeout") and one.subject in ids:
            node = ids[one.subject]
            found[node] = min(found.get(node, one.limit), one.limit)
    return found
