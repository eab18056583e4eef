"""Rules for settings of one node that only make sense together with what flows into it."""

from __future__ import annotations

from rspp_compiler.diagnostics import Fix
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphNode


def priorities(graph: Graph, ctx: Context) -> None:
    """E0426: a priority order names all of its sources, and no others."""
    for node in graph.of_kind("merge"):
        _sources_named(graph, node, ctx)


def _sources_named(graph: Graph, node: GraphNode, ctx: Context) -> None:
    order = node.spec.settings.get("priority")
    if not isinstance(order, tuple):
        return
    sources = tuple(dict.fromkeys(edge.source for edge in graph.into(node.id)))
    missing = [id for id in sources if id not in order]
    unknown = [id for id in order if id not in sources]
    if not missing and not unknown:
        return
    span = node.spec.origin("settings.priority").span
    right = [id for id in order if id in sources] + missing
    what = (
        f"`{missing[0]}` flows into `{node.id}`, and has no priority"
        if missing
        else f"`{unknown[0]}` has a priority, and does not flow into `{node.id}`"
    )
    fix = Fix(span, f"[{', '.join(right)}]")
    ctx.sink.add("E0426", what, span, help=f"write `priority = [{', '.join(right)}]`", fix=fix)
