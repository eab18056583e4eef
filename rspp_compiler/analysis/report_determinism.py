"""E1101 and E1102: flows that meet in no order, and the smallest change that gives them one."""

from __future__ import annotations

from rspp_compiler.analysis.repairs import local, set_on_node, without_events, without_flow
from rspp_compiler.analysis.words import listed
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.ir.spec import ReactionSpec


def report_unordered(
    graph: Graph,
    port: str,
    edges: list[GraphEdge],
    lines: tuple[ReactionSpec, ReactionSpec] | None,
    ctx: Context,
) -> None:
    """E1101: two flows, or the paths of two lines for one event, into one port."""
    if lines is None:
        first, second = edges[0].spec.span, edges[1].spec.span
        message = f"{listed(edge.id for edge in edges)} meet, and nothing says whose item goes first"
        help = "join them with a node: `node lines : merge { order = timestamp }`; or remove one"
        fix = without_flow(ctx, edges[1])
    else:
        told = {str(event) for event in lines[0].events}
        shared = [event for event in lines[1].events if str(event) in told]
        first, second = lines[0].span, lines[1].span
        names = listed(str(event) for event in shared)
        message = f"two lines for {names} reach `{port}` at once, and nothing says whose item goes first"
        help = f"let one of them answer {names}, or give their guards conditions that exclude each other"
        fix = without_events(ctx, lines[1], shared)
    ctx.sink.add(
        "E1101",
        message,
        second,
        label="meets the other here",
        secondary=[(first, "this one comes there too")],
        notes=["which of two providers is faster differs from run to run"],
        help=help,
        fix=fix,
    )


def report_priority(node: GraphNode, edges: list[GraphEdge], ctx: Context) -> None:
    """E1102: an order of priority without the priorities. Lists that do not fit their flows are found before."""
    if node.spec.settings.get("priority"):
        return
    wanted = f"priority = [{', '.join(dict.fromkeys(local(edge.source) for edge in edges))}]"
    origin = node.spec.origin("settings.order")
    ctx.sink.add(
        "E1102",
        f"`{node.id}` goes by priority, and does not say which flow goes first",
        origin.span,
        label="an order without its list",
        secondary=[(edge.spec.span, "one of them") for edge in edges],
        help=f"write `{wanted}`, or go by time: `order = timestamp`",
        fix=set_on_node(ctx, node.spec, wanted),
    )
