"""A turn, event by event, as one schedule has it; what the latency analysis is compared with, and shares no code with.

A schedule says how long everything takes, which nodes have nothing to say, which conditions hold, and who fails when.
Items are followed one by one from where the user's last word is when the clock starts, until each output has heard its
first. An item remembers the reaction that sent it, which is whose bound it must keep.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from rspp_compiler.ir.condition import show
from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.ir.spec import EdgeSpec


@dataclass(frozen=True)
class Schedule:
    """What one turn is like. Times are nanoseconds; what is not named takes none, speaks, and does not fail.

    `waits` are times in queues; `coalesced` and `held` what is held back on purpose, to join items and for a hand-off.
    A node in `answers` answers one of its inputs only, an edge or a reaction; any other answers each. `fails` says by
    which event, and how long after its input; `raises` is the same for events after which the node goes on. `holds` are
    conditions by their text, None lets every edge through. `lost` edges let nothing through.
    """

    takes: dict[str, int] = field(default_factory=dict)
    waits: dict[str, int] = field(default_factory=dict)
    coalesced: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    answers: dict[str, str] = field(default_factory=dict)
    fails: dict[str, tuple[str, int]] = field(default_factory=dict)
    raises: dict[str, tuple[str, int]] = field(default_factory=dict)
    holds: frozenset[str] | None = None
    lost: frozenset[str] = frozenset()


class Times(NamedTuple):
    """When the first item of some came to an output, and the last."""

    first_ns: int
    last_ns: int


Heard = dict[tuple[str, str], Times]
"""For each output and each reaction ("" for the flows): when the items came that the reaction had sent."""


class _Item(NamedTuple):
    line: str  # reaction whose path it may follow
    cause: str
    via: str  # edge by which it came, or reaction that put it there


def limits_of_nodes(graph: Graph) -> dict[str, int]:
    """How long each node may take: to its first output, or for those that it waits for."""
    found = {}
    for node in graph.nodes:
        spec = node.spec
        found[node.id] = spec.work_ns if node.execution == "kernel" else spec.first_output_ns
        if node.kind == "vad":
            found[node.id] = 0  # frames pass through as they are heard
        window = spec.settings.get("within_ns", 0)
        if node.kind == "merge" or (node.kind == "select" and spec.settings.get("by") == "highest"):
            found[node.id] += int(str(window))
    return found


def limits_of_waits(graph: Graph) -> dict[str, int]:
    """How long an item may wait on each edge. One inside a turn is empty when the first item comes."""
    found = {}
    for edge in graph.edges:
        bounds = [edge.spec.buffer_ns] if edge.spec.buffer_ns else []
        if edge.spec.origin("latency_ns").kind == "user" or not bounds:
            bounds.append(edge.spec.latency_ns)
        found[edge.id] = min(bounds) if edge.scope == "session" else 0
    return found


def simulate(graph: Graph, party: str, schedule: Schedule) -> Heard:
    """What is first heard at each output of the pipeline, and when."""
    return _Turn(graph, schedule).run(party)


def greet(graph: Graph, event: str, schedule: Schedule) -> Heard:
    """The same for a turn that an event opens, such as `session.connected`."""
    turn = _Turn(graph, schedule)
    turn.raise_event(0, event)
    return turn.play()


class _Turn:
    def __init__(self, graph: Graph, schedule: Schedule) -> None:
        self._graph = graph
        self._schedule = schedule
        self._queue: list[tuple[int, int, str, str, _Item]] = []
        self._count = 0
        self._heard: Heard = {}
        self._failed: set[str] = set()
        self._raised: set[str] = set()

    def run(self, party: str) -> Heard:
        for where, id in dict.fromkeys(_last_words(self._graph, party)):
            if where == "in":
                self._at(0, "input", id, _Item("", "", ""))
            elif where == "edge":
                edge = next(edge for edge in self._graph.edges if edge.id == id)
                if self._passes(edge):
                    self._along(0, edge, _Item("", "", ""))
            else:
                self._emit(0, id, _Item("", "", ""))
        return self.play()

    def play(self) -> Heard:
        while self._queue:
            now, _, what, id, item = heapq.heappop(self._queue)
            if what == "input":
                self._input(now, id, item)
            elif what == "output":
                self._emit(now, id, item)
            elif what == "fail":
                self.raise_event(now, self._schedule.fails[id][0])
            elif what == "raise":
                self.raise_event(now, self._schedule.raises[id][0])
        return self._heard

    def raise_event(self, now: int, event: str) -> None:
        for reaction in self._graph.spec.reactions:
            if reaction.trigger and event in [str(one) for one in reaction.events]:
                item = _Item(reaction.id, f"{event} -> {reaction.trigger.node}", reaction.id)
                self._at(now, "input", reaction.trigger.node, item)

    def _at(self, now: int, what: str, id: str, item: _Item) -> None:
        self._count += 1
        heapq.heappush(self._queue, (now, self._count, what, id, item))

    def _input(self, now: int, id: str, item: _Item) -> None:
        schedule = self._schedule
        if schedule.answers.get(id, item.via) != item.via:
            return
        if id in schedule.fails and id not in self._failed:
            self._failed.add(id)
            self._at(now + schedule.fails[id][1], "fail", id, item)
            return
        if id in schedule.raises and id not in self._raised:
            self._raised.add(id)
            self._at(now + schedule.raises[id][1], "raise", id, item)
        if id not in schedule.silent:
            self._at(now + schedule.takes.get(id, 0), "output", id, item)

    def _emit(self, now: int, id: str, item: _Item) -> None:
        for edge in self._graph.out_of(id):
            if (not edge.reactions or item.line in edge.reactions) and self._passes(edge):
                self._along(now, edge, item)

    def _passes(self, edge: GraphEdge) -> bool:
        holds = self._schedule.holds
        if edge.id in self._schedule.lost:
            return False
        if holds is None:
            return True
        if edge.spec.otherwise:
            siblings = self._graph.out_of(edge.source, edge.source_port)
            return not any(_guard(other.spec) in holds for other in siblings if other.spec.guard)
        return edge.spec.guard is None or _guard(edge.spec) in holds

    def _along(self, now: int, edge: GraphEdge, item: _Item) -> None:
        """Coalescing goes on while an item waits; text is held behind that."""
        schedule = self._schedule
        waits, joined = schedule.waits.get(edge.id, 0), schedule.coalesced.get(edge.id, 0)
        at = now + max(waits, joined) + schedule.held.get(edge.id, 0)
        target = self._graph.node(edge.target)
        if target.kind != "egress":
            self._at(at, "input", edge.target, item._replace(via=edge.id))
            return
        output = (f"{edge.target}.{edge.target_port}", item.cause)
        before = self._heard.get(output, Times(at, at))
        self._heard[output] = Times(min(at, before.first_ns), max(at, before.last_ns))


def _guard(spec: EdgeSpec) -> str:
    return show(spec.guard) if spec.guard else ""


def _last_words(graph: Graph, party: str) -> Iterator[tuple[str, str]]:
    """Where what is answered is when the clock starts: going into a node, out of one, or where an edge begins."""
    ingress = f"{party}.ingress" if party else "ingress"
    owner = graph.spec.owner(party)
    heard = _behind(graph, ingress)
    for edge in graph.out_of(ingress, "text"):
        yield "edge", edge.id
    for node in graph.nodes:
        if node.id not in heard:
            continue
        if node.kind == "realtime" and owner and owner.subject == node.id:
            yield "in", node.id
        elif node.kind == "collect":
            yield "out", node.id
        elif node.kind in ("stt", "realtime"):
            yield from _before(graph, node, ingress, owner.subject if owner else "")


def _before(graph: Graph, recogniser: GraphNode, ingress: str, owner: str) -> Iterator[tuple[str, str]]:
    """The last frame has gone where the owner knows it to be: through the owner, into the recogniser, or just in."""
    if owner and owner != ingress and recogniser.id in _behind(graph, owner):
        yield "out", owner
    elif owner in _behind(graph, recogniser.id):
        yield "in", recogniser.id
    else:
        for edge in graph.out_of(ingress, "audio"):
            if edge.target == recogniser.id or recogniser.id in _behind(graph, edge.target):
                yield "edge", edge.id


def _behind(graph: Graph, id: str) -> set[str]:
    """Nodes that flows lead to from a node, itself left out."""
    found: set[str] = set()
    for edge in graph.out_of(id):
        if not edge.reactions and edge.target not in found:
            found |= {edge.target} | _behind(graph, edge.target)
    return found
