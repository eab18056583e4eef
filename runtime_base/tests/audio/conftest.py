"""A client and the network between it and us, played: what arrives when, and what comes out of the edge."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from rspp_runtime.audio.downlink import Downlink
from rspp_runtime.audio.format import Format
from rspp_runtime.audio.uplink import Uplink

PIPELINES = Path(__file__).resolve().parents[3] / "pipelines"
RATE = 16_000
MS = 1_000_000
FRAME_NS = 20 * MS


@dataclass(frozen=True, order=True)
class Arrival:
    """A packet that reaches us."""

    at_ns: int
    sequence: int
    sample_index: int | None = field(compare=False)
    packet: bytes = field(compare=False)


@dataclass
class Heard:
    """What came out: when, media time, frame."""

    frames: list[tuple[int, int, bytes]] = field(default_factory=list)

    def add(self, now_ns: int, frames: Iterable[tuple[int, bytes]]) -> None:
        self.frames += [(now_ns, media_ns, pcm) for media_ns, pcm in frames]

    @property
    def pcm(self) -> bytes:
        """All of it on the media clock, silence where nothing was."""
        if not self.frames:
            return b""
        whole = bytearray((self.frames[-1][1] + FRAME_NS) * RATE // 1_000_000_000 * 2)
        for _, media_ns, pcm in self.frames:
            at = media_ns * RATE // 1_000_000_000 * 2
            whole[at : at + len(pcm)] = pcm
        return bytes(whole)

    def check(self, zero_ns: int, ahead_ns: int) -> None:
        """What is promised of every sequence of frames."""
        assert all(len(pcm) == 640 for _, _, pcm in self.frames)
        assert all(later - earlier >= FRAME_NS for (_, earlier, _), (_, later, _) in pairwise(self.frames))
        for count, (now_ns, media_ns, _) in enumerate(self.frames, start=1):
            assert media_ns + FRAME_NS <= now_ns - zero_ns + ahead_ns + FRAME_NS
            assert count * FRAME_NS <= now_ns - zero_ns + ahead_ns + FRAME_NS


def play(uplink: Uplink, arrivals: Iterable[Arrival], *, until_ns: int = 0) -> Heard:
    """Hands everything in at its time; `poll` is called exactly when it is due."""
    heard = Heard()
    for one in arrivals:
        poll_until(uplink, heard, one.at_ns)
        heard.add(one.at_ns, uplink.push(one.packet, one.sequence, one.sample_index, one.at_ns))
    poll_until(uplink, heard, until_ns)
    return heard


def poll_until(uplink: Uplink, heard: Heard, now_ns: int) -> None:
    while 0 <= (due_ns := uplink.due_ns()) < now_ns:
        heard.add(due_ns, uplink.poll(due_ns))


def network(
    packets: list[bytes],
    format: Format,
    *,
    seed: int = 1,
    loss: float = 0.0,
    twice: float = 0.0,
    delay: Callable[[random.Random], float] = lambda _: 0.0,
    ppm: float = 0.0,
    indices: bool = True,
) -> list[Arrival]:
    """Each packet at the time that its client's clock says, and `delay` ms later; some lost, some twice."""
    chance = random.Random(seed)
    arrivals: list[Arrival] = []
    for number, packet in enumerate(packets):
        sent_ns = int((number + 1) * format.frame_ms * MS * (1 + ppm * 1e-6))
        index = number * format.packet_samples if indices else None
        for _ in range(1 + (chance.random() < twice)):
            if chance.random() >= loss:
                heapq.heappush(arrivals, Arrival(sent_ns + int(delay(chance) * MS), number, index, packet))
    return [heapq.heappop(arrivals) for _ in range(len(arrivals))]


def packets_of(pcm: bytes, format: Format) -> list[bytes]:
    """As a client of that format would send it."""
    encoder = Downlink(format)
    packets = [packet for at in range(0, len(pcm), 640) for packet in encoder.encode(pcm[at : at + 640])]
    return packets + encoder.rest()


def sample(name: str) -> Any:
    """A recording of pipelines/samples."""
    data, rate = soundfile.read(PIPELINES / "samples" / f"{name}.wav", dtype="int16")
    assert rate == RATE
    return data


def tone(hz: float, seconds: float, rate: int = RATE, peak: int = 8000) -> Any:
    return (peak * np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate)).astype("<i2")


def rms(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    return float(np.sqrt(np.mean(samples**2))) if len(samples) else 0.0
