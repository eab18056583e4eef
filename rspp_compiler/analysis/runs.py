"""How often a node can be set going in one turn, and how often it can then call its provider.

A flow from where the turn opens sets a node going once. A reaction does so as often as its event can occur: a failure
as often as the node that fails runs, a tool's event as often as the tool can be called, what is detected or timed as
often as fits into the longest turn.
"""

from __future__ import annotations

from functools import cached_property

from rspp_compiler.analysis.reach import behind, plain_or_of
from rspp_compiler.ir.graph import Graph, GraphNode
from rspp_compiler.ir.spec import EventSpec, ReactionSpec

_FAILS = frozenset({"error", "timeout", "budget_exhausted"})
_OF_ATTEMPT = frozenset({"provider_error", "provider_switch", "circuit_event"})
_ONCE = frozenset({"connected", "disconnected", "ended"})
MINUTE = 60_000_000_000


class Runs:
    """Counts of one graph; None where nothing bounds one."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[str, int | None] = {}
        self._counting: set[str] = set()

    def of(self, node: GraphNode) -> int | None:
        """How often the node is set going; None as well for one that can be the cause of its own next run."""
        if node.id in self._counting:
            return None
        if node.id not in self._known:
            self._counting.add(node.id)
            self._known[node.id] = self._count(node)
            self._counting.discard(node.id)
        return self._known[node.id]

    def more_calls(self, node: GraphNode) -> int:
        """Calls of a turn that follow on a tool's result: at most one for each call of a tool."""
        calls = node.spec.settings.get("max_calls", 0)
        return calls if isinstance(calls, int) and node.spec.tools else 0

    def _count(self, node: GraphNode) -> int | None:
        lines = self._reaching.get(node.id, [])
        counts = [1 if node.scope != "turn" or node.id in self._opened else 0]
        for subject in dict.fromkeys(event.subject for line in lines for event in line.events):
            count = self._by(subject, lines)
            if count is None:
                return None
            counts.append(count)
        return sum(counts)

    def _by(self, subject: str, lines: list[ReactionSpec]) -> int | None:
        """Runs that events of one subject cause. One failure is an error or a timeout, never both."""
        told = [event for line in lines for event in line.events if event.subject == subject]
        of_failures = [[event for event in told if event.event == name] for name in sorted(_FAILS)]
        either = max((len(events) for events in of_failures), default=0)
        total = 0
        if either:
            failures = self._failures(subject)
            if failures is None:
                return None
            total += either * failures
        for event in told:
            if event.event not in _FAILS:
                count = self._occurs(event)
                if count is None:
                    return None
                total += count
        return total

    def _failures(self, subject: str) -> int | None:
        node = self._graph.find(subject)
        if node is not None:
            return self.of(node)
        return self._tool_calls(subject) if self._graph.spec.tool(subject) else None

    def _occurs(self, event: EventSpec) -> int | None:
        """How often an event that is no failure can occur in one turn."""
        graph = self._graph
        node = graph.find(event.subject)
        if event.subject == "turn" or (event.subject == "session" and event.event in _ONCE):
            return 1
        if graph.spec.tool(event.subject) is not None:
            return self._tool_calls(event.subject)
        if node is None:
            return None
        if event.event in _OF_ATTEMPT:
            provider, calls = graph.provider_of(node), self.calls(node)
            return None if calls is None or provider is None else calls * provider.attempts
        distance = distance_ns(node, event.event)
        if distance:
            return graph.spec.budget.turn_total_ns // distance + 1
        if node.kind == "timer" and "after_ns" in node.spec.settings:
            return 1
        return self.calls(node) if node.scope == "turn" else None

    def calls(self, node: GraphNode) -> int | None:
        """Calls of the node's provider in a turn, not counting what is tried again."""
        runs = self.of(node)
        return None if runs is None else runs + self.more_calls(node)

    def _tool_calls(self, tool: str) -> int | None:
        """Calls of a tool: as many as the models that know it may make, and those that lines make."""
        total = sum(self.more_calls(node) for node in self._graph.nodes if tool in node.spec.tools)
        for line in self._graph.spec.reactions:
            if (line.verb, line.object) != ("call", tool):
                continue
            for event in line.events:
                if event.subject == tool:
                    return None
                node = self._graph.find(event.subject)
                fails = event.event in _FAILS and node is not None
                count = self.of(node) if fails and node is not None else self._occurs(event)
                if count is None:
                    return None
                total += count
        return total

    @cached_property
    def _opened(self) -> frozenset[str]:
        """Nodes that the flows reach from where a turn opens."""
        starts = [edge.target for edge in self._graph.edges if edge.opens_turn and not edge.reactions]
        return frozenset(behind(self._graph, starts, lambda edge: not edge.reactions))

    @cached_property
    def _reaching(self) -> dict[str, list[ReactionSpec]]:
        """For each node the lines whose path reaches it."""
        found: dict[str, list[ReactionSpec]] = {}
        for line in self._graph.spec.reactions:
            if line.trigger is not None and self._graph.find(line.trigger.node):
                for id in behind(self._graph, [line.trigger.node], plain_or_of(line.id)):
                    found.setdefault(id, []).append(line)
        return found


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
