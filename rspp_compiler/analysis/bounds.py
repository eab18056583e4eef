"""Every edge is bounded: in items, in bytes, and in the time that it can add to a path (LANGUAGE, promise 1)."""

from __future__ import annotations

from rspp_compiler.analysis.latency.figures import declared_age, of_edge
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge
from rspp_compiler.ir.proofs.bounds import EdgeBound
from rspp_compiler.ir.spec import OverflowStep


def bounds(graph: Graph, _ctx: Context) -> tuple[EdgeBound, ...]:
    """One row for each edge, in the order of the source. Nothing can be wrong here: every edge has its bounds."""
    return tuple(
        EdgeBound(
            edge=edge.id,
            scope=edge.scope,
            items_max=edge.spec.buffer_items,
            bytes_max=edge.spec.buffer_bytes,
            age_ns_max=age_ns_max(edge),
            contributes_ns=sum(figure.ns for figure in of_edge(edge)),
            overflow=overflow(graph, edge),
            origin=edge.spec.origin("buffer_items"),
            age_origin=declared_age(edge)[1],
        )
        for edge in graph.edges
    )


def overflow(graph: Graph, edge: GraphEdge) -> tuple[OverflowStep, ...]:
    """The order as written. What is about to be heard is shed only where the user says so: by default the edge into
    `egress.audio` blocks without end, and a transport that stands still is a stall (CONTRACTS §7).
    """
    is_heard = graph.node(edge.target).kind == "egress" and edge.target_port == "audio"
    if is_heard and edge.spec.origin("overflow").kind != "user":
        return (OverflowStep(strategy="block"),)
    return edge.spec.overflow


def age_ns_max(edge: GraphEdge) -> int:
    """Age beyond which the edge sheds; 0 for one that only blocks, which loses nothing."""
    only_blocks = all(step.strategy == "block" for step in edge.spec.overflow)
    return 0 if only_blocks else declared_age(edge)[0]
