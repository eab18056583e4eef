"""Another rate, as it streams, one channel: libsamplerate, by python-samplerate.

It keeps back at most `DELAY_SAMPLES`, where soxr's stream keeps back 20 to 117 ms, and is 2 MB, where FFmpeg, whose
swresample keeps back as little, is more than 100 MB (decisions 0049, 0059).
"""

from __future__ import annotations

from typing import Any

from rspp_runtime.audio.format import MissingExtraError
from rspp_runtime.session.gateway import SAMPLE_RATE_HZ

try:
    import numpy as np
    import samplerate
except ModuleNotFoundError as error:
    raise MissingExtraError(str(error.name), "serve") from None

DELAY_SAMPLES = 20  # that are kept back, at the lower one of the two rates
NARROW_DELAY_SAMPLES = 47  # the same, where that is below 16 kHz
_CONVERTER = "sinc_fastest"  # 97 dB, flat to four fifths of what the lower rate holds
_NARROW_CONVERTER = "sinc_medium"  # to nine tenths: of 4 kHz, a recogniser needs what is above 3.2
_SCALE = np.float32(32768)


def delay_samples(low_hz: int) -> int:
    """Samples that are kept back at the lower one of two rates, at that rate."""
    return NARROW_DELAY_SAMPLES if low_hz < SAMPLE_RATE_HZ else DELAY_SAMPLES


class Resampler:
    """PCM s16, mono."""

    __slots__ = ("_converter", "_kept", "_ratio", "_silence")

    def __init__(self, in_hz: int, out_hz: int) -> None:
        low_hz = min(in_hz, out_hz)
        self._ratio = out_hz / in_hz
        self._silence = -(-delay_samples(low_hz) * in_hz // low_hz)
        self._kept = False  # whether anything went in that did not come out yet
        self._converter = samplerate.Resampler(_NARROW_CONVERTER if low_hz < SAMPLE_RATE_HZ else _CONVERTER, channels=1)

    def process(self, samples: Any) -> bytes:
        """int16; as much as can be said of it by now."""
        self._kept = True
        return self._converted(samples.astype(np.float32) / _SCALE)

    def rest(self) -> bytes:
        """What was kept back, pushed out by as much silence; then it begins anew."""
        if not self._kept:
            return b""
        pcm = self._converted(np.zeros(self._silence, np.float32))
        self.forget()
        return pcm

    def forget(self) -> None:
        self._kept = False
        self._converter.reset()

    def _converted(self, samples: Any) -> bytes:
        """A loud sound between two samples may be louder than full scale: it is clipped there."""
        made = self._converter.process(samples, self._ratio)
        pcm: bytes = np.clip(np.rint(made * _SCALE), -32768, 32767).astype("<i2").tobytes()
        return pcm
