"""Synchronous dataflow: actors that take and give a fixed number of tokens at each firing.

Whether such a network can go on for ever does not depend on the order in which its actors fire (Lee and Messerschmitt,
1987). So one round, in which each actor fires as often as its repetition says and everything is as it was before,
decides it: if the round can be completed, so can every later one; if not, the network is dead whatever the scheduler
does. An actor fires only when its tokens are there and there is room for what it gives.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import gcd, lcm
from typing import Literal

FIRINGS_MAX = 200_000  # of one round; beyond that it is not executed, and the result says so


@dataclass(frozen=True, slots=True)
class Channel:
    """`source` gives `produce` tokens at each firing, `target` takes `consume`; it is empty at first, as every edge is.

    At most `room` tokens may lie there (None: no bound).
    """

    source: int
    target: int
    produce: int
    consume: int
    room: int | None = None


@dataclass(frozen=True, slots=True)
class Want:
    """`actor` cannot fire: it waits for tokens on a channel, or for room there. `other` is who would have to act."""

    actor: int
    channel: int
    what: Literal["tokens", "room"]
    other: int


def repetitions(rates: Sequence[Fraction]) -> tuple[int, ...]:
    """The smallest whole numbers in the ratio of `rates`, which are positive: how often each actor fires in a round."""
    if not rates:
        return ()
    unit = common_unit(rates)
    return tuple(int(rate / unit) for rate in rates)


def common_unit(rates: Sequence[Fraction]) -> Fraction:
    """The largest number that divides all of `rates`, of which there is at least one."""
    return Fraction(gcd(*(rate.numerator for rate in rates)), lcm(*(rate.denominator for rate in rates)))


def deadlock(channels: Sequence[Channel], times: Sequence[int]) -> tuple[Want, ...]:
    """Who waits for whom, in a circle, when a round of `times` firings cannot be completed; empty when it can."""
    tokens = [0] * len(channels)
    left = list(times)
    into, out = _sides(channels, len(times))
    waiting = deque(range(len(times)))
    listed = [True] * len(times)
    while waiting:
        actor = waiting.popleft()
        listed[actor] = False
        enough = (tokens[at] // channels[at].consume for at in into[actor])
        fits = (_fits(channels[at], tokens[at]) for at in out[actor])
        firings = min(left[actor], min(enough, default=FIRINGS_MAX), min(fits, default=FIRINGS_MAX))
        if firings <= 0:
            continue
        left[actor] -= firings
        for at in into[actor]:
            tokens[at] -= firings * channels[at].consume
        for at in out[actor]:
            tokens[at] += firings * channels[at].produce
        touched = [actor, *(channels[at].source for at in into[actor]), *(channels[at].target for at in out[actor])]
        for other in touched:
            if left[other] and not listed[other]:
                listed[other] = True
                waiting.append(other)
    return _circle(channels, tokens, left, into, out) if any(left) else ()


def _sides(channels: Sequence[Channel], actors: int) -> tuple[list[list[int]], list[list[int]]]:
    into: list[list[int]] = [[] for _ in range(actors)]
    out: list[list[int]] = [[] for _ in range(actors)]
    for at, channel in enumerate(channels):
        into[channel.target].append(at)
        out[channel.source].append(at)
    return into, out


def _fits(channel: Channel, tokens: int) -> int:
    """How many more firings of its source there is room for."""
    if channel.room is None:
        return FIRINGS_MAX
    return (channel.room - tokens) // channel.produce


def _circle(
    channels: Sequence[Channel], tokens: list[int], left: list[int], into: list[list[int]], out: list[list[int]]
) -> tuple[Want, ...]:
    """From an actor that is not done to the one that it waits for, until one comes twice."""
    actor = next(at for at, rest in enumerate(left) if rest)
    seen: dict[int, int] = {}
    wants: list[Want] = []
    while actor not in seen:
        seen[actor] = len(wants)
        want = _want(actor, channels, tokens, into[actor], out[actor])
        wants.append(want)
        actor = want.other
    return tuple(wants[seen[actor] :])


def _want(actor: int, channels: Sequence[Channel], tokens: list[int], into: list[int], out: list[int]) -> Want:
    for at in into:
        if tokens[at] < channels[at].consume:
            return Want(actor, at, "tokens", channels[at].source)
    at = next(at for at in out if _fits(channels[at], tokens[at]) <= 0)
    return Want(actor, at, "room", channels[at].target)


def least_room(channel: Channel) -> int:
    """Room without which the two ends of a channel alone would wait for each other: p + c − gcd(p, c)."""
    return channel.produce + channel.consume - gcd(channel.produce, channel.consume)


def least_steps(channels: Sequence[Channel], times: Sequence[int], at: int, step: int) -> int | None:
    """The smallest room of channel `at`, in units of `step` tokens, with which a round can be completed while the
    others keep theirs; None when no room is enough.
    """

    def lives(steps: int) -> bool:
        tried = [*channels[:at], replace(channels[at], room=steps * step), *channels[at + 1 :]]
        return not deadlock(tried, times)

    low = -(-least_room(channels[at]) // step)
    if lives(low):
        return low
    # A round never needs more room than for all that it gives.
    high = max(low, -(-channels[at].produce * times[channels[at].source] // step))
    if not lives(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if lives(middle) else (middle, high)
    return high
