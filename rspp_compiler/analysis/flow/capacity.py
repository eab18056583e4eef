"""How many items an edge holds before its producer waits or something is shed, and the change by which it holds more.

Several bounds may be declared; the first that is reached holds. A producer that is stopped by a watermark goes on only
when the edge has drained to the low mark, so what it can rely on is room for one item more than that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rspp_compiler.analysis.flow.streams import Stream
from rspp_compiler.analysis.shared.repairs import is_written, set_on_edge
from rspp_compiler.analysis.shared.words import duration
from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import both, setting_in
from rspp_compiler.diagnostics.statements import braces
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.spec import SpecModel, WatermarkSpec

Bound = Literal["items", "bytes", "age", "overflow", "low mark"]


@dataclass(frozen=True, slots=True)
class Capacity:
    """An edge holds `items`, because of `bound`, whose figure is from `origin`. A producer of the kernel begins only
    when there is room for all that the call may hand on: `slack` of them beyond what it does.
    """

    items: int
    bound: Bound
    origin: Origin
    slack: int = 0

    @property
    def usable(self) -> int:
        """Items that may lie there while the producer can still begin, and one more."""
        return max(0, self.items - self.slack)


def capacity(graph: Graph, edge: GraphEdge, stream: Stream) -> Capacity:
    """The bound of an edge that is reached first, of those that hold for the stream that flows there."""
    return min(_bounds(graph, edge, stream), key=lambda bound: bound.usable)


def keeps_one(edge: GraphEdge) -> bool:
    """An order that begins with `latest_only` keeps one item: whatever waits goes, even if there is room."""
    return edge.spec.overflow[0].strategy == "latest_only"


def blocks(edge: GraphEdge) -> bool:
    """Whether a full edge makes its producer wait before anything is shed."""
    return edge.spec.overflow[0].strategy == "block"


def describe(held: Capacity) -> str:
    """`1 item (its \\`buffer\\`, user, a.rspp:3:4)`."""
    words = {
        "items": "its `buffer`",
        "bytes": "the size of its `buffer`",
        "age": "the age bound of its `buffer`",
        "overflow": "`latest_only` keeps one",
        "low mark": "the low `watermark`, at which its producer goes on",
    }
    return f"{items(held.items)} ({words[held.bound]}; {held.origin})"


def items(count: int) -> str:
    """`1 item`, `2 items`."""
    return "1 item" if count == 1 else f"{count} items"


def raised(ctx: Context, graph: Graph, edge: GraphEdge, stream: Stream, count: int) -> Fix:
    """Lets the edge use room for `count` items: each bound that is lower is raised to that, and no further."""
    low = {bound.bound for bound in _bounds(graph, edge, stream) if bound.usable < count}
    if "overflow" in low and not _is_users(graph, edge.spec, "buffer_items"):
        low -= {"items", "bytes"}  # they follow from it
    fixes: list[Fix] = []
    if low & {"items", "bytes", "age"}:
        fixes += _buffer(ctx, graph, edge, stream, count, low)
    if "overflow" in low:
        fixes.append(_overflow(ctx, graph, edge))
    if "low mark" in low:
        fixes += _marks(ctx, graph, edge, stream, count)
    return both(*fixes)


def _bounds(graph: Graph, edge: GraphEdge, stream: Stream) -> Iterator[Capacity]:
    spec, slack = edge.spec, slack_of(graph, edge, stream)
    yield Capacity(spec.buffer_items, "items", spec.origin("buffer_items"), slack)
    yield Capacity(spec.buffer_bytes // _item_bytes(graph, edge), "bytes", spec.origin("buffer_bytes"), slack)
    if keeps_one(edge):
        yield Capacity(1, "overflow", spec.origin("overflow"))
    sheds = any(step.strategy != "block" for step in spec.overflow)
    if spec.buffer_ns and sheds and stream.clock.kind == "real_time" and stream.frame_ns:
        yield Capacity(spec.buffer_ns // stream.frame_ns + 1, "age", spec.origin("buffer_ns"))
    mark = spec.watermark
    if mark is not None and (blocks(edge) or spec.flow != "signal"):
        if mark.high_items:
            yield Capacity(mark.low_items + 1, "low mark", mark.origin("low_items"))
        if mark.high_ns and stream.frame_ns:
            yield Capacity(mark.low_ns // stream.frame_ns + 1, "low mark", mark.origin("low_ns"))


def slack_of(graph: Graph, edge: GraphEdge, stream: Stream) -> int:
    """Items that one call of the producer may hand on beyond those that it does: there must be room for them too.

    Where only the latest item counts, all that one call hands on is its last.
    """
    node = graph.node(edge.source)
    if node.execution != "kernel" or edge.spec.handoff is not None or not node.spec.emissions_max or keeps_one(edge):
        return 0
    taken = next((port.item_ns for port in node.spec.inputs if port.main), 0)
    keeps_clock = stream.clock.at not in (node.id, edge.id)
    is_whole = keeps_clock and taken and stream.frame_ns and taken % stream.frame_ns == 0
    return max(0, node.spec.emissions_max - (taken // stream.frame_ns if is_whole else 1))


def _item_bytes(graph: Graph, edge: GraphEdge) -> int:
    port = graph.source_port(edge)
    return port.item_bytes_max if port is not None else 1


def _is_users(graph: Graph, part: SpecModel, field: str) -> bool:
    origin = part.origins.get(field)
    return origin is not None and origin.kind == "user" and is_written(graph, origin.span)


def _buffer(ctx: Context, graph: Graph, edge: GraphEdge, stream: Stream, count: int, low: set[Bound]) -> Iterator[Fix]:
    """Writes new bounds over those of the user's that are too low, and adds those that the user did not write."""
    spec = edge.spec
    wanted, room = {}, count + slack_of(graph, edge, stream)
    if "items" in low:
        wanted["buffer_items"] = f"{room} items"
    if "bytes" in low and ("items" not in low or spec.origin("buffer_bytes").kind != "derived"):
        wanted["buffer_bytes"] = f"{room * _item_bytes(graph, edge)}B"
    if "age" in low:
        wanted["buffer_ns"] = duration((count - 1) * stream.frame_ns)
    written = [field for field in ("buffer_items", "buffer_ns", "buffer_bytes") if _is_users(graph, spec, field)]
    added = [text for field, text in wanted.items() if field not in written]
    if not written:
        yield set_on_edge(ctx, edge, f"buffer = [{', '.join(added)}]" if len(added) > 1 else f"buffer = {added[0]}")
        return
    for field in written:
        span = spec.origin(field).span
        source = ctx.source(span)
        start, end = source.offset(span.line, span.column), source.offset(span.end_line, span.end_column)
        text = wanted.get(field, source.text[start:end])
        if field == written[0] and added:
            is_listed = source.text[:start].rstrip()[-1:] in ("[", ",")
            text = ", ".join([text, *added])
            yield Fix(span, text if is_listed else f"[{text}]")
        elif field in wanted:
            yield Fix(span, text)


