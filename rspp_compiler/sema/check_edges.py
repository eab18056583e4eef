"""Rules for single edges: both ends agree in type and size, and the flows into an input have an order."""

from __future__ import annotations

import re

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.ir.spec import PortSpec, TextTemplate
from rspp_compiler.ir.types import AudioType, PortType
from rspp_compiler.sema.kinds import CUSTOM_KINDS, KINDS
from rspp_compiler.sema.mending import without_flow
from rspp_compiler.source import Span

_HINTS = {
    ("audio", "text"): "put a recogniser between them: `… -> stt -> …`",
    ("text", "audio"): "put a voice between them: `… -> tts -> …`",
    ("event", "text"): "gather keys with a `collect` node: `ingress.dtmf -> keys -> …`",
}
_REF = re.compile(r"[\w.]+")


def same_types(graph: Graph, ctx: Context) -> None:
    """E0401: what flows out is what flows in; rates and encodings are part of the type."""
    for edge in graph.edges:
        source, target = graph.source_port(edge), graph.target_port(edge)
        if source is None or target is None or agree(source.type, target.type):
            continue
        ctx.sink.add(
            "E0401",
            f"`{edge.source}.{source.name}` is {source.type}, and `{edge.target}.{target.name}` takes {target.type}",
            edge.spec.span,
            label=f"{source.type} does not flow into {target.type}",
            secondary=_declared(graph, edge, source, target),
            notes=[_origin(graph, edge.source, source, "output"), _origin(graph, edge.target, target, "input")],
            help=_way(graph, edge, source.type, target.type),
            fix=_other_port(graph, edge, target.type, ctx) or without_flow(edge.spec.span, ctx),
        )


def agree(source: PortType, target: PortType) -> bool:
    """Whether what is of one type may flow where another is taken."""
    if "any" in (source.name, target.name):
        return True
    if isinstance(source, AudioType) and isinstance(target, AudioType):
        forms = [(type.rate_hz, type.channels, type.encoding) for type in (source, target)]
        return forms[0] == forms[1]
    return source.name == target.name


def _declared(graph: Graph, edge: GraphEdge, source: PortSpec, target: PortSpec) -> list[tuple[Span, str]]:
    """The two ports where the user wrote them out; ports of built-in kinds have no place in the file."""
    return [
        (port.origin("type").span, f"`{node}.{port.name}` is {port.type}")
        for node, port in ((edge.source, source), (edge.target, target))
        if port.origin("type").kind == "user" and graph.node(node).kind in CUSTOM_KINDS
    ]


def _origin(graph: Graph, node: str, port: PortSpec, way: str) -> str:
    """Why the port has its type: the user wrote it, or the profile, or every node of that kind has it."""
    kind = graph.node(node).kind
    if kind in CUSTOM_KINDS or "type" in port.origins:
        return f"`{node}.{port.name}` is {port.type}: {port.origin('type')}"
    return f"`{node}.{port.name}` is {port.type}: so is this {way} of every `{kind}`"


def _way(graph: Graph, edge: GraphEdge, source: PortType, target: PortType) -> str:
    """What to write instead: another port of the two nodes if one fits, else a node between them."""
    outputs = [port.name for port in graph.node(edge.source).spec.outputs if agree(port.type, target)]
    inputs = [port.name for port in graph.node(edge.target).spec.inputs if agree(source, port.type)]
    if outputs:
        return f"`{edge.source}.{outputs[0]}` is {target}: write `{edge.source}.{outputs[0]} -> {edge.target}`"
    if inputs:
        return f"`{edge.target}.{inputs[0]}` takes {source}: write `{edge.source} -> {edge.target}.{inputs[0]}`"
    if source.name == target.name == "audio":
        return "nothing here makes this encoding: take the audio in another one"
    return _HINTS.get((source.name, target.name), "connect ports of the same type")


def _other_port(graph: Graph, edge: GraphEdge, target: PortType, ctx: Context) -> Fix | None:
    """The output that fits, written in its place, where the flow begins with this node."""
    source, span = ctx.source(edge.spec.span), edge.spec.span
    start = source.offset(span.line, span.column)
    ref = _REF.match(source.text, start)
    if ref is None or source.text[:start].rstrip().endswith("->"):
        return None
    for port in graph.node(edge.source).spec.outputs:
        if agree(port.type, target) and ref[0].split(".")[0] == edge.source:
            return Fix(source.span(start, ref.end()), f"{edge.source}.{port.name}")
    return None


def fit(graph: Graph, ctx: Context) -> None:
    """E0402: the largest item of the source fits the target's port. E0415: and a say node's text its own."""
    for edge in graph.edges:
        source, target = graph.source_port(edge), graph.target_port(edge)
        if source is None or target is None or not agree(source.type, target.type):
            continue
        if edge.spec.handoff or KINDS[graph.node(edge.target).kind].is_triggered or source.type.name == "audio":
            continue
        if source.item_bytes_max > target.item_bytes_max:
            ctx.sink.add(
                "E0402",
                f"an item of `{edge.source}.{source.name}` may have {source.item_bytes_max} bytes, and "
                f"`{edge.target}.{target.name}` takes {target.item_bytes_max}",
                edge.spec.span,
                label="longer items would be refused",
                help=f"declare `{target.name}` with {source.item_bytes_max}B, or `{source.name}` with less",
                fix=_as_large(graph.node(edge.target), target, source.item_bytes_max, ctx)
                or without_flow(edge.spec.span, ctx),
            )
    for node in graph.of_kind("say"):
        _text_fits(node, ctx)


