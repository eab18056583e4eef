"""What the book keeps of calls of tools: who called, what ran for it, and what was answered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rspp_runtime.abi.codes import In, Op
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.abi.plan import Plan

if TYPE_CHECKING:
    from rspp_runtime.simulation.pages import Call

Key = tuple[int, int]
"""The invocation that called, and the number that it gave the call."""


@dataclass(slots=True)
class Called:
    """Of one session; `tools` and `models` are node ids, `answers` the ports by which models get answers."""

    plan: Plan
    tools: frozenset[int] = frozenset()
    answers: frozenset[tuple[int, int]] = frozenset()
    calls: frozenset[tuple[int, int]] = frozenset()  # the ports by which they call
    waiting: dict[int, Key] = field(default_factory=dict)  # by sequence: calls that were taken, and have not begun
    begun: dict[int, Key] = field(default_factory=dict)  # by invocation of the tool
    said: dict[Key, bytes] = field(default_factory=dict)  # what a tool answered
    open: set[Key] = field(default_factory=set)  # calls that were not answered
    ended: set[int] = field(default_factory=set)  # invocations whose provider said so
    left_ns: dict[int, int] = field(default_factory=dict)  # invocations that were cancelled, and when
    counted: Counter[tuple[int, int]] = field(default_factory=Counter)  # by model and turn

    def __post_init__(self) -> None:
        nodes = self.plan.nodes
        self.tools = frozenset(node.id for node in nodes if node.tool)
        models = [node for node in nodes if not node.tool]
        self.answers = frozenset((n.id, i) for n in models for i, p in enumerate(n.inputs) if p.type == "call")
        self.calls = frozenset((n.id, i) for n in nodes for i, p in enumerate(n.outputs) if p.type == "call")

    def take(self, seq: int, event: Inbound, turn: int, call: Call | None) -> None:
        """An input was accepted. Who has called has deadlines that may wait: nobody knows them from outside."""
        if event.op == In.DONE:
            self.ended.add(event.invocation)
        elif event.op != In.CHUNK:
            return
        elif (event.node, event.port) in self.calls:
            key = event.invocation, event.a
            if call is not None:
                call.first_ns, call.chunk_ns, call.spoke = 0, 0, True
            self.waiting[seq] = key
            self.open.add(key)
            self.counted[event.node, turn] += 1
        elif event.invocation in self.begun:
            self.said[self.begun[event.invocation]] = event.payload

    def request(self, output: Output) -> None:
        """A call begins, an answer is given, or who called is cancelled."""
        if output.op == Op.CANCEL:
            self.left_ns[output.invocation] = output.t_ns
        elif output.op != Op.FEED:
            return
        elif output.node in self.tools:
            key = self.waiting.pop(output.seq, None)
            if key is not None:
                self.begun[output.invocation] = key
        elif (output.node, output.port) in self.answers:
            self.open.discard((output.invocation, output.x))
