"""Nodes that are paused, and whether anything can resume them: an event that comes only through them cannot."""

from __future__ import annotations

from collections.abc import Iterator

from rspp_compiler.analysis.reach import behind
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.proofs.liveness import Standstill, Wait
from rspp_compiler.ir.spec import ReactionSpec

# What follows an event in any case: a fitting end of the pause that it begins.
_FOLLOWED_BY = {
    "speech_start": "speech_end",
    "barge_in": "speech_end",
    "button_down": "button_up",
    "started": "done",
    "playback_started": "playback_completed",
    "reconnecting": "connected",
    "disconnected": "connected",
}


def pauses(graph: Graph) -> Iterator[tuple[Standstill, ReactionSpec, ReactionSpec | None]]:
    """Each `pause NODE` that nothing undoes, the reaction that pauses, and one that would resume it but cannot."""
    for reaction in graph.spec.reactions:
        node = reaction.object
        if reaction.verb != "pause" or node is None or graph.find(node) is None:
            continue
        resumes = [one for one in graph.spec.reactions if one.verb == "resume" and one.object == node]
        stands = still(graph, reaction)
        if all(event.subject in stands for one in resumes for event in one.events):
            yield _standstill(graph, node, reaction, resumes), reaction, resumes[0] if resumes else None


def still(graph: Graph, reaction: ReactionSpec) -> frozenset[str]:
    """What stands still once a reaction has paused its node: the node, the nodes that nothing else leads to, the tools
    that only those call.

    The session, turns and the users go on; so does what the event that paused it has set going.
    """
    paused = reaction.object
    subjects = {event.subject for event in reaction.events}
    triggered = {one.trigger.node for one in graph.spec.reactions if one.trigger is not None}
    sources = [
        node.id
        for node in graph.nodes
        if node.id != paused
        and (
            not graph.into(node.id)
            or node.id in triggered | subjects
            or node.kind == "egress"
            or (node.scope == "turn" and "turn" in subjects)
        )
    ]
    alive = behind(graph, sources, lambda edge: edge.target != paused)
    nodes = {node.id for node in graph.nodes if node.id not in alive}
    called = {one.object for one in graph.spec.reactions if one.verb == "call"}
    callers = {tool.id: {node.id for node in graph.nodes if tool.id in node.spec.tools} for tool in graph.spec.tools}
    tools = {tool for tool, by in callers.items() if by and by <= nodes and tool not in called | subjects}
    return frozenset(nodes | tools)


def resuming_event(graph: Graph, reaction: ReactionSpec) -> str:
    """An event that comes after the pause in any case: what ends that which began it, or else the end of the turn."""
    stands = still(graph, reaction)
    for event in reaction.events:
        follows = _FOLLOWED_BY.get(event.event, "")
        node = graph.find(event.subject)
        if follows and event.subject not in stands and (node is None or follows in node.spec.events):
            return f"{event.subject}.{follows}"
    return "turn.close"


def _standstill(graph: Graph, node: str, reaction: ReactionSpec, resumes: list[ReactionSpec]) -> Standstill:
    begins = Wait(node, "resume", f"`resume {node}`, since `{reaction.events[0]}` paused it", reaction.span)
    waits = [
        Wait("resume", event.subject, f"`{event}`, which does not come while `{node}` is paused", event.span)
        for one in resumes
        for event in one.events
    ]
    return Standstill("pause", node, (begins, *waits))
