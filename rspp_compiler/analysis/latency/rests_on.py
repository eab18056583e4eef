"""What the latencies rest on: every figure of a node or an edge that lies on some way to an output."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rspp_compiler.analysis.latency.arrivals import Arrivals
from rspp_compiler.analysis.latency.causes import holds_up
from rspp_compiler.analysis.latency.figures import Figure, assume
from rspp_compiler.analysis.latency.ways import Stop, Ways
from rspp_compiler.ir.graph import Graph, GraphEdge
from rspp_compiler.ir.proofs.assumptions import Assumption
from rspp_compiler.ir.tooling import callers


def rests_on(ways: Ways, arrivals: Arrivals, stops: Iterable[Sequence[Stop]]) -> tuple[Assumption, ...]:
    """The assumptions of all paths and path budgets, sorted, each once."""
    graph = ways.graph
    figures = dict.fromkeys(_of_paths(ways, arrivals))
    figures.update(dict.fromkeys(_of_reactions(ways, stops)))
    figures.update(dict.fromkeys(_of_budgets(ways)))
    found = [figure.assumption() for figure in figures]
    nodes = {figure.subject for figure in figures if figure.kind == "first_output"}
    return tuple(sorted({*found, *_chunks(graph, nodes), *_tools(graph, nodes)}, key=lambda one: (one.id, one.limit)))


def _of_paths(ways: Ways, arrivals: Arrivals) -> Iterator[Figure]:
    for node in ways.graph.nodes:
        if arrivals.answers(node.id) and _leads(ways, node.id):
            yield from ways.figures(node.id)
    for edge in ways.graph.edges:
        if arrivals.follows(edge) and _is_useful(ways, edge):
            yield from ways.figures(edge)


def _of_reactions(ways: Ways, stops: Iterable[Sequence[Stop]]) -> Iterator[Figure]:
    for stop in (stop for found in stops for stop in found):
        if (stop.node, stop.port) in ways.outputs or _leads(ways, stop.node):
            for part in (*stop.way, stop.node):
                yield from ways.figures(part)


def _of_budgets(ways: Ways) -> Iterator[Figure]:
    """Everything between the two ends of each path budget."""
    for budget in ways.graph.spec.budget.paths:
        way = ways.between((budget.source, budget.source_port), (budget.target, budget.target_port))
        for part in way[1] if way else ():
            yield from ways.figures(part)


def _leads(ways: Ways, node: str) -> bool:
    return any(node in ways.tails[output] for output in ways.outputs)


def _is_useful(ways: Ways, edge: GraphEdge) -> bool:
    return (edge.target, edge.target_port) in ways.outputs or _leads(ways, edge.target)


def _chunks(graph: Graph, nodes: set[str]) -> Iterator[Assumption]:
    """What comes after the first output of a turn's effects comes in time, too: a hand-off waits for a sentence."""
    for id in nodes:
        node = graph.node(id)
        if node.scope == "turn" and node.spec.chunk_ns:
            yield assume("chunk", id, node.spec.chunk_ns, node.spec.origin("chunk_ns"))


def _tools(graph: Graph, nodes: set[str]) -> Iterator[Assumption]:
    for tool in graph.spec.tools:
        if holds_up(tool) and nodes.intersection(callers(graph, tool.id)):
            yield assume("timeout", tool.id, tool.timeout_ns, tool.origin("timeout_ns"))
