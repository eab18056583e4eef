"""How often a node can be set going in one turn, and how often it can then call its provider.

A flow from where the turn opens sets a node going once. A reaction does so as often as its event can occur: a failure
as often as the node that fails runs, a tool's event as often as the tool can be called, what is detected or timed as
often as fits into the longest turn. What can be the cause of its own next run has no bound.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import networkx as nx

from rspp_compiler.analysis.shared.reach import behind, plain_or_of
from rspp_compiler.ir.graph import Graph, GraphNode
from rspp_compiler.ir.spec import EventSpec, ReactionSpec

_FAILS = ("budget_exhausted", "error", "timeout")
_OF_ATTEMPT = frozenset({"provider_error", "provider_switch", "circuit_event"})
_ONCE = frozenset({"connected", "disconnected", "ended"})
MINUTE = 60_000_000_000

Counted = tuple[Literal["node", "tool"], str]


class Runs:
    """Counts of one graph; None where nothing bounds one."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        starts = [edge.target for edge in graph.edges if edge.opens_turn and not edge.reactions]
        self._opened = behind(graph, starts, lambda edge: not edge.reactions).keys()
        self._lines = _leading_to(graph)
        self._counts: dict[Counted, int | None] = {}
        needs = self._needs()
        knots = nx.condensation(needs)
        for knot in reversed(list(nx.topological_sort(knots))):
            members: set[Counted] = knots.nodes[knot]["members"]
            for one in members:
                goes_round = len(members) > 1 or needs.has_edge(one, one)
                self._counts[one] = None if goes_round else self._count(one)

    def of(self, node: GraphNode) -> int | None:
        """How often the node is set going."""
        return self._counts["node", node.id]

    def calls(self, node: GraphNode) -> int | None:
        """Calls of the node's provider in a turn, not counting what is tried again."""
        runs = self.of(node)
        return None if runs is None else runs + more_calls(node)

    def _needs(self) -> nx.DiGraph[Counted]:
        """An arrow from each node and tool to those whose counts its own is made of."""
        graph = self._graph
        needs: nx.DiGraph[Counted] = nx.DiGraph()
        needs.add_nodes_from(("node", node.id) for node in graph.nodes)
        needs.add_nodes_from(("tool", tool.id) for tool in graph.spec.tools)
        for one, lines in self._lines.items():
            for event in (event for line in lines for event in line.events):
                if graph.find(event.subject) is not None:
                    needs.add_edge(one, ("node", event.subject))
                elif graph.spec.tool(event.subject) is not None:
                    needs.add_edge(one, ("tool", event.subject))
        return needs

    def _count(self, one: Counted) -> int | None:
        graph, lines = self._graph, self._lines.get(one, [])
        if one[0] == "node":
            node = graph.node(one[1])
            begins = 1 if node.scope != "turn" or node.id in self._opened else 0
        else:
            begins = sum(more_calls(node) for node in graph.nodes if one[1] in node.spec.tools)
        told: dict[str, list[EventSpec]] = {}
        for event in (event for line in lines for event in line.events):
            told.setdefault(event.subject, []).append(event)
        return summed([begins, *(self._by(subject, events) for subject, events in told.items())])

    def _by(self, subject: str, told: list[EventSpec]) -> int | None:
        """Runs that events of one subject cause. One failure is an error or a timeout, never both."""
        either = max(sum(event.event == name for event in told) for name in _FAILS)
        failures = self._fails(subject) if either else 0
        others = [self._occurs(event) for event in told if event.event not in _FAILS]
        return summed([None if failures is None else either * failures, *others])

    def _fails(self, subject: str) -> int | None:
        if subject == "turn":
            return 1
        kind: Literal["node", "tool"] = "node" if self._graph.find(subject) is not None else "tool"
        return self._counts.get((kind, subject))

    def _occurs(self, event: EventSpec) -> int | None:
        """How often an event that is no failure can occur in one turn."""
        graph = self._graph
        node = graph.find(event.subject)
        if event.subject == "turn" or (event.subject == "session" and event.event in _ONCE):
            return 1
        if node is None:
            return self._counts.get(("tool", event.subject))
        if event.event in _OF_ATTEMPT:
            provider, calls = graph.provider_of(node), self.calls(node)
            return None if calls is None or provider is None else calls * provider.attempts
        distance = distance_ns(node, event.event)
        if distance:
            return graph.spec.budget.turn_total_ns // distance + 1
        if node.kind == "timer" and "after_ns" in node.spec.settings:
            return 1
        return self.calls(node) if node.scope == "turn" else None


def _leading_to(graph: Graph) -> dict[Counted, list[ReactionSpec]]:
    """For each node the lines whose path reaches it, for each tool those that call it."""
    found: dict[Counted, list[ReactionSpec]] = {}
    for line in graph.spec.reactions:
        if line.trigger is not None and graph.find(line.trigger.node) is not None:
            for id in behind(graph, [line.trigger.node], plain_or_of(line.id)):
                found.setdefault(("node", id), []).append(line)
        elif line.verb == "call" and line.object is not None:
            found.setdefault(("tool", line.object), []).append(line)
    return found


def more_calls(node: GraphNode) -> int:
    """Calls of a turn that follow on a tool's result: at most one for each call of a tool."""
    calls = node.spec.settings.get("max_calls", 0)
    return calls if isinstance(calls, int) and node.spec.tools else 0


def summed(parts: Iterable[int | None]) -> int | None:
    """The sum; None where a part has no bound."""
    total = 0
    for part in parts:
        if part is None:
            return None
        total += part
    return total


def distance_ns(node: GraphNode, event: str) -> int:
    """The least time from one occurrence of an event to the next; 0 where nothing says."""
    settings = node.spec.settings

    def ns(name: str) -> int:
        value = settings.get(name, 0)
        return value if isinstance(value, int) else 0

    if event == "idle":
        return ns("idle_after_ns")
    if event == "fired":
        return ns("every_ns")
    if event in ("speech_start", "speech_end", "barge_in"):
        return ns("min_ns") if node.kind == "endpointer" else ns("min_speech_ns") + ns("min_silence_ns")
    return 0
