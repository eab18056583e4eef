"""Formats of audio, and what `any` stands for: settled from what the providers of a node have in common and from what
flows in; and converters where two ends of a flow differ.
"""

from __future__ import annotations

from collections import Counter

from rspp_compiler.ir.context import Context
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.spec import EdgeSpec, NodeSpec, OverflowStep, PipelineSpec, PortSpec, ProviderSpec
from rspp_compiler.ir.types import AnyType, AudioType, PortType
from rspp_compiler.sema.language.engines import engine
from rspp_compiler.sema.mending import without_use

_SECOND = 1_000_000_000


def settle(spec: PipelineSpec, ctx: Context) -> PipelineSpec:
    """Ports of provider nodes in a format that every candidate can do; `any` outputs of the type that flows in."""
    nodes = {node.id: _by_providers(node, spec.provider(node.provider), ctx) for node in spec.nodes}
    _fill_any(nodes, spec)
    return spec.changed(nodes=tuple(nodes.values()))


def _by_providers(node: NodeSpec, provider: ProviderSpec | None, ctx: Context) -> NodeSpec:
    if provider is None or not any(isinstance(port.type, AudioType) for port in (*node.inputs, *node.outputs)):
        return node
    inputs, outputs = (tuple(_port(port, provider, ctx) for port in side) for side in (node.inputs, node.outputs))
    if inputs == node.inputs and outputs == node.outputs:
        return node
    return node.model_copy(update={"inputs": inputs, "outputs": outputs})


def _port(port: PortSpec, provider: ProviderSpec, ctx: Context) -> PortSpec:
    """The port with the rate that all candidates share: that of the profile, else the next one above, else below."""
    if not isinstance(port.type, AudioType):
        return port
    rates: set[int] | None = None
    for candidate in provider.candidates:
        of = engine(provider.kind, candidate.name)
        if of is None or not of.rates_hz:
            continue
        shared = set(of.rates_hz) if rates is None else rates & set(of.rates_hz)
        if not shared:
            ctx.sink.add(
                "E0420",
                f"the providers of `{provider.id}` have no audio rate in common",
                candidate.span,
                label=f"`{candidate.name}` does {_rates(of.rates_hz)}",
                secondary=[(provider.candidates[0].span, f"the ones before it {_rates(sorted(rates or ()))}")],
                notes=("a switch from one to the next must not change the format in the middle of a stream",),
                help=f"remove `{candidate.name}`, or make it a pool of its own",
                fix=without_use(candidate.span, ctx),
            )
            return port
        rates = shared
    if rates is None or port.type.rate_hz in rates:
        return port
    above = [rate for rate in sorted(rates) if rate > port.type.rate_hz]
    rate = above[0] if above else max(rates)
    reason = f"what every provider of `{provider.id}` can do"
    return _typed(port, port.type.model_copy(update={"rate_hz": rate}), Origin.derived(provider.span, reason))


