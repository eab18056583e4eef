"""What the book keeps of budgets of paths: which have surely begun, and which something has left at their end."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rspp_runtime.abi.codes import In, Op
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.abi.plan import EFFECT, TURN, Plan

if TYPE_CHECKING:
    from rspp_runtime.simulation.pages import Call

Place = tuple[int, int]
"""A node and one of its input ports."""


@dataclass(slots=True)
class Late:
    """Of the turn in progress. An effect that gets what entered a path shows that it has begun, by then."""

    plan: Plan
    entries: dict[Place, list[int]] = field(default_factory=lambda: defaultdict(list))
    exits: dict[Place, list[int]] = field(default_factory=lambda: defaultdict(list))
    speakers: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    turn: int = 0
    begun: dict[int, tuple[int, int]] = field(default_factory=dict)  # path → (ns, the invocation that is at work)
    left: set[int] = field(default_factory=set)  # paths that something may have left at their end
    kept: set[int] = field(default_factory=set)  # … that had begun, and whose work went on then

    def __post_init__(self) -> None:
        plan, into = self.plan, defaultdict[Place, set[int]](set)
        for edge in plan.edges:
            into[edge.target, edge.target_port].add(edge.id)
        for place, edges in into.items():
            node = plan.nodes[place[0]]
            for path in plan.paths:
                entered = all(path.pushed >> edge & 1 for edge in edges)
                if node.execution == EFFECT and node.scope == TURN and entered:
                    self.entries[place].append(path.id)
                if any(path.ends_edges >> edge & 1 for edge in edges):
                    self.exits[place].append(path.id)
        for path in plan.paths:
            if path.ends_node >= 0:
                self.speakers[path.ends_node].append(path.id)

    def take(self, seq: int, event: Inbound, turn: int, call: Call | None) -> None:
        """An input was accepted: a node speaks, or is done."""
        if event.op == In.DONE:
            self._over(event.invocation)
        elif event.op == In.CHUNK and self.plan.nodes[event.node].outputs[event.port].type == "call":
            self._over(event.invocation)  # its time may stand still
        elif event.op == In.CHUNK and event.node in self.speakers and self._is_an_item(event):
            self._of(turn)
            self._leaves(self.speakers[event.node], event.invocation)

    def request(self, output: Output) -> None:
        """Something is given to a node, or sent; or an invocation is cancelled."""
        if output.op == Op.CANCEL:
            self._over(output.invocation)
        elif output.op in (Op.FEED, Op.SEND, Op.TAP) and output.turn:
            self._of(output.turn)
            place = output.node, output.port
            if place in self.exits:
                self._leaves(self.exits[place], 1 << 62)
            for path in self.entries.get(place, ()):
                self.begun.setdefault(path, (output.t_ns, output.invocation))

    def _is_an_item(self, event: Inbound) -> bool:
        return self.plan.nodes[event.node].outputs[event.port].type != "event"

    def _of(self, turn: int) -> None:
        if turn != self.turn:
            self.turn = turn
            self.begun.clear()
            self.left.clear()
            self.kept.clear()

    def _leaves(self, paths: list[int], invocation: int) -> None:
        """Something comes out; of an older invocation than the one at work, it may be of before."""
        self.left.update(paths)
        self.kept.update(path for path in paths if path in self.begun and invocation >= self.begun[path][1])

    def _over(self, invocation: int) -> None:
        """Nobody can tell any more whether something is on the way."""
        for path in [path for path, (_, one) in self.begun.items() if one == invocation]:
            del self.begun[path]