def _as_large(node: GraphNode, port: PortSpec, size: int, ctx: Context) -> Fix | None:
    """The port's size, raised where the user wrote the port."""
    if node.kind not in CUSTOM_KINDS:
        return None
    source = ctx.source(port.span)
    start, end = (
        source.offset(port.span.line, port.span.column),
        source.offset(port.span.end_line, port.span.end_column),
    )
    written = source.text[start:end]
    size_at = re.search(r"\d+(\.\d+)?(B|kB|MB)", written)
    if size_at:
        return Fix(source.span(start + size_at.start(), start + size_at.end()), f"{size}B")
    closing = written.endswith(")")
    at = end - 1 if closing else end
    return Fix(source.span(at, at), f", {size}B" if closing else f"({size}B)")


def _text_fits(node: GraphNode, ctx: Context) -> None:
    port, text = node.spec.output("text"), node.spec.settings.get("text", "")
    data = (text.template if isinstance(text, TextTemplate) else str(text)).encode("utf-8")
    if port is None or len(data) <= port.item_bytes_max:
        return
    span = node.spec.origin("settings.text").span
    short = data[: port.item_bytes_max - 8].decode("utf-8", "ignore").rsplit(" ", 1)[0]
    escaped = short.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    ctx.sink.add(
        "E0415",
        f"the text of `{node.id}` has {len(data)} bytes; one item has at most {port.item_bytes_max}",
        span,
        label=f"{len(data)} bytes",
        help="say it in fewer words, or in two nodes",
        fix=Fix(span, f'"{escaped}"'),
    )


def triggered_by_reactions(graph: Graph, ctx: Context) -> None:
    """E0419: what says a fixed text or plays a file has no use for what a flow brings."""
    for edge in graph.edges:
        if KINDS[graph.node(edge.target).kind].is_triggered:
            ctx.sink.add(
                "E0419",
                f"`{edge.target}` is triggered by reactions, not by flows",
                edge.spec.span,
                label="nothing that flows here would be said",
                help=f"write a reaction: `on … -> {edge.target} -> …`",
                fix=without_flow(edge.spec.span, ctx),
            )


def connected_once(graph: Graph, ctx: Context) -> None:
    """E0406: several flows into one port have no order. Paths of reactions take a port over, and may join."""
    for node in graph.nodes:
        if len(graph.into(node.id)) < 2:
            continue
        many = {port.name for port in KINDS[node.kind].inputs if port.many}
        for port in node.spec.inputs:
            flows = [edge for edge in graph.into(node.id, port.name) if not edge.reactions]
            if len(flows) < 2 or port.name in many:
                continue
            first, second, *others = flows
            ctx.sink.add(
                "E0406",
                f"{len(flows)} flows end at `{node.id}.{port.name}`",
                second.spec.span,
                label="and this one",
                secondary=[
                    (first.spec.span, f"this flow ends at `{node.id}.{port.name}`"),
                    *((edge.spec.span, "and this one") for edge in others),
                ],
                notes=["which of two items comes first must be said, or no two runs would be alike"],
                help=f"join them: `node joined : merge {{ order = timestamp, within = 20ms }}`, "
                f"`… -> joined -> {node.id}.{port.name}`",
                fix=without_flow(second.spec.span, ctx),
            )


def joins_have_several(graph: Graph, ctx: Context) -> None:
    """E0424: a merge or select of one flow joins nothing."""
    for node in graph.of_kind("merge", "select"):
        flows = [edge for edge in graph.into(node.id) if not edge.reactions]
        members = any("party" in (graph.node(edge.source).scope) for edge in flows)
        if len(flows) != 1 or members or any(edge.reactions for edge in graph.into(node.id)):
            continue
        (only,) = flows
        ctx.sink.add(
            "E0424",
            f"only one flow ends at `{node.id}`",
            node.spec.span,
            label="there is nothing to join",
            secondary=[(only.spec.span, "the only flow into it")],
            help=f"send another flow into it, or let `{only.source}` go on without it",
            fix=_bypassed(graph, node, only, ctx),
        )


def _bypassed(graph: Graph, node: GraphNode, only: GraphEdge, ctx: Context) -> Fix | None:
    """The node becomes a tap: what it took is still seen, and nothing else waits for it; only where nothing follows."""
    if graph.out_of(node.id) or node.spec.implicit:
        return None
    first = without_flow(only.spec.span, ctx)
    gone = remove(ctx.source(node.spec.span), node.spec.span)
    return Fix(first.span, first.replacement, (*first.also, *gone.edits))
