"""From the spec of a sketch to its graph, by the plain words of the language: scopes, owners, order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import networkx as nx

from graph_kinds import DETECTORS, SHAPES
from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.ir.spec import EdgeSpec, EventSpec, NodeSpec, OwnerSpec, PartySpec, PipelineSpec, ReactionSpec, Scope

OPENING = {
    ("stt", "utterance"), ("collect", "text"), ("ingress", "text"), ("realtime", "audio"), ("realtime", "transcript"),
}  # fmt: skip


def assemble(spec: PipelineSpec) -> Graph:
    """The graph of a spec whose edges end at its nodes."""
    written: dict[str, tuple[EdgeSpec, tuple[str, ...]]] = {edge.id: (edge, ()) for edge in spec.edges}
    for reaction in spec.reactions:
        for edge in reaction.path:
            first, of = written.get(edge.id, (edge, ("",)))
            written[edge.id] = (first, () if of == () else (*filter(None, of), reaction.id))
    nodes = {node.id: node for node in spec.nodes}
    triggered = [reaction.trigger.node for reaction in spec.reactions if reaction.trigger]
    scopes = _scopes(nodes, [edge for edge, _ in written.values()], triggered)
    edges = [_edge(nodes, scopes, edge, reactions) for edge, reactions in written.values()]
    flows: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    flows.add_nodes_from(nodes)
    for made in edges:
        flows.add_edge(made.source, made.target, edge=made)
    takes_part = _parties(spec.parties, nodes, flows, spec.reactions)
    found = [
        GraphNode(id, nodes[id].kind, nodes[id].execution, scopes[id], position, takes_part[id], nodes[id])
        for position, id in enumerate(_order(flows, nodes))
    ]
    return Graph(tuple(found), tuple(edges), spec, flows)


def _edge(
    nodes: Mapping[str, NodeSpec], scopes: Mapping[str, Scope], edge: EdgeSpec, reactions: tuple[str, ...]
) -> GraphEdge:
    opens = (nodes[edge.source].kind, edge.source_port) in OPENING
    scope: Scope = "turn" if opens or scopes[edge.source] == "turn" else "session"
    if edge.origin("scope").kind == "user":
        scope = edge.scope
    ends = (edge.source, edge.source_port, edge.target, edge.target_port)
    return GraphEdge(
        edge.id, *ends, scope, reactions, opens, edge.model_copy(update={"scope": scope, "opens_turn": opens})
    )


def owners(
    parties: Sequence[PartySpec],
    nodes: Mapping[str, NodeSpec],
    edges: Iterable[EdgeSpec],
    reactions: Iterable[ReactionSpec],
) -> tuple[OwnerSpec, ...]:
    """One row for each party that has an owner: who says `end utterance`, or else the only detector it reaches."""
    edges, found = list(edges), []
    said = [event for one in reactions if one.verb == "end_utterance" for event in one.events]
    for party in parties:
        ingress = f"{party.id}.ingress" if party.id else "ingress"
        heard = reached(edges, [ingress])
        told = [event for event in said if event.subject in heard]
        if told:
            found.append(OwnerSpec(span=told[0].span, party=party.id, event=told[0]))
            continue
        detectors = [nodes[id] for id in nodes if id in heard and nodes[id].kind in DETECTORS]
        if len(detectors) == 1:
            span = detectors[0].span
            event = EventSpec(span=span, subject=detectors[0].id, event="speech_end")
            found.append(OwnerSpec(span=span, party=party.id, event=event))
    return tuple(found)


def reached(edges: Iterable[EdgeSpec], starts: Iterable[str]) -> set[str]:
    """The nodes that the flows of `edges` lead to from `starts`, themselves included."""
    behind: dict[str, list[str]] = {}
    for edge in edges:
        behind.setdefault(edge.source, []).append(edge.target)
    found, open_ = set(starts), list(starts)
    while open_:
        new = [target for target in behind.get(open_.pop(), ()) if target not in found]
        found.update(new)
        open_ += new
    return found


def _scopes(nodes: Mapping[str, NodeSpec], edges: Iterable[EdgeSpec], triggered: Iterable[str]) -> dict[str, Scope]:
    """The scope of the kind, or as written; floating kinds are in a turn when anything of a turn reaches them."""
    edges = list(edges)
    scopes: dict[str, Scope] = {}
    floating = set()
    for id, node in nodes.items():
        written = node.origin("scope").kind == "user"
        scopes[id] = node.scope if written else SHAPES[node.kind].scope or "session"
        if not written and SHAPES[node.kind].scope is None:
            floating.add(id)
    starts = [id for id, scope in scopes.items() if scope == "turn"]
    starts += [edge.target for edge in edges if (nodes[edge.source].kind, edge.source_port) in OPENING]
    starts += triggered
    for id in reached([edge for edge in edges if edge.target in floating], starts) & floating:
        scopes[id] = "turn"
    return scopes


def _parties(
    parties: Sequence[PartySpec], nodes: Iterable[str], flows: nx.MultiDiGraph[str], reactions: Iterable[ReactionSpec]
) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {id: set() for id in nodes}
    for party in parties:
        ingress, egress = (f"{party.id}.{kind}" if party.id else kind for kind in ("ingress", "egress"))
        near = nx.descendants(flows, ingress) | {ingress} if ingress in flows else set()
        near |= nx.ancestors(flows, egress) | {egress} if egress in flows else set()
        for id in near:
            found[id].add(party.id)
    return {id: tuple(sorted(of)) for id, of in found.items()}


def _order(flows: nx.MultiDiGraph[str], nodes: Mapping[str, NodeSpec]) -> list[str]:
    rank = {"ingress": -1, "egress": len(nodes)}
    declared = {id: rank.get(node.kind, index) for index, (id, node) in enumerate(nodes.items())}
    try:
        return list(nx.lexicographical_topological_sort(flows, key=lambda id: declared[id]))
    except nx.NetworkXUnfeasible:
        return sorted(declared, key=lambda id: declared[id])
