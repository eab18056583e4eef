"""The graph as an SVG picture: hearing and the turn, lanes by colour, each node's share of the turn budget."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from rspp_compiler.emit.placement import Placement, place
from rspp_compiler.emit.templates import render_template
from rspp_compiler.ir.analysis import Analysis
from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.ir.spec import ReactionSpec

_CHAR, _LINE = 6.7, 16.0  # width of a character, height of a line
_SMALL, _COLUMN_GAP, _ROW_GAP, _MARGIN, _HEAD = 6.1, 56.0, 22.0, 28.0, 64.0
_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Text:
    css: str
    x: float
    y: float
    words: str


@dataclass(frozen=True, slots=True)
class Box:
    """A node: where it is drawn, its lines of text, and a bar of its share of the turn budget (0: none)."""

    css: str
    x: float
    y: float
    width: float
    height: float
    title: str
    texts: tuple[Text, ...]
    share: float
    share_y: float


@dataclass(frozen=True, slots=True)
class Line:
    """An edge or a reaction, as a path."""

    css: str
    path: str
    label: str
    title: str
    x: float
    y: float


def picture(graph: Graph, analysis: Analysis | None) -> str:
    """The SVG text. Without an analysis (the pipeline has mistakes) it shows no shares and no times."""
    named = {event.subject for reaction in graph.spec.reactions for event in reaction.events}
    boxes = {
        node.id: _texts(node)
        for node in graph.nodes
        if graph.into(node.id) or graph.out_of(node.id) or node.id in named
    }
    width = {id: max(96.0, max(map(len, lines)) * _CHAR + 24) for id, lines in boxes.items()}
    height = {id: len(lines) * _LINE + 18 for id, lines in boxes.items()}
    arrows = [(edge.source, edge.target) for edge in graph.edges]
    triggers = [
        (event.subject, reaction.trigger.node)
        for reaction in graph.spec.reactions
        if reaction.trigger
        for event in reaction.events
    ]
    placement = place(list(boxes), [*arrows, *triggers], height, _ROW_GAP)
    columns = _columns(placement, width, _labels(graph, analysis))
    drawn = {
        id: _box(graph, graph.node(id), lines, placement, columns, width, height, analysis)
        for id, lines in boxes.items()
    }
    lines = [line for edge in graph.edges if (line := _edge(graph, edge, drawn, placement, columns, analysis))]
    lines += [line for reaction in graph.spec.reactions for line in _reaction(reaction, drawn, placement, columns)]
    verbs = [
        reaction.line("→")
        for reaction in graph.spec.reactions
        if reaction.trigger is None or any(event.subject not in drawn for event in reaction.events)
    ]
    total = columns[-1][1] + _MARGIN if columns else 400.0
    bottom = _HEAD + placement.height + _MARGIN
    view = {
        "title": f"{graph.spec.name} {graph.spec.version}",
        "subtitle": _subtitle(graph, analysis),
        "boxes": list(drawn.values()),
        "lines": lines,
        "verbs": [Text("sub", _MARGIN, bottom + 20 + index * _LINE, words) for index, words in enumerate(verbs)],
        "width": round(max(total, 420.0), 1),
        "height": round(bottom + len(verbs) * _LINE + (_MARGIN if verbs else 0.0), 1),
        "margin": _MARGIN,
    }
    return render_template("graph/graph.svg.j2", view)


def _texts(node: GraphNode) -> tuple[str, ...]:
    spec = node.spec
    kind = node.kind if node.kind != node.id.rsplit(".", 1)[-1] else ""
    budget = f"{spec.first_output_ns / _MS:g} ms" if _has_share(node) else ""
    return tuple(line for line in (node.id, kind, budget) if line)


def _has_share(node: GraphNode) -> bool:
    """Whether the node takes part of the turn budget; a detector is done before the clock starts."""
    return node.execution == "effect" and node.kind != "vad" and node.spec.first_output_ns > 0


def _labels(graph: Graph, analysis: Analysis | None) -> list[tuple[str, str]]:
    """What stands behind each node: its id and a label."""
    labels = [(edge.source, _label(edge, analysis)) for edge in graph.edges]
    for reaction in graph.spec.reactions:
        if reaction.trigger:
            labels += [(subject, " or ".join(events)) for subject, events in reaction.by_subject.items()]
    return labels


def _columns(placement: Placement, width: dict[str, float], labels: list[tuple[str, str]]) -> list[tuple[float, float]]:
    """Left and right of each layer, with room for the labels behind it."""
    widest, gaps = [0.0] * placement.layers, [_COLUMN_GAP] * placement.layers
    for id, (layer, _) in placement.at.items():
        widest[layer] = max(widest[layer], width[id])
    for id, label in labels:
        if id in placement.at:
            layer = placement.at[id][0]
            gaps[layer] = max(gaps[layer], len(label) * _SMALL + 30)
    columns: list[tuple[float, float]] = []
    x = _MARGIN
    for size, gap in zip(widest, gaps, strict=True):
        columns.append((x, x + size))
        x += size + gap
    return columns


def _box(
    graph: Graph,
    node: GraphNode,
    lines: tuple[str, ...],
    placement: Placement,
    columns: list[tuple[float, float]],
    width: dict[str, float],
    height: dict[str, float],
    analysis: Analysis | None,
) -> Box:
    layer, middle = placement.at[node.id]
    left, right = columns[layer]
    size = width[node.id]
    share = 0.0
    if analysis and _has_share(node):
        share = min(1.0, node.spec.first_output_ns / graph.spec.budget.turn_ns) * size
    x, y = round((left + right - size) / 2, 1), round(_HEAD + middle - height[node.id] / 2, 1)
    texts = (
        Text("kind" if index else "name", x + 12, round(y + 22 + index * _LINE, 1), words)
        for index, words in enumerate(lines)
    )
    return Box(
        css=f"{'converter' if node.id in graph.converters else node.scope} {node.execution}",
        x=x,
        y=y,
        width=round(size, 1),
        height=round(height[node.id], 1),
        title=f"{node.id}: {node.kind}, {node.scope}, {node.execution}",
        texts=tuple(texts),
        share=round(share, 1),
        share_y=round(y + height[node.id] - 4, 1),
    )


def _edge(
    graph: Graph,
    edge: GraphEdge,
    drawn: dict[str, Box],
    placement: Placement,
    columns: list[tuple[float, float]],
    analysis: Analysis | None,
) -> Line | None:
    path = _path(edge.source, edge.target, drawn, placement, columns)
    if path is None:
        return None
    lane = "telemetry" if graph.node(edge.target).kind == "tap" else "data"
    css = [lane, "fallback" if edge.reactions else "", "commit" if edge.spec.commit_point else ""]
    label = _label(edge, analysis)
    title = f"{edge.id}: {edge.spec.buffer_items} items, {edge.spec.buffer_bytes} bytes"
    return Line(" ".join(word for word in css if word), path[0], label, title, *path[1])


def _label(edge: GraphEdge, analysis: Analysis | None) -> str:
    """The port, what the edge adds to a path, and its guard."""
    label = edge.source_port
    bound = next((one for one in analysis.bounds if one.edge == edge.id), None) if analysis else None
    if bound and bound.contributes_ns:
        label += f" · {bound.contributes_ns / _MS:g} ms"
    return f"{label} · {edge.spec.passes}" if edge.spec.passes else label


def _reaction(
    reaction: ReactionSpec, drawn: dict[str, Box], placement: Placement, columns: list[tuple[float, float]]
) -> list[Line]:
    """A dashed line from each subject to the node that its events trigger."""
    if reaction.trigger is None:
        return []
    lines: list[Line] = []
    for subject, events in reaction.by_subject.items():
        path = _path(subject, reaction.trigger.node, drawn, placement, columns)
        if path:
            lines.append(Line("control", path[0], " or ".join(events), reaction.line("→"), *path[1]))
    return lines


def _path(
    source: str, target: str, drawn: dict[str, Box], placement: Placement, columns: list[tuple[float, float]]
) -> tuple[str, tuple[float, float]] | None:
    """A curve from the right of one box to the left of the other, and where its label stands."""
    if source not in drawn or target not in drawn or source == target:
        return None
    start, end = drawn[source], drawn[target]
    points = [(start.x + start.width, start.y + start.height / 2)]
    for layer, middle in placement.bends.get((source, target), []):
        left, right = columns[layer]
        points += [(left, _HEAD + middle), (right, _HEAD + middle)]
    points.append((end.x, end.y + end.height / 2))
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x1, y1), (x2, y2) in pairwise(points):
        half = (x2 - x1) / 2 if x2 > x1 else 40.0
        path += f" C{x1 + half:.1f} {y1:.1f} {x2 - half:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    (x1, y1), (x2, y2) = points[0], points[1]
    return path, (round((x1 + x2) / 2, 1), round((y1 + y2) / 2 - 5, 1))


def _subtitle(graph: Graph, analysis: Analysis | None) -> str:
    words = [f"under policy {graph.policy}"] if graph.policy else []
    if analysis and analysis.worst:
        limit = analysis.latency.limit_ns / _MS
        words.append(f"first output after {analysis.worst.total_ns / _MS:g} ms at worst, of {limit:g} ms")
    return "; ".join(words)
