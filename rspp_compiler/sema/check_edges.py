"""Rules for single edges: both ends agree in type and size, and an input has one flow."""

from __future__ import annotations

from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge
from rspp_compiler.ir.spec import PortSpec
from rspp_compiler.ir.types import AudioType, PortType
from rspp_compiler.source import Span

_HINTS = {
    ("audio", "text"): "put a recogniser between them: `… -> stt -> …`",
    ("text", "audio"): "put a voice between them: `… -> tts -> …`",
}


def same_types(graph: Graph, ctx: Context) -> None:
    """E0401: what flows out is what flows in; rates and encodings are part of the type."""
    for edge in graph.edges:
        source, target = graph.source_port(edge), graph.target_port(edge)
        if source is None or target is None or _agree(source.type, target.type):
            continue
        ctx.sink.add(
            "E0401",
            f"`{edge.source}.{source.name}` is {source.type}, and `{edge.target}.{target.name}` takes {target.type}",
            edge.spec.span,
            label=f"{source.type} does not flow into {target.type}",
            secondary=_declared(graph, edge, source, target),
            notes=[_origin(graph, edge.source, source, "output"), _origin(graph, edge.target, target, "input")],
            help=_way(graph, edge, source.type, target.type),
        )


def _agree(source: PortType, target: PortType) -> bool:
    if target.name == "any":
        return True
    if isinstance(source, AudioType) and isinstance(target, AudioType):
        return (source.rate_hz, source.channels, source.encoding) == (target.rate_hz, target.channels, target.encoding)
    return source.name == target.name


def _declared(graph: Graph, edge: GraphEdge, source: PortSpec, target: PortSpec) -> list[tuple[Span, str]]:
    """The two ports where the user wrote them out; ports of built-in kinds have no place in the file."""
    return [
        (port.origin("type").span, f"`{node}.{port.name}` is {port.type}")
        for node, port in ((edge.source, source), (edge.target, target))
        if port.origin("type").kind == "user" and graph.node(node).kind == "python"
    ]


def _origin(graph: Graph, node: str, port: PortSpec, way: str) -> str:
    """Why the port has its type: the user wrote it, or the profile, or every node of that kind has it."""
    kind = graph.node(node).kind
    if kind == "python" or "type" in port.origins:
        return f"`{node}.{port.name}` is {port.type}: {port.origin('type')}"
    return f"`{node}.{port.name}` is {port.type}: so is this {way} of every `{kind}`"


def _way(graph: Graph, edge: GraphEdge, source: PortType, target: PortType) -> str:
    """What to write instead: another port of the two nodes if one fits, else a node between them."""
    outputs = [port.name for port in graph.node(edge.source).spec.outputs if _agree(port.type, target)]
    inputs = [port.name for port in graph.node(edge.target).spec.inputs if _agree(source, port.type)]
    if outputs:
        return f"`{edge.source}.{outputs[0]}` is {target}: write `{edge.source}.{outputs[0]} -> {edge.target}`"
    if inputs:
        return f"`{edge.target}.{inputs[0]}` takes {source}: write `{edge.source} -> {edge.target}.{inputs[0]}`"
    if source.name == target.name == "audio":
        return "give both ports the same rate, channels and encoding; this compiler inserts no resampler yet"
    return _HINTS.get((source.name, target.name), "connect ports of the same type")


def fit(graph: Graph, ctx: Context) -> None:
    """E0402: the largest item of the source fits the target's port. E0415: and a say node's text its own."""
    for edge in graph.edges:
        source, target = graph.source_port(edge), graph.target_port(edge)
        if source is None or target is None or not _agree(source.type, target.type):
            continue
        if (
            edge.spec.handoff is None
            and graph.node(edge.target).kind != "say"
            and source.item_bytes_max > target.item_bytes_max
        ):
            ctx.sink.add(
                "E0402",
                f"an item of `{edge.source}.{source.name}` may have {source.item_bytes_max} bytes, and "
                f"`{edge.target}.{target.name}` takes {target.item_bytes_max}",
                edge.spec.span,
                label="longer items would be refused",
                help="declare ports of the same size",
            )
    for node in graph.of_kind("say"):
        port = node.spec.output("text")
        size = len(str(node.spec.settings.get("text", "")).encode("utf-8"))
        if port is not None and size > port.item_bytes_max:
            ctx.sink.add(
                "E0415",
                f"the text of `{node.id}` has {size} bytes; one item has at most {port.item_bytes_max}",
                node.spec.origin("settings.text").span,
                label=f"{size} bytes",
                help="say it in fewer words",
            )


def triggered_by_reactions(graph: Graph, ctx: Context) -> None:
    """E0419: a say node has no use for what a flow brings."""
    for edge in graph.edges:
        if graph.node(edge.target).kind == "say":
            ctx.sink.add(
                "E0419",
                f"`{edge.target}` is triggered by reactions, not by flows",
                edge.spec.span,
                label="nothing that flows here would be said",
                help=f"write a reaction: `on … -> {edge.target} -> …`",
            )


def connected_once(graph: Graph, ctx: Context) -> None:
    """E0406: several flows into one port have no order. Paths of reactions take a port over, and may join."""
    for node in graph.nodes:
        for port in node.spec.inputs:
            flows = [edge for edge in graph.into(node.id) if edge.target_port == port.name and not edge.reactions]
            if len(flows) < 2:
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
                help="join them with a `merge` node once this compiler supports it; until then, keep one of the flows",
            )
