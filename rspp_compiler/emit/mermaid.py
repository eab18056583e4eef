"""The graph as a Mermaid flowchart: hearing and the turn as two boxes, reactions as dotted arrows."""

from __future__ import annotations

from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.ir.spec import ReactionSpec

_SHAPES = {"boundary": ("([", "])"), "effect": ("[", "]"), "kernel": ("(", ")")}
# Words that Mermaid keeps to itself; a node of that name gets another id, and keeps its label.
_QUOTES = str.maketrans({'"': "'"})  # a label stands in double quotes
_WORDS = frozenset({"end", "graph", "flowchart", "subgraph", "style", "class", "click", "default", "direction"})


def mermaid(graph: Graph) -> str:
    """The picture, without the code fence and without a final newline."""
    lines = ["flowchart LR"]
    for title, scope in (("hearing: all the time", "session"), ("a turn: one response", "turn")):
        members = [node for node in graph.nodes if (node.scope == "turn") == (scope == "turn")]
        members = [node for node in members if node.execution != "boundary"]
        if members:
            lines.append(f'    subgraph _{scope} ["{title}"]')
            lines += [f"        {_node(node)}" for node in members]
            lines.append("    end")
    lines += [f"    {_node(node)}" for node in graph.nodes if node.execution == "boundary"]
    lines += [f"    {_edge(edge)}" for edge in graph.edges]
    for reaction in graph.spec.reactions:
        lines += [f"    {line}" for line in _reaction(reaction)]
    return "\n".join(lines)


def _node(node: GraphNode) -> str:
    left, right = _SHAPES[node.execution]
    label = node.id if node.id == node.kind else f"{node.id} : {node.kind}"
    return f'{_id(node.id)}{left}"{label}"{right}'


def _edge(edge: GraphEdge) -> str:
    label = edge.source_port
    if edge.spec.passes:
        label = f'"{label} {edge.spec.passes.translate(_QUOTES)}"'
    return f"{_id(edge.source)} -->|{label}| {_id(edge.target)}"


def _reaction(reaction: ReactionSpec) -> list[str]:
    """One dotted arrow for each subject, labelled with its events."""
    if reaction.trigger is not None:
        target = _id(reaction.trigger.node)
    else:
        target = f'_{reaction.id.replace("#", "_")}{{{{"{reaction.action}"}}}}'
    return [f"{_id(subject)} -.->|{' or '.join(events)}| {target}" for subject, events in reaction.by_subject.items()]


def _id(name: str) -> str:
    plain = name.replace(".", "_")
    return f"{plain}_" if plain in _WORDS else plain
