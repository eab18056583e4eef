"""What sessions of one process share of a Python node outside of the kernel, and by which key they take turns."""

from __future__ import annotations

from rspp_compiler.ir.graph import Graph, GraphNode

CONCURRENCY = 16  # calls at once, over all sessions of a process, where nothing is written
WAITING = 64  # calls that wait, of one key


def concurrency(node: GraphNode) -> int:
    """How many calls of the node run at once."""
    limit = node.spec.limit
    return limit.concurrency if limit and limit.concurrency else CONCURRENCY


def fairness(graph: Graph, node: GraphNode) -> str:
    """`session.tenant`: those whose calls take turns, as a flow into the node says; "" for each session by itself."""
    return next((edge.spec.fairness for edge in graph.into(node.id) if edge.spec.fairness), "")
