"""E1101: flows that meet in no order, and the smallest change that gives them one."""

from __future__ import annotations

from rspp_compiler.analysis.shared.repairs import local, without_events, without_flow
from rspp_compiler.analysis.shared.words import listed
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge
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
        instead = _behind(graph, lines)
        help = f"let the second follow the first, `on {instead} -> …`, or exclude each other by their guards"
        fix = without_events(ctx, lines[1], shared, "" if lines[1].guard else instead)
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


def _behind(graph: Graph, lines: tuple[ReactionSpec, ReactionSpec]) -> str:
    """An event by which the second line comes after the first: its end, where that is enough to begin with, else its
    failure, which hands on what was being worked on.
    """
    first, second = lines[0].trigger, lines[1].trigger
    assert first is not None  # both have a path
    assert second is not None
    path = [graph.node(id) for id in (first.node, *(edge.target for edge in lines[0].path))]
    last = next(node for node in path if node.execution == "effect" or node.kind == "play")
    is_triggered = graph.node(second.node).kind in ("say", "play")
    return f"{local(last.id)}.{'done' if is_triggered else 'error'}"
