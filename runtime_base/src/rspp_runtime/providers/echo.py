"""Takes our own voice out of the microphone, so that voice activity is the caller's.

The session knows what it plays. In each block the played signal is aligned with the microphone (the delay with the
strongest correlation over the last half second, at most 120 ms) and a short filter around that delay is fitted by least
squares; what the filter predicts is subtracted. Least squares over a window needs no time to converge, which matters
more here than the last decibel: speech activity has to be right in the first 100 ms of a reply.

What a fit leaves over (the room's tail, the very first block) is bounded by `LEAK`: while we speak, a block counts as
the caller's only if it is louder than that share of what we played. A caller 20 dB below the reply would therefore
not interrupt it; one at a normal level does.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

BLOCK = 512  # samples: 32 ms at 16 kHz
WINDOW = 8192  # samples that a fit looks at: 512 ms
DELAY_MAX = 1920  # samples: 120 ms
TAPS_BEFORE, TAPS_AFTER = 8, 24  # of the filter, around the delay: 2 ms of the room
LEAK = 0.1  # -20 dB: what may be left of our own voice, as a share of its level
AUDIBLE = 30.0  # rms below which nothing was played
MIC_AUDIBLE = 8.0
REFIT_BLOCKS = 2  # a delay found is good for the next block as well: halves the work
HISTORY = WINDOW + DELAY_MAX + TAPS_AFTER + 1
_FFT = 16384


class Block(NamedTuple):
    """The microphone without the echo (int16), and whether what is left may be a caller at all."""

    pcm: Any
    caller: bool


class EchoRemover:
    """State of one session: the last half second of both signals."""

    def __init__(self) -> None:
        self._mic = np.zeros(WINDOW, np.float32)
        self._played = np.zeros(HISTORY, np.float32)
        self._taps: Any = None
        self._delay = 0
        self._age = 0

    def process(self, mic: Any, played: Any) -> Block:
        """`mic`: the next `BLOCK` samples (int16). `played`: what was played (int16) up to the same time, newest last.

        `played` may be longer than a block: it then corrects what was known of earlier blocks.
        """
        self._mic = np.concatenate((self._mic[BLOCK:], mic.astype(np.float32)))
        kept = np.concatenate((self._played[BLOCK:], np.zeros(BLOCK, np.float32)))
        kept[len(kept) - len(played) :] = played
        self._played = kept
        reach = BLOCK + DELAY_MAX
        level = max(_rms(kept[-reach + at : len(kept) - reach + at + BLOCK]) for at in range(0, reach, BLOCK // 2))
        if level < AUDIBLE:
            self._taps, self._age = None, 0
            return Block(mic, True)
        residual = self._mic[-BLOCK:]
        if _rms(residual) >= MIC_AUDIBLE:
            if self._age % REFIT_BLOCKS == 0:
                self._fit()
            self._age += 1
            if self._taps is not None:
                residual = residual - self._predict(BLOCK)
        caller = _rms(residual) >= LEAK * level
        return Block(np.clip(np.rint(residual), -32768, 32767).astype(np.int16), caller)

    def _fit(self) -> None:
        """Finds the delay, then the filter; keeps neither when the microphone does not follow what was played."""
        self._taps = None
        mic, played = self._mic, self._played
        spectrum = np.fft.rfft(played[-(WINDOW + DELAY_MAX) :], _FFT)
        # Correlation of the microphone with the played signal, `shift` samples after the window's earliest reach.
        likeness = np.fft.irfft(spectrum * np.conj(np.fft.rfft(mic, _FFT)), _FFT)[: DELAY_MAX + 1]
        shift = int(np.argmax(np.abs(likeness)))
        delay = DELAY_MAX - shift
        echo = played[len(played) - WINDOW - delay : len(played) - delay]
        energy = float(echo @ echo) * float(mic @ mic)
        if energy <= 0.0 or likeness[shift] ** 2 < 0.01 * energy:
            return
        self._delay = delay
        reach = self._reach(WINDOW)
        gram = covariance(reach, WINDOW)
        gram[np.diag_indices_from(gram)] += 1e-4 * float(np.trace(gram)) / len(gram) + 1.0
        self._taps = np.linalg.solve(gram, np.correlate(reach, mic.astype(np.float64), "valid")[::-1])

    def _reach(self, size: int) -> Any:
        """The played samples that the filter sees for the last `size` of the microphone: at its longest delay first."""
        low = max(0, self._delay - TAPS_BEFORE)
        end = len(self._played)
        return self._played[end - size - (self._delay + TAPS_AFTER - 1) : end - low].astype(np.float64)

    def _predict(self, size: int) -> Any:
        return np.convolve(self._reach(size), self._taps, "valid")


def covariance(samples: Any, size: int) -> Any:
    """Products of `samples` with themselves, `size` long, at every two delays: the last sample first.

    One row is computed; each other entry is its upper left neighbour's sum moved on by one sample.
    """
    taps = len(samples) - size + 1
    gram = np.empty((taps, taps))
    gram[0] = np.correlate(samples, samples[taps - 1 :], "valid")[::-1]
    gram[:, 0] = gram[0]
    come, gone = samples[: taps - 1][::-1], samples[size:][::-1]
    for row in range(taps - 1):
        gram[row + 1, 1:] = gram[row, :-1] + come[row] * come - gone[row] * gone
    return gram


def _rms(samples: Any) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
