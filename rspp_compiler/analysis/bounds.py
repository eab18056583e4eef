"""Every edge is bounded: in items, in bytes, and in the time that it can add to a path."""

from __future__ import annotations

from rspp_compiler.ir.analysis import EdgeBound
from rspp_compiler.ir.graph import Graph, GraphEdge
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.spec import OverflowStep


def bounds(graph: Graph) -> tuple[EdgeBound, ...]:
    """One row for each edge, in the order of the source."""
    return tuple(
        EdgeBound(
            edge=edge.id,
            scope=edge.scope,
            items_max=edge.spec.buffer_items,
            bytes_max=edge.spec.buffer_bytes,
            age_ns_max=age_ns_max(edge),
            contributes_ns=contribution(edge)[0],
            overflow=overflow(edge),
            origin=edge.spec.origin("buffer_items"),
        )
        for edge in graph.edges
    )


def overflow(edge: GraphEdge) -> tuple[OverflowStep, ...]:
    """The order as written. What is about to be heard is shed only where the user says so: by default the edge into
    `egress.audio` blocks without end, and a transport that stands still is a stall (CONTRACTS §7).
    """
    spec = edge.spec
    if (edge.target, edge.target_port) == ("egress", "audio") and spec.origin("overflow").kind != "user":
        return (OverflowStep(strategy="block"),)
    return spec.overflow


def age_ns_max(edge: GraphEdge) -> int:
    """Age beyond which the edge sheds; 0 for one that only blocks, which loses nothing."""
    only_blocks = all(step.strategy == "block" for step in edge.spec.overflow)
    return 0 if only_blocks else _declared_age(edge)[0]


def contribution(edge: GraphEdge) -> tuple[int, str, Origin]:
    """What the edge adds to a path: nanoseconds, why, and where that number is from.

    A session-scoped edge may already hold items when the input ends, so it adds its age bound. An edge inside a turn
    starts empty and adds nothing, unless it holds text back for a hand-off (CONTRACTS §7).
    """
    if edge.spec.handoff is not None:
        handoff = edge.spec.handoff
        return handoff.age_ns_max, "hand-off", handoff.origin("age_ns_max")
    if edge.scope == "turn":
        return 0, "starts empty", edge.spec.origin("scope")
    age, origin = _declared_age(edge)
    return age, "age bound", origin


def _declared_age(edge: GraphEdge) -> tuple[int, Origin]:
    """The age bound: `buffer`'s time, or `latency` where the user wrote one that is less, or nothing else bounds it."""
    buffer, latency = edge.spec.buffer_ns, edge.spec.latency_ns
    if "latency_ns" in edge.spec.origins and edge.spec.origin("latency_ns").kind == "user":
        is_tighter = not buffer or latency < buffer
    else:
        is_tighter = not buffer and edge.scope == "session"
    if latency and is_tighter:
        return latency, edge.spec.origin("latency_ns")
    return buffer, edge.spec.origin("buffer_ns")
