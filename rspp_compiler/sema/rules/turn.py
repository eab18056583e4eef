"""Rules about hearing and the turn: what goes on all the time, and what belongs to one response."""

from __future__ import annotations

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import guess
from rspp_compiler.diagnostics.statements import from_elsewhere, target_of
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.sema.language.engines import ENGINES, engine
from rspp_compiler.sema.mending import without_flow
from rspp_compiler.sema.rules.types import agree
from rspp_compiler.source import Span

ECHO = "echo_removal"  # the feature of a detector that takes what is being played out of what it hears


def typed_text_needs_no_flow(graph: Graph, ctx: Context) -> None:
    """E0409: where speech is recognised, what the user types joins the recogniser's utterance by itself."""
    for node in graph.of_kind("ingress"):
        recognisers = [one for one in graph.of_kind("stt") if set(one.parties) & set(node.parties)]
        for edge in graph.out_of(node.id, "text") if recognisers else ():
            name = recognisers[0].id
            ctx.sink.add(
                "E0409",
                f"what the user types needs no flow: it becomes an utterance of `{name}`",
                edge.spec.span,
                label="nothing would come along here",
                help=f"begin at the recogniser: `{name} -> {edge.target}`",
                fix=_begin_at(name, graph, edge, ctx),
            )


def nothing_reaches_back(graph: Graph, ctx: Context) -> None:
    """E0407: no flow of a turn into hearing. E0408: none into a turn, or to the user's ear, that no turn opened for."""
    for edge in graph.edges:
        target = graph.node(edge.target)
        source_port, target_port = graph.source_port(edge), graph.target_port(edge)
        if source_port is None or target_port is None or not agree(source_port.type, target_port.type):
            continue
        if edge.scope == "turn" and target.scope != "turn" and target.execution != "boundary" and not edge.opens_turn:
            outside, span = _outside(graph, edge), edge.spec.span
            ctx.sink.add(
                "E0407",
                f"`{edge.target}` hears all the time, and what `{edge.source}` makes belongs to one turn",
                edge.spec.span,
                label="from a turn back into hearing",
                notes=["when a turn ends, everything in it is discarded; hearing goes on"],
                help=f"let it be fed from outside of turns: `{outside} -> {edge.target}`" if outside else "remove it",
                fix=guess(from_elsewhere(ctx.source(span), span, outside)) if outside else without_flow(span, ctx),
            )
        elif edge.scope != "turn" and (target.scope == "turn" or _is_voice(target, edge)):
            ctx.sink.add(
                "E0408",
                f"`{edge.source}.{edge.source_port}` flows all the time, and `{edge.target}` only takes part in a turn",
                edge.spec.span,
                label="nothing opens a turn for what flows here",
                notes=["a turn opens when the user's utterance ends, and answers that utterance"],
                help=_from_the_utterance(graph, edge),
                fix=_in_a_turn(graph, edge, ctx),
            )


def _is_voice(target: GraphNode, edge: GraphEdge) -> bool:
    """Audio that is heard belongs to a turn; text may be shown at any time; `ambient` is for the session's sounds."""
    return target.kind == "egress" and edge.target_port == "audio"


def _outside(graph: Graph, edge: GraphEdge) -> str:
    """What could feed a detector or recogniser instead of a turn; "" where that is not plain."""
    target = graph.node(edge.target)
    if len(graph.into(edge.target, edge.target_port)) > 1 or "." in edge.target:
        return ""
    kind, port = ("stt", "partial") if target.kind == "endpointer" else ("ingress", "audio")
    sources = graph.of_kind(kind) if target.kind in ("vad", "stt", "realtime", "endpointer") else ()
    return f"{sources[0].spec.party or sources[0].id}.{port}" if len(sources) == 1 else ""


def _from_the_utterance(graph: Graph, edge: GraphEdge) -> str:
    recognisers = graph.of_kind("stt")
    if recognisers and edge.source == recognisers[0].id:
        return f"flow from the utterance: `{edge.source} -> {edge.target}`"
    if graph.node(edge.target).kind == "egress":
        return "sounds of the session go to `egress.ambient`; answers come from a turn"
    return "let the flow pass a recogniser: `… -> stt -> …`"


def _in_a_turn(graph: Graph, edge: GraphEdge, ctx: Context) -> Fix:
    """From the utterance, or to where the session's sounds go; without either, the flow goes."""
    span = edge.spec.span
    if graph.node(edge.source).kind == "stt":
        return _begin_at(edge.source, graph, edge, ctx)
    target = target_of(ctx.source(span), span)
    if _is_voice(graph.node(edge.target), edge) and target and not graph.into(edge.target, "ambient"):
        return guess(Fix(target, f"{graph.node(edge.target).spec.party or edge.target}.ambient"))
    return without_flow(span, ctx)


def _begin_at(recogniser: str, graph: Graph, edge: GraphEdge, ctx: Context) -> Fix:
    """Lets a flow begin at the utterance of a recogniser; where one already leads there, the flow goes."""
    if any(other.target == edge.target for other in graph.out_of(recogniser, "utterance")):
        return without_flow(edge.spec.span, ctx)
    return from_elsewhere(ctx.source(edge.spec.span), edge.spec.span, recogniser)


def detector_hears_no_echo(graph: Graph, ctx: Context) -> None:
    """E0410: a detector that may interrupt must not hear the agent's own voice (CONTRACTS §9)."""
    plays = any(graph.into(node.id, "audio") for node in graph.of_kind("egress"))
    for reaction in graph.spec.reactions:
        for event in reaction.events:
            node = graph.find(event.subject)
            provider = graph.provider_of(node) if node else None
            if node is None or provider is None or event.event != "barge_in" or not plays:
                continue
            for candidate in provider.candidates:
                of = engine(provider.kind, candidate.name)
                if of is None or of.any_settings or ECHO in of.features:
                    continue
                able = [name for (kind, name), one in ENGINES.items() if kind == of.kind and ECHO in one.features]
                ctx.sink.add(
                    "E0410",
                    f"`{node.id}` would be interrupted by the agent's own voice: "
                    f"`{candidate.name}` does not remove the echo",
                    event.span,
                    label="interrupts what is being said",
                    secondary=[(node.spec.span, f"`{node.id}`, performed by `{candidate.name}`")],
                    help=f"use a detector that removes it: {', '.join(f'`{name}`' for name in able)}",
                    fix=_instead(candidate.span, able, ctx),
                )


def _instead(span: Span, able: list[str], ctx: Context) -> Fix | None:
    """One that can, in its place; where the line has settings, they stay behind the name and may need a look."""
    return Fix(span, able[0]) if able and not span.file.startswith("execution_profile/") else None
