"""What rates, liveness and throughput share: the streams of a graph, its networks, and what each edge must hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rspp_compiler.analysis.flow.buffers import Minimum, minima
from rspp_compiler.analysis.flow.circles import Circle, circles, is_too_long
from rspp_compiler.analysis.flow.network import Network, networks
from rspp_compiler.analysis.flow.streams import CONVERTERS, Streams, streams
from rspp_compiler.analysis.shared.words import duration
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.proofs.assumptions import Assumption


@dataclass(frozen=True, slots=True)
class Moving:
    """The network of one clock, with the minimum of each edge, by its id, and the circles in which it stands still."""

    network: Network
    minima: dict[str, Minimum]
    circles: tuple[Circle, ...]
    is_too_long: bool

    @property
    def can_go_on(self) -> bool:
        """Whether a round can be completed, as far as is known."""
        enough = all(one.serves_ends for one in self.minima.values())
        return enough and not self.circles and not self.is_too_long


@dataclass(frozen=True, slots=True)
class Traffic:
    """All of it, if `assumptions` hold. `clocks` are the networks, by their clock, in the order of the graph."""

    streams: Streams
    clocks: dict[str, Moving]
    assumptions: tuple[Assumption, ...]


def traffic(graph: Graph) -> Traffic:
    """The traffic of a graph, which must be free of cycles."""
    found = streams(graph)
    clocks = {id: _moving(network) for id, network in networks(graph, found).items()}
    return Traffic(found, clocks, tuple(_assumptions(graph, found)))


def _moving(network: Network) -> Moving:
    least = minima(network)
    return Moving(network, least, circles(network, least), is_too_long(network))


def _assumptions(graph: Graph, found: Streams) -> Iterator[Assumption]:
    """An ingress does not send faster than it says; what keeps time hands on as much audio as it takes."""
    for (id, port), stream in found.made.items():
        node = graph.node(id)
        spec = node.spec.output(port)
        if spec is None or not stream.frame_ns:
            continue
        subject, time, origin = f"{id}.{port}", duration(stream.frame_ns), spec.origin("item_ns")
        if node.kind == "ingress":
            text = f"`{subject}` sends an item every {time}, and none in between"
            yield Assumption("rate", subject, stream.frame_ns, text, origin)
        elif node.kind in CONVERTERS and stream.clock.at != id:
            text = f"`{subject}` hands on as much audio as `{id}` takes, {time} in each item"
            yield Assumption("rate", subject, stream.frame_ns, text, origin)
