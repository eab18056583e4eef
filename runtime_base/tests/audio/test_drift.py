"""A client's clock is not ours: after an hour, its audio is still of now."""

from __future__ import annotations

import random

import numpy as np
import pytest

from rspp_runtime.audio.drift import CORRECT_NS, QUIET_PEAK, WINDOW_NS, Drift
from rspp_runtime.audio.format import NATIVE
from rspp_runtime.audio.profile import LOSSY, STREAM, JitterProfile
from rspp_runtime.audio.uplink import Uplink

from .conftest import FRAME_NS, MS

HOUR_PACKETS = 180_000


@pytest.mark.parametrize("profile", [STREAM, LOSSY], ids=lambda profile: profile.name)
@pytest.mark.parametrize("ppm", [200, -200, 30])
def test_an_hour(profile: JitterProfile, ppm: int) -> None:
    """A quiet second in each six, jitter of 5 ms: depth stays bounded, only quiet frames were left out or doubled."""
    noise = np.random.default_rng(0)
    quiet = noise.integers(-100, 100, 320).astype("<i2").tobytes()
    loud = noise.integers(-9000, 9000, 320).astype("<i2").tobytes()
    chance = random.Random(1)
    uplink = Uplink(NATIVE, profile)
    last_ns = worst_ns = frames = loud_frames = 0
    for number in range(HOUR_PACKETS):
        sent_ns = int(number * FRAME_NS * (1 + ppm * 1e-6))
        last_ns = now_ns = max(last_ns, sent_ns + int(chance.expovariate(1 / 5) * MS))
        came = uplink.push(quiet if number % 300 < 50 else loud, number, number * 320, now_ns)
        frames += len(came)
        loud_frames += sum(pcm is loud for _, pcm in came)
        if came and number > 50:
            worst_ns = max(worst_ns, abs(now_ns - came[-1][0] - FRAME_NS))
    elapsed_frames = last_ns / FRAME_NS
    assert abs(frames - elapsed_frames) < 10
    assert worst_ns < 130 * MS  # jitter, what a buffer waits for it, and what is not yet corrected
    assert uplink.stats.drift_ppm == pytest.approx(ppm, abs=60)
    assert uplink.stats.corrected_ms == pytest.approx(ppm * 3.6, abs=60)
    if profile is STREAM:
        assert loud_frames == HOUR_PACKETS * 250 // 300
        assert (uplink.stats.concealed_ms, uplink.stats.surplus, uplink.stats.late) == (0, 0, 0)
    else:
        assert uplink.stats.late < HOUR_PACKETS * 0.01
        assert uplink.stats.depth_ms_max <= LOSSY.delay_ms_max + 20


def test_who_never_is_quiet_is_corrected_too() -> None:
    loud = np.random.default_rng(0).integers(-30_000, 30_000, 320).astype("<i2").tobytes()
    uplink = Uplink(NATIVE, STREAM)
    for number in range(60_000):  # twenty minutes
        now_ns = int(number * FRAME_NS * (1 - 200e-6))
        came = uplink.push(loud, number, None, now_ns)
        if came:
            assert abs(now_ns - came[-1][0]) < 80 * MS
    assert uplink.stats.corrected_ms == pytest.approx(-240, abs=60)


def test_the_louder_the_longer_it_waits() -> None:
    drift = Drift()
    drift.error_ns = CORRECT_NS
    assert drift.peak_max() == QUIET_PEAK
    drift.error_ns = -60 * MS
    assert drift.peak_max() > 32768


def test_a_step_is_no_drift_and_moves_media_time() -> None:
    """The client threw away half a second, without a hole in its numbers."""
    uplink = Uplink(NATIVE, STREAM)
    media = []
    for number in range(3_000):
        now_ns = number * FRAME_NS + (500 * MS if number >= 1_000 else 0)
        # Not at once: over half a second, so that nobody takes it for a pause.
        if 1_000 <= number < 1_010:
            now_ns = number * FRAME_NS + (number - 999) * 50 * MS
        media += [(now_ns, media_ns) for media_ns, _ in uplink.push(bytes(640), number, None, now_ns)]
    assert abs(media[-1][0] - media[-1][1]) < 30 * MS
    assert abs(uplink.stats.drift_ppm) < 100
    assert uplink.stats.pauses == 1


def test_jitter_alone_is_no_drift() -> None:
    chance = random.Random(5)
    drift = Drift()
    packets = 0
    for window in range(1, 300):
        for _ in range(100):
            packets += 1
            drift.observe(int(chance.expovariate(1 / 10) * MS))
        assert drift.close(window * WINDOW_NS, packets) == 0
    assert abs(drift.ppm) < 60
    assert abs(drift.error_ns) < CORRECT_NS
