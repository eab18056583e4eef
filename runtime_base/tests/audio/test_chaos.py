"""Whatever a client and a network do: never a crash, never more audio than time, each packet counted once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rspp_runtime.audio.format import NATIVE, AudioError, Format, RateLie
from rspp_runtime.audio.profile import LOSSY, STREAM, JitterProfile
from rspp_runtime.audio.uplink import Uplink

from .conftest import MS, Heard, packets_of, tone

VOICE = tone(200, 4.0).tobytes()
FORMATS = (NATIVE, Format("ulaw", 8_000, 1, 20), Format("opus", 48_000, 1, 20), Format("pcm16", 44_100, 2, 10))
PACKETS = {format: packets_of(VOICE, format) for format in FORMATS}

NEXT = st.tuples(st.just("next"), st.integers(0, 40), st.just(0))
ODD = st.one_of(
    st.tuples(st.just("skip"), st.integers(0, 200), st.integers(1, 30)),
    st.tuples(st.just("again"), st.integers(0, 50), st.integers(1, 30)),
    st.tuples(st.just("pause"), st.integers(0, 8_000), st.just(0)),
    st.tuples(st.just("swap"), st.integers(0, 40), st.integers(1, 5)),
    st.tuples(st.just("number"), st.integers(0, 40), st.integers(-3, 2**62)),
    st.tuples(st.just("index"), st.integers(0, 40), st.integers(-3, 2**62)),
    st.tuples(st.just("burst"), st.integers(0, 40), st.integers(2, 80)),
    st.tuples(st.just("garbage"), st.integers(0, 40), st.binary(max_size=2_500)),
    st.tuples(st.just("anew"), st.integers(0, 40), st.just(0)),
)
STEPS = st.lists(st.one_of(NEXT, NEXT, NEXT, ODD), max_size=150)


class Client:
    """What a client of `format` sends, step by step, and all that came of it."""

    def __init__(self, format: Format, profile: JitterProfile, indexed: bool) -> None:
        self.format, self.profile, self.indexed = format, profile, indexed
        self.uplink = Uplink(format, profile)
        self.heard = Heard()
        self.now_ns = self.pushed = self.refused = self.number = 0
        self.zero_ns: int | None = None
        self.over = False

    def send(self, number: int, packet: bytes | None = None, index: int | None = None) -> None:
        packets = PACKETS[self.format]
        packet = packets[number % len(packets)] if packet is None else packet
        if index is None and self.indexed:
            index = number * self.format.packet_samples
        self.pushed += 1
        before = self.uplink.stats.malformed
        try:
            frames = self.uplink.push(packet, number, index, self.now_ns)
        except RateLie:
            self.over = True
            return
        except AudioError:
            self.refused += 1
            assert self.uplink.stats.malformed == before + 1
            return
        if self.zero_ns is None:
            self.zero_ns = self.now_ns - 120 * MS  # the first packet may be as long
        self.heard.add(self.now_ns, frames)

    def wait(self, ms: int) -> None:
        end_ns = self.now_ns + ms * MS
        steps = 0
        while 0 <= (due_ns := self.uplink.due_ns()) <= end_ns:
            self.now_ns = max(self.now_ns, due_ns)
            self.heard.add(self.now_ns, self.uplink.poll(self.now_ns))
            steps += 1
            assert steps < 1_000, "it never comes to an end"
        self.now_ns = end_ns

    def step(self, kind: str, after_ms: int, what: int | bytes) -> None:
        self.wait(after_ms)
        if isinstance(what, bytes):
            self.send(self.number, what)
        elif kind == "number":
            self.send(what)
        elif kind == "index":
            self.send(self.number, index=what)
        elif kind == "again":
            self.send(max(0, self.number - what))
        elif kind == "swap":
            self.send(self.number + what)
            self.send(self.number)
        elif kind == "burst":
            for _ in range(what):
                if not self.over:
                    self.send(self.number)
                    self.number += 1
        elif kind != "pause":
            self.number = 0 if kind == "anew" else self.number + what
            self.send(self.number)
            self.number += 1


@pytest.mark.feature("F-087", "survives", "bounded")
@pytest.mark.feature("NF-013", "stable")
@given(st.sampled_from(FORMATS), st.sampled_from([STREAM, LOSSY]), st.booleans(), STEPS)
@settings(max_examples=150, deadline=None)
def test_whatever_comes(
    format: Format, profile: JitterProfile, indexed: bool, steps: list[tuple[str, int, int | bytes]]
) -> None:
    client = Client(format, profile, indexed)
    for kind, after_ms, what in steps:
        client.step(kind, after_ms, what)
        if client.over:
            break
    stats = client.uplink.stats
    assert stats.packets == client.pushed
    assert stats.malformed == client.refused or client.over
    client.wait(2_000)
    assert client.uplink.due_ns() == -1
    assert stats.depth_ms == 0
    assert stats.latency_ms_max <= max(20, profile.delay_ms_max) + 0.001
    client.heard.check(client.zero_ns or 0, profile.ahead_ms_max * MS)
