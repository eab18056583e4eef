"""cycle_ratio: the slowest cycle, against every simple cycle, one by one."""

from __future__ import annotations

from fractions import Fraction

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from rspp_compiler.analysis.flow.cycle_ratio import Arc, slowest_cycle


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, list[Arc]]:
    """Up to six nodes; what leads back, or nowhere else, has a token on it."""
    nodes = draw(st.integers(1, 6))
    arcs = []
    for _ in range(draw(st.integers(0, 12))):
        source, target = draw(st.integers(0, nodes - 1)), draw(st.integers(0, nodes - 1))
        arcs.append(Arc(source, target, draw(st.integers(0, 20)), draw(st.integers(int(target <= source), 3))))
    return nodes, arcs


def every_cycle(arcs: list[Arc]) -> list[Fraction]:
    """The ratio of each simple cycle. A node of its own stands for each arc, so that parallel ones are told apart."""
    graph: nx.DiGraph[object] = nx.DiGraph()
    for at, arc in enumerate(arcs):
        graph.add_edge(arc.source, ("arc", at))
        graph.add_edge(("arc", at), arc.target)
    cycles = [[arcs[node[1]] for node in cycle if isinstance(node, tuple)] for cycle in nx.simple_cycles(graph)]
    return [Fraction(sum(arc.time for arc in cycle), sum(arc.tokens for arc in cycle)) for cycle in cycles]


@settings(max_examples=200)
@given(graphs())
def test_no_cycle_is_slower(drawn: tuple[int, list[Arc]]) -> None:
    nodes, arcs = drawn
    found, ratios = slowest_cycle(nodes, arcs), every_cycle(arcs)
    assert (found[0] if found else None) == max(ratios, default=None)
    if found:
        cycle = [arcs[at] for at in found[1]]
        assert found[0] == Fraction(sum(arc.time for arc in cycle), sum(arc.tokens for arc in cycle))
        for arc, follower in zip(cycle, (*cycle[1:], cycle[0]), strict=True):
            assert arc.target == follower.source, "the witness is a cycle"


def test_a_graph_without_cycles_has_none() -> None:
    assert slowest_cycle(3, [Arc(0, 1, 5, 0), Arc(1, 2, 5, 0), Arc(0, 2, 9, 1)]) is None
    assert slowest_cycle(0, []) is None
