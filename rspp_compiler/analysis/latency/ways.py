"""Longest ways through a graph, each found in one pass over nodes and edges; links instead of copies keep it linear."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from rspp_compiler.analysis.latency.figures import Figure, of_edge, of_node
from rspp_compiler.analysis.shared.modes import in_mode
from rspp_compiler.ir.graph import Graph, GraphEdge
from rspp_compiler.ir.proofs.latency import Step

Output = tuple[str, str]  # a node of kind egress, and its port
Part = str | GraphEdge | Figure  # of a way: a node by its id, an edge, or a figure that stands for itself
Way = list[Part]


@dataclass(frozen=True, slots=True)
class Tail:
    """The slowest way from a node's first output to an output of the pipeline, and the edge that it leaves by."""

    ns: int
    edge: GraphEdge


@dataclass(frozen=True, slots=True)
class Stop:
    """Where the path of a reaction reaches a node: `ns` after the reaction began, by `way` (its trigger node first)."""

    node: str
    port: str
    ns: int
    way: tuple[Part, ...]


class Ways:
    """What nodes and edges of a graph add, in the mode in which that is most, and the slowest ways along its flows.

    The graph has no cycle.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._nodes = {node.id: of_node(node) for node in graph.nodes}
        for mode in (mode for mode in graph.spec.modes if mode.overrides):
            for node in in_mode(graph, mode).nodes:
                self._nodes[node.id] = max(self._nodes[node.id], of_node(node), key=_sum)
        self._edges = {edge.id: of_edge(edge) for edge in graph.edges}
        self._node_ns = {id: _sum(figures) for id, figures in self._nodes.items()}
        self._edge_ns = {id: _sum(figures) for id, figures in self._edges.items()}
        self._position = {node.id: node.position for node in graph.nodes}

    # ---- figures

    def figures(self, part: Part) -> tuple[Figure, ...]:
        if isinstance(part, Figure):
            return (part,)
        return self._nodes[part] if isinstance(part, str) else self._edges[part.id]

    def ns(self, part: str | GraphEdge) -> int:
        return self._node_ns[part] if isinstance(part, str) else self._edge_ns[part.id]

    def steps(self, way: Iterable[Part]) -> tuple[Step, ...]:
        """The stretches of a way that take time."""
        found, until = [], 0
        for figure in (figure for part in way for figure in self.figures(part) if figure.ns):
            until += figure.ns
            found.append(Step(figure.subject, figure.what, figure.ns, until, figure.origin))
        return tuple(found)

    # ---- ways to the outputs

    @cached_property
    def outputs(self) -> tuple[Output, ...]:
        """Where something is heard or read, in the order of the source. What plays behind an answer is none."""
        egress = {node.id for node in self.graph.of_kind("egress")}
        ends = ((edge.target, edge.target_port) for edge in self.graph.edges if edge.target in egress)
        return tuple(dict.fromkeys(end for end in ends if end[1] != "ambient"))

    @cached_property
    def tails(self) -> dict[Output, dict[str, Tail]]:
        """For each output: the slowest way to it from the first output of each node that flows lead to it from."""
        return {output: self._tails(output) for output in self.outputs}

    def _tails(self, output: Output) -> dict[str, Tail]:
        tails: dict[str, Tail] = {}
        for node in reversed(self.graph.nodes):
            for edge in self.graph.out_of(node.id):
                rest = None if edge.reactions else self.rest(edge, output, tails)
                if rest is not None and (node.id not in tails or rest > tails[node.id].ns):
                    tails[node.id] = Tail(rest, edge)
        return tails

    def rest(self, edge: GraphEdge, output: Output, tails: dict[str, Tail]) -> int | None:
        """What it takes from the beginning of `edge` to the output; None if it does not lead there."""
        if (edge.target, edge.target_port) == output:
            return self.ns(edge)
        tail = tails.get(edge.target)
        return None if tail is None else self.ns(edge) + self.ns(edge.target) + tail.ns

    def way_along(self, edge: GraphEdge, output: Output) -> Way:
        """The slowest way that begins with `edge` and leads to the output."""
        way: Way = [edge]
        while (edge.target, edge.target_port) != output:
            way.append(edge.target)
            edge = self.tails[output][edge.target].edge
            way.append(edge)
        return way

    # ---- paths of reactions

    @cached_property
    def of_reaction(self) -> dict[str, list[GraphEdge]]:
        """The edges that belong to the path of each reaction alone."""
        found: dict[str, list[GraphEdge]] = {}
        for edge in self.graph.edges:
            for reaction in edge.reactions:
                found.setdefault(reaction, []).append(edge)
        return found

    def stops(self, reaction: str, trigger: str) -> tuple[Stop, ...]:
        """The trigger, and the ends of the reaction's own edges: from each of them flows lead on as they do anyway.

        What follows is looked at no further than the last of those edges begins, which is near the trigger.
        """
        own = self.of_reaction.get(reaction, [])
        last = max((self._position[edge.source] for edge in own), default=-1)
        links: dict[str, tuple[int, GraphEdge | None]] = {trigger: (0, None)}
        stops = [Stop(trigger, "", 0, ())]
        heap, seen = [(self._position[trigger], trigger)], {trigger}
        while heap:
            _, node = heapq.heappop(heap)
            ready = links[node][0] + self.ns(node)
            for edge in self.graph.out_of(node):
                mine = reaction in edge.reactions
                if not mine and (edge.reactions or self._position[edge.target] > last):
                    continue
                at = ready + self.ns(edge)
                if edge.target not in links or at > links[edge.target][0]:
                    links[edge.target] = (at, edge)
                if mine:
                    stops.append(Stop(edge.target, edge.target_port, at, (*_back(links, node), edge)))
                if edge.target not in seen and self._position[edge.target] <= last:
                    seen.add(edge.target)
                    heapq.heappush(heap, (self._position[edge.target], edge.target))
        return tuple(stops)

    # ---- ways between two places

    def between(self, source: Output, target: Output) -> tuple[int, Way] | None:
        """The slowest way along flows from one port to another: what it takes, and its parts.

        Into a node it ends at its input, out of a node it begins behind its first output; so `llm.prompt -> llm.delta`
        is the budget of `llm`.
        """
        begins, ends = self._is_output(*source), self._is_output(*target)
        links: dict[str, tuple[int, GraphEdge | None]] = {source[0]: (0, None)}
        last: tuple[int, GraphEdge] | None = None
        for node in self.graph.nodes[self._position[source[0]] :]:
            if node.id not in links:
                continue
            is_first = begins and node.id == source[0]
            ready = links[node.id][0] + (0 if is_first else self.ns(node.id))
            for edge in self.graph.out_of(node.id, source[1] if is_first else None):
                at = ready + self.ns(edge)
                if not edge.reactions and (edge.target not in links or at > links[edge.target][0]):
                    links[edge.target] = (at, edge)
                if not edge.reactions and (edge.target, edge.target_port) == target and (last is None or at > last[0]):
                    last = (at, edge)
        if ends and target[0] in links and not (begins and target[0] == source[0]):
            ns, way = links[target[0]][0] + self.ns(target[0]), _back(links, target[0])
        elif last is not None and not ends:
            ns, way = last[0], (*_back(links, last[1].source), last[1])
        else:
            return None
        return ns, list(way[1:] if begins else way)

    def _is_output(self, node: str, port: str) -> bool:
        found = self.graph.find(node)
        return found is not None and found.spec.output(port) is not None


def _back(links: dict[str, tuple[int, GraphEdge | None]], node: str) -> tuple[Part, ...]:
    """The parts of the slowest way to the output of `node`, from where it begins, both nodes included."""
    way: Way = [node]
    edge = links[node][1]
    while edge is not None:
        way += [edge, edge.source]
        edge = links[edge.source][1]
    return tuple(reversed(way))


def _sum(figures: Iterable[Figure]) -> int:
    return sum(figure.ns for figure in figures)
