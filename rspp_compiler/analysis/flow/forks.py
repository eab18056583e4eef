"""Forks and joins: where two ways part, what each may let through, and where they wait for each other again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import combinations, islice

from rspp_compiler.analysis.flow.capacity import blocks
from rspp_compiler.analysis.flow.streams import Streams, is_plain
from rspp_compiler.analysis.shared.reach import before, way_from
from rspp_compiler.ir.graph import Graph, GraphEdge

CLOCKS_MAX = 8  # of those that join, among which a witness is looked for


@dataclass(frozen=True, slots=True)
class Branch:
    """One of the ways that join: its edges, from where the ways part to the join. `filters` are the nodes and edges on
    it that may let only a part through, each with why, in their order.
    """

    edges: tuple[GraphEdge, ...]
    filters: tuple[tuple[str, str], ...]

    @property
    def last(self) -> GraphEdge:
        return self.edges[-1]


@dataclass(frozen=True, slots=True)
class Fork:
    """Two ways that part at `node` and join again; `empty` is the one that may bring nothing while `full` does.

    `node` is None where they have nothing in common: then either may be silent.
    """

    node: str | None
    empty: Branch
    full: Branch


def fork(graph: Graph, found: Streams, edges: Sequence[GraphEdge]) -> Fork | None:
    """Two of the edges that join and do not come by one clock, with the node at which their ways part: the nearest one,
    and two of which one comes through a filter, if there are such. None where all come by one clock.
    """
    best: Fork | None = None
    of_clock: dict[str, GraphEdge] = {}
    for edge in edges:
        of_clock.setdefault(found.arriving[edge.id].clock.id, edge)
    for one, other in combinations(islice(of_clock.values(), CLOCKS_MAX), 2):
        parted = _parted(graph, found, one, other)
        if parted.node is not None and bool(parted.empty.filters) != bool(parted.full.filters):
            return parted
        if best is None or (best.node is None and parted.node is not None):
            best = parted
    return best


def _parted(graph: Graph, found: Streams, one: GraphEdge, other: GraphEdge) -> Fork:
    ways = [before(graph, [edge.source], is_plain) for edge in (one, other)]
    common = [node for node in ways[0] if node in ways[1]]
    if not common:
        lone = [_branch(graph, found, (edge,)) for edge in (one, other)]
        return Fork(None, lone[1], lone[0])
    node = max(common, key=lambda id: graph.node(id).position)
    first, second = (
        _branch(graph, found, (*way_from(way, node), edge)) for way, edge in zip(ways, (one, other), strict=True)
    )
    if second.filters and not first.filters:
        first, second = second, first
    return Fork(node, first, second)


def _branch(graph: Graph, found: Streams, edges: tuple[GraphEdge, ...]) -> Branch:
    return Branch(edges, tuple(_filters(found, edges)))


def _filters(found: Streams, edges: tuple[GraphEdge, ...]) -> Iterator[tuple[str, str]]:
    """Behind the node at which the ways part, what starts a clock of its own."""
    for at, edge in enumerate(edges):
        made = found.made[edge.source, edge.source_port].clock
        if at and made.at == edge.source:
            yield edge.source, made.because
        arriving = found.arriving[edge.id].clock
        if arriving.at == edge.id:
            yield edge.id, arriving.because


def shedding(graph: Graph, found: Streams, edges: Sequence[GraphEdge]) -> tuple[GraphEdge, GraphEdge] | None:
    """Of ways by one clock that join: an edge that sheds when it is full, and the last edge of a way beside it on which
    every edge makes its producer wait instead. None where there are no such two.

    Once the first has lost an item, the other holds one more for ever; when it is full the fork waits for the join, and
    the join for what the fork would send.
    """
    paths = _from_fork(graph, found, edges)
    patient = next((path[-1] for path in paths if all(blocks(edge) for edge in path)), None)
    lossy = next((edge for path in paths for edge in path if not blocks(edge)), None)
    return (lossy, patient) if lossy is not None and patient is not None else None


def _from_fork(graph: Graph, found: Streams, edges: Sequence[GraphEdge]) -> list[list[GraphEdge]]:
    """For each of several edges of one clock: the way to its end from where all their ways have parted.

    They are followed back side by side, those that are farthest from the ingress first, until all are at one place.
    """
    clock = found.arriving[edges[0].id].clock
    ways = [[edge] for edge in edges]
    places: dict[str, list[int]] = {}  # the node at which ways begin, as far as they are known
    heap: list[tuple[int, str]] = []

    def arrive(at: int) -> None:
        node = ways[at][-1].source
        if node not in places:
            heappush(heap, (-graph.node(node).position, node))
        places.setdefault(node, []).append(at)

    for at in range(len(ways)):
        arrive(at)
    while len(places) > 1:
        _, node = heappop(heap)
        before_it = next(one for one in graph.into(node) if is_plain(one) and found.arriving[one.id].clock == clock)
        for at in places.pop(node):
            ways[at].append(before_it)
            arrive(at)
    return [way[::-1] for way in ways]
