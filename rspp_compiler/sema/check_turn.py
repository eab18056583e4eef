"""Rules about hearing and the turn: what goes on all the time, what belongs to one response, who ends an utterance."""

from __future__ import annotations

from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge

# Detectors that take what is being played out of what they hear (`Invocation.reference`).
HEARS_NO_ECHO = frozenset({"silero"})


def typed_text_needs_no_flow(graph: Graph, ctx: Context) -> None:
    """E0409: what the user types joins the recogniser's utterance by itself."""
    for edge in graph.out_of("ingress", "text"):
        ctx.sink.add(
            "E0409",
            "what the user types needs no flow: it becomes an utterance of the recogniser",
            edge.spec.span,
            label="nothing would come along here",
            help="remove this flow, and begin at the recogniser: `stt -> …`",
        )


def nothing_reaches_back(graph: Graph, ctx: Context) -> None:
    """E0407: no flow of a turn into hearing. E0408: and none into a turn, or to the user, but an utterance."""
    for edge in graph.edges:
        target = graph.node(edge.target)
        if edge.source == "ingress" and edge.source_port == "text":
            continue
        if edge.scope == "turn" and target.scope == "session" and target.execution != "boundary":
            ctx.sink.add(
                "E0407",
                f"`{edge.target}` hears all the time, and what `{edge.source}` makes belongs to one turn",
                edge.spec.span,
                label="from a turn back into hearing",
                notes=["when a turn ends, everything in it is discarded; hearing goes on"],
                help=f"remove this flow, or let `{edge.target}` be fed by the ingress",
            )
        elif edge.scope == "session" and (target.scope == "turn" or edge.target == "egress"):
            ctx.sink.add(
                "E0408",
                f"`{edge.source}.{edge.source_port}` flows all the time, and `{edge.target}` only takes part in a turn",
                edge.spec.span,
                label="nothing opens a turn for what flows here",
                notes=["a turn opens when the user's utterance ends, and answers that utterance"],
                help=_from_the_utterance(graph, edge),
            )


def _from_the_utterance(graph: Graph, edge: GraphEdge) -> str:
    recognisers = graph.of_kind("stt")
    if recognisers and edge.source == recognisers[0].id:
        return f"flow from the utterance: `{edge.source} -> {edge.target}`"
    return "let the flow pass a recogniser: `… -> stt -> …`"


def one_recogniser(graph: Graph, ctx: Context) -> None:
    """E0413: a turn answers the utterance of one recogniser."""
    first, *others = (*graph.of_kind("stt"), None)
    for node in others:
        if node is not None and first is not None:
            ctx.sink.add(
                "E0413",
                f"`{node.id}` is a second recogniser",
                node.spec.span,
                label="this one",
                secondary=[(first.spec.span, f"`{first.id}` is the first")],
                notes=["a turn answers the utterance of one recogniser"],
                help="keep one of them",
            )


def something_ends_the_utterance(graph: Graph, ctx: Context) -> None:
    """E0806: where speech is recognised, something must say when it ends. Several owners were reported before."""
    detectors = graph.of_kind("vad")
    for node in graph.of_kind("stt"):
        if graph.spec.turn_owner is None and not detectors and graph.into(node.id):
            ctx.sink.add(
                "E0806",
                f"nothing ends an utterance of `{node.id}`",
                node.spec.span,
                label="it would listen for ever, and no turn would open",
                help=f"put a detector before it: `ingress.audio -> vad -> {node.id}`",
            )


def detector_hears_no_echo(graph: Graph, ctx: Context) -> None:
    """E0410: a detector that may interrupt must not hear the agent's own voice (CONTRACTS §9)."""
    plays = any(edge.target_port == "audio" for edge in graph.into("egress"))
    for reaction in graph.spec.reactions:
        for event in reaction.events:
            node = next((node for node in graph.of_kind("vad") if node.id == event.subject), None)
            if node is None or event.event != "barge_in" or not plays:
                continue
            provider = graph.spec.provider(node.spec.provider or node.kind)
            names = [candidate.name for candidate in provider.candidates] if provider else []
            deaf = [name for name in names if name not in HEARS_NO_ECHO]
            if deaf:
                ctx.sink.add(
                    "E0410",
                    f"`{node.id}` would be interrupted by the agent's own voice: `{deaf[0]}` does not remove the echo",
                    event.span,
                    label="interrupts what is being said",
                    secondary=[(node.spec.span, f"`{node.id}`, performed by `{deaf[0]}`")],
                    help=f"use a detector that removes it: {', '.join(f'`{name}`' for name in sorted(HEARS_NO_ECHO))}",
                )


def modes_leave_something(graph: Graph, ctx: Context) -> None:
    """E0411: only nodes of a turn can be off. E0412: and what is left must still reach the user."""
    for mode in graph.spec.modes:
        off = {id for id in mode.off if any(node.id == id for node in graph.nodes)}
        for id in mode.off:
            node = next((node for node in graph.nodes if node.id == id), None)
            if node is not None and (node.scope == "session" or node.execution == "boundary"):
                ctx.sink.add(
                    "E0411",
                    f"`{id}` cannot be off in a mode",
                    mode.span,
                    label=f"`{mode.id}` turns it off",
                    secondary=[(node.spec.span, f"`{id}` works all the time, outside of turns")],
                    help="only nodes that take part in a turn can be off",
                )
        ways = [edge for edge in graph.into("egress") if edge.source not in off and _is_fed(graph, edge.source, off)]
        if graph.into("egress") and not ways:
            ctx.sink.add(
                "E0412",
                f"nothing reaches the user in mode `{mode.id}`",
                mode.span,
                label=f"with {', '.join(f'`{id}`' for id in mode.off)} off, no flow is left into `egress`",
                help="let text reach the user as well: `llm.delta -> egress.text`",
            )


def _is_fed(graph: Graph, id: str, off: set[str]) -> bool:
    """Whether a flow that begins outside of turns, or a say node, still leads to this node."""
    seen: set[str] = set()
    waiting = [id]
    while waiting:
        current = waiting.pop()
        node = graph.node(current)
        if current in seen or current in off:
            continue
        seen.add(current)
        if node.scope == "session" or node.kind == "say":
            return True
        waiting += [edge.source for edge in graph.into(current)]
    return False
