"""What is heard where a packet is missing: the last pitch period again and again, fading; then silence.

As in Appendix I of G.711, without its overlaps: a recogniser, not an ear, listens to it.
"""

from __future__ import annotations

from typing import Any

from rspp_runtime.audio.format import MissingExtraError
from rspp_runtime.session.gateway import SAMPLE_BYTES, SAMPLE_RATE_HZ

try:
    import numpy as np
except ModuleNotFoundError as error:
    raise MissingExtraError(str(error.name), "serve") from None

HISTORY = 640  # samples that are looked at: 40 ms
PERIOD_MIN, PERIOD_MAX = 40, 240  # samples: pitch from 67 to 400 Hz
FADE = 960  # samples until silence: 60 ms
_FADING = np.linspace(1.0, 0.0, FADE, endpoint=False, dtype=np.float32)


class Concealer:
    """Remembers the last 40 ms of a stream of PCM, by reference."""

    __slots__ = ("_before", "_done", "_last", "_period")

    def __init__(self) -> None:
        self._before = b""
        self._last = b""
        self._period: Any = None
        self._done = 0  # samples made up since the last that were heard

    def heard(self, pcm: bytes) -> None:
        self._before, self._last = self._last, pcm
        self._period, self._done = None, 0

    def make(self, samples: int) -> bytes:
        """`samples` more of PCM s16le that was never sent."""
        fading = _FADING[self._done : self._done + samples]
        start = self._done
        self._done += samples
        if not len(fading):
            return bytes(samples * SAMPLE_BYTES)
        if self._period is None:
            self._period = _last_period(self._before + self._last)
        index = np.arange(start, start + len(fading)) % len(self._period)
        made: bytes = (self._period[index] * fading).astype("<i2").tobytes()
        return made.ljust(samples * SAMPLE_BYTES, b"\0")


def _last_period(pcm: bytes) -> Any:
    """The last samples, as many as one period of what they are has."""
    samples = np.frombuffer(pcm[-HISTORY * SAMPLE_BYTES :], "<i2").astype(np.float32)
    if len(samples) < 2 * PERIOD_MAX:
        return samples if len(samples) else np.zeros(1, np.float32)
    tail = samples[-PERIOD_MAX:]
    likeness = np.correlate(samples[:-PERIOD_MIN], tail, "valid")  # [k]: the tail, so much before the end
    energy = np.convolve(samples[:-PERIOD_MIN] ** 2, np.ones(PERIOD_MAX, np.float32), "valid") + SAMPLE_RATE_HZ
    best = int(np.argmax(likeness / np.sqrt(energy)))
    period = len(samples) - PERIOD_MAX - best
    return samples[-period:]