def _typed(port: PortSpec, type: PortType, origin: Origin) -> PortSpec:
    size = port.item_bytes_max
    if isinstance(type, AudioType):
        size = max(1, type.bytes_per_second * port.item_ns // _SECOND)
    origins = {**port.origins, "type": origin, "item_bytes_max": origin}
    return port.model_copy(update={"type": type, "item_bytes_max": size, "origins": origins})


def _fill_any(nodes: dict[str, NodeSpec], spec: PipelineSpec) -> None:
    """What passes on what flows in: its ports take the type of the first flow, and the largest item."""
    joins = {node.id for node in nodes.values() if node.kind in ("merge", "select", "label")}
    into = [edge for edge in spec.edges if edge.target in joins and edge.source in nodes]
    changed = True
    while changed:
        changed = False
        for edge in into:
            source, target = nodes[edge.source].output(edge.source_port), nodes[edge.target]
            if source is None or isinstance(source.type, AnyType):
                continue
            passing = _passing(target, source)
            changed |= passing != target
            nodes[target.id] = passing


def _passing(node: NodeSpec, source: PortSpec) -> NodeSpec:
    def like(port: PortSpec) -> PortSpec:
        if isinstance(port.type, AnyType):
            update = {"type": source.type, "item_bytes_max": source.item_bytes_max, "item_ns": source.item_ns}
            return port.model_copy(update=update)
        return port.model_copy(update={"item_bytes_max": max(port.item_bytes_max, source.item_bytes_max)})

    inputs, outputs = (tuple(like(port) for port in side) for side in (node.inputs, node.outputs))
    return node.model_copy(update={"inputs": inputs, "outputs": outputs})


# ---- converters -----------------------------------------------------------------------------------------------------


def convert(spec: PipelineSpec, ctx: Context) -> tuple[PipelineSpec, tuple[str, ...]]:
    """The spec with a node between two ends whose audio differs, and the ids of those nodes."""
    converters: dict[str, NodeSpec] = {}
    names: Counter[str] = Counter()
    ports: dict[tuple[str, str, str], str] = {}

    def through(edge: EdgeSpec) -> tuple[EdgeSpec, ...]:
        ends = _audio_ends(spec, edge)
        if ends is None or _same(*(port.type for port in ends)) or _needs_encoder(*(port.type for port in ends)):
            return (edge,)
        kinds = _steps(ends[0].type, ends[1].type)
        pieces: list[EdgeSpec] = []
        before, rest = ends[0], edge
        for kind, type in kinds:
            key = (edge.source, edge.source_port, str(type))
            if key not in ports:
                names[f"{edge.source}.{kind}"] += 1
                count = names[f"{edge.source}.{kind}"]
                ports[key] = f"{edge.source}.{kind}" + (f"_{count}" if count > 1 else "")
                converters[ports[key]] = _converter(ports[key], kind, before, type, edge)
                pieces.append(_into(rest, converters[ports[key]], before))
            node = converters[ports[key]]
            before = node.outputs[0]
            rest = _out_of(rest, node)
        return (*pieces, rest)

    edges = tuple(piece for edge in spec.edges for piece in through(edge))
    reactions = tuple(
        reaction.model_copy(update={"path": tuple(piece for edge in reaction.path for piece in through(edge))})
        for reaction in spec.reactions
    )
    if not converters:
        return spec, ()
    nodes = (*spec.nodes, *converters.values())
    return spec.changed(nodes=nodes, edges=edges, reactions=reactions), tuple(converters)


def _audio_ends(spec: PipelineSpec, edge: EdgeSpec) -> tuple[PortSpec, PortSpec] | None:
    source, target = spec.node(edge.source), spec.node(edge.target)
    out = source.output(edge.source_port) if source else None
    into = target.input(edge.target_port) if target else None
    if out is None or into is None or not isinstance(out.type, AudioType) or not isinstance(into.type, AudioType):
        return None
    return out, into


def _same(one: PortType, other: PortType) -> bool:
    assert isinstance(one, AudioType) and isinstance(other, AudioType)  # noqa: PT018
    return (one.rate_hz, one.channels, one.encoding) == (other.rate_hz, other.channels, other.encoding)


def _needs_encoder(source: PortType, target: PortType) -> bool:
    """Opus is decoded here, and never made: `check` reports the flow."""
    assert isinstance(source, AudioType) and isinstance(target, AudioType)  # noqa: PT018
    return target.encoding == "opus" and source.encoding != "opus"


def _steps(source: PortType, target: PortType) -> list[tuple[str, AudioType]]:
    """First the encoding, then rate and channels: a resampler works on samples."""
    assert isinstance(source, AudioType) and isinstance(target, AudioType)  # noqa: PT018
    steps: list[tuple[str, AudioType]] = []
    now = source
    if now.encoding != target.encoding:
        now = now.model_copy(update={"encoding": target.encoding})
        steps.append(("decode", now))
    if (now.rate_hz, now.channels) != (target.rate_hz, target.channels):
        now = now.model_copy(update={"rate_hz": target.rate_hz, "channels": target.channels})
        steps.append(("resample", now))
    return steps


def _converter(id: str, kind: str, source: PortSpec, type: AudioType, edge: EdgeSpec) -> NodeSpec:
    origin = Origin.derived(edge.span, f"`{edge.id}` needs {type}")
    taken = source.model_copy(update={"name": "in", "main": True})
    made = _typed(source.model_copy(update={"name": "out", "main": True}), type, origin)
    return NodeSpec(
        span=edge.span,
        origins={"kind": origin},
        id=id,
        kind=kind,
        execution="kernel",
        scope=edge.scope,
        inputs=(taken,),
        outputs=(made,),
        events=(),
        first_output_ns=0,
        chunk_ns=0,
        implicit=True,
    )


def _into(edge: EdgeSpec, node: NodeSpec, source: PortSpec) -> EdgeSpec:
    """The flow into a converter: it holds as many items as the flow that was written, and none waits long."""
    reason = "the converter takes each item at once"
    fields = ("buffer_items", "buffer_ns", "buffer_bytes", "overflow", "latency_ns")
    return EdgeSpec(
        span=edge.span,
        origins=dict.fromkeys(fields, Origin.derived(edge.span, reason)),
        id=f"{edge.source}.{edge.source_port} -> {node.id}.in",
        source=edge.source,
        source_port=edge.source_port,
        target=node.id,
        target_port="in",
        scope=edge.scope,
        opens_turn=edge.opens_turn,
        guard=edge.guard,
        otherwise=edge.otherwise,
        buffer_items=edge.buffer_items,
        buffer_ns=max(1, source.item_ns),
        buffer_bytes=edge.buffer_items * source.item_bytes_max,
        overflow=(
            OverflowStep(strategy="block", block_ns=edge.overflow[0].block_ns or 250_000_000),
            *edge.overflow[1:],
        ),
        latency_ns=max(1, source.item_ns),
    )


def _out_of(edge: EdgeSpec, node: NodeSpec) -> EdgeSpec:
    size = edge.buffer_items * node.outputs[0].item_bytes_max
    return edge.model_copy(
        update={
            "id": f"{node.id}.out -> {edge.target}.{edge.target_port}",
            "source": node.id,
            "source_port": "out",
            "guard": None,
            "otherwise": False,
            "opens_turn": False,
            "buffer_bytes": max(edge.buffer_bytes, size),
        }
    )


def _rates(rates: tuple[int, ...] | list[int]) -> str:
    return ", ".join(f"{rate / 1000:g}kHz" for rate in rates)
