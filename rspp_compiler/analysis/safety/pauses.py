"""What is paused must be resumed, by something that can still come while it is paused."""

from __future__ import annotations

from rspp_compiler.analysis.shared.reach import behind
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.spec import ReactionSpec


def unresumed(graph: Graph) -> list[ReactionSpec]:
    """Lines that pause a node which nothing resumes, or only what stands still with it."""
    found = []
    for line in graph.spec.reactions:
        if line.verb == "pause":
            resumes = [one for one in graph.spec.reactions if (one.verb, one.object) == ("resume", line.object)]
            stands = still(graph, line)
            if all(event.subject in stands for one in resumes for event in one.events):
                found.append(line)
    return found


def still(graph: Graph, pause: ReactionSpec) -> frozenset[str]:
    """What stands still once a line has paused its node: the node, the nodes that nothing else leads to, the tools that
    only those call.

    The session, turns and the users go on; so does what the event that paused it has set going.
    """
    paused = pause.object
    subjects = {event.subject for event in pause.events}
    begun = subjects | {line.trigger.node for line in graph.spec.reactions if line.trigger is not None}
    sources = [
        node.id
        for node in graph.nodes
        if not graph.into(node.id)
        or node.id in begun
        or node.kind == "egress"
        or (node.scope == "turn" and "turn" in subjects)
    ]
    alive = behind(graph, [id for id in sources if id != paused], lambda edge: edge.target != paused)
    nodes = {node.id for node in graph.nodes if node.id not in alive}
    called = {line.object for line in graph.spec.reactions if line.verb == "call"} | subjects
    callers = {tool.id: {node.id for node in graph.nodes if tool.id in node.spec.tools} for tool in graph.spec.tools}
    tools = {tool for tool, by in callers.items() if by and by <= nodes and tool not in called}
    return frozenset(nodes | tools)
