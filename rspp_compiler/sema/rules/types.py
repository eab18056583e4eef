"""E0401: both ends of a flow agree in type; where they do not, what would bring them together."""

from __future__ import annotations

import re
from typing import NamedTuple

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import both, guess, line_before
from rspp_compiler.diagnostics.statements import arrow, begin, offsets, target_of
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge
from rspp_compiler.ir.spec import PortSpec
from rspp_compiler.ir.types import AudioType, PortType
from rspp_compiler.sema.language.kinds import CUSTOM_KINDS
from rspp_compiler.sema.mending import without_flow
from rspp_compiler.source import Span

_REF = re.compile(r"[\w.]+")
_PARAM = re.compile(r"(?:\w+\s*:\s*)?")


class _Way(NamedTuple):
    """What to do, in words, and the fix that does it."""

    help: str
    fix: Fix


def same_types(graph: Graph, ctx: Context) -> None:
    """E0401: what flows out is what flows in; rates and encodings are part of the type."""
    for edge in graph.edges:
        source, target = graph.source_port(edge), graph.target_port(edge)
        if source is None or target is None or agree(source.type, target.type):
            continue
        way = (
            _declared_alike(graph, edge, source, target, ctx)
            or (None if _names_output(edge, ctx) else _other_output(graph, edge, target, ctx))
            or _between(graph, edge, source.type, target.type, ctx)
            or _other_output(graph, edge, target, ctx)
            or _other_input(graph, edge, source, ctx)
            or _Way(_alone(source.type, target.type), without_flow(edge.spec.span, ctx))
        )
        ctx.sink.add(
            "E0401",
            f"`{edge.source}.{source.name}` is {source.type}, and `{edge.target}.{target.name}` takes {target.type}",
            edge.spec.span,
            label=f"{source.type} does not flow into {target.type}",
            secondary=_declared(graph, edge, source, target),
            notes=[_origin(graph, edge.source, source, "output"), _origin(graph, edge.target, target, "input")],
            help=way.help,
            fix=way.fix,
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
        if _is_declared(graph, node, port)
    ]


def _is_declared(graph: Graph, node: str, port: PortSpec) -> bool:
    return port.origin("type").kind == "user" and graph.node(node).kind in CUSTOM_KINDS


def _origin(graph: Graph, node: str, port: PortSpec, way: str) -> str:
    """Why the port has its type: the user wrote it, or the profile, or every node of that kind has it."""
    kind = graph.node(node).kind
    if kind in CUSTOM_KINDS or "type" in port.origins:
        return f"`{node}.{port.name}` is {port.type}: {port.origin('type')}"
    return f"`{node}.{port.name}` is {port.type}: so is this {way} of every `{kind}`"


# ---- what would bring them together, the likeliest first


def _names_output(edge: GraphEdge, ctx: Context) -> bool:
    """Whether the flow begins with a port that the user chose."""
    source = ctx.source(edge.spec.span)
    start, _ = offsets(source, edge.spec.span)
    ref = _REF.match(source.text, start)
    return ref is not None and ref[0].endswith(f".{edge.source_port}")


def _other_output(graph: Graph, edge: GraphEdge, target: PortSpec, ctx: Context) -> _Way | None:
    """Another output of the node, written in its place where the flow begins with it."""
    port = next((port for port in graph.node(edge.source).spec.outputs if agree(port.type, target.type)), None)
    if port is None:
        return None
    source, span = ctx.source(edge.spec.span), edge.spec.span
    start, _ = offsets(source, span)
    help = f"`{edge.source}.{port.name}` is {target.type}: write `{edge.source}.{port.name} -> {edge.target}`"
    ref = _REF.match(source.text, start)
    if ref and begin(source, span) == start and ref[0].split(".")[0] == edge.source:
        return _Way(help, Fix(source.span(start, ref.end()), f"{edge.source}.{port.name}"))
    return _Way(help, without_flow(span, ctx))


def _declared_alike(graph: Graph, edge: GraphEdge, source: PortSpec, target: PortSpec, ctx: Context) -> _Way | None:
    """The port of a custom node, declared with the type of the other end."""
    if _is_declared(graph, edge.target, target):
        own, other = target, source
    elif _is_declared(graph, edge.source, source) and len(graph.out_of(edge.source, source.name)) == 1:
        own, other = source, target
    else:
        return None
    at = own.origin("type").span
    text = ctx.source(at)
    start, end = offsets(text, at)
    param = _PARAM.match(text.text, start, end)
    start = param.end() if param else start
    return _Way(f"declare it so: `{own.name} : {other.type}`", guess(Fix(text.span(start, end), str(other.type))))


def _between(graph: Graph, edge: GraphEdge, source: PortType, target: PortType, ctx: Context) -> _Way | None:
    """A node that turns one type into the other: a recogniser, a voice, or what gathers keys."""
    text, span = ctx.source(edge.spec.span), edge.spec.span
    at = arrow(text, span)
    if (source.name, target.name) == ("text", "audio") and (voice := _free(graph, "tts")):
        help = f"put a voice between them: `… -> {voice} -> …`"
        return _Way(help, Fix(text.span(at, at), f"-> {voice} "))
    if (source.name, target.name) == ("audio", "text") and (ears := _free(graph, "stt")):
        detector = "" if graph.of_kind("vad", "endpointer", "realtime") else "-> vad "
        help = f"put a recogniser between them: `… {detector}-> {ears} -> …`"
        return _Way(help, Fix(text.span(at, at), f"{detector}-> {ears} "))
    if (edge.source_port, target.name) == ("dtmf", "text") and graph.find("keys") is None:
        first = begin(text, span)
        declared = line_before(text, text.span(first, first), 'node keys : collect { until = "#" }')
        help = "gather keys with a `collect` node: `ingress.dtmf -> keys -> …`"
        return _Way(help, both(declared, Fix(text.span(at, at), "-> keys ")))
    return None


def _free(graph: Graph, kind: str) -> str:
    """A node of that kind that nothing flows into yet; the kind itself where no node is; "" where all are in use."""
    nodes = graph.of_kind(kind)
    if not nodes:
        return "" if graph.find(kind) else kind
    return next((node.id for node in nodes if not graph.into(node.id) and not graph.out_of(node.id)), "")


def _other_input(graph: Graph, edge: GraphEdge, source: PortSpec, ctx: Context) -> _Way | None:
    """Another input of the node that nothing flows into yet."""
    fitting = [port for port in graph.node(edge.target).spec.inputs if agree(source.type, port.type)]
    port = next((port for port in fitting if not graph.into(edge.target, port.name)), None)
    text, span = ctx.source(edge.spec.span), edge.spec.span
    ref = target_of(text, span)
    if port is None or ref is None:
        return None
    start, end = offsets(text, ref)
    node, _, _ = text.text[start:end].rpartition(".")
    written = f"{node or text.text[start:end]}.{port.name}"
    help = f"`{written}` takes {source.type}: write `{edge.source} -> {written}`"
    return _Way(help, Fix(ref, written))


def _alone(source: PortType, target: PortType) -> str:
    if source.name == target.name == "audio":
        return "nothing here makes this encoding: take the audio in another one"
    return "connect ports of the same type"
