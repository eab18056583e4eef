"""The slowest loop of a network: its firings unrolled over one round, and the maximum cycle ratio of that.

A firing begins when what it takes is there, when there is room for what it will give, and when one of its slots is
free; what it gives is there `work` later, the room of what it took at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from rspp_compiler.analysis.flow.blocks import blocks
from rspp_compiler.analysis.flow.cycle_ratio import Arc, slowest_cycle
from rspp_compiler.analysis.flow.network import Network
from rspp_compiler.analysis.flow.sdf import Channel

FIRINGS_MAX = 50_000  # of one round, that are unrolled


@dataclass(frozen=True, slots=True)
class Passage:
    """One arc of a loop: an `actor` works, and gives to `channel`; `room` on a channel comes back; or the actor's own
    `slots` do. The loop may run `rounds` ahead there.
    """

    kind: Literal["work", "room", "slots"]
    actor: int
    channel: int  # -1 for slots
    ns: int
    rounds: int


@dataclass(frozen=True, slots=True)
class Slowest:
    """The time of a round at best, and the loop that has it."""

    round_ns: Fraction
    passages: tuple[Passage, ...]


def can_be_unrolled(network: Network) -> bool:
    """Whether a round is short enough for that."""
    return not network.is_multirate or sum(network.times) <= FIRINGS_MAX


def slowest(network: Network, channels: Sequence[Channel] | None = None) -> Slowest | None:
    """The loop that takes longest; None where nothing works. A round of the network must be possible.

    `channels` stand in for those of the network, with other room.
    """
    channels = network.channels if channels is None else channels
    if network.is_multirate:
        return _of(network, channels, range(len(network.actors)), range(len(channels)))
    # Each actor fires once in a round: no loop comes twice through one actor, so each lies in one block.
    loops: list[Slowest | None] = [*_alone(network), *_pairs(network, channels)]
    loops += [_of(network, channels, block.actors, block.indices) for block in blocks(network)]
    return max((loop for loop in loops if loop is not None), key=lambda loop: loop.round_ns, default=None)


def _alone(network: Network) -> Iterator[Slowest]:
    """Actors by themselves; of those that are alike, the first."""
    alike = {(actor.work_ns, actor.slots): at for at, actor in reversed(list(enumerate(network.actors)))}
    for (work, slots), actor in alike.items():
        if work:
            yield Slowest(Fraction(work, slots), (Passage("slots", actor, -1, work, slots),))


def _pairs(network: Network, channels: Sequence[Channel]) -> Iterator[Slowest]:
    """Edges between two actors: the first may be as many rounds ahead as there is room. Of those alike, the first."""
    alike = {
        (network.actors[channel.source].work_ns, channel.room // channel.produce): at
        for at, channel in reversed(list(enumerate(channels)))
        if channel.room is not None
    }
    for (work, room), at in alike.items():
        if work:
            ends = channels[at]
            passages = (Passage("work", ends.source, at, work, 0), Passage("room", ends.target, at, 0, room))
            yield Slowest(Fraction(work, room), passages)


def _of(network: Network, channels: Sequence[Channel], actors: Sequence[int], indices: Sequence[int]) -> Slowest | None:
    first: dict[int, int] = {}
    count = 0
    for actor in actors:
        first[actor] = count
        count += network.times[actor]
    unrolled = [*_slots(network, actors, first), *_channels(network, channels, indices, first)]
    found = slowest_cycle(count, [arc for arc, _ in unrolled])
    if found is None:
        return None
    ratio, cycle = found
    return Slowest(ratio, tuple(unrolled[at][1] for at in cycle)) if ratio else None


def _slots(network: Network, actors: Sequence[int], first: dict[int, int]) -> Iterator[tuple[Arc, Passage]]:
    for actor in actors:
        work, slots, times = network.actors[actor].work_ns, network.actors[actor].slots, network.times[actor]
        if work:
            for firing in range(times):
                rounds, before = divmod(firing - slots, times)
                arc = Arc(first[actor] + before, first[actor] + firing, work, -rounds)
                yield arc, Passage("slots", actor, -1, work, -rounds)


def _channels(
    network: Network, channels: Sequence[Channel], indices: Sequence[int], first: dict[int, int]
) -> Iterator[tuple[Arc, Passage]]:
    for at in indices:
        channel = channels[at]
        source, target, give, take = channel.source, channel.target, channel.produce, channel.consume
        work = network.actors[source].work_ns
        for firing in range(network.times[target]):
            # The firing of the source that brings the last of the tokens which this one takes.
            last = -(-take * (firing + 1) // give) - 1
            rounds, by = divmod(last, network.times[source])
            arc = Arc(first[source] + by, first[target] + firing, work, -rounds)
            yield arc, Passage("work", source, at, work, -rounds)
        if channel.room is None:
            continue
        for firing in range(network.times[source]):
            # The firing of the target that makes the last of the room which this one needs.
            last = -(-(give * (firing + 1) - channel.room) // take) - 1
            rounds, by = divmod(last, network.times[target])
            arc = Arc(first[target] + by, first[source] + firing, 0, -rounds)
            yield arc, Passage("room", target, at, 0, -rounds)
