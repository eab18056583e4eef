"""What rates, liveness and throughput share: the streams of a graph, its networks, and what each edge must hold."""

from __future__ import annotations

from dataclasses import dataclass, field

from rspp_compiler.analysis.buffers import Minimum, minima
from rspp_compiler.analysis.circles import Circle, circles, is_too_long
from rspp_compiler.analysis.network import Network, networks
from rspp_compiler.analysis.streams import Streams, streams
from rspp_compiler.ir.graph import Graph


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
    """All of it. `clocks` are the networks, by their clock, in the order of the graph."""

    streams: Streams
    clocks: dict[str, Moving] = field(default_factory=dict)


def traffic(graph: Graph) -> Traffic:
    """The traffic of a graph, which must be free of cycles."""
    found = streams(graph)
    return Traffic(found, {id: _moving(network) for id, network in networks(graph, found).items()})


def _moving(network: Network) -> Moving:
    least = minima(network)
    return Moving(network, least, circles(network, least), is_too_long(network))
