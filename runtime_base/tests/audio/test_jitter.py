"""Datagrams: delayed, lost, twice, in any order. What is heard, how late, and what is counted."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest

from rspp_runtime.audio.format import NATIVE, Format
from rspp_runtime.audio.profile import LOSSY
from rspp_runtime.audio.uplink import Uplink

from .conftest import FRAME_NS, MS, Arrival, network, packets_of, play, rms, sample, tone

VOICE = tone(200, 6.0).tobytes()
PACKETS = packets_of(VOICE, NATIVE)


def exponential(ms: float):  # type: ignore[no-untyped-def]
    return lambda chance: chance.expovariate(1 / ms)


def end_ns(of: list[Arrival]) -> int:
    return of[-1].at_ns + 1_000 * MS


def test_without_jitter_nothing_waits() -> None:
    uplink = Uplink(NATIVE, LOSSY)
    came = network(PACKETS, NATIVE)
    heard = play(uplink, came)
    assert [now_ns - media_ns for now_ns, media_ns, _ in heard.frames] == [FRAME_NS] * len(PACKETS)
    assert heard.pcm == VOICE
    assert uplink.stats.latency_ms_max == 0


@pytest.mark.feature("F-087", "survives", "bounded")
@pytest.mark.parametrize("indices", [True, False])
@pytest.mark.parametrize(("loss", "jitter_ms"), [(0.0, 5), (0.05, 10), (0.1, 20), (0.3, 40)])
def test_what_came_in_time_is_heard_in_order(loss: float, jitter_ms: float, indices: bool) -> None:
    uplink = Uplink(NATIVE, LOSSY)
    came = network(PACKETS, NATIVE, loss=loss, twice=0.05, delay=exponential(jitter_ms), indices=indices)
    heard = play(uplink, came, until_ns=end_ns(came))
    zero_ns = came[0].at_ns - FRAME_NS
    heard.check(zero_ns, LOSSY.ahead_ms_max * MS)
    stats = uplink.stats
    assert stats.packets == len(came)
    assert stats.taken + stats.lost == max(one.sequence for one in came) + 1 - came[0].sequence
    assert stats.late < 0.05 * len(came) + 0.5 * (jitter_ms == 40) * len(came)
    assert stats.reordered > 0 or jitter_ms == 5
    # The right audio at the right time: every packet that was taken is where it belongs.
    known = {packet: number for number, packet in enumerate(packets_of(_noise(), NATIVE))}
    uplink = Uplink(NATIVE, LOSSY)
    came = network(list(known), NATIVE, loss=loss, twice=0.05, delay=exponential(jitter_ms), indices=indices)
    heard = play(uplink, came, until_ns=end_ns(came))
    places = [(known[pcm] * FRAME_NS - media_ns) for _, media_ns, pcm in heard.frames if pcm in known]
    assert len(places) == uplink.stats.taken
    assert len(set(places)) == 1
    # Bounded, and measured.
    assert 0 < stats.latency_ms_max <= LOSSY.delay_ms_max
    assert stats.depth_ms_max <= LOSSY.delay_ms_max + 20
    waits = {pcm: now_ns for now_ns, _, pcm in heard.frames}
    first = {}
    for one in came:
        first.setdefault(one.packet, one.at_ns)
    longest = max(waits[pcm] - first[pcm] for pcm in waits if pcm in first)
    assert longest <= LOSSY.delay_ms_max * MS


def _noise() -> bytes:
    return np.random.default_rng(3).integers(-9000, 9000, 16_000 * 6).astype("<i2").tobytes()


def test_it_waits_as_long_as_jitter_was_lately() -> None:
    uplink = Uplink(NATIVE, LOSSY)
    calm, rough = (lambda _: 0.0), (lambda chance: chance.choice([0.0, 60.0]))
    chance = random.Random(1)
    packets = PACKETS * 7
    came = [
        Arrival(one.at_ns + int((rough if 300 <= one.sequence < 600 else calm)(chance) * MS), *_rest(one))
        for one in network(packets, NATIVE)
    ]
    heard = play(uplink, sorted(came))
    waited_ms = {media_ns // FRAME_NS: (now_ns - media_ns - FRAME_NS) / MS for now_ns, media_ns, _ in heard.frames}
    assert max(waited_ms[n] for n in range(10, 290)) == 0
    assert all(30 <= waited_ms[n] <= 61 for n in range(320, 590))
    assert max(waited_ms[n] for n in range(2050, 2090)) < 5  # half a minute of calm


def _rest(one: Arrival) -> tuple[int, int | None, bytes]:
    return one.sequence, one.sample_index, one.packet


def test_when_nothing_comes_any_more_the_word_fades_and_silence_waits() -> None:
    uplink = Uplink(NATIVE, LOSSY)
    came = network(PACKETS[:50], NATIVE)
    heard = play(uplink, came, until_ns=60_000 * MS)
    assert uplink.due_ns() == -1
    made = [pcm for _, _, pcm in heard.frames[50:]]
    assert len(made) * 20 == LOSSY.conceal_ms_max == uplink.stats.concealed_ms
    assert rms(made[0]) > 3000
    assert rms(made[-1]) == 0
    assert all(b - a == FRAME_NS for (_, a, _), (_, b, _) in pairwise(heard.frames))
    assert uplink.stats.lost == 0


@pytest.mark.parametrize("indices", [True, False])
def test_after_a_pause_the_samples_are_of_now(indices: bool) -> None:
    uplink = Uplink(NATIVE, LOSSY)
    before = network(PACKETS[:50], NATIVE, indices=indices)
    after = [
        Arrival((5_000 + 20 * n) * MS, 50 + n, (5_000 + 20 * n - 20) * 16 if indices else None, PACKETS[n])
        for n in range(50)
    ]
    heard = play(uplink, before + after, until_ns=9_000 * MS)
    late = [(media_ns + FRAME_NS) / MS for now_ns, media_ns, _ in heard.frames if 5_000 * MS <= now_ns < 5_900 * MS]
    assert late[0] == pytest.approx(5_000, abs=1)
    assert len(late) >= 45
    assert (uplink.stats.pauses, uplink.stats.late, uplink.stats.lost) == (1, 0, 0)


def test_opus_fills_its_own_holes() -> None:
    """Half a syllable is lost: libopus goes on with it, and the rest comes at its time."""
    format = Format("opus")
    packets = packets_of(sample("question").tobytes(), format)
    whole = play(Uplink(format, LOSSY), network(packets, format)).pcm
    uplink = Uplink(format, LOSSY)
    lost = (45, 46)
    heard = play(uplink, [one for one in network(packets, format) if one.sequence not in lost])
    assert [media_ns for _, media_ns, _ in heard.frames] == [n * FRAME_NS for n in range(len(heard.frames))]
    assert abs(len(heard.pcm) - len(whole)) <= 640
    assert rms(heard.pcm[640 * 45 : 640 * 46]) > 1000
    assert uplink.stats.lost == 2
    tail = slice(640 * 60, 640 * 100)
    a, b = (np.frombuffer(pcm[tail], "<i2").astype(float) for pcm in (whole, heard.pcm))
    assert np.corrcoef(a, b)[0, 1] > 0.95


def test_numbers_that_begin_anew() -> None:
    uplink = Uplink(NATIVE, LOSSY)
    first = network(PACKETS[:100], NATIVE)
    second = [Arrival(one.at_ns + 2_000 * MS, *_rest(one)) for one in first]
    heard = play(uplink, first + second, until_ns=9_000 * MS)
    assert uplink.stats.restarts == 1
    assert uplink.stats.late <= 30
    assert heard.frames[-11][1] + FRAME_NS == pytest.approx(4_000 * MS - FRAME_NS, abs=250 * MS)


def test_a_client_from_the_future_is_dropped_then_believed() -> None:
    uplink = Uplink(NATIVE, LOSSY)
    came = network(PACKETS[:150], NATIVE)
    moved = [
        Arrival(one.at_ns, one.sequence, one.sample_index + 160_000 if n >= 50 else one.sample_index, one.packet)
        for n, one in enumerate(came)
        if one.sample_index is not None
    ]
    heard = play(uplink, moved, until_ns=9_000 * MS)
    heard.check(0, LOSSY.ahead_ms_max * MS)
    assert 10 <= uplink.stats.surplus <= 20
    assert uplink.stats.taken == 150 - uplink.stats.surplus
