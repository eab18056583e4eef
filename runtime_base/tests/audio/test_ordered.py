"""Ordered transports: nothing waits, holes are filled, a pause is told from a stall."""

from __future__ import annotations

import time

import numpy as np
import pytest

from rspp_runtime.audio.format import NATIVE, AudioError, Format
from rspp_runtime.audio.profile import STREAM
from rspp_runtime.audio.uplink import Uplink

from .conftest import FRAME_NS, MS, Arrival, network, packets_of, play, rms, sample, tone

VOICE = tone(200, 2.0).tobytes()
PACKETS = packets_of(VOICE, NATIVE)


def arrivals(
    times_ms: list[int], *, indices: list[int] | None = None, numbers: list[int] | None = None
) -> list[Arrival]:
    return [
        Arrival(
            at_ms * MS,
            numbers[n] if numbers else n,
            indices[n] if indices else None,
            PACKETS[n % len(PACKETS)],
        )
        for n, at_ms in enumerate(times_ms)
    ]


def media_ms(uplink: Uplink, of: list[Arrival], until_ms: int = 0) -> list[float]:
    heard = play(uplink, of, until_ns=until_ms * MS)
    heard.check(of[0].at_ns - FRAME_NS, STREAM.ahead_ms_max * MS)
    return [media_ns / MS for _, media_ns, _ in heard.frames]


def test_a_frame_goes_on_when_it_comes() -> None:
    heard = play(Uplink(NATIVE, STREAM), network(PACKETS, NATIVE))
    assert [now_ns - media_ns for now_ns, media_ns, _ in heard.frames] == [20 * MS] * len(PACKETS)
    assert heard.pcm == VOICE


@pytest.mark.parametrize("indexed", [True, False])
def test_a_hole_in_the_numbers_is_filled(indexed: bool) -> None:
    uplink = Uplink(NATIVE, STREAM)
    came = [one for one in network(PACKETS, NATIVE, indices=indexed) if one.sequence not in (40, 60, 61, 62)]
    heard = play(uplink, came)
    assert len(heard.pcm) == len(VOICE)
    assert [media_ns for _, media_ns, _ in heard.frames] == [n * FRAME_NS for n in range(len(PACKETS))]
    assert heard.pcm[640 * 63 :] == VOICE[640 * 63 :]
    assert rms(heard.pcm[640 * 40 : 640 * 41]) > 4000  # the period goes on
    assert (uplink.stats.lost, uplink.stats.concealed_ms, uplink.stats.pauses) == (4, 80, 0)


def test_a_long_hole_is_filled_at_its_beginning_only() -> None:
    uplink = Uplink(NATIVE, STREAM)
    came = [one for one in network(PACKETS, NATIVE) if not 20 <= one.sequence < 70]
    heard = play(uplink, came)
    assert len(heard.pcm) == len(VOICE)
    assert len(heard.frames) == len(PACKETS) - 40
    assert (uplink.stats.lost, uplink.stats.concealed_ms) == (50, STREAM.conceal_ms_max)


