"""What flows on every edge: by which clock it comes, how often, and where that stops being known.

A clock is a source of items: an ingress, or a node that decides by itself when it says something. Audio keeps its
clock through nodes that hand on as much audio as they take; whatever may let only a part through (a detector, a guard,
an edge that coalesces) starts a clock of its own, of which only a bound is known. Items of one clock can be counted
against each other, items of two clocks cannot: that is all that rates, buffers, joins and throughput need to know.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from rspp_compiler.analysis.flow.sdf import repetitions
from rspp_compiler.analysis.shared.words import duration
from rspp_compiler.ir.condition import show
from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.ir.spec import PortSpec

S = 1_000_000_000
Port = tuple[str, str]  # node, port
Way = Literal["timestamp", "round_robin", "highest"]

CONVERTERS = ("python", "grpc", "wasm", "resample", "decode")  # audio in, the same time of audio out
# Overflow steps that leave items out even where there is room.
_THINNING = {
    "latest_only": "keeps the latest item only",
    "coalesce": "joins items that wait",
    "sample": "lets only some through",
}

# Why a kind's output has a clock of its own.
_ELSE = "may hand on more or less than it takes"
_BECAUSE = {
    "vad": "lets only speech through",
    "stt": "says something when it has recognised it",
    "llm": "answers when it is asked",
    "tts": "speaks when it is given a text",
    "realtime": "speaks when it is its turn",
    "collect": "gathers keys until the user is done",
    "say": "is triggered by a reaction",
    "play": "is triggered by a reaction",
    "redact": "drops what it may not hand on",
    "merge": "hands on what comes, whichever comes",
    "select": "lets only one of several through",
}


@dataclass(frozen=True, slots=True)
class Clock:
    """Where items come from. `at` is the node, or the edge, that starts it; `because` says why the clock before it does
    not go on there.

    `real_time`  as time passes, without end: audio of an ingress
    `media`      audio, when there is any: at the pace at which it is made or heard
    `items`      anything else
    """

    id: str  # a port or an edge
    kind: Literal["real_time", "media", "items"]
    at: str
    because: str = ""


@dataclass(frozen=True, slots=True)
class Stream:
    """Items of one clock. `rate` is items per nanosecond of audio, or per item of a clock that is not audio.

    `frame_ns` is the length of an item of audio; 0 of anything else, and where items of several lengths come. At most
    `ceiling` items come a second (None: nobody knows).
    """

    clock: Clock
    rate: Fraction
    frame_ns: int
    ceiling: Fraction | None


@dataclass(frozen=True, slots=True)
class Join:
    """A node that waits until every one of `edges` has something, and takes `takes` items of each at once.

    `fits` is false where they do not come by one clock, or not in these numbers: then it does not take part in any.
    """

    node: str
    way: Way
    edges: tuple[GraphEdge, ...]
    takes: tuple[int, ...]
    fits: bool


@dataclass(frozen=True, slots=True)
class Streams:
    """Every stream: `made` by each output that something flows from, `arriving` on each edge, by its id."""

    made: dict[Port, Stream]
    arriving: dict[str, Stream]
    joins: dict[str, Join]


def streams(graph: Graph) -> Streams:
    """The streams of a graph, which must be free of cycles."""
    found = Streams({}, {}, {})
    for node in graph.nodes:
        for edge in graph.into(node.id):
            found.arriving[edge.id] = _along(edge, found.made[edge.source, edge.source_port])
        _emit(graph, node, found)
    return found


def is_plain(edge: GraphEdge) -> bool:
    """Whether the edge is a flow as written, not the way of a reaction alone."""
    return not edge.reactions


def waits_for_all(node: GraphNode) -> Way | None:
    """How a node pairs its inputs, if it waits until each has something; None for one that takes what is there.

    A merge by priority never waits, nor does a `select` of whatever comes first. `within` ends the wait for an earlier
    or a better item; that of a merge that takes turns only where the user says so.
    """
    settings = node.spec.settings
    within = settings.get("within_ns")
    if node.kind == "merge":
        order = settings.get("order", "timestamp")
        if order == "round_robin":
            return None if within and node.spec.origin("settings.within_ns").kind == "user" else "round_robin"
        return "timestamp" if order == "timestamp" and not within else None
    return "highest" if node.kind == "select" and settings.get("by") == "highest" and not within else None


def waits_within(node: GraphNode) -> bool:
    """Whether a node lets items wait for those of its other inputs, for a time."""
    settings = node.spec.settings
    if not settings.get("within_ns") or waits_for_all(node):
        return False
    return (node.kind == "merge" and settings.get("order") != "priority") or (
        node.kind == "select" and settings.get("by") == "highest"
    )


def _along(edge: GraphEdge, stream: Stream) -> Stream:
    """The stream as it arrives at the other end of an edge."""
    because = _thinned(edge)
    if not because:
        return stream
    ceiling = stream.ceiling
    if edge.spec.coalesce_ns:
        most = Fraction(S, edge.spec.coalesce_ns)
        ceiling = most if ceiling is None else min(ceiling, most)
    return _started(edge.id, edge.id, because, stream.frame_ns, ceiling)


def _thinned(edge: GraphEdge) -> str:
    spec = edge.spec
    if spec.guard is not None:
        return f"lets through only what is `when {show(spec.guard)}`"
    if spec.otherwise:
        return "lets through only what is `otherwise`"
    if spec.coalesce_ns:
        return f"coalesces what comes within {duration(spec.coalesce_ns)}"
    return _THINNING.get(spec.overflow[0].strategy, "")


def _started(id: str, at: str, because: str, frame_ns: int, ceiling: Fraction | None) -> Stream:
    rate = Fraction(1, frame_ns) if frame_ns else Fraction(1)
    return Stream(Clock(id, "media" if frame_ns else "items", at, because), rate, frame_ns, ceiling)


def _emit(graph: Graph, node: GraphNode, found: Streams) -> None:
    arriving = [(edge, found.arriving[edge.id]) for edge in graph.into(node.id) if is_plain(edge)]
    way = waits_for_all(node)
    if way and len(arriving) > 1:
        found.joins[node.id] = _join(node.id, way, arriving)
    used = {edge.source_port for edge in graph.out_of(node.id)}
    for port in node.spec.outputs:
        if port.name in used:
            found.made[node.id, port.name] = _output(node, port, arriving, found.joins.get(node.id))


def _output(node: GraphNode, port: PortSpec, arriving: list[tuple[GraphEdge, Stream]], join: Join | None) -> Stream:
    id = f"{node.id}.{port.name}"
    if node.kind == "ingress":
        return _heard(node, port, id)
    if node.kind in ("merge", "select", "label"):
        return _merged(node, id, [stream for _, stream in arriving], join)
    if node.kind == "redact" and node.spec.settings.get("action") != "drop" and len(arriving) == 1:
        return arriving[0][1]
    if node.kind in CONVERTERS and port.type.name == "audio":
        kept = _same_time(node, port, arriving)
        if kept is not None:
            return kept
    return _started(id, node.id, _BECAUSE.get(node.kind, _ELSE), _frame(port), _most(node, arriving))


def _heard(node: GraphNode, port: PortSpec, id: str) -> Stream:
    frame = _frame(port)
    if not frame:
        return _started(id, node.id, "sends something when the user does", 0, None)
    return Stream(
        Clock(id, "real_time", node.id, "sends audio as time passes"), Fraction(1, frame), frame, Fraction(S, frame)
    )


def _same_time(node: GraphNode, port: PortSpec, arriving: list[tuple[GraphEdge, Stream]]) -> Stream | None:
    """A custom node's audio keeps the time of its first input's; None where that input is not one flow of audio."""
    first = next((input for input in node.spec.inputs if input.main), None)
    into = [stream for edge, stream in arriving if first is not None and edge.target_port == first.name]
    if first is None or first.type.name != "audio" or len(into) != 1 or not into[0].frame_ns:
        return None
    stream = into[0]
    frame = _frame(port) or _frame(first) or stream.frame_ns
    ratio = Fraction(stream.frame_ns, frame)
    ceiling = None if stream.ceiling is None else stream.ceiling * ratio
    return Stream(stream.clock, stream.rate * ratio, frame, ceiling)


def _join(node: str, way: Way, arriving: list[tuple[GraphEdge, Stream]]) -> Join:
    """By timestamp, what is taken together is the same stretch of time; otherwise it is one item of each."""
    rates = [stream.rate for _, stream in arriving]
    one_clock = len({stream.clock for _, stream in arriving}) == 1
    takes = repetitions(rates) if way == "timestamp" and one_clock else (1,) * len(arriving)
    fits = one_clock and len({rate / count for rate, count in zip(rates, takes, strict=True)}) == 1
    return Join(node, way, tuple(edge for edge, _ in arriving), takes, fits)


def _merged(node: GraphNode, id: str, streams: list[Stream], join: Join | None) -> Stream:
    if len(streams) == 1:
        return streams[0]
    frames = {stream.frame_ns for stream in streams}
    frame = frames.pop() if len(frames) == 1 else 0
    ceiling = _sum(stream.ceiling for stream in streams)
    rate = sum((stream.rate for stream in streams), Fraction())
    if join is not None and join.fits:
        return streams[0] if join.way == "highest" else Stream(streams[0].clock, rate, frame, ceiling)
    if frame and node.kind == "merge" and all(stream.clock.kind == "real_time" for stream in streams):
        return Stream(Clock(id, "real_time", node.id, "hands on what each input brings"), rate, frame, ceiling)
    return _started(id, node.id, _BECAUSE[node.kind], frame, ceiling)


def _most(node: GraphNode, arriving: list[tuple[GraphEdge, Stream]]) -> Fraction | None:
    """The most items a second from a node that decides by itself; None where nothing bounds it."""
    ceiling = _sum(stream.ceiling for _, stream in arriving)
    if node.kind in ("vad", "redact"):
        return ceiling
    return ceiling * node.spec.emissions_max if ceiling and node.spec.emissions_max else None


def _sum(ceilings: Iterable[Fraction | None]) -> Fraction | None:
    total = Fraction()
    for ceiling in ceilings:
        if ceiling is None:
            return None
        total += ceiling
    return total


def _frame(port: PortSpec) -> int:
    return port.item_ns if port.type.name == "audio" else 0
