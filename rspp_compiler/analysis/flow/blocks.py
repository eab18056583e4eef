"""The parts of a network in which ways run beside each other: what is not in one of them is a chain or a tree."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx

from rspp_compiler.analysis.flow.network import Network
from rspp_compiler.analysis.flow.sdf import Channel


@dataclass(frozen=True, slots=True)
class Block:
    """Channels that lie on circles with each other, directions aside; `indices` are theirs in the network.

    `channels` are the same between the actors of the block alone, numbered anew; `actors` are their old numbers.
    """

    indices: tuple[int, ...]
    actors: tuple[int, ...]
    channels: tuple[Channel, ...]


def blocks(network: Network) -> tuple[Block, ...]:
    """Every block of more than one channel: the biconnected components. None in a tree, which is found at once."""
    channels = network.channels
    if len(channels) < len(network.actors):
        return ()
    between: dict[tuple[int, int], list[int]] = {}
    alone: list[Block] = []
    for at, channel in enumerate(channels):
        ends = (min(channel.source, channel.target), max(channel.source, channel.target))
        if channel.source == channel.target:
            alone.append(_block(network, [at]))
        else:
            between.setdefault(ends, []).append(at)
    graph: nx.Graph[int] = nx.Graph()
    graph.add_edges_from(between)
    parts = [
        sorted(at for a, b in part for at in between[min(a, b), max(a, b)])
        for part in nx.biconnected_component_edges(graph)
    ]
    found = [_block(network, part) for part in parts if len(part) > 1]
    return tuple(sorted((*alone, *found), key=lambda block: block.indices))


def _block(network: Network, indices: list[int]) -> Block:
    ends = {end for at in indices for end in (network.channels[at].source, network.channels[at].target)}
    actors = tuple(sorted(ends))
    number = {actor: at for at, actor in enumerate(actors)}
    return Block(
        tuple(indices),
        actors,
        tuple(
            Channel(number[one.source], number[one.target], one.produce, one.consume, one.room)
            for one in (network.channels[at] for at in indices)
        ),
    )
