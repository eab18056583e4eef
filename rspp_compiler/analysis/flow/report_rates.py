"""E0510 to E0514, E0526: what does not balance, and edges that hold less than what flows there needs."""

from __future__ import annotations

import re

from rspp_compiler.analysis.flow.buffers import Minimum
from rspp_compiler.analysis.flow.capacity import Capacity, describe, items, raised
from rspp_compiler.analysis.flow.streams import Join, Stream, Streams, is_plain
from rspp_compiler.analysis.shared.repairs import local, set_on_node
from rspp_compiler.analysis.shared.words import duration, ports
from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import line_before
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.ir.proofs.rates import Buffer
from rspp_compiler.ir.spec import PortSpec

_DURATION = re.compile(r"\d+(?:\.\d+)?(?:us|ms|s)\b")


def report_join(graph: Graph, found: Streams, join: Join, ctx: Context) -> None:
    """E0510: a node that takes as many items of each input is fed at different rates by one clock."""
    streams = [found.arriving[edge.id] for edge in join.edges]
    if join.fits or len({stream.clock for stream in streams}) > 1:
        return
    node = graph.node(join.node).spec
    slow = max(streams, key=lambda stream: 1 / stream.rate)
    ways = [f"{ports(way(graph, found, edge))}: {every(found.arriving[edge.id])}" for edge in join.edges]
    within = f"within = {duration(max(stream.frame_ns for stream in streams))}"
    ctx.sink.add(
        "E0510",
        f"`{join.node}` takes one item of each flow in turn, and they do not come equally often",
        node.span,
        label="what comes more often piles up without end",
        secondary=[(edge.spec.span, every(found.arriving[edge.id])) for edge in join.edges],
        notes=["\n".join([f"both ways from `{slow.clock.id}`:", *ways])],
        help=f"let them come in items of one length, or bound the wait: `{within}`",
        fix=set_on_node(ctx, node, within),
    )


def report_oversupply(graph: Graph, found: Streams, edge: GraphEdge, ctx: Context) -> None:
    """E0511: the egress is sent more audio than it can play, without end."""
    stream = found.arriving[edge.id]
    if stream.clock.kind != "real_time" or graph.node(edge.target).kind != "egress":
        return
    supply, merge = stream.rate * stream.frame_ns, graph.find(stream.clock.at)
    if supply <= 1 or merge is None:
        return
    inputs = graph.into(merge.id)
    ctx.sink.add(
        "E0511",
        f"`{edge.target}.{edge.target_port}` plays one second of audio in a second, and is sent {supply}",
        edge.spec.span,
        label=f"{every(stream)}, each {duration(stream.frame_ns)} long",
        secondary=[(one.spec.span, every(found.arriving[one.id])) for one in inputs],
        notes=[f"`{merge.id}` hands on every item of each of its {len(inputs)} inputs, one after the other"],
        help="let one through at a time: `select`; or mix them in a node of your own",
        fix=_selects(ctx, graph, merge.id),
    )


def _selects(ctx: Context, graph: Graph, id: str) -> Fix:
    spec = graph.node(id).spec
    line = f"node {local(id)} : select"
    return line_before(ctx.source(spec.span), spec.span, line) if spec.implicit else Fix(spec.span, line)


