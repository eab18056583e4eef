"""The graph for Graphviz: hearing and each turn as clusters, reactions as dashed arrows."""

from __future__ import annotations

from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode

_SHAPES = {"boundary": "oval", "effect": "box", "kernel": "box, style=rounded"}


def dot(graph: Graph) -> str:
    """The text of a `digraph`, with a final newline."""
    lines = [f"digraph {_quoted(graph.spec.name)} {{", "  rankdir=LR", '  node [fontname="monospace", shape=box]']
    for title, scope in (("hearing: all the time", "session"), ("a turn: one response", "turn")):
        members = [node for node in graph.nodes if (node.scope == "turn") == (scope == "turn")]
        members = [node for node in members if node.execution != "boundary"]
        if members:
            lines += [f"  subgraph cluster_{scope} {{", f"    label={_quoted(title)}"]
            lines += [f"    {_node(node)}" for node in members]
            lines.append("  }")
    lines += [f"  {_node(node)}" for node in graph.nodes if node.execution == "boundary"]
    lines += [f"  {_edge(edge)}" for edge in graph.edges]
    for reaction in graph.spec.reactions:
        for event in reaction.events:
            if reaction.trigger and graph.find(event.subject):
                label = f'label={_quoted(event.event)}, style=dashed, color="#c2570c"'
                lines.append(f"  {_quoted(event.subject)} -> {_quoted(reaction.trigger.node)} [{label}]")
    return "\n".join([*lines, "}"]) + "\n"


def _node(node: GraphNode) -> str:
    label = node.id if node.id == node.kind else f"{node.id} : {node.kind}"
    return f"{_quoted(node.id)} [label={_quoted(label)}, shape={_SHAPES[node.execution]}]"


def _edge(edge: GraphEdge) -> str:
    label = f"{edge.source_port} {edge.spec.passes}".rstrip()
    style = ", style=dashed" if edge.reactions else ", penwidth=2.5" if edge.spec.commit_point else ""
    return f"{_quoted(edge.source)} -> {_quoted(edge.target)} [label={_quoted(label)}{style}]"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