def _overflow(ctx: Context, graph: Graph, edge: GraphEdge) -> Fix:
    if _is_users(graph, edge.spec, "overflow"):
        return Fix(edge.spec.origin("overflow").span, "drop_oldest")
    return set_on_edge(ctx, edge, "overflow = drop_oldest")


def _marks(ctx: Context, graph: Graph, edge: GraphEdge, stream: Stream, count: int) -> Iterator[Fix]:
    """Raises the low mark, and the high one where it would no longer be above."""
    mark = edge.spec.watermark
    if mark is None:
        return
    low_ns, high_ns = (count - 1) * stream.frame_ns, count * stream.frame_ns
    if mark.high_items and mark.low_items + 1 < count:
        yield _mark(ctx, graph, mark, "low_items", f"{count - 1} items")
        if mark.high_items < count:
            yield _mark(ctx, graph, mark, "high_items", f"{count} items")
    if mark.high_ns and mark.low_ns < low_ns:
        yield _mark(ctx, graph, mark, "low_ns", duration(low_ns))
        if mark.high_ns <= low_ns:
            yield _mark(ctx, graph, mark, "high_ns", duration(high_ns))


def _mark(ctx: Context, graph: Graph, mark: WatermarkSpec, field: str, text: str) -> Fix:
    if _is_users(graph, mark, field):
        return Fix(mark.origin(field).span, text)
    source = ctx.source(mark.span)
    return setting_in(source, mark.span, braces(source, mark.span), f"{field.partition('_')[0]} = {text}")
