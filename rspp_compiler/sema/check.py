"""What must hold in the graph: types, reachability, cycles, fan-in, the turn's bounds, echo, modes.

Each rule is one function that looks at the whole graph and reports all that breaks it; none depends on another. The
graph comes back unchanged.
"""

from __future__ import annotations

import itertools

import networkx as nx

from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge
from rspp_compiler.sema.check_edges import connected_once, fit, same_types, triggered_by_reactions
from rspp_compiler.sema.check_turn import (
    detector_hears_no_echo,
    modes_leave_something,
    nothing_reaches_back,
    one_recogniser,
    something_ends_the_utterance,
    typed_text_needs_no_flow,
)
from rspp_compiler.sema.names import importable, version_number


def check(graph: Graph, ctx: Context) -> Graph:
    """Applies every rule; findings go to the sink."""
    for rule in RULES:
        rule(graph, ctx)
    return graph


def no_cycles(graph: Graph, ctx: Context) -> None:
    """E0403: no item may come back to where it was; shows the cycle arrow by arrow."""
    for component in nx.strongly_connected_components(graph.flows):
        start = min(component, key=lambda id: graph.node(id).position)
        if len(component) == 1 and not graph.flows.has_edge(start, start):
            continue
        ring = _ring(graph, start, component)
        names = [edge.source for edge in ring] + [ring[0].source]
        first, *others = ring
        ctx.sink.add(
            "E0403",
            f"flows form a cycle: {' -> '.join(names)}",
            first.spec.span,
            label=f"`{first.source}` -> `{first.target}`",
            secondary=[(edge.spec.span, f"`{edge.source}` -> `{edge.target}`") for edge in others],
            notes=["an item could go round for ever, and no latency could be promised"],
            help="remove one of these arrows; to let one node influence another, use a reaction (`on … -> …`)",
        )


def _ring(graph: Graph, start: str, component: set[str]) -> list[GraphEdge]:
    """The shortest way from `start` back to itself within its component."""
    inside = graph.flows.subgraph(component)
    ways = [
        [start, *nx.shortest_path(inside, follower, start)]
        for follower in sorted(inside.successors(start), key=lambda id: graph.node(id).position)
    ]
    nodes = min(ways, key=len)
    return [
        next(edge for edge in graph.edges if (edge.source, edge.target) == arrow) for arrow in itertools.pairwise(nodes)
    ]


def reachable(graph: Graph, ctx: Context) -> None:
    """E0404: every node is reached from the ingress or triggered by a reaction. E0405: and its output is used."""
    roots = {"ingress"} | {reaction.trigger.node for reaction in graph.spec.reactions if reaction.trigger}
    reached = set(roots)
    for root in roots & set(graph.flows):
        reached |= nx.descendants(graph.flows, root)
    for node in graph.nodes:
        if node.execution == "boundary":
            continue
        if node.id not in reached:
            is_say = node.kind == "say"
            ctx.sink.add(
                "E0404",
                f"nothing reaches `{node.id}`",
                node.spec.span,
                label="declared here, and never used"
                if not graph.into(node.id)
                else "only unreachable nodes lead here",
                help=f"write a reaction: `on llm.timeout -> {node.id} -> …`"
                if is_say
                else f"write a flow into it, such as `ingress.audio -> {node.id}`, or remove it",
            )
        elif node.spec.outputs and not graph.out_of(node.id):
            ports = ", ".join(f"`{node.id}.{port.name}`" for port in node.spec.outputs)
            ctx.sink.add(
                "E0405",
                f"what `{node.id}` makes goes nowhere",
                node.spec.span,
                label="no output of it is used",
                notes=[f"it has {ports}"],
                help="write a flow from it, or remove the node",
            )


def something_reaches_the_user(graph: Graph, ctx: Context) -> None:
    """E0414: a pipeline without a flow into the egress answers nobody."""
    if not graph.into("egress"):
        ctx.sink.add(
            "E0414",
            f"nothing that `{graph.spec.name}` does reaches the user",
            graph.spec.span,
            label="no flow ends at `egress`",
            help="end a flow at `egress.audio` or `egress.text`",
        )


RULES = (
    importable,
    version_number,
    same_types,
    fit,
    triggered_by_reactions,
    connected_once,
    no_cycles,
    reachable,
    something_reaches_the_user,
    typed_text_needs_no_flow,
    nothing_reaches_back,
    one_recogniser,
    something_ends_the_utterance,
    detector_hears_no_echo,
    modes_leave_something,
)
