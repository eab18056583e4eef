"""A client that declares one rate and sends another is caught in about two seconds; a bad network is not a lie."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rspp_runtime.audio.format import NATIVE, Format, RateLie
from rspp_runtime.audio.profile import LOSSY, STREAM, JitterProfile
from rspp_runtime.audio.uplink import Uplink

from .conftest import FRAME_NS, MS, Arrival, play

PROFILES = pytest.mark.parametrize("profile", [STREAM, LOSSY], ids=lambda profile: profile.name)


def lying(
    declared: int, true: int, packet_samples: int, profile: JitterProfile, jitter_ms: float = 5
) -> tuple[float, RateLie]:
    """Seconds until it is caught."""
    uplink = Uplink(Format(rate_hz=declared), profile)
    chance = random.Random(3)
    last_ns = 0
    for number in range(2_000):
        now_ns = last_ns = max(
            last_ns, number * packet_samples * 1_000_000_000 // true + int(chance.random() * jitter_ms * MS)
        )
        try:
            uplink.push(bytes(2 * packet_samples), number, None, now_ns)
        except RateLie as lie:
            assert uplink.stats.packets == number + 1
            return now_ns / 1e9, lie
    raise AssertionError("not caught")


@PROFILES
@pytest.mark.parametrize(
    ("declared", "true", "packet_samples"),
    [
        (16_000, 48_000, 960),  # packets that are three times too long
        (16_000, 48_000, 320),  # packets that come three times as often
        (16_000, 8_000, 160),
        (16_000, 8_000, 320),
        (8_000, 16_000, 320),
        (16_000, 32_000, 640),  # two channels that were not declared
        (48_000, 16_000, 320),
        (24_000, 48_000, 480),
        (48_000, 24_000, 960),
    ],
)
def test_a_wrong_rate_is_caught_in_about_two_seconds(
    declared: int, true: int, packet_samples: int, profile: JitterProfile
) -> None:
    seconds, lie = lying(declared, true, packet_samples, profile)
    assert seconds < 3.0
    assert lie.declared_hz == declared
    assert lie.measured_hz == pytest.approx(true, rel=0.1)
    assert f"declared with {declared} Hz, and comes with about {lie.measured_hz} samples a second" in str(lie)


@pytest.mark.parametrize(("declared", "true"), [(44_100, 48_000), (48_000, 44_100), (16_000, 24_000), (24_000, 16_000)])
def test_a_rate_that_is_nearly_right_takes_longer(declared: int, true: int) -> None:
    seconds, lie = lying(declared, true, true // 50, STREAM)
    assert seconds < 11
    assert lie.measured_hz == pytest.approx(true, rel=0.05)


STALLS = st.lists(st.tuples(st.floats(0, 12_000), st.floats(30, 3_000)), max_size=8)


@given(STALLS, st.integers(0, 99), st.sampled_from([10, 20, 40, 60]), st.booleans(), st.floats(0, 60))
@settings(max_examples=150, deadline=None)
def test_stalls_and_the_bursts_after_them_are_not_taken_for_a_lie(
    stalls: list[tuple[float, float]], seed: int, frame_ms: int, indexed: bool, jitter_ms: float
) -> None:
    format = Format(frame_ms=frame_ms)
    chance = random.Random(seed)
    last_ns = 0
    uplink = Uplink(format, STREAM)
    arrivals = []
    for number in range(12_000 // frame_ms):
        sent_ms = (number + 1) * frame_ms
        at_ms = sent_ms + chance.random() * jitter_ms
        for begin, length in stalls:
            if begin <= at_ms < begin + length:
                at_ms = begin + length
        last_ns = max(last_ns, int(at_ms * MS))
        index = number * format.packet_samples if indexed else None
        arrivals.append(Arrival(last_ns, number, index, bytes(format.packet_bytes)))
    heard = play(uplink, arrivals, until_ns=last_ns + 100 * MS)
    heard.check(arrivals[0].at_ns - frame_ms * MS, STREAM.ahead_ms_max * MS)
    assert uplink.stats.packets == len(arrivals)


@given(st.integers(0, 999), st.floats(0, 0.4), st.floats(1, 50))
@settings(max_examples=60, deadline=None)
def test_loss_and_jitter_are_not_taken_for_a_lie(seed: int, loss: float, jitter_ms: float) -> None:
    chance = random.Random(seed)
    arrivals = sorted(
        Arrival(n * FRAME_NS + int(chance.expovariate(1 / jitter_ms) * MS), n, n * 320, bytes(640))
        for n in range(600)
        if chance.random() >= loss
    )
    play(Uplink(NATIVE, LOSSY), arrivals)


@given(st.lists(st.tuples(st.floats(0.1, 4.0), st.floats(0.05, 4.0)), max_size=8), st.booleans())
@settings(max_examples=60, deadline=None)
def test_who_speaks_now_and_then_does_not_lie(spells: list[tuple[float, float]], lossy: bool) -> None:
    """A button to talk: (seconds of audio, seconds of nothing)."""
    arrivals, now_ns, number = [], 0, 0
    for talks, rests in spells:
        for _ in range(int(talks * 50)):
            now_ns += FRAME_NS
            arrivals.append(Arrival(now_ns, number, None, bytes(640)))
            number += 1
        now_ns += int(rests * 1e9)
    play(Uplink(NATIVE, LOSSY if lossy else STREAM), arrivals)


def test_a_network_that_gets_slower_and_recovers_does_not_lie() -> None:
    """Its queue grows to half a second within two seconds, and empties as fast."""
    uplink = Uplink(NATIVE, STREAM)
    for number in range(1_000):
        phase = number % 400
        delay_ns = (min(phase, 100) - max(0, min(phase - 200, 100))) * 5 * MS
        uplink.push(bytes(640), number, None, number * FRAME_NS + delay_ns)
    assert uplink.stats.surplus == 0
