"""Circles of waiting: in a network whose ways join again, who waits for whom, and the room that would end it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rspp_compiler.analysis.flow.blocks import Block, blocks
from rspp_compiler.analysis.flow.buffers import Minimum
from rspp_compiler.analysis.flow.capacity import items
from rspp_compiler.analysis.flow.network import Network
from rspp_compiler.analysis.flow.sdf import FIRINGS_MAX, Want, deadlock, least_steps
from rspp_compiler.analysis.shared.words import duration
from rspp_compiler.ir.graph import GraphEdge
from rspp_compiler.ir.proofs.liveness import Wait


@dataclass(frozen=True, slots=True)
class Circle:
    """Wants in a circle, and the usable items that these edges would have to hold so that there is none; empty where no
    room is enough. `is_sync`: a sync domain has a part in it.
    """

    waits: tuple[Wait, ...]
    raises: tuple[tuple[GraphEdge, int], ...]
    edges: tuple[GraphEdge, ...]
    is_sync: bool


def circles(network: Network, minima: dict[str, Minimum]) -> tuple[Circle, ...]:
    """One circle for each part of a network that stands still although every edge holds enough for its own ends."""
    if not network.may_stand_still or not all(one.serves_ends for one in minima.values()):
        return ()
    found = []
    for block in blocks(network):
        times = [network.times[actor] for actor in block.actors]
        wants = deadlock(block.channels, times) if sum(times) <= FIRINGS_MAX else ()
        if wants:
            found.append(_circle(network, block, times, wants))
    return tuple(found)


def is_too_long(network: Network) -> bool:
    """Whether a round of some part is too long to be executed."""
    return network.may_stand_still and any(
        sum(network.times[actor] for actor in block.actors) > FIRINGS_MAX for block in blocks(network)
    )


def _circle(network: Network, block: Block, times: list[int], wants: tuple[Want, ...]) -> Circle:
    at = [block.indices[want.channel] for want in wants]
    links = [network.links[one] for one in at]
    return Circle(
        tuple(
            _wait(network, block, want) for want in wants if network.links[block.indices[want.channel]].kind != "inside"
        ),
        _raises(network, block, times, wants),
        tuple(link.edge for link in links if link.edge is not None),
        any(link.kind == "sync" for link in links),
    )


def _wait(network: Network, block: Block, want: Want) -> Wait:
    who, whom = (network.actors[block.actors[one]].subject for one in (want.actor, want.other))
    at = block.indices[want.channel]
    link, channel = network.links[at], network.channels[at]
    edge = link.edge
    if edge is None:
        raise AssertionError("what a node has in hand is no wait for another")
    if link.kind == "sync":
        domain = edge.spec.sync.domain if edge.spec.sync else ""
        return Wait(who, whom, f"the item of `{edge.id}` that belongs to it in `{domain}`", edge.spec.span)
    if want.what == "tokens":
        amount = duration(channel.consume * link.token_ns) if link.token_ns else items(channel.consume)
        return Wait(who, whom, f"{amount} on `{edge.id}`", edge.spec.span)
    held = link.held.items if link.held else 0
    return Wait(who, whom, f"room on `{edge.id}`, which holds {items(held)}", edge.spec.span)


def _raises(
    network: Network, block: Block, times: list[int], wants: Sequence[Want]
) -> tuple[tuple[GraphEdge, int], ...]:
    """The one edge of the circle for which the least more is enough; or else room by room, until a round completes."""
    single = []
    for want in wants:
        link = network.links[block.indices[want.channel]]
        if want.what == "room" and link.kind == "edge" and link.edge is not None and link.held is not None:
            steps = least_steps(block.channels, times, want.channel, link.step)
            if steps is not None:
                single.append((steps - link.held.usable, link.edge, steps))
    if single:
        _, edge, steps = min(single, key=lambda one: (one[0], one[1].id))
        return ((edge, steps),)
    return _room_by_room(network, block, times, wants)


def _room_by_room(
    network: Network, block: Block, times: list[int], wants: Sequence[Want]
) -> tuple[tuple[GraphEdge, int], ...]:
    channels = list(block.channels)
    raised: dict[int, int] = {}
    while wants:
        place = next((want.channel for want in wants if want.what == "room"), None)
        link = network.links[block.indices[place]] if place is not None else None
        if place is None or link is None or link.kind != "edge":
            return ()
        room = (channels[place].room or 0) + link.step
        channels[place] = replace(channels[place], room=room)
        raised[place] = room // link.step
        wants = deadlock(channels, times)
    edges = [(network.links[block.indices[place]].edge, steps) for place, steps in sorted(raised.items())]
    return tuple((edge, steps) for edge, steps in edges if edge is not None)