def report_call(graph: Graph, found: Streams, node: GraphNode, ctx: Context) -> None:
    """E0526: one item that a node of the kernel takes becomes more than one call may hand on."""
    spec, most = node.spec, node.spec.emissions_max
    taken = next((port for port in spec.inputs if port.main), None)
    if node.execution != "kernel" or not most or taken is None or not taken.item_ns:
        return
    for port in spec.outputs:
        made = found.made.get((node.id, port.name))
        count = -(-taken.item_ns // port.item_ns) if port.item_ns else 0
        if made is None or made.clock.at == node.id or count <= most:
            continue
        ctx.sink.add(
            "E0526",
            f"`{node.id}` makes {items(count)} of one, and a call may hand on {most}",
            spec.span,
            label=f"takes {duration(taken.item_ns)} at once, and hands it on {duration(port.item_ns)} at a time",
            secondary=[(one.span, f"`{one.name}`: {duration(one.item_ns)}") for one in (taken, port)],
            notes=[f"items of one call: {most} ({spec.origin('emissions_max')})"],
            help="take less at once, or hand on more at a time",
            fix=_reframed(ctx, taken, port, most),
        )


def _reframed(ctx: Context, taken: PortSpec, given: PortSpec, most: int) -> Fix:
    """Writes another length over that of the input; over that of the output where only it is written."""
    is_written = taken.origin("item_ns").kind == "user"
    port = taken if is_written else given
    length = given.item_ns * most if is_written else -(-taken.item_ns // most // 1000) * 1000
    source = ctx.source(port.span)
    start, end = (
        source.offset(port.span.line, port.span.column),
        source.offset(port.span.end_line, port.span.end_column),
    )
    written = list(_DURATION.finditer(source.text, start, end))[-1]
    return Fix(source.span(written.start(), written.end()), duration(length))


def report_buffer(graph: Graph, found: Streams, edge: GraphEdge, one: Minimum, row: Buffer, ctx: Context) -> None:
    """E0512, E0513, E0514. What only a loop asks for is told with the circle of those who would wait."""
    stream, held = found.arriving[edge.id], one.held
    if row.is_enough or is_of_flow_control(edge, held) or (row.need == "loop" and one.serves_ends):
        return
    source, target = f"{edge.source}.{edge.source_port}", f"{edge.target}.{edge.target_port}"
    if row.need == "window":
        node = graph.node(edge.target).spec
        within = node.origin("settings.within_ns")
        code = "E0513"
        message = f"`{edge.target}` may let `{source}` wait for {_within(node.settings)}, and the flow holds too little"
        why = f"in {_within(node.settings)} ({within}) {items(row.least)} come, {every(stream)}"
    elif row.need == "step":
        code = "E0514"
        most = graph.node(edge.source).spec.emissions_max
        message = f"one call of `{edge.source}` may hand on {items(most)}, and the flow does not hold so many"
        why = (
            f"the call begins only when there is room for all ({graph.node(edge.source).spec.origin('emissions_max')})"
        )
    elif one.gives > 1 and held.usable < one.gives:
        code = "E0512"
        message = f"`{source}` hands on {items(one.gives)} at once, and the flow does not hold that"
        why = f"`{edge.source}` takes what it joins, and hands it on, in one step"
    else:
        code = "E0512"
        taken = graph.target_port(edge)
        length = taken.item_ns if taken is not None else 0
        message = f"`{target}` takes {duration(length)} at once, and the flow does not hold that"
        why = f"an item of `{source}` lasts {duration(stream.frame_ns)}{_lengths(graph, edge)}"
    ctx.sink.add(
        code,
        message,
        edge.spec.span,
        label=f"holds {items(row.items)}, and needs {row.least}",
        notes=[why, f"it holds {describe(held)}"],
        help=f"let it hold {items(row.least)}",
        fix=raised(ctx, graph, edge, stream, row.least - held.slack),
    )


def is_of_flow_control(edge: GraphEdge, held: Capacity) -> bool:
    """Whether what an edge holds too little of is credit, or is decided by its watermark."""
    return edge.spec.flow != "signal" or held.bound == "low mark"


def every(stream: Stream) -> str:
    """`an item every 20ms`; of a stream that does not count time, `1 item at a time`."""
    if stream.clock.kind == "items":
        return f"{items(int(stream.rate))} at a time"
    period = 1 / stream.rate
    exact = duration(int(period)) if period.denominator == 1 else f"{period.numerator}/{period.denominator}ns"
    return f"an item every {exact}"


def way(graph: Graph, found: Streams, edge: GraphEdge) -> tuple[str, ...]:
    """The ports from where the clock of an edge starts to the end of the edge."""
    clock = found.arriving[edge.id].clock
    path = [f"{edge.target}.{edge.target_port}"]
    at: GraphEdge | None = edge
    while at is not None:
        path.append(f"{at.source}.{at.source_port}")
        into = graph.into(at.source) if at.source != clock.at else ()
        at = next((one for one in into if is_plain(one) and found.arriving[one.id].clock == clock), None)
    return tuple(reversed(path))


def _within(settings: object) -> str:
    within = settings.get("within_ns", 0) if isinstance(settings, dict) else 0
    return duration(within)


def _lengths(graph: Graph, edge: GraphEdge) -> str:
    """Where the two lengths are from."""
    ends = (graph.source_port(edge), graph.target_port(edge))
    given, taken = (port.origin("item_ns") if port is not None else "" for port in ends)
    return f" ({given}); what is taken at once: {taken}"
