"""The maximum cycle ratio of a graph: time around a cycle, divided by the tokens on it, exactly.

No cycle of a marked graph can turn faster than its time divided by its tokens, and a self-timed schedule is as fast as
the slowest of them (Reiter, 1968). Newton's method on a parametric Bellman-Ford: as long as some cycle is slower than
the ratio assumed, it gives the next ratio. All in whole numbers: a ratio is a pair (time, tokens).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Arc:
    """`target` may begin `time` after `source` began, `tokens` firings later."""

    source: int
    target: int
    time: int
    tokens: int


def slowest_cycle(nodes: int, arcs: Sequence[Arc]) -> tuple[Fraction, tuple[int, ...]] | None:
    """The largest ratio, and the indices of the arcs of a cycle that has it; None where there is no cycle.

    Every cycle must have a token on it. Nodes should be numbered roughly in the direction of the arcs: the passes then
    settle quickly.
    """
    by_source = sorted(range(len(arcs)), key=lambda at: (arcs[at].source, arcs[at].target))
    found: tuple[Fraction, tuple[int, ...]] | None = None
    time, tokens = -1, 1  # every cycle is slower than that
    while (cycle := _slower_cycle(nodes, arcs, by_source, time, tokens)) is not None:
        time, tokens = sum(arcs[at].time for at in cycle), sum(arcs[at].tokens for at in cycle)
        found = Fraction(time, tokens), cycle
    return found


def _slower_cycle(
    nodes: int, arcs: Sequence[Arc], order: Sequence[int], time: int, tokens: int
) -> tuple[int, ...] | None:
    """The slowest cycle found whose ratio is above time / tokens; None when no cycle is that slow."""
    height = [0] * nodes
    by = [-1] * nodes  # the arc that raised each node last
    weight = [arc.time * tokens - arc.tokens * time for arc in arcs]
    changed = True
    while changed:
        changed = False
        for at in order:
            arc = arcs[at]
            raised = height[arc.source] + weight[at]
            if raised > height[arc.target]:
                height[arc.target] = raised
                by[arc.target] = at
                changed = True
        if changed:
            cycles = list(_cycles(arcs, by))
            if cycles:
                return max(cycles, key=lambda cycle: _ratio(arcs, cycle))
    return None


def _cycles(arcs: Sequence[Arc], by: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """The cycles among the arcs that raised a node last. Each of them is slower than the ratio assumed."""
    state = [0] * len(by)  # the walk that came by, from 1
    for start in range(len(by)):
        node = start
        while by[node] >= 0 and not state[node]:
            state[node] = start + 1
            node = arcs[by[node]].source
        if by[node] >= 0 and state[node] == start + 1:
            cycle = [by[node]]
            while arcs[cycle[-1]].source != node:
                cycle.append(by[arcs[cycle[-1]].source])
            yield tuple(reversed(cycle))


def _ratio(arcs: Sequence[Arc], cycle: Sequence[int]) -> Fraction:
    return Fraction(sum(arcs[at].time for at in cycle), sum(arcs[at].tokens for at in cycle))
