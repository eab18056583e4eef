"""Spec to graph: nodes in topological order, every edge once, converters where formats differ, a variant per policy."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import networkx as nx

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.statements import offsets
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.ir.spec import EdgeSpec, NodeSpec, PipelineSpec
from rspp_compiler.sema.graph.formats import convert, settle
from rspp_compiler.sema.graph.variants import under
from rspp_compiler.sema.language.kinds import KINDS
from rspp_compiler.sema.mending import without_clause


def build_graph(spec: PipelineSpec, ctx: Context) -> Graph:
    """The graph of a pipeline, and one for each of its policies.

    Two paths of reactions that share an edge share it here too; E0417 when they give it different settings. Edges whose
    ends do not exist were reported by `resolve` and are left out.
    """
    variants = tuple(replace(_graph(under(spec, policy), ctx), policy=policy.id) for policy in spec.policies)
    return replace(_graph(spec, ctx), variants=variants)


def _graph(spec: PipelineSpec, ctx: Context) -> Graph:
    spec = settle(spec, ctx)
    spec, converters = convert(spec, ctx)
    edges = _edges(spec, ctx)
    flows: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    flows.add_nodes_from(node.id for node in spec.nodes)
    for edge in edges:
        flows.add_edge(edge.source, edge.target, edge=edge)
    parties = _parties(spec, edges)
    positions = {id: position for position, id in enumerate(_order(flows, spec.nodes))}
    nodes = sorted(
        (
            GraphNode(node.id, node.kind, node.execution, node.scope, positions[node.id], parties[node.id], node)
            for node in spec.nodes
        ),
        key=lambda node: node.position,
    )
    return Graph(tuple(nodes), edges, spec, flows, converters=converters)


def _edges(spec: PipelineSpec, ctx: Context) -> tuple[GraphEdge, ...]:
    """Flows in the order of the source, then the edges of reactions, each with the reactions that it belongs to.

    A path of a reaction that is written as a flow too is that flow.
    """
    found: dict[str, tuple[EdgeSpec, tuple[str, ...]]] = {}
    paths: list[tuple[EdgeSpec, tuple[str, ...]]] = [(edge, ()) for edge in spec.edges]
    paths += [(edge, (reaction.id,)) for reaction in spec.reactions for edge in reaction.path]
    for edge, reactions in paths:
        if spec.node(edge.source) is None or spec.node(edge.target) is None:
            continue
        first = found.get(edge.id)
        if first is None:
            found[edge.id] = (edge, reactions)
        elif first[1] and reactions:
            said = [one for one in (first[0], edge) if _says(one)] or [first[0]]
            if len(said) > 1 and _settings(said[0]) != _settings(said[1]):
                _differ(said[0], said[1], ctx)
            found[edge.id] = (said[0], first[1] + reactions)
    return tuple(_edge(spec, edge, reactions) for edge, reactions in found.values())


def _edge(spec: PipelineSpec, edge: EdgeSpec, reactions: tuple[str, ...]) -> GraphEdge:
    return GraphEdge(
        id=edge.id,
        source=edge.source,
        source_port=edge.source_port,
        target=edge.target,
        target_port=edge.target_port,
        scope=edge.scope,
        reactions=reactions,
        opens_turn=edge.opens_turn,
        spec=edge,
    )


def _says(edge: EdgeSpec) -> bool:
    """Whether anything was written about the edge itself: where its reactions share it, it is enough to say it once."""
    origins = (*edge.origins.values(), *(edge.handoff.origins.values() if edge.handoff else ()))
    return bool(edge.guard or edge.otherwise) or any(origin.kind == "user" for origin in origins)


def _settings(edge: EdgeSpec) -> dict[str, object]:
    return edge.model_dump(exclude={"span", "origins", "handoff"}) | {
        "handoff": edge.handoff.age_ns_max if edge.handoff else 0
    }


def _differ(first: EdgeSpec, second: EdgeSpec, ctx: Context) -> None:
    ctx.sink.add(
        "E0417",
        f"`{second.id}` is written twice, with different settings",
        second.span,
        label="these settings",
        secondary=[(first.span, "differ from these")],
        help="the two reactions share one edge: write its settings once, or the same twice",
        fix=_braces(second, ctx),
    )


def _braces(edge: EdgeSpec, ctx: Context) -> Fix | None:
    """The settings of an arrow go: those of the other line then hold for both."""
    source = ctx.source(edge.span)
    start, end = offsets(source, edge.span)
    brace = source.text.find("{", start, end)
    return without_clause(source.span(brace, end), ctx) if brace >= 0 else None


def _parties(spec: PipelineSpec, edges: tuple[GraphEdge, ...]) -> dict[str, tuple[str, ...]]:
    """For each node the parties that it listens or speaks for: those whose ingress reaches it; else the only one."""
    behind: defaultdict[str, list[str]] = defaultdict(list)
    for edge in edges:
        behind[edge.source].append(edge.target)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for node in spec.nodes:
        if node.kind != "ingress":
            continue
        waiting = [node.id]
        while waiting:
            id = waiting.pop()
            if node.party not in found[id]:
                found[id].add(node.party)
                waiting += behind[id]
    everyone = {party.id for party in spec.parties} or {""}
    for node in spec.nodes:
        if node.execution == "boundary":
            found[node.id] = {node.party}
    return {node.id: tuple(sorted(found[node.id] or everyone)) for node in spec.nodes}


def _order(flows: nx.MultiDiGraph[str], nodes: tuple[NodeSpec, ...]) -> list[str]:
    """Topological order: ingress first, egress last, ties as declared; as declared where a cycle forbids it."""
    last = len(nodes)
    rank = {node.id: -1 if node.kind == "ingress" else last for node in nodes if KINDS[node.kind].is_boundary}
    declared = {node.id: (rank.get(node.id, index), index) for index, node in enumerate(nodes)}
    try:
        return list(nx.lexicographical_topological_sort(flows, key=lambda id: declared[id]))
    except nx.NetworkXUnfeasible:
        return sorted(declared, key=lambda id: declared[id])
