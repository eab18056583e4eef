"""Cuts a stream of PCM into frames of 20 ms, each with its media time."""

from __future__ import annotations

from rspp_runtime.session.gateway import FRAME_BYTES_MAX, SAMPLE_BYTES, SAMPLE_RATE_HZ

SAMPLE_NS = 1_000_000_000 // SAMPLE_RATE_HZ  # exact
FRAME_SAMPLES = FRAME_BYTES_MAX // SAMPLE_BYTES
FRAME_NS = FRAME_SAMPLES * SAMPLE_NS

Frames = list[tuple[int, bytes]]
"""(media time of the first sample in ns, 640 bytes of PCM)."""


class Framer:
    """`sample` is the number of the first sample that is not yet handed on; `rest` are those after it."""

    __slots__ = ("rest", "sample")

    def __init__(self) -> None:
        self.sample = 0
        self.rest = b""

    @property
    def end_ns(self) -> int:
        """Media time behind the last sample that was given."""
        return (self.sample + len(self.rest) // SAMPLE_BYTES) * SAMPLE_NS

    def add(self, pcm: bytes) -> Frames:
        """The frames that `pcm` completes."""
        if self.rest:
            pcm = self.rest + pcm
        sample = self.sample
        if len(pcm) == FRAME_BYTES_MAX:
            self.rest, self.sample = b"", sample + FRAME_SAMPLES
            return [(sample * SAMPLE_NS, pcm)]
        whole = len(pcm) - len(pcm) % FRAME_BYTES_MAX
        self.rest = pcm[whole:]
        self.sample = sample + whole // SAMPLE_BYTES
        return [
            ((sample + at // SAMPLE_BYTES) * SAMPLE_NS, pcm[at : at + FRAME_BYTES_MAX])
            for at in range(0, whole, FRAME_BYTES_MAX)
        ]

    def jump(self, forward_ns: int) -> Frames:
        """What comes next comes so much later: a frame that is begun is filled up with silence. At least 20 ms."""
        target = self.sample + len(self.rest) // SAMPLE_BYTES + forward_ns // SAMPLE_NS
        frames = self.add(bytes(FRAME_BYTES_MAX - len(self.rest))) if self.rest else []
        self.sample = max(self.sample, target)
        return frames
