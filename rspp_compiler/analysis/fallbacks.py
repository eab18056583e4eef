"""Fallbacks that lead back to themselves: each failure, and the failures that what takes it up can have in its turn."""

from __future__ import annotations

from collections import deque

import networkx as nx

from rspp_compiler.analysis.reach import behind, plain_or_of
from rspp_compiler.ir.graph import Graph, GraphNode
from rspp_compiler.ir.proofs.ends import Loop
from rspp_compiler.ir.spec import ReactionSpec

FAILURES = ("error", "timeout")
Failure = tuple[str, str]
"""Subject and event: (`voice`, `error`), (`book`, `timeout`), (`turn`, `abort`)."""


def loops(graph: Graph) -> tuple[Loop, ...]:
    """For each knot of failures that lead to one another, the shortest way round; in the order of the source."""
    follows = _follows(graph)
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


def _follows(graph: Graph) -> nx.DiGraph[Failure]:
    """An arrow from each failure to those that the lines which take it up may lead to; it carries the line's id."""
    follows: nx.DiGraph[Failure] = nx.DiGraph()
    for line in graph.spec.reactions:
        told = [(event.subject, event.event) for event in line.events if _is_failure(graph, event.subject, event.event)]
        for failure in told:
            follows.add_node(failure)
        for after in _may_follow(graph, line) if told else ():
            for failure in told:
                if not follows.has_edge(failure, after):
                    follows.add_edge(failure, after, line=line.id)
    return follows


def _is_failure(graph: Graph, subject: str, event: str) -> bool:
    if subject == "turn":
        return event == "abort"
    return event in FAILURES and (graph.find(subject) or graph.spec.tool(subject)) is not None


def _may_follow(graph: Graph, line: ReactionSpec) -> list[Failure]:
    """Failures of what the line sets going; that of a tool's model among them, which may call it again."""
    if line.verb == "call" and line.object:
        return [(line.object, failure) for failure in FAILURES]
    if line.verb in ("abort_turn", "cancel_turn"):
        return [("turn", "abort")]
    if line.trigger is None:
        return []
    found: list[Failure] = []
    for node in set_going(graph, line):
        found += [(node.id, failure) for failure in failures(node)]
        found += [(tool, failure) for tool in node.spec.tools for failure in FAILURES]
    return [*found, ("turn", "abort")] if aborting(graph, line) else found


def set_going(graph: Graph, line: ReactionSpec) -> list[GraphNode]:
    """The nodes that the path of a line may set going."""
    if line.trigger is None:
        return []
    return [graph.node(id) for id in behind(graph, [line.trigger.node], plain_or_of(line.id))]


def aborting(graph: Graph, line: ReactionSpec) -> list[GraphNode]:
    """Those of them whose failure aborts the turn, since no line is sure to take it up."""
    return [
        node
        for node in set_going(graph, line)
        if node.scope == "turn" and any(not _is_taken_up(graph, node.id, failure) for failure in failures(node))
    ]


def failures(node: GraphNode) -> tuple[str, ...]:
    """Which failures a node can have: what waits can be late, what runs the user's code can go wrong."""
    if node.execution == "effect":
        return FAILURES
    return ("error",) if node.kind in ("python", "wasm") else ()


def _is_taken_up(graph: Graph, subject: str, failure: str) -> bool:
    """Whether some line without a guard names the failure; otherwise it may abort the turn."""
    return any(
        (event.subject, event.event) == (subject, failure)
        for line in graph.spec.reactions
        if line.guard is None
        for event in line.events
    )
