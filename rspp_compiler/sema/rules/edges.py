"""Rules for edges: something takes what flows, and the flows into one input have an order."""

from __future__ import annotations

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import both, line_before, remove
from rspp_compiler.diagnostics.statements import (
    arrow,
    begin,
    braces,
    bypass,
    finish,
    from_elsewhere,
    indent,
    offsets,
    target_of,
)
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.ir.spec import PortSpec
from rspp_compiler.sema.language.kinds import KINDS
from rspp_compiler.sema.mending import without_flow

_MERGE = "merge { order = timestamp, within = 20ms }"
_EVENTS = ("done", "speech_end")  # what tells that a node is through with its item, the plainest first


def triggered_by_reactions(graph: Graph, ctx: Context) -> None:
    """E0419: what says a fixed text or plays a file has no use for what a flow brings."""
    for edge in graph.edges:
        if KINDS[graph.node(edge.target).kind].is_triggered:
            ctx.sink.add(
                "E0419",
                f"`{edge.target}` is triggered by reactions, not by flows",
                edge.spec.span,
                label="nothing that flows here would be said",
                help=f"write a reaction: `on {_event(graph, edge)} -> {edge.target} -> …`",
                fix=_triggered(graph, edge, ctx),
            )


def _event(graph: Graph, edge: GraphEdge) -> str:
    """The event that tells of what would flow: of the node, or, where it is an utterance, that a turn opens."""
    source = graph.node(edge.source)
    own = next((event for event in _EVENTS if event in source.spec.events), "")
    return "turn.turn_open" if edge.opens_turn or not own else f"{edge.source}.{own}"


def _triggered(graph: Graph, edge: GraphEdge, ctx: Context) -> Fix:
    """A reaction in the place of the flow; the first arrow of a reaction takes neither settings nor its fields."""
    source, span = ctx.source(edge.spec.span), edge.spec.span
    if edge.spec.guard or edge.spec.otherwise or braces(source, span):
        return without_flow(span, ctx)
    return from_elsewhere(source, span, f"on {_event(graph, edge)}")


def connected_once(graph: Graph, ctx: Context) -> None:
    """E0406: several flows into one port have no order. Paths of reactions take a port over, and may join."""
    for node in graph.nodes:
        if len(graph.into(node.id)) < 2:
            continue
        many = {port.name for port in KINDS[node.kind].inputs if port.many}
        for port in node.spec.inputs:
            flows = [edge for edge in graph.into(node.id, port.name) if not edge.reactions and not _is_fed(graph, edge)]
            if len(flows) < 2 or port.name in many:
                continue
            first, second, *others = flows
            ctx.sink.add(
                "E0406",
                f"{len(flows)} flows end at `{node.id}.{port.name}`",
                second.spec.span,
                label="and this one",
                secondary=[
                    (first.spec.span, f"this flow ends at `{node.id}.{port.name}`"),
                    *((edge.spec.span, "and this one") for edge in others),
                ],
                notes=["which of two items comes first must be said, or no two runs would be alike"],
                help=f"join them: `node {_joint(port, node)} : {_MERGE}`, `… -> {_joint(port, node)} -> {node.id}`",
                fix=_joined(graph, flows, _joint(port, node), ctx) or without_flow(second.spec.span, ctx),
            )


def _is_fed(graph: Graph, edge: GraphEdge) -> bool:
    """Whether what the flow begins at should be triggered, and is fed: that was reported, and changes what flows."""
    fed = any(not into.reactions for into in graph.into(edge.source))
    return KINDS[graph.node(edge.source).kind].is_triggered and fed


def _joint(port: PortSpec, node: GraphNode) -> str:
    return f"to_{node.id if port.main else port.name}"


def _joined(graph: Graph, flows: list[GraphEdge], name: str, ctx: Context) -> Fix | None:
    """All of them through a `merge`, where nothing stands in its way; a flow that goes on begins a line of its own."""
    if graph.find(name) or len({edge.scope for edge in flows}) > 1 or any("." in edge.target for edge in flows):
        return None
    fixes = []
    for number, edge in enumerate(flows):
        source, span = ctx.source(edge.spec.span), edge.spec.span
        at, ref, (_, end) = arrow(source, span), target_of(source, span), offsets(source, span)
        if ref is None:
            return None
        if number == 0:
            first = begin(source, span)
            fixes.append(line_before(source, source.span(first, first), f"node {name} : {_MERGE}"))
            fixes.append(Fix(source.span(at, at), f"-> {name} "))
            continue
        fixes.append(Fix(ref, name))
        if finish(source, end) > end:
            line = f"\n{indent(source, begin(source, span))}{edge.target}"
            fixes.append(Fix(source.span(end, end), line))
    return both(*fixes)


def joins_have_several(graph: Graph, ctx: Context) -> None:
    """E0424: a merge or select of one flow joins nothing."""
    for node in graph.of_kind("merge", "select"):
        flows = [edge for edge in graph.into(node.id) if not edge.reactions]
        members = any("party" in (graph.node(edge.source).scope) for edge in flows)
        if len(flows) != 1 or members or any(edge.reactions for edge in graph.into(node.id)):
            continue
        (only,) = flows
        ctx.sink.add(
            "E0424",
            f"only one flow ends at `{node.id}`",
            node.spec.span,
            label="there is nothing to join",
            secondary=[(only.spec.span, "the only flow into it")],
            help=f"send another flow into it, or let `{only.source}` go on without it",
            fix=_without_joint(graph, node, only, ctx),
        )


def _without_joint(graph: Graph, node: GraphNode, only: GraphEdge, ctx: Context) -> Fix | None:
    """The node goes: what flowed into it flows on by itself, if anything follows."""
    out = graph.out_of(node.id)
    fixes = [] if node.spec.implicit else [remove(ctx.source(node.spec.span), node.spec.span)]
    if len(out) > 1 or any(edge.reactions for edge in out):
        return None
    if not out:
        return both(without_flow(only.spec.span, ctx), *fixes)
    first, second = only.spec.span, out[0].spec.span
    return both(*bypass(ctx.source(first), first, ctx.source(second), second), *fixes)
