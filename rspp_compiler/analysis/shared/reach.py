"""What a node reaches, and the shortest way there. Linear in the size of the graph."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from rspp_compiler.ir.graph import Graph, GraphEdge

Passes = Callable[[GraphEdge], bool]
Found = dict[str, GraphEdge | None]
"""Nodes in the order in which they were found, each with the flow of its way that is next to it."""


def anything(_edge: GraphEdge) -> bool:
    """Every flow may be taken."""
    return True


def plain_or_of(reaction: str) -> Passes:
    """The flows that carry what a reaction's path begins: those written as flows, and its own."""
    return lambda edge: not edge.reactions or reaction in edge.reactions


def behind(graph: Graph, starts: Iterable[str], passes: Passes = anything) -> Found:
    """Every node that `starts` reach, themselves included, each with the last flow of a shortest way to it."""
    found: Found = dict.fromkeys(starts)
    waiting = deque(found)
    while waiting:
        for edge in graph.out_of(waiting.popleft()):
            if edge.target not in found and passes(edge):
                found[edge.target] = edge
                waiting.append(edge.target)
    return found


def before(graph: Graph, ends: Iterable[str], passes: Passes = anything) -> Found:
    """Every node from which one of `ends` is reached, themselves included, each with the first flow of that way."""
    found: Found = dict.fromkeys(ends)
    waiting = deque(found)
    while waiting:
        for edge in graph.into(waiting.popleft()):
            if edge.source not in found and passes(edge):
                found[edge.source] = edge
                waiting.append(edge.source)
    return found


def way_from(found: Found, start: str) -> tuple[GraphEdge, ...]:
    """The way that `before` found from `start`; empty when it is an end itself."""
    return tuple(_steps(found, start))


def _steps(found: Found, at: str) -> Iterator[GraphEdge]:
    while (edge := found[at]) is not None:
        yield edge
        at = edge.target


def shown(way: tuple[GraphEdge, ...]) -> tuple[str, ...]:
    """The ports along a way that is not empty, `("llm.delta", "voice.text", "egress.audio")`."""
    return (f"{way[0].source}.{way[0].source_port}", *(f"{edge.target}.{edge.target_port}" for edge in way))
