"""Where the nodes of a drawing go: layers from left to right, few crossings, straight ways.

The classic four steps of layered drawing (Sugiyama, Tagawa, Toda): a layer for each node, bends where an edge passes a
layer, an order within each layer by the middle of the neighbours, and a height for each place that pulls neighbours
level. Deterministic: ties keep the order in which nodes and edges are given.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

_SWEEPS = 12
Edge = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Placement:
    """`at` has for each node its layer and the middle of its height; `bends` for each edge the points it passes."""

    at: dict[str, tuple[int, float]]
    bends: dict[Edge, list[tuple[int, float]]]
    layers: int
    height: float


def place(nodes: Sequence[str], edges: Iterable[Edge], heights: Mapping[str, float], gap: float) -> Placement:
    """Places the nodes of an acyclic graph; an edge that closes a cycle, or that is given twice, is left out."""
    kept = _acyclic(nodes, edges)
    layer = _layers(nodes, kept)
    rows, chains = _rows(nodes, kept, layer)
    _order(rows, chains)
    size = {name: heights.get(name, 0.0) for row in rows for name in row}
    middle = _heights(rows, chains, size, gap)
    top = min((middle[name] - size[name] / 2 for name in middle), default=0.0)
    at = {name: (layer[name], middle[name] - top) for name in nodes}
    bends = {
        (chain[0], chain[-1]): [(layer[chain[0]] + i, middle[name] - top) for i, name in enumerate(chain)][1:-1]
        for chain in chains
    }
    bottom = max((middle[name] + size[name] / 2 for name in middle), default=0.0)
    return Placement(at, bends, len(rows), bottom - top)


def _acyclic(nodes: Sequence[str], edges: Iterable[Edge]) -> list[Edge]:
    """The edges in their order, without those that would lead back."""
    out: defaultdict[str, list[str]] = defaultdict(list)
    kept: dict[Edge, None] = {}
    known = set(nodes)
    for source, target in edges:
        is_new = source in known and target in known and source != target and (source, target) not in kept
        if is_new and not _reaches(out, target, source):
            out[source].append(target)
            kept[source, target] = None
    return list(kept)


def _reaches(out: Mapping[str, list[str]], start: str, goal: str) -> bool:
    seen, waiting = {start}, [start]
    while waiting:
        name = waiting.pop()
        if name == goal:
            return True
        fresh = [other for other in out.get(name, ()) if other not in seen]
        seen.update(fresh)
        waiting += fresh
    return False


def _layers(nodes: Sequence[str], edges: list[Edge]) -> dict[str, int]:
    """The longest way to each node; what nothing leads to stands right before what it leads to."""
    into: defaultdict[str, list[str]] = defaultdict(list)
    out: defaultdict[str, list[str]] = defaultdict(list)
    for source, target in edges:
        into[target].append(source)
        out[source].append(target)
    layer: dict[str, int] = {}
    waiting = {name: len(into[name]) for name in nodes}
    ready = [name for name in nodes if not waiting[name]]
    while ready:
        name = ready.pop(0)
        layer[name] = max((layer[source] + 1 for source in into[name]), default=0)
        for target in out[name]:
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    first = next((name for name in nodes if not into[name]), "")
    for name in nodes:
        if not into[name] and out[name] and name != first:
            layer[name] = max(0, min(layer[target] for target in out[name]) - 1)
    return layer


def _rows(nodes: Sequence[str], edges: list[Edge], layer: Mapping[str, int]) -> tuple[list[list[str]], list[list[str]]]:
    """The places of each layer, and every edge as the chain of places it runs through."""
    rows: list[list[str]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for name in nodes:
        rows[layer[name]].append(name)
    chains: list[list[str]] = []
    for source, target in edges:
        chain = [source]
        for passed in range(layer[source] + 1, layer[target]):
            bend = f"{source}>{target}@{passed}"
            rows[passed].append(bend)
            chain.append(bend)
        chains.append([*chain, target])
    return rows, chains


def _neighbours(chains: list[list[str]]) -> tuple[defaultdict[str, list[str]], defaultdict[str, list[str]]]:
    before: defaultdict[str, list[str]] = defaultdict(list)
    behind: defaultdict[str, list[str]] = defaultdict(list)
    for chain in chains:
        for left, right in pairwise(chain):
            before[right].append(left)
            behind[left].append(right)
    return before, behind


def _order(rows: list[list[str]], chains: list[list[str]]) -> None:
    """Sorts each layer by the mean place of its neighbours, from the left and from the right in turn."""
    before, behind = _neighbours(chains)
    for sweep in range(_SWEEPS):
        rightwards = sweep % 2 == 0
        beside = before if rightwards else behind
        for index in range(len(rows)) if rightwards else reversed(range(len(rows))):
            rank = {name: place for row in rows for place, name in enumerate(row)}
            means = {
                name: sum(rank[other] for other in beside[name]) / len(beside[name]) if beside[name] else rank[name]
                for name in rows[index]
            }
            rows[index].sort(key=means.__getitem__)


def _heights(rows: list[list[str]], chains: list[list[str]], size: Mapping[str, float], gap: float) -> dict[str, float]:
    """Middles that keep the order and the gaps, pulled towards those of the neighbours."""
    middle: dict[str, float] = {}
    for row in rows:
        below = 0.0
        for name in row:
            middle[name] = below + size[name] / 2
            below += size[name] + gap
    before, behind = _neighbours(chains)
    for sweep in range(_SWEEPS):
        order = rows if sweep % 2 == 0 else rows[::-1]
        for row in order:
            wanted = {}
            for name in row:
                around = before[name] + behind[name]
                wanted[name] = sum(middle[other] for other in around) / len(around) if around else middle[name]
            _settle(row, wanted, size, gap, middle)
    return middle


def _settle(
    row: list[str], wanted: Mapping[str, float], size: Mapping[str, float], gap: float, middle: dict[str, float]
) -> None:
    """Puts the places of a layer as near to where they want to be as their order and the gaps allow.

    Places that would overlap form a block, which settles at the mean of what its members want.
    """
    blocks: list[tuple[list[str], float, float]] = []  # members, wish of the first one's middle, weight
    for name in row:
        members, wish, weight = [name], wanted[name], 1.0
        while blocks and wish < _end(blocks[-1], size, gap) + gap + size[members[0]] / 2:
            others, their_wish, their_weight = blocks.pop()
            shift = _offset(others, members[0], size, gap)
            wish = (their_wish * their_weight + (wish - shift) * weight) / (their_weight + weight)
            members, weight = others + members, their_weight + weight
        blocks.append((members, wish, weight))
    for members, wish, _ in blocks:
        for name in members:
            middle[name] = wish + _offset(members, name, size, gap)


def _offset(members: list[str], name: str, size: Mapping[str, float], gap: float) -> float:
    """From the middle of the first member down to that of `name`, which is a member or would be the next one."""
    total = 0.0
    previous = members[0]
    for member in [*members[1:], name] if name not in members else members[1 : members.index(name) + 1]:
        total += size[previous] / 2 + gap + size[member] / 2
        previous = member
    return total


def _end(block: tuple[list[str], float, float], size: Mapping[str, float], gap: float) -> float:
    members, wish, _ = block
    last = members[-1]
    return wish + _offset(members, last, size, gap) + size[last] / 2
