"""The streams of each clock as a network of actors: what rates, liveness and throughput reckon with.

A node is an actor that takes and hands on. A node of the kernel does both in one step, and only when there is room
for what it hands on. An effect may hold as many items in hand as it works on at once: it is one actor that takes and
one for each output that hands on, with that much room between them. So is a node whose frames do not go into each
other, such as 20 ms in and 30 ms out. A channel of audio counts time: its token is the longest stretch of which the
items at both of its ends are whole multiples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import gcd
from typing import Literal

from rspp_compiler.analysis.flow.capacity import Capacity, capacity
from rspp_compiler.analysis.flow.sdf import Channel, common_unit
from rspp_compiler.analysis.flow.streams import CONVERTERS, Clock, Join, Streams, is_plain
from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.ir.spec import PortSpec


@dataclass(frozen=True, slots=True)
class Actor:
    """A side of a node, or the edge at which a clock starts. It fires `rate` times in the time or the items of its
    clock, and works `work_ns` each time, on up to `slots` at once.
    """

    subject: str
    port: str  # the input that it takes from, or the output that it hands on by
    rate: Fraction
    work_ns: int = 0
    slots: int = 1


@dataclass(frozen=True, slots=True)
class Link:
    """What a channel stands for. `step` are the tokens of one item, `token_ns` is the audio that a token stands for (0:
    a token is an item), `held` is what the edge can hold.

    `edge`    the flow between two nodes
    `inside`  what a node has in hand
    `sync`    the target may not let an item go before the source has brought the one that belongs to it
    """

    kind: Literal["edge", "inside", "sync"]
    step: int
    token_ns: int = 0
    edge: GraphEdge | None = None
    held: Capacity | None = None


@dataclass(frozen=True)
class Network:
    """Everything that goes by one clock."""

    clock: Clock
    actors: list[Actor] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)

    @cached_property
    def unit(self) -> Fraction:
        """Rounds in a nanosecond of audio, or for each item."""
        return common_unit([actor.rate for actor in self.actors])

    @cached_property
    def times(self) -> tuple[int, ...]:
        """How often each actor fires in a round."""
        return tuple(int(actor.rate / self.unit) for actor in self.actors)

    @property
    def is_multirate(self) -> bool:
        """Whether anything acts more than once in a round."""
        return any(times > 1 for times in self.times)

    @property
    def round_ns(self) -> Fraction:
        """The time of a round; 0 for a clock that does not count time."""
        return Fraction(0) if self.clock.kind == "items" else 1 / self.unit

    @property
    def may_stand_still(self) -> bool:
        """Whether room for one item is not always enough: ends that take and give different numbers, or that wait for
        each other by a sync domain.
        """
        return any(one.produce != one.consume for one in self.channels) or any(one.kind == "sync" for one in self.links)

    def edges(self) -> Iterator[tuple[int, GraphEdge, Capacity]]:
        """The channels that are flows: index, flow, what it can hold."""
        for at, link in enumerate(self.links):
            if link.kind == "edge" and link.edge is not None and link.held is not None:
                yield at, link.edge, link.held


def networks(graph: Graph, found: Streams) -> dict[str, Network]:
    """The network of every clock, by the clock's id, in the order of the graph."""
    return _Builder(graph, found).build()


def synchronised(graph: Graph) -> dict[str, tuple[GraphEdge, ...]]:
    """Edges whose items stand or fall together with those of another edge, by their domain.

    None of them may let an item go before all have theirs: what has gone can no longer be dropped with the others.
    """
    domains: dict[str, list[GraphEdge]] = {}
    for edge in graph.edges:
        sync = edge.spec.sync
        if sync is not None and sync.drop == "atomic_drop" and sync.scope == "plan_wide":
            domains.setdefault(sync.domain, []).append(edge)
    return {domain: tuple(edges) for domain, edges in sorted(domains.items()) if len(edges) > 1}


