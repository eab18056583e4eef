"""Rules for reactions: a path that begins at an ordinary node gets what the failed node was working on."""

from __future__ import annotations

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import both, guess, line_before, remove
from rspp_compiler.diagnostics.statements import arrow, offsets
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.spec import EventSpec, ReactionSpec
from rspp_compiler.ir.types import EventType, PortType
from rspp_compiler.sema.language.kinds import KINDS
from rspp_compiler.sema.rules.types import agree

_FAILURES = ("error", "timeout", "budget_exhausted")


def paths_take_what_failed(graph: Graph, ctx: Context) -> None:
    """E0427: `on find.error -> llm` hands `llm` the text that `find` had; any other event is only an event."""
    for reaction in graph.spec.reactions:
        trigger = reaction.trigger
        node = graph.find(trigger.node) if trigger else None
        if trigger is None or node is None or KINDS[node.kind].is_triggered:
            continue
        port = node.spec.input(trigger.port)
        for event in reaction.events:
            carried = _carried(graph, event)
            if port is not None and not agree(carried, port.type):
                _report(graph, reaction, event, carried, f"`{node.id}.{port.name}` takes {port.type}", ctx)


def _carried(graph: Graph, event: EventSpec) -> PortType:
    """What the path of this event begins with."""
    node = graph.find(event.subject)
    if node is None or event.event not in _FAILURES:
        return EventType()
    main = next((port for port in node.spec.inputs if port.main), None)
    return main.type if main else EventType()


def _report(
    graph: Graph, reaction: ReactionSpec, event: EventSpec, carried: PortType, takes: str, ctx: Context
) -> None:
    says, voices = graph.of_kind("say"), graph.of_kind("tts")
    way = f"{says[0].id if says else 'nudge'} -> {voices[0].id if voices else 'tts'}"
    ctx.sink.add(
        "E0427",
        f"`{event}` brings {carried}, and {takes}",
        reaction.span,
        label="the path begins with what the failed node was working on",
        secondary=[(event.span, f"brings {carried}")],
        help=f"begin at a node that takes anything, such as a `say`: `-> {way}`",
        fix=_said(graph, reaction, way, ctx) or remove(ctx.source(reaction.span), reaction.span),
    )


def _said(graph: Graph, reaction: ReactionSpec, way: str, ctx: Context) -> Fix | None:
    """Words in the place of the path; the node that says them is declared where there is none."""
    source, span = ctx.source(reaction.span), reaction.span
    name = way.partition(" ")[0]
    if len(graph.of_kind("tts")) != 1 or any("." in word for word in way.split()):
        return None
    path = Fix(source.span(arrow(source, span), offsets(source, span)[1]), f"-> {way}")
    if graph.find(name):
        return guess(path)
    return guess(both(line_before(source, span, f'node {name} : say {{ text = "Are you still there?" }}'), path))
