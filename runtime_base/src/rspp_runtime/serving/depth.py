"""How many items wait on each edge, as far as one can tell from outside: what went in, less what came out.

The kernel tells the most that waited on an edge when a turn ends (`Op.METRIC`), and nothing in between. This counts
along: exact for an edge that is the only one into its port, and joins nothing; a hand-off counts as empty once it has
given something. Never more than the edge can hold.
"""

from __future__ import annotations

from rspp_runtime.abi.plan import TURN, Edge, Plan


class Depths:
    """Counters of one session."""

    def __init__(self, plan: Plan) -> None:
        self._edges = plan.edges
        self._waiting = [0] * len(plan.edges)
        self._from: dict[tuple[int, int], list[Edge]] = {}
        self._into: dict[tuple[int, int], list[Edge]] = {}
        for edge in plan.edges:
            if plan.nodes[edge.target].execution != "kernel":  # what happens inside of the kernel is over in its step
                self._from.setdefault((edge.source, edge.source_port), []).append(edge)
                self._into.setdefault((edge.target, edge.target_port), []).append(edge)
        self._of_turn = [edge.id for edge in plan.edges if edge.scope == TURN]

    def now(self) -> list[int]:
        """Items waiting, by edge id."""
        return list(self._waiting)

    def gave(self, node: int, port: int) -> None:
        """A node's port has given an item, which was taken."""
        for edge in self._from.get((node, port), ()):
            self._waiting[edge.id] = min(edge.items_max, self._waiting[edge.id] + 1)

    def took(self, node: int, port: int) -> None:
        """A node's port was given an item."""
        for edge in self._into.get((node, port), ()):
            if self._waiting[edge.id]:
                self._waiting[edge.id] = 0 if edge.handoff or edge.gather else self._waiting[edge.id] - 1
                return

    def dropped(self, edge: int, items: int) -> None:
        self._waiting[edge] = max(0, self._waiting[edge] - items)

    def flushed(self) -> None:
        """A turn's edges were emptied."""
        for edge in self._of_turn:
            self._waiting[edge] = 0

    closed = flushed
