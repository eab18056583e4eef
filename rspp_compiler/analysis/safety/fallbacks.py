"""Fallbacks that lead back to themselves: each failure, and the failures that what takes it up can have in its turn."""

from __future__ import annotations

from collections import deque

import networkx as nx

from rspp_compiler.analysis.shared.reach import behind, plain_or_of
from rspp_compiler.ir.graph import Graph, GraphNode
from rspp_compiler.ir.proofs.ends import Loop
from rspp_compiler.ir.spec import ReactionSpec

FAILURES = ("error", "timeout")
Failure = tuple[str, str]
"""Subject and event: (`voice`, `error`), (`book`, `timeout`), (`turn`, `abort`)."""


class Handlers:
    """The lines of a graph by the failures that they name, each list in the order of the source."""

    def __init__(self, graph: Graph) -> None:
        self._by_failure: dict[Failure, list[ReactionSpec]] = {}
        for line in graph.spec.reactions:
            if graph.shows(line):
                continue  # who watches takes nothing up
            for failure in dict.fromkeys((event.subject, event.event) for event in line.events):
                self._by_failure.setdefault(failure, []).append(line)
        self._egress = frozenset(node.id for node in graph.of_kind("egress"))
        self.graph = graph
        self._set_going: dict[str, list[GraphNode]] = {}

    def of(self, subject: str, failure: str) -> list[ReactionSpec]:
        """The lines that name a failure."""
        return self._by_failure.get((subject, failure), [])

    def is_taken_up(self, subject: str, failure: str) -> bool:
        """Whether some line without a guard names the failure; otherwise it may abort the turn."""
        return any(line.guard is None for line in self.of(subject, failure))

    def set_going(self, line: ReactionSpec) -> list[GraphNode]:
        """The nodes that the path of a line may set going."""
        if line.trigger is None:
            return []
        if line.id not in self._set_going:
            reached = behind(self.graph, [line.trigger.node], plain_or_of(line.id))
            self._set_going[line.id] = [self.graph.node(id) for id in reached]
        return self._set_going[line.id]

    def is_heard(self, line: ReactionSpec) -> bool:
        """Whether its path comes to the user."""
        return any(node.id in self._egress for node in self.set_going(line))

    def aborting(self, line: ReactionSpec) -> list[GraphNode]:
        """Nodes of its path whose failure aborts the turn, since no line is sure to take it up."""
        return [
            node
            for node in self.set_going(line)
            if node.scope == "turn" and any(not self.is_taken_up(node.id, failure) for failure in failures(node))
        ]


def loops(graph: Graph, handlers: Handlers) -> tuple[Loop, ...]:
    """For each knot of failures that lead to one another, the shortest way round; in the order of the source."""
    follows = _follows(graph, handlers)
    order = {failure: place for place, failure in enumerate(follows)}
    found = []
    for knot in nx.strongly_connected_components(follows):
        first = min(knot, key=lambda failure: order[failure])
        if len(knot) > 1 or follows.has_edge(first, first):
            found.append((order[first], _ring(follows, knot, order)))
    return tuple(loop for _, loop in sorted(found, key=lambda pair: pair[0]))


def _ring(follows: nx.DiGraph[Failure], knot: set[Failure], order: dict[Failure, int]) -> Loop:
    """The shortest way from a failure back to itself; of several, the one that begins first."""
    inside = follows.subgraph(knot)
    rings = [ring for start in sorted(knot, key=lambda one: order[one]) if (ring := _round(inside, start))]
    ring = min(rings, key=len)
    steps = tuple(f"{subject}.{event}" for subject, event in ring)
    return Loop(steps, tuple(inside.edges[ring[at], ring[at + 1]]["line"] for at in range(len(ring) - 1)))


def _round(inside: nx.DiGraph[Failure], start: Failure) -> list[Failure]:
    came_from: dict[Failure, Failure] = {}
    waiting = deque([start])
    while waiting:
        at = waiting.popleft()
        for after in inside.successors(at):
            if after not in came_from:
                came_from[after] = at
                waiting.append(after)
    ring = [start]
    while len(ring) == 1 or ring[-1] != start:
        ring.append(came_from[ring[-1]])
    return ring[::-1]


def _follows(graph: Graph, handlers: Handlers) -> nx.DiGraph[Failure]:
    """An arrow from each failure to those that the lines which take it up may lead to; it carries the line's id."""
    follows: nx.DiGraph[Failure] = nx.DiGraph()
    for line in graph.spec.reactions:
        told = [(event.subject, event.event) for event in line.events if _is_failure(graph, event.subject, event.event)]
        for failure in told:
            follows.add_node(failure)
        for after in _may_follow(handlers, line) if told else ():
            for failure in told:
                if not follows.has_edge(failure, after):
                    follows.add_edge(failure, after, line=line.id)
    return follows


def _is_failure(graph: Graph, subject: str, event: str) -> bool:
    if subject == "turn":
        return event == "abort"
    return event in FAILURES and (graph.find(subject) or graph.spec.tool(subject)) is not None


def _may_follow(handlers: Handlers, line: ReactionSpec) -> list[Failure]:
    """Failures of what the line sets going; that of a tool's model among them, which may call it again."""
    if line.verb == "call" and line.object:
        return [(line.object, failure) for failure in FAILURES]
    if line.verb in ("abort_turn", "cancel_turn"):
        return [("turn", "abort")]
    if line.trigger is None:
        return []
    found: list[Failure] = []
    for node in handlers.set_going(line):
        found += [(node.id, failure) for failure in failures(node)]
        found += [(tool, failure) for tool in node.spec.tools for failure in FAILURES]
    return [*found, ("turn", "abort")] if handlers.aborting(line) else found


def failures(node: GraphNode) -> tuple[str, ...]:
    """Which failures a node can have: what waits can be late, what runs the user's code can go wrong."""
    if node.execution == "effect":
        return FAILURES
    return ("error",) if node.kind in ("python", "wasm") else ()
