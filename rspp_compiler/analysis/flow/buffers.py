"""The least that each edge must be able to hold, the others as they are: in closed form, or by executing a round.

A single edge, or one in a tree, needs p + c − gcd(p, c) tokens (Lee and Messerschmitt). Where ways run beside each
other and join again, one may have to hold more; there a round is executed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rspp_compiler.analysis.flow.blocks import Block, blocks
from rspp_compiler.analysis.flow.capacity import Capacity
from rspp_compiler.analysis.flow.network import Network
from rspp_compiler.analysis.flow.sdf import FIRINGS_MAX, deadlock, least_room, least_steps


@dataclass(frozen=True, slots=True)
class Minimum:
    """What an edge can hold, and how many usable items it needs: for its `ends` alone, and with what runs beside it.
    Its producer hands on `gives` items at once.

    With `is_exact` false a round is too long to be executed, and `least` is only what the ends need.
    """

    held: Capacity
    gives: int
    ends: int
    least: int
    is_exact: bool

    @property
    def serves_ends(self) -> bool:
        return self.held.usable >= self.ends


def minima(network: Network) -> dict[str, Minimum]:
    """The minimum of every edge of a network, by its id."""
    looped = _looped(network)
    found = {}
    for at, edge, held in network.edges():
        ends = _ends(network, at)
        least, is_exact = looped.get(at, (ends, True))
        gives = network.channels[at].produce // network.links[at].step
        found[edge.id] = Minimum(held, gives, ends, least, is_exact)
    return found


def _ends(network: Network, at: int) -> int:
    return -(-least_room(network.channels[at]) // network.links[at].step)


def _looped(network: Network) -> dict[int, tuple[int, bool]]:
    """Least items of the edges that have others beside them, by channel, and whether that is exact.

    Where each end takes and gives one token, any room will do: whoever waits, waits for an edge that is full and could
    be emptied, or is empty and could be filled; a circle of that would have to be full and empty at once.
    """
    found: dict[int, tuple[int, bool]] = {}
    if network.may_stand_still:
        for block in blocks(network):
            found |= _of_block(network, block)
    return found


def _of_block(network: Network, block: Block) -> dict[int, tuple[int, bool]]:
    """With every edge at what its two ends need, a round is tried once: mostly that is enough for all of them."""
    times = [network.times[actor] for actor in block.actors]
    edges = {at: place for place, at in enumerate(block.indices) if network.links[at].kind == "edge"}
    ends = {at: _ends(network, at) for at in edges}
    inexact = {at: (ends[at], False) for at in edges}
    if sum(times) > FIRINGS_MAX:
        return inexact
    tight, fair = list(block.channels), list(block.channels)
    for at, place in edges.items():
        room = ends[at] * network.links[at].step
        tight[place] = replace(tight[place], room=room)
        fair[place] = replace(fair[place], room=max(room, fair[place].room or 0))
    if not deadlock(tight, times):
        return {at: (ends[at], True) for at in edges}
    if sum(times) * len(edges) > FIRINGS_MAX:
        return inexact
    return {
        at: (least_steps(fair, times, place, network.links[at].step) or ends[at], True) for at, place in edges.items()
    }
