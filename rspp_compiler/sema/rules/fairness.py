"""Rules for `fairness`: it says who takes turns where sessions share something, and there it says one thing."""

from __future__ import annotations

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.statements import setting_at, without_setting
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode


def is_shared(node: GraphNode) -> bool:
    """Whether sessions of one process share something where the node is called: its workers."""
    return node.kind == "python" and node.spec.place != "kernel"


def fairness_where_it_counts(graph: Graph, ctx: Context) -> None:
    """E0428: a key where nothing is shared decides nothing. E0429: the calls of a node wait in one order."""
    for node in graph.nodes:
        keyed = [edge for edge in graph.into(node.id) if edge.spec.fairness]
        if not is_shared(node):
            for edge in keyed:
                _of_nothing(node, edge, ctx)
            continue
        for other in keyed[1:]:
            if other.spec.fairness != keyed[0].spec.fairness:
                _differs(node, keyed[0], other, ctx)


def _of_nothing(node: GraphNode, edge: GraphEdge, ctx: Context) -> None:
    ctx.sink.add(
        "E0428",
        f"`fairness` decides nothing here: sessions share nothing at `{node.id}`",
        edge.spec.origin("fairness").span,
        label="each session has an edge of its own",
        notes=(
            "what sessions of one process share are the workers of a Python node with `place = loop`, `thread` or "
            "`process`",
        ),
        help=f"remove it, or write it at a flow into such a node: `-> find {{ fairness = {edge.spec.fairness} }}`",
        fix=_without(edge, ctx),
    )


def _differs(node: GraphNode, first: GraphEdge, other: GraphEdge, ctx: Context) -> None:
    ctx.sink.add(
        "E0429",
        f"the calls of `{node.id}` take turns by `{first.spec.fairness}` and by `{other.spec.fairness}`",
        other.spec.origin("fairness").span,
        label="and by this here",
        secondary=[(first.spec.origin("fairness").span, "by this here")],
        help=f"take one: `fairness = {first.spec.fairness}`",
        fix=Fix(other.spec.origin("fairness").span, first.spec.fairness),
    )


def _without(edge: GraphEdge, ctx: Context) -> Fix | None:
    source = ctx.source(edge.spec.span)
    at = setting_at(source, edge.spec.span, "fairness")
    return without_setting(source, at) if at is not None else None