def test_numbers_that_other_messages_took_are_no_hole() -> None:
    """Where one count goes through all messages, a gap says nothing: no time has passed in it."""
    uplink = Uplink(NATIVE, STREAM)
    numbers = [n + n // 5 * 3 for n in range(100)]
    heard = media_ms(uplink, arrivals([20 * n for n in range(100)], numbers=numbers))
    assert heard == [20 * n for n in range(100)]
    assert uplink.stats.concealed_ms == 0


def test_what_came_before_is_dropped_and_counted() -> None:
    uplink = Uplink(NATIVE, STREAM)
    assert media_ms(uplink, arrivals([0, 20, 40, 41, 60], numbers=[0, 1, 2, 1, 3])) == [0, 20, 40, 60]
    assert (uplink.stats.late, uplink.stats.taken, uplink.stats.packets) == (1, 4, 5)


def test_a_client_that_counts_anew_is_heard_again() -> None:
    uplink = Uplink(NATIVE, STREAM)
    media_ms(uplink, arrivals([20 * n for n in range(200)], numbers=[n % 100 for n in range(200)]))
    assert uplink.stats.restarts == 1
    assert 20 <= uplink.stats.late <= 30  # half a second


@pytest.mark.parametrize("indexed", [True, False])
def test_a_pause_moves_media_time(indexed: bool) -> None:
    """A button was not pressed for three seconds: the samples after it are of now."""
    uplink = Uplink(NATIVE, STREAM)
    times = [*range(20, 220, 20), *range(3220, 3420, 20)]
    indices = [t * 16 - 320 for t in times] if indexed else None
    assert media_ms(uplink, arrivals(times, indices=indices), 9999) == [t - 20 for t in times]
    assert (uplink.stats.pauses, uplink.stats.concealed_ms, uplink.stats.lost) == (1, 0, 0)


@pytest.mark.parametrize("indexed", [True, False])
def test_a_stall_does_not(indexed: bool) -> None:
    """The network held everything for three seconds, and then it all came at once: nothing is missing."""
    uplink = Uplink(NATIVE, STREAM)
    times = [max(t, 3220) if t > 200 else t for t in range(20, 4000, 20)]
    indices = [320 * n for n in range(len(times))] if indexed else None
    assert media_ms(uplink, arrivals(times, indices=indices), 9999) == [20 * n for n in range(len(times))]
    assert (uplink.stats.pauses, uplink.stats.surplus) == (0, 0)


def test_after_a_silence_the_first_frame_waits_one_frame_at_most() -> None:
    uplink = Uplink(NATIVE, STREAM)
    for n in range(3):
        uplink.push(PACKETS[n], n, None, n * 20 * MS)
    assert uplink.due_ns() == -1
    assert uplink.push(PACKETS[3], 3, None, 5_000 * MS) == []
    assert uplink.due_ns() == 5_020 * MS
    assert uplink.poll(5_019 * MS) == []
    ((media_ns, pcm),) = uplink.poll(5_020 * MS)
    assert (media_ns, pcm) == (5_000 * MS, PACKETS[3])
    assert uplink.due_ns() == -1


def test_a_burst_is_bounded() -> None:
    """Five seconds of audio in no time: as much is taken as is allowed to be ahead; the rest is counted."""
    uplink = Uplink(NATIVE, STREAM)
    heard = media_ms(uplink, arrivals([20] * 120))
    assert len(heard) * 20 <= STREAM.ahead_ms_max + 20
    assert uplink.stats.surplus == 120 - len(heard)


@pytest.mark.feature("NF-013", "refused", "stable")
def test_bad_packets_are_told_and_the_session_goes_on() -> None:
    uplink = Uplink(Format("opus"), STREAM)
    packets = packets_of(sample("question").tobytes(), Format("opus"))
    heard = 0
    for n, packet in enumerate(packets):
        heard += len(uplink.push(packet, n, None, n * 20 * MS))
        with pytest.raises(AudioError, match="no Opus packet"):
            uplink.push(b"\xff\xff" + packet, n + 1, None, n * 20 * MS)
        for number, index in ((-1, None), ("7", None), (n + 1, -5), (True, None), (n + 1, 2.0)):
            with pytest.raises(AudioError):
                uplink.push(packet, number, index, n * 20 * MS)  # type: ignore[arg-type]
    assert heard == len(packets) - 1
    assert uplink.stats.malformed == 6 * len(packets)
    assert uplink.stats.taken == len(packets)
    assert uplink.stats.packets == 7 * len(packets)


def test_packets_of_any_length_become_frames() -> None:
    """A client that cuts its audio as its sound card does."""
    uplink = Uplink(NATIVE, STREAM)
    pieces = [VOICE[at : at + 2 * 441] for at in range(0, len(VOICE), 2 * 441)]
    heard = play(uplink, [Arrival(n * 441 * 62_500, n, n * 441, piece) for n, piece in enumerate(pieces)])
    assert heard.pcm == VOICE[: len(heard.pcm)]
    assert len(VOICE) - len(heard.pcm) < 640


def test_what_is_usual_costs_next_to_nothing() -> None:
    """A frame that passes as it is; the figure is in docs/audio.md, the bound is generous: ten times that."""
    uplink = Uplink(NATIVE, STREAM)
    frame, push = bytes(640), uplink.push
    count = 20_000
    best = 1 << 60
    number = 0
    for _ in range(5):
        began = time.perf_counter_ns()
        for _ in range(count):
            push(frame, number, None, number * FRAME_NS)
            number += 1
        best = min(best, time.perf_counter_ns() - began)
    assert best / count < 8_000
    assert uplink.stats.taken == number
    assert np.isfinite(uplink.stats.drift_ppm)
