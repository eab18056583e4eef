"""Rules about hearing and the turn: what goes on all the time, what belongs to one response, who ends an utterance."""

from __future__ import annotations

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.sema.engines import ENGINES, engine
from rspp_compiler.sema.kinds import KINDS
from rspp_compiler.sema.mending import without_flow
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
                help=f"remove this flow, and begin at the recogniser: `{name} -> …`",
                fix=without_flow(edge.spec.span, ctx),
            )


def nothing_reaches_back(graph: Graph, ctx: Context) -> None:
    """E0407: no flow of a turn into hearing. E0408: none into a turn, or to the user's ear, that no turn opened for."""
    for edge in graph.edges:
        target = graph.node(edge.target)
        if edge.scope == "turn" and target.scope != "turn" and target.execution != "boundary" and not edge.opens_turn:
            ctx.sink.add(
                "E0407",
                f"`{edge.target}` hears all the time, and what `{edge.source}` makes belongs to one turn",
                edge.spec.span,
                label="from a turn back into hearing",
                notes=["when a turn ends, everything in it is discarded; hearing goes on"],
                help=f"remove this flow, or let `{edge.target}` be fed by the ingress",
                fix=without_flow(edge.spec.span, ctx),
            )
        elif edge.scope != "turn" and (target.scope == "turn" or _is_voice(target, edge)):
            ctx.sink.add(
                "E0408",
                f"`{edge.source}.{edge.source_port}` flows all the time, and `{edge.target}` only takes part in a turn",
                edge.spec.span,
                label="nothing opens a turn for what flows here",
                notes=["a turn opens when the user's utterance ends, and answers that utterance"],
                help=_from_the_utterance(graph, edge),
                fix=_begin_at_utterance(graph, edge, ctx) or without_flow(edge.spec.span, ctx),
            )


def _is_voice(target: GraphNode, edge: GraphEdge) -> bool:
    """Audio that is heard belongs to a turn; text may be shown at any time; `ambient` is for the session's sounds."""
    return target.kind == "egress" and edge.target_port == "audio"


def _from_the_utterance(graph: Graph, edge: GraphEdge) -> str:
    recognisers = graph.of_kind("stt")
    if recognisers and edge.source == recognisers[0].id:
        return f"flow from the utterance: `{edge.source} -> {edge.target}`"
    if graph.node(edge.target).kind == "egress":
        return f"sounds of the session go to `{edge.target}.ambient`; answers come from a turn"
    return "let the flow pass a recogniser: `… -> stt -> …`"


def _begin_at_utterance(graph: Graph, edge: GraphEdge, ctx: Context) -> Fix | None:
    """`stt.partial -> llm` becomes `stt -> llm`, where the flow begins there."""
    source, span = ctx.source(edge.spec.span), edge.spec.span
    start = source.offset(span.line, span.column)
    written = f"{edge.source}.{edge.source_port}"
    if graph.node(edge.source).kind != "stt" or not source.text.startswith(written, start):
        return None
    if graph.out_of(edge.source, "utterance") and any(
        other.target == edge.target for other in graph.out_of(edge.source, "utterance")
    ):
        return None
    return Fix(source.span(start, start + len(written)), edge.source)


def one_recogniser(graph: Graph, ctx: Context) -> None:
    """E0413: a turn answers the utterance of one recogniser. Parties have one each; of several behind guards one hears."""
    firsts: dict[str, GraphNode] = {}
    for node in graph.of_kind("stt"):
        if any(edge.spec.guard or edge.spec.otherwise for edge in graph.into(node.id)):
            continue
        for party in node.parties:
            first = firsts.setdefault(party, node)
            if first is node:
                continue
            feeding = graph.into(node.id)
            ctx.sink.add(
                "E0413",
                f"`{node.id}` is a second recogniser",
                node.spec.span,
                label="this one",
                secondary=[(first.spec.span, f"`{first.id}` is the first")],
                notes=["a turn answers the utterance of one recogniser"],
                help="keep one of them",
                fix=_without_node(graph, node, feeding, ctx),
            )


def _without_node(graph: Graph, node: GraphNode, feeding: tuple[GraphEdge, ...], ctx: Context) -> Fix | None:
    """The node and the one flow that it is on, where there is no more to it."""
    behind = graph.out_of(node.id)
    if len(feeding) != 1 or node.spec.implicit:
        return None
    fix = remove(ctx.source(node.spec.span), node.spec.span)
    spans = {feeding[0].spec.span, *(edge.spec.span for edge in behind)}
    source = ctx.source(feeding[0].spec.span)
    lines = {span.line for span in spans}
    if len(lines) != 1:
        return None
    start = min(spans, key=lambda span: span.start)
    end = max(spans, key=lambda span: span.end)
    flow = remove(source, start.to(end))
    return Fix(fix.span, fix.replacement, (*fix.also, *flow.edits))


def something_ends_the_utterance(graph: Graph, ctx: Context) -> None:
    """E0806: where speech is recognised, something must say when it ends. Several owners were reported before."""
    detectors = {party for node in graph.nodes if KINDS[node.kind].ends_utterance for party in node.parties}
    for node in graph.of_kind("stt"):
        owned = any(graph.spec.owner(party) for party in node.parties) or detectors & set(node.parties)
        if owned or not graph.into(node.id):
            continue
        feeding = graph.into(node.id)[0]
        ctx.sink.add(
            "E0806",
            f"nothing ends an utterance of `{node.id}`",
            node.spec.span,
            label="it would listen for ever, and no turn would open",
            help=f"put a detector before it: `{feeding.source}.{feeding.source_port} -> vad -> {node.id}`",
            fix=_detector(graph, feeding, ctx),
        )


def _detector(graph: Graph, edge: GraphEdge, ctx: Context) -> Fix | None:
    """A `vad` between the two ends of a flow."""
    if graph.of_kind("vad"):
        return None
    source, span = ctx.source(edge.spec.span), edge.spec.span
    arrow = source.text.find("->", source.offset(span.line, span.column))
    return Fix(source.span(arrow, arrow + 2), "-> vad ->") if arrow >= 0 else None


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
