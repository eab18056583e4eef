"""Rules for settings of one node that only make sense together."""

from __future__ import annotations

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import setting_in
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphNode
from rspp_compiler.source import Span

_ONE_OF = {"timer": (("after_ns", "every_ns"), "after = 30s"), "collect": (("digits", "until"), 'until = "#"')}


def complete(graph: Graph, ctx: Context) -> None:
    """E0310: a timer has a time, a collect an end. E0426: a priority order names all of its sources, and no others."""
    for node in graph.of_kind(*_ONE_OF):
        fields, example = _ONE_OF[node.kind]
        if not any(field in node.spec.settings for field in fields):
            names = " or ".join(f"`{field.removesuffix('_ns')}`" for field in fields)
            ctx.sink.add(
                "E0310",
                f"`{node.id}` needs {names}",
                node.spec.span,
                help=f"write `{example}`",
                fix=setting_in(ctx.source(node.spec.span), node.spec.span, _braces(node.spec.span, ctx), example),
            )
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


def _braces(span: Span, ctx: Context) -> Span | None:
    """The braces at the end of a declaration."""
    source = ctx.source(span)
    start, end = source.offset(span.line, span.column), source.offset(span.end_line, span.end_column)
    brace = source.text.find("{", start, end)
    return source.span(brace, end) if brace >= 0 else None
