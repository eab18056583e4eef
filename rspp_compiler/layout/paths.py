"""Budgets of paths as the kernel keeps them: what begins one, what ends it, and what lies on the way.

The way is what the proof counts (`analysis/latency/ways.py`): flows, not paths of reactions. What begins outside of
turns is counted from the end of the input, as the turn's own budget is: what was said before has been heard already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from rspp_compiler.ir.budgets import PathBudget
from rspp_compiler.ir.graph import Graph, GraphEdge
from rspp_compiler.ir.layout import Mode
from rspp_compiler.ir.spec import PathBudgetSpec
from rspp_compiler.layout.tables import Ids, mask

PATHS_MAX = MODES_MAX = 64
"""The kernel keeps sets of them as bits of one word."""


def paths(graph: Graph, ids: Ids, modes: Sequence[Mode]) -> tuple[PathBudget, ...]:
    """One row for each budget of a path, in the order of the spec; those that `not_kept` are laid out all the same."""
    budget = graph.spec.budget
    return tuple(_row(Way(graph, path), id, budget.warning_percent, ids, modes) for id, path in enumerate(budget.paths))


def not_kept(graph: Graph, path: PathBudgetSpec) -> str:
    """Why the kernel cannot keep the budget of a path yet; "" where it can."""
    way = Way(graph, path)
    if len(graph.spec.budget.paths) > PATHS_MAX or len(graph.spec.modes) >= MODES_MAX:
        return f"more than {PATHS_MAX} budgets of paths, or beside as many modes"
    return "" if way.is_of_a_turn() else "the budget of a path outside of turns"


class Way:
    """What lies between the two ends of a path: edges, and nodes that have still to answer.

    `inside` are the edges behind the place where the way enters a turn: all, if it begins in one.
    """

    def __init__(self, graph: Graph, path: PathBudgetSpec) -> None:
        self.graph, self.path = graph, path
        self.ends_at_output = graph.node(path.target).spec.output(path.target_port) is not None
        lead = self._behind()
        self.edges = tuple(edge for edge in self._ahead(lambda edge: True) if edge.id in lead)
        self.begins_in_a_turn = self._begins_in_a_turn()
        before = () if self.begins_in_a_turn else self._ahead(lambda edge: not self._opens(edge))
        self._before = {edge.id for edge in before}
        self.inside = tuple(edge for edge in self.edges if edge.id not in self._before)

    @property
    def nodes(self) -> set[str]:
        """All of them; that from which the way begins has answered."""
        return self._answering(self.edges)

    @property
    def nodes_inside(self) -> set[str]:
        """Those behind the place where the way enters a turn."""
        return self._answering(self.inside)

    def is_of_a_turn(self) -> bool:
        """Whether every way begins in a turn, or enters it where a turn opens; and it ends there."""
        end = self.graph.node(self.path.target)
        if end.kind == "stt":
            return self.ends_at_output and not self.begins_in_a_turn
        if end.scope != "turn" and not self._ends_at_egress():
            return False
        return not any(edge.scope == "turn" and edge.id in self._before for edge in self.edges)

    def entries(self) -> tuple[GraphEdge, ...]:
        """The edges by which the way enters a turn."""
        return tuple(e for e in self.edges if e.scope == "turn" and self.graph.node(e.source).scope != "turn")

    def hears(self) -> bool:
        """Whether the recogniser is on the way, and has still to answer."""
        return any(self.graph.node(node).kind == "stt" for node in self.nodes)

    def is_there(self, off: Iterable[str]) -> bool:
        """Whether the way leads from one end to the other without these nodes."""
        gone = set(off)
        if {self.path.source, self.path.target} & gone:
            return False
        last = self._last()
        found = self._ahead(lambda edge: edge.target not in gone)
        return any(edge.id in last for edge in found)

    def _begins_in_a_turn(self) -> bool:
        """Whether what leaves its beginning is a turn's already."""
        first = self.graph.out_of(self.path.source, self.path.source_port)
        return self.graph.node(self.path.source).scope == "turn" or any(self._opens(edge) for edge in first)

    def _opens(self, edge: GraphEdge) -> bool:
        """Whether a turn begins with what flows there: an utterance, a text, keys."""
        source = self.graph.node(edge.source)
        if source.kind == "ingress":
            return edge.source_port == "text" and not self.graph.of_kind("stt")
        keyed = source.kind == "collect" and any(one.scope == "turn" for one in self.graph.out_of(source.id))
        return keyed or (source.kind == "stt" and edge.source_port == "utterance")

    def _ends_at_egress(self) -> bool:
        edges = self.graph.into(self.path.target, self.path.target_port)
        return self.graph.node(self.path.target).kind == "egress" and all(edge.scope == "turn" for edge in edges)

    def _answering(self, edges: Iterable[GraphEdge]) -> set[str]:
        found = {edge.target for edge in edges}
        return found if self.ends_at_output else found - {self.path.target}

    def _last(self) -> set[str]:
        """Edges of flows into the end."""
        port = None if self.ends_at_output else self.path.target_port
        return {edge.id for edge in self.graph.into(self.path.target, port) if not edge.reactions}

    def _ahead(self, follows: Callable[[GraphEdge], bool]) -> Iterator[GraphEdge]:
        """Edges of flows that can be reached from the beginning."""
        waiting, seen = list(self.graph.out_of(self.path.source, self.path.source_port)), set[str]()
        while waiting:
            edge = waiting.pop()
            if edge.id not in seen and not edge.reactions and follows(edge):
                seen.add(edge.id)
                yield edge
                waiting += self.graph.out_of(edge.target)

    def _behind(self) -> set[str]:
        """Edges of flows that lead to the end."""
        last = self._last()
        waiting, seen = [edge for edge in self.graph.into(self.path.target) if edge.id in last], set[str]()
        while waiting:
            edge = waiting.pop()
            if edge.id not in seen and not edge.reactions:
                seen.add(edge.id)
                waiting += self.graph.into(edge.source)
        return seen


def _row(way: Way, id: int, warning_percent: int, ids: Ids, modes: Sequence[Mode]) -> PathBudget:
    graph, path = way.graph, way.path
    in_turn = way.begins_in_a_turn
    first = graph.out_of(path.source, path.source_port)
    pushed = [edge for edge in first if edge in way.edges] if in_turn else way.entries()
    last = () if way.ends_at_output else graph.into(path.target, path.target_port)
    names = {node: name for name, node in ids.nodes.items()}
    return PathBudget(
        id=id,
        name=path.name,
        line=path.span.line,
        limit_ns=path.ns,
        warning_ns=path.ns * warning_percent // 100,
        pushed=mask(ids.edges[edge.id] for edge in pushed),
        hears=way.hears(),
        from_input_end=not in_turn,
        ends_node=ids.nodes[path.target] if way.ends_at_output else -1,
        ends_edges=mask(ids.edges[edge.id] for edge in last),
        edges=mask(ids.edges[edge.id] for edge in way.inside),
        nodes=mask(ids.nodes[node] for node in way.nodes_inside),
        modes=mask(mode.id for mode in modes if way.is_there(names[n] for n in names if mode.nodes_off >> n & 1)),
    )
