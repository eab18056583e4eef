"""When something reaches each node, at the latest: by the flows, by fallbacks, and by the fallbacks of those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import networkx as nx

from rspp_compiler.analysis.latency.causes import Cause
from rspp_compiler.analysis.latency.clock import first_edges
from rspp_compiler.analysis.latency.ways import Stop, Way, Ways
from rspp_compiler.ir.graph import GraphEdge
from rspp_compiler.ir.proofs.latency import ClockStart


@dataclass(frozen=True, slots=True)
class Join:
    """Where the path of a reaction comes to a node."""

    cause: Cause
    stop: Stop


@dataclass(frozen=True, slots=True)
class Arrival:
    """The slowest way to a node ends with `via`; its input is there at `at_ns`, its first output at `ready_ns`."""

    at_ns: int
    ready_ns: int
    via: GraphEdge | Join | ClockStart


class Arrivals:
    """The latest arrival at every node that anything reaches.

    A reaction whose path leads back to its own cause is followed once: what it starts does not start it again.
    """

    def __init__(self, ways: Ways, starts: Sequence[ClockStart], joins: Sequence[Join]) -> None:
        self._ways = ways
        self._of: dict[str, Arrival] = {}
        self._first = {start.node: set[str]() for start in starts if ways.graph.node(start.node).kind == "ingress"}
        for start in starts:
            self._first.get(start.node, set()).update(edge.id for edge in first_edges(ways.graph, start))
        into: dict[str, list[Join]] = {}
        for join in joins:
            into.setdefault(join.stop.node, []).append(join)
        by_node: dict[str, list[ClockStart]] = {}
        for start in starts:
            by_node.setdefault(start.node, []).append(start)
        for id in self._order(into):
            found: list[tuple[int, GraphEdge | Join | ClockStart]] = [(0, start) for start in by_node.get(id, ())]
            edges = (edge for edge in ways.graph.into(id) if self.follows(edge))
            found += [(self._of[edge.source].ready_ns + ways.ns(edge), edge) for edge in edges]
            found += [(self.begins(join.cause) + join.stop.ns, join) for join in into.get(id, ())]
            if found:
                at, via = max(found, key=lambda one: one[0])
                self._of[id] = Arrival(at, at, via)
                if self.answers(id):
                    self._of[id] = Arrival(at, at + ways.ns(id), via)

    def __contains__(self, id: str) -> bool:
        return id in self._of

    def at(self, id: str) -> int:
        return self._of[id].at_ns

    def follows(self, edge: GraphEdge) -> bool:
        """Whether what is answered comes along a flow."""
        first = self._first.get(edge.source)
        return edge.source in self._of and not edge.reactions and (first is None or edge.id in first)

    def begins(self, cause: Cause) -> int:
        """When the cause occurs at the latest. What no turn reaches fails outside of turns: that starts the clock."""
        arrival = self._of.get(cause.node or "")
        if cause.used is not None:
            return cause.used.ns + (arrival.at_ns if arrival else 0)
        return arrival.ready_ns if arrival else 0

    def way_to(self, cause: Cause) -> tuple[Way, ClockStart | Cause]:
        """The parts of the slowest way to a cause, and what started the clock."""
        way: Way = []
        while True:
            node = cause.node or ""
            if cause.used is not None:
                way.append(cause.used)
            elif self.answers(node):
                way.append(node)
            while node in self._of and isinstance(via := self._of[node].via, GraphEdge):
                node = via.source
                way += [via, node] if self.answers(node) else [via]
            if node not in self._of:
                return way[::-1], cause
            if isinstance(via := self._of[node].via, ClockStart):
                return way[::-1], via
            assert isinstance(via, Join)
            way += via.stop.way[::-1]
            cause = via.cause

    def answers(self, node: str) -> bool:
        """Whether what leaves a node waited for its budget; at the node where the clock starts it need not."""
        via = self._of[node].via if node in self._of else None
        return via is not None and not (isinstance(via, ClockStart) and not via.takes_budget)

    def _order(self, into: dict[str, list[Join]]) -> list[str]:
        """Nodes such that flows and reactions lead forward; joins that would lead back are taken out of `into`."""
        nodes = self._ways.graph.nodes
        position = {node.id: node.position for node in nodes}
        joins = [(node, join) for found in into.values() for join in found if (node := join.cause.node) is not None]
        if all(position[node] < position[join.stop.node] for node, join in joins):
            return [node.id for node in nodes]
        flows: nx.DiGraph[str] = nx.DiGraph()
        flows.add_nodes_from(position)
        flows.add_edges_from((edge.source, edge.target) for edge in self._ways.graph.edges if not edge.reactions)
        leads = [(node, join) for node, join in joins if not flows.has_edge(node, join.stop.node)]
        flows.add_edges_from((node, join.stop.node) for node, join in leads)
        part = {id: number for number, ids in enumerate(nx.strongly_connected_components(flows)) for id in ids}
        back = [(node, join) for node, join in leads if part[node] == part[join.stop.node]]
        flows.remove_edges_from((node, join.stop.node) for node, join in back)
        for _, join in back:
            into[join.stop.node].remove(join)
        return list(nx.lexicographical_topological_sort(flows, key=position.__getitem__))
