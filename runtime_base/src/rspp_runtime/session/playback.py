"""What the session plays, by media time: the reference that an echo canceller needs (CONTRACTS §9)."""

from __future__ import annotations

import threading

from rspp_runtime.session.gateway import SAMPLE_BYTES, SAMPLE_RATE_HZ

SECOND_NS = 1_000_000_000


class PlayedAudio:
    """A ring with the last few seconds of played audio, PCM s16le mono 16 kHz, silence where nothing was played.

    Bounded: older audio is overwritten. Safe to read from a provider's worker thread.
    """

    def __init__(self, seconds: int = 4) -> None:
        self._samples = seconds * SAMPLE_RATE_HZ
        self._ring = bytearray(self._samples * SAMPLE_BYTES)
        self._end = 0  # one past the newest sample that was written
        self._lock = threading.Lock()

    def write(self, media_ns: int, payload: bytes) -> None:
        """`payload` plays from `media_ns` on; what lies between it and the end before is silence."""
        first = _sample(media_ns)
        with self._lock:
            if first > self._end:
                gap = min(first - self._end, self._samples)
                self._put(first - gap, bytes(gap * SAMPLE_BYTES))
            self._put(first, payload)
            self._end = max(self._end, first + len(payload) // SAMPLE_BYTES)

    def flush(self, now_ns: int) -> None:
        """Everything from `now_ns` on will not be played."""
        with self._lock:
            now = _sample(now_ns)
            if now < self._end:
                keep = max(now, self._end - self._samples)
                self._put(keep, bytes((self._end - keep) * SAMPLE_BYTES))
                self._end = now

    def read(self, media_ns: int, duration_ns: int) -> bytes:
        """What was playing then; always `duration_ns` long, zeros where it is silent, unknown or too old."""
        first = _sample(media_ns)
        count = _sample(duration_ns)
        with self._lock:
            start = max(first, self._end - self._samples, 0)
            stop = min(first + count, self._end)
            if start >= stop:
                return bytes(count * SAMPLE_BYTES)
            before = bytes((start - first) * SAMPLE_BYTES)
            after = bytes((first + count - stop) * SAMPLE_BYTES)
            return before + self._get(start, stop - start) + after

    def _put(self, first: int, payload: bytes) -> None:
        count = len(payload) // SAMPLE_BYTES
        if count > self._samples:
            payload = payload[(count - self._samples) * SAMPLE_BYTES :]
            first, count = first + count - self._samples, self._samples
        at = first % self._samples
        head = min(count, self._samples - at)
        self._ring[at * SAMPLE_BYTES : (at + head) * SAMPLE_BYTES] = payload[: head * SAMPLE_BYTES]
        self._ring[: (count - head) * SAMPLE_BYTES] = payload[head * SAMPLE_BYTES : count * SAMPLE_BYTES]

    def _get(self, first: int, count: int) -> bytes:
        at = first % self._samples
        head = min(count, self._samples - at)
        return bytes(
            self._ring[at * SAMPLE_BYTES : (at + head) * SAMPLE_BYTES] + self._ring[: (count - head) * SAMPLE_BYTES]
        )


def _sample(ns: int) -> int:
    return ns * SAMPLE_RATE_HZ // SECOND_NS
