"""sdf: rounds that can be completed, and the least room, against playing every schedule of small random networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import gcd

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rspp_compiler.analysis.flow.sdf import Channel, deadlock, least_room, least_steps, repetitions


@st.composite
def networks(draw: st.DrawFn) -> tuple[list[Channel], tuple[int, ...]]:
    """Channels between up to four actors, balanced by construction, and how often each fires in a round."""
    times = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    channels = []
    for _ in range(draw(st.integers(1, 5))):
        source, target = draw(st.integers(0, len(times) - 1)), draw(st.integers(0, len(times) - 1))
        assume(source != target)
        step = gcd(times[source], times[target])
        produce, consume = times[target] // step, times[source] // step
        channels.append(Channel(source, target, produce, consume, draw(st.none() | st.integers(0, 8))))
    return channels, tuple(times)


def dies(channels: Sequence[Channel], times: Sequence[int]) -> bool:
    """Plays every schedule of one round: whether one of them ends before each actor has fired as often as it should."""
    start = ((0,) * len(channels), tuple(times))
    seen, open_ = {start}, [start]
    while open_:
        tokens, left = open_.pop()
        moved = False
        for actor, rest in enumerate(left):
            into = [at for at, channel in enumerate(channels) if channel.target == actor]
            out = [at for at, channel in enumerate(channels) if channel.source == actor]
            ready = all(tokens[at] >= channels[at].consume for at in into)
            rooms = [(at, channels[at].room) for at in out]
            fits = all(room is None or tokens[at] + channels[at].produce <= room for at, room in rooms)
            if rest and ready and fits:
                moved = True
                after = list(tokens)
                for at in into:
                    after[at] -= channels[at].consume
                for at in out:
                    after[at] += channels[at].produce
                state = (tuple(after), (*left[:actor], rest - 1, *left[actor + 1 :]))
                if state not in seen:
                    seen.add(state)
                    open_.append(state)
        if not moved and any(left):
            return True
    return False


@settings(max_examples=60)
@given(networks())
def test_a_round_can_be_completed_or_every_schedule_ends_before(drawn: tuple[list[Channel], tuple[int, ...]]) -> None:
    channels, times = drawn
    wants = deadlock(channels, times)
    assert bool(wants) is dies(channels, times)
    for want, follower in zip(wants, (*wants[1:], *wants[:1]), strict=True):
        assert want.other == follower.actor, "the witness is a circle"
        channel = channels[want.channel]
        assert (want.actor, want.other) == (
            (channel.target, channel.source) if want.what == "tokens" else (channel.source, channel.target)
        )


@settings(max_examples=50)
@given(networks(), st.data())
def test_the_least_room_is_enough_and_one_less_is_not(
    drawn: tuple[list[Channel], tuple[int, ...]], data: st.DataObject
) -> None:
    channels, times = drawn
    at = data.draw(st.integers(0, len(channels) - 1))
    least = least_steps(channels, times, at, 1)
    with_room = lambda room: [*channels[:at], replace(channels[at], room=room), *channels[at + 1 :]]  # noqa: E731
    if least is None:
        assert dies(with_room(None), times)
        return
    assert not dies(with_room(least), times)
    assert dies(with_room(least - 1), times)


@pytest.mark.parametrize(("produce", "consume"), [(1, 1), (2, 3), (3, 2), (4, 6), (1, 5), (5, 1)])
def test_two_ends_alone_need_p_plus_c_less_their_divisor(produce: int, consume: int) -> None:
    times = repetitions([Fraction(1, produce), Fraction(1, consume)])
    channel = Channel(0, 1, produce, consume)
    least = least_room(channel)
    assert least == produce + consume - gcd(produce, consume)
    assert not dies([replace(channel, room=least)], times)
    assert dies([replace(channel, room=least - 1)], times)


def test_repetitions_are_the_smallest_whole_numbers() -> None:
    assert repetitions([Fraction(1, 20), Fraction(1, 30), Fraction(1, 10)]) == (3, 2, 6)
    assert repetitions([Fraction(4), Fraction(6)]) == (2, 3)
    assert repetitions([]) == ()


def test_what_waits_for_itself_never_begins() -> None:
    (want,) = deadlock([Channel(0, 0, 1, 1)], [3])
    assert (want.actor, want.other, want.what) == (0, 0, "tokens")
