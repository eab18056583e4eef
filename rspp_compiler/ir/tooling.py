"""Tools in a graph: which models call one, and whether something is said meanwhile."""

from __future__ import annotations

from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.spec import ReactionSpec, ToolSpec


def has_filler(graph: Graph, tool: ToolSpec) -> bool:
    """Whether something is said while the tool runs: a reaction to its start has a path that leads to an egress."""
    return any(
        _is_heard(graph, reaction)
        for reaction in graph.spec.reactions
        if any(event.subject == tool.id and event.event == "started" for event in reaction.events)
    )


def callers(graph: Graph, tool: str) -> list[str]:
    """The models that may call a tool, in any mode, in the order of the graph."""
    overrides = (one for mode in graph.spec.modes for one in mode.overrides)
    given = {
        one.node for one in overrides if one.field == "tools" and isinstance(one.value, tuple) and tool in one.value
    }
    return [node.id for node in graph.nodes if tool in node.spec.tools or node.id in given]


def _is_heard(graph: Graph, reaction: ReactionSpec) -> bool:
    """Whether the path of a reaction leads to an egress, by its own edges and the flows behind it."""
    if reaction.trigger is None:
        return False
    open_, seen = [reaction.trigger.node], {reaction.trigger.node}
    while open_:
        id = open_.pop()
        if graph.node(id).kind == "egress":
            return True
        for edge in graph.out_of(id):
            if (not edge.reactions or reaction.id in edge.reactions) and edge.target not in seen:
                seen.add(edge.target)
                open_.append(edge.target)
    return False
