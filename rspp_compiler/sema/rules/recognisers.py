"""Rules about recognisers: a turn answers the utterance of one, and something says when an utterance ends."""

from __future__ import annotations

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import both, guess, remove
from rspp_compiler.diagnostics.statements import arrow, begin, offsets, target_of
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.sema.language.kinds import KINDS
from rspp_compiler.sema.mending import without_flow


def one_recogniser(graph: Graph, ctx: Context) -> None:
    """E0413: a turn answers one recogniser. Each party has its own; of several behind guards, one hears."""
    firsts: dict[str, GraphNode] = {}
    for node in graph.of_kind("stt"):
        if any(edge.spec.guard or edge.spec.otherwise for edge in graph.into(node.id)):
            continue
        for party in node.parties:
            first = firsts.setdefault(party, node)
            if first is node:
                continue
            language = _language_apart(graph, first, node)
            choice = f'`-> {node.id} when session.language == "{language}"`, `-> {first.id} otherwise`'
            ctx.sink.add(
                "E0413",
                f"`{node.id}` is a second recogniser",
                node.spec.span,
                label="this one",
                secondary=[(first.spec.span, f"`{first.id}` is the first")],
                notes=["a turn answers the utterance of one recogniser"],
                help=f"let one of them hear: {choice}" if language else "keep one of them",
                fix=_one_hears(graph, first, node, language, ctx) if language else _only(graph, first, node, ctx),
            )


def _language_apart(graph: Graph, first: GraphNode, second: GraphNode) -> str:
    """The language of the second, where both know what they hear, and one flow of the same port feeds each; or ""."""
    languages = [str(node.spec.settings.get("language", "auto")) for node in (first, second)]
    ports = [[(edge.source, edge.source_port) for edge in graph.into(node.id)] for node in (first, second)]
    is_plain = "auto" not in languages and languages[0] != languages[1] and len(ports[0]) == 1
    return languages[1] if is_plain and ports[0] == ports[1] else ""


def _one_hears(graph: Graph, first: GraphNode, second: GraphNode, language: str, ctx: Context) -> Fix | None:
    """Guards on the flows into both: one recogniser hears, the other does not."""
    guards = ((second, f' when session.language == "{language}"'), (first, " otherwise"))
    fixes = []
    for node, guard in guards:
        span = graph.into(node.id)[0].spec.span
        source = ctx.source(span)
        ref = target_of(source, span)
        if ref is None:
            return None
        _, at = offsets(source, ref)
        fixes.append(Fix(source.span(at, at), guard))
    return guess(both(*fixes))


def _only(graph: Graph, first: GraphNode, second: GraphNode, ctx: Context) -> Fix | None:
    """The first recogniser does what both did. Which of them is the better one, nobody can tell."""
    feeding = graph.into(second.id)
    if len(feeding) != 1 or second.spec.implicit:
        return None
    cut = without_flow(feeding[0].spec.span, ctx)
    fixes = [remove(ctx.source(second.spec.span), second.spec.span)]
    fixes.append(Fix(cut.span, cut.replacement.replace(second.id, first.id)))
    for edge in graph.out_of(second.id):
        source, span = ctx.source(edge.spec.span), edge.spec.span
        start, _ = offsets(source, span)
        if begin(source, span) == start:
            fixes.append(Fix(source.span(start, start + len(second.id)), first.id))
    return guess(both(*fixes))


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
    source = ctx.source(edge.spec.span)
    at = arrow(source, edge.spec.span)
    return Fix(source.span(at, at), "-> vad ")