class _Builder:
    def __init__(self, graph: Graph, found: Streams) -> None:
        self._graph = graph
        self._found = found
        self._networks: dict[str, Network] = {}
        self._makers: dict[tuple[str, str], tuple[int, int]] = {}  # of an output: the actor, its items at each firing
        self._ends: dict[str, tuple[int, int]] = {}  # of an edge: the actors at both ends

    def build(self) -> dict[str, Network]:
        for node in self._graph.nodes:
            self._take(node)
            for port in node.spec.outputs:
                made = self._found.made.get((node.id, port.name))
                if made is not None and (node.id, port.name) not in self._makers:
                    self._makers[node.id, port.name] = (self._add(made.clock, node.id, port.name, made.rate), 1)
        for edges in synchronised(self._graph).values():
            self._synchronise(edges)
        return self._networks

    def _take(self, node: GraphNode) -> None:
        """The actors that take from the edges into a node, and what they hand on by the same clock."""
        join = self._found.joins.get(node.id)
        if join is not None and join.fits:
            self._join(node, join)
            return
        kept = [port for port in node.spec.outputs if self._keeps_clock(node, port)]
        main = self._main(node) if kept else None
        for edge in self._graph.into(node.id):
            if edge is main:
                self._convert(node, edge, kept)
            else:
                self._connect(edge, self._taker(node, edge), 1)

    def _join(self, node: GraphNode, join: Join) -> None:
        first = self._found.arriving[join.edges[0].id]
        actor = self._add(first.clock, node.id, "in", first.rate / join.takes[0], node.spec.work_ns)
        for edge, count in zip(join.edges, join.takes, strict=True):
            self._connect(edge, actor, count)
        joined = {edge.id for edge in join.edges}
        for edge in self._graph.into(node.id):
            if edge.id not in joined:
                self._connect(edge, self._taker(node, edge), 1)
        for port in node.spec.outputs:
            made = self._found.made.get((node.id, port.name))
            if made is not None and made.clock == first.clock:
                self._makers[node.id, port.name] = (actor, int(made.rate / (first.rate / join.takes[0])))

    def _keeps_clock(self, node: GraphNode, port: PortSpec) -> bool:
        made = self._found.made.get((node.id, port.name))
        main = self._main(node)
        if made is None or main is None or node.kind not in (*CONVERTERS, "redact", "merge", "select", "label"):
            return False
        return made.clock == self._found.arriving[main.id].clock

    def _main(self, node: GraphNode) -> GraphEdge | None:
        """The flow that a node's outputs go by: the one into its main input."""
        ports = {port.name for port in node.spec.inputs if port.main}
        return next((edge for edge in self._graph.into(node.id) if is_plain(edge) and edge.target_port in ports), None)

    def _taker(self, node: GraphNode, edge: GraphEdge) -> int:
        """An actor that takes from one edge and hands nothing on by its clock."""
        stream, length = self._found.arriving[edge.id], self._taken(edge)
        rate = stream.rate * stream.frame_ns / length if length else stream.rate
        return self._add(stream.clock, node.id, edge.target_port, rate, node.spec.work_ns, slots_of(node))

    def _convert(self, node: GraphNode, edge: GraphEdge, kept: Sequence[PortSpec]) -> None:
        stream, length = self._found.arriving[edge.id], self._taken(edge) or 1
        rate = stream.rate * (stream.frame_ns or 1) / length
        frames = [self._found.made[node.id, port.name].frame_ns or 1 for port in kept]
        is_step = node.execution != "effect" and all(length % frame == 0 for frame in frames)
        taker = self._add(stream.clock, node.id, edge.target_port, rate, node.spec.work_ns, slots_of(node))
        self._connect(edge, taker, 1)
        for port, frame in zip(kept, frames, strict=True):
            if is_step:
                self._makers[node.id, port.name] = (taker, length // frame)
                continue
            giver = self._add(stream.clock, node.id, port.name, self._found.made[node.id, port.name].rate)
            unit = gcd(length, frame)
            room = (slots_of(node) * length + frame) // unit - 1
            network = self._networks[stream.clock.id]
            network.channels.append(Channel(taker, giver, length // unit, frame // unit, room))
            network.links.append(Link("inside", length // unit))
            self._makers[node.id, port.name] = (giver, 1)

    def _connect(self, edge: GraphEdge, target: int, count: int) -> None:
        """The channel of an edge; `count` items of it go at each firing where a join pairs items, else one of the
        length that the input takes.
        """
        stream = self._found.arriving[edge.id]
        network = self._network(stream.clock)
        if stream.clock.at == edge.id:
            source, times = self._add(stream.clock, edge.id, "", stream.rate), 1
        else:
            source, times = self._makers[edge.source, edge.source_port]
        frame, length = stream.frame_ns or 1, self._taken(edge) or 1
        unit = gcd(frame, length)
        held = capacity(self._graph, edge, stream)
        step = frame // unit
        network.channels.append(Channel(source, target, times * step, count * length // unit, held.usable * step))
        network.links.append(Link("edge", step, unit if stream.frame_ns else 0, edge, held))
        self._ends[edge.id] = source, target

    def _taken(self, edge: GraphEdge) -> int:
        """Length of what the input of an edge takes at once: its own frames, or items as they come."""
        frame, port = self._found.arriving[edge.id].frame_ns, self._graph.target_port(edge)
        as_they_come = self._graph.node(edge.target).kind in ("merge", "select", "label", "tap")
        if not frame or as_they_come or port is None or port.type.name != "audio":
            return frame
        return port.item_ns or frame

    def _synchronise(self, edges: Sequence[GraphEdge]) -> None:
        """Every edge of a domain may let go only what all have: where they go by one clock, that is a channel."""
        clocks = {self._found.arriving[edge.id].clock for edge in edges}
        if len(clocks) > 1:
            return
        network = self._networks[clocks.pop().id]
        for edge in edges:
            for other in edges:
                source, target = self._ends[edge.id][0], self._ends[other.id][1]
                if edge is other:
                    continue
                gives, takes = network.times[target], network.times[source]
                unit = gcd(gives, takes)
                network.channels.append(Channel(source, target, gives // unit, takes // unit))
                network.links.append(Link("sync", 1, 0, edge))

    def _add(self, clock: Clock, subject: str, port: str, rate: Fraction, work_ns: int = 0, slots: int = 1) -> int:
        network = self._network(clock)
        network.actors.append(Actor(subject, port, rate, work_ns, slots))
        return len(network.actors) - 1

    def _network(self, clock: Clock) -> Network:
        return self._networks.setdefault(clock.id, Network(clock))


def slots_of(node: GraphNode) -> int:
    """Items that a node works on at once. The kernel does one thing after the other."""
    limit = node.spec.limit
    return max(1, limit.concurrency) if node.execution == "effect" and limit is not None else 1
