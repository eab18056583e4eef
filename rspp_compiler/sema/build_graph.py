"""Spec to graph: nodes in topological order, every edge once, and which part of it lives in a turn.

Hearing is session-scoped (CONTRACTS §5): ingress, detectors and recognisers run all the time. Whatever follows the
recogniser's `utterance` belongs to a turn. A node that may live in either (tap, Python) takes its scope from where it
stands.
"""

from __future__ import annotations

import networkx as nx

from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.ir.spec import EdgeSpec, NodeSpec, PipelineSpec, Scope

# Kinds whose scope does not depend on where they stand. `egress` outlives turns: it is the party's other half.
_SCOPES: dict[str, Scope] = {
    "ingress": "session",
    "egress": "session",
    "vad": "session",
    "stt": "session",
    "llm": "turn",
    "tts": "turn",
    "say": "turn",
}


def build_graph(spec: PipelineSpec, ctx: Context) -> Graph:
    """The graph of a pipeline. Two paths of reactions that share an edge share it here too.

    Reports E0417 when they give that edge different settings. Edges whose ends do not exist were reported by `resolve`
    and are left out.
    """
    written = _edges(spec, ctx)
    scopes = _scopes(spec, [edge for edge, _ in written])
    edges = tuple(
        GraphEdge(
            id=edge.id,
            source=edge.source,
            source_port=edge.source_port,
            target=edge.target,
            target_port=edge.target_port,
            scope="turn" if leaves_hearing(spec, edge) or scopes[edge.source] == "turn" else "session",
            reactions=reactions,
            spec=edge,
        )
        for edge, reactions in written
    )
    flows: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    flows.add_nodes_from(node.id for node in spec.nodes)
    for edge in edges:
        flows.add_edge(edge.source, edge.target, edge=edge)
    positions = {id: position for position, id in enumerate(_order(flows, spec.nodes))}
    nodes = sorted(
        (
            GraphNode(node.id, node.kind, _execution(node), scopes[node.id], positions[node.id], node)
            for node in spec.nodes
        ),
        key=lambda node: node.position,
    )
    return Graph(tuple(nodes), edges, spec, flows)


def leaves_hearing(spec: PipelineSpec, edge: EdgeSpec) -> bool:
    """Whether this edge is where a turn begins: it carries a recogniser's `utterance`."""
    node = spec.node(edge.source)
    return node is not None and node.kind == "stt" and edge.source_port == "utterance"


def _edges(spec: PipelineSpec, ctx: Context) -> list[tuple[EdgeSpec, tuple[str, ...]]]:
    """Flows in the order of the source, then the edges of reactions, each with the reactions that it belongs to.

    A path of a reaction that is written as a flow too is that flow.
    """
    ids = {node.id for node in spec.nodes}
    found: dict[str, tuple[EdgeSpec, tuple[str, ...]]] = {}
    paths = [(edge, ()) for edge in spec.edges]
    paths += [(edge, (reaction.id,)) for reaction in spec.reactions for edge in reaction.path]  # type: ignore[misc]
    for edge, reactions in paths:
        if edge.source not in ids or edge.target not in ids:
            continue
        first = found.get(edge.id)
        if first is None:
            found[edge.id] = (edge, reactions)
        elif first[1] and reactions:
            if _settings(first[0]) != _settings(edge):
                ctx.sink.add(
                    "E0417",
                    f"`{edge.id}` is written twice, with different settings",
                    edge.span,
                    label="these settings",
                    secondary=[(first[0].span, "differ from these")],
                    help="the two reactions share one edge: write its settings once, or the same twice",
                )
            found[edge.id] = (first[0], first[1] + reactions)
    return list(found.values())


def _settings(edge: EdgeSpec) -> dict[str, object]:
    return edge.model_dump(exclude={"span", "origins", "handoff"}) | {
        "handoff": edge.handoff.age_ns_max if edge.handoff else 0
    }


def _scopes(spec: PipelineSpec, edges: list[EdgeSpec]) -> dict[str, Scope]:
    """Scope of every node; the floating ones become turn-scoped when anything of a turn reaches them."""
    scopes: dict[str, Scope] = {node.id: _SCOPES.get(node.kind, "session") for node in spec.nodes}
    floating = {node.id for node in spec.nodes if node.kind not in _SCOPES}
    changed = True
    while changed:
        changed = False
        for edge in edges:
            in_turn = scopes[edge.source] == "turn" or leaves_hearing(spec, edge)
            if in_turn and edge.target in floating and scopes[edge.target] == "session":
                scopes[edge.target] = "turn"
                changed = True
    return scopes


def _order(flows: nx.MultiDiGraph[str], nodes: tuple[NodeSpec, ...]) -> list[str]:
    """Topological order: ingress first, egress last, ties as declared; as declared where a cycle forbids it."""
    rank = {"ingress": -1, "egress": len(nodes)}
    declared = {node.id: rank.get(node.kind, index) for index, node in enumerate(nodes)}
    try:
        return list(nx.lexicographical_topological_sort(flows, key=lambda id: declared[id]))
    except nx.NetworkXUnfeasible:
        return sorted(declared, key=lambda id: declared[id])


def _execution(node: NodeSpec) -> str:
    """A Python node of the user is run by the kernel, between two steps; it may not wait for I/O."""
    return "kernel" if node.kind == "python" else node.execution
