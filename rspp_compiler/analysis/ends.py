"""Every failing node has an end: a fallback, a degrade, or a defined abort (LANGUAGE, promise 4)."""

from __future__ import annotations

from rspp_compiler.ir.analysis import NodeEnd
from rspp_compiler.ir.graph import Graph, GraphNode
from rspp_compiler.ir.spec import ReactionSpec


def ends(graph: Graph) -> tuple[NodeEnd, ...]:
    """Two rows for each effect node, one for each kernel node that can fail, in topological order."""
    rows: list[NodeEnd] = []
    for node in graph.nodes:
        if node.execution == "effect":
            rows += [NodeEnd(node.id, failure, _end(graph, node, failure)) for failure in ("error", "timeout")]
        elif node.kind == "python":
            rows.append(NodeEnd(node.id, "error", _end(graph, node, "error")))
    return tuple(rows)


def _end(graph: Graph, node: GraphNode, failure: str) -> str:
    lines = [
        _words(reaction)
        for reaction in graph.spec.reactions
        if any(event.subject == node.id and event.event == failure for event in reaction.events)
    ]
    if lines:
        return ", then ".join(lines)
    if node.kind == "vad":
        return "is started again; the third failure ends the session"
    cause = "provider_failure" if node.execution == "effect" and failure == "error" else "node_timeout_or_failure"
    return f"aborts the turn ({cause})"


def _words(reaction: ReactionSpec) -> str:
    if reaction.trigger is not None:
        return " -> ".join([reaction.trigger.node, *(edge.target for edge in reaction.path)])
    verb = (reaction.verb or "").replace("_", " ")
    return f"{verb} {reaction.object}" if reaction.verb == "degrade" and reaction.object else verb
