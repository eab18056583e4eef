"""The conversation of a session that runs here, as it goes: what a log would say, without one.

The reader that draws pictures of a log (`facts.Reader`) is told of the same things. Of the calls of Python nodes it
gets the time that each node took in a step, and single ones only where an assumption about them was broken.

It keeps all of a conversation, and grows with it: for whoever shows it afterwards, and not where sessions are served.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.abi.plan import Plan
from rspp_runtime.evidence.entries import Entry, Evidence, Handler, Invocation, Step
from rspp_runtime.evidence.facts import Conversation, Reader
from rspp_runtime.evidence.recorder import to_input, to_out
from rspp_runtime.session.observer import HandlerCall, InvocationEnd, Observer


class Live(Observer):
    """Told what happens, and by `add` what else a log would have. Then `conversation` says what was said and done, and
    `records` has the newest OR-02 record of each turn that has closed."""

    EVERY_CALL = False

    def __init__(self, plan: Plan) -> None:
        self.records: dict[int, dict[str, Any]] = {}
        self._reader = Reader(plan)

    @property
    def conversation(self) -> Conversation:
        return self._reader.conversation

    def add(self, entry: Entry) -> None:
        if isinstance(entry, Evidence) and entry.stage != "baseline":
            self.records[entry.turn] = entry.or02
        self._reader.add(entry)

    def on_input(self, event: Inbound, now_ns: int, result: int) -> None:
        self._reader.add(to_input(event, now_ns, result, payload=True))

    def on_handler(self, call: HandlerCall) -> None:
        self._reader.slow(Handler(call.node, call.seq, call.start_ns, call.end_ns, None, call.reason))

    def on_calls(self, took_ns: Mapping[int, int]) -> None:
        self._reader.took(took_ns)

    def on_step(self, now_ns: int, deadline_ns: int, drained_ns: int, outputs: Sequence[Output]) -> None:
        self._reader.add(Step(now_ns, deadline_ns, drained_ns, len(outputs)))
        for output in outputs:
            self._reader.add(to_out(output, payload=True))

    def on_invocation(self, end: InvocationEnd) -> None:
        self._reader.add(Invocation(*end))


def work_limits(plan: Plan) -> dict[int, int]:
    """By node: the least that is assumed of a call of it, in ns (`assumptions.Watch`)."""
    ids = {node.name: node.id for node in plan.nodes}
    found: dict[int, int] = {}
    for one in plan.assumptions:
        if one.kind in ("work", "timeout") and one.subject in ids:
            node = ids[one.subject]
            found[node] = min(found.get(node, one.limit), one.limit)
    return found
