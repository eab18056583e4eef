"""From a client's packets to the session's frames. Without I/O: bytes and times in, frames out."""

from __future__ import annotations

from typing import Protocol

from rspp_runtime.audio.format import NATIVE, Format
from rspp_runtime.audio.framer import Frames
from rspp_runtime.audio.jitter import Jitter
from rspp_runtime.audio.ordered import Ordered
from rspp_runtime.audio.profile import JitterProfile
from rspp_runtime.audio.stats import UplinkStats
from rspp_runtime.audio.usual import Usual


class _Way(Protocol):
    def push(self, packet: bytes, sequence: int, sample_index: int | None, now_ns: int) -> Frames: ...
    def due_ns(self) -> int: ...
    def poll(self, now_ns: int) -> Frames: ...
    def settle(self) -> None: ...


class Uplink:
    """One client's audio. `now_ns` is any clock that never goes back, always the same one.

    Frames are `(media_ns, pcm)`: the time of the first sample since the client's first one, on our clock, and 640 bytes
    of PCM s16le mono 16 kHz. Media times never go back nor overlap, and there is never more audio than time has passed,
    plus `profile.ahead_ms_max`. `usual`: what takes the usual packet by itself, if anything does (`audio.usual`).
    """

    __slots__ = ("_stats", "_way", "format", "profile", "usual")

    def __init__(self, format: Format, profile: JitterProfile) -> None:
        """Raises `MissingExtraError`."""
        self.format = format
        self.profile = profile
        self._stats = UplinkStats()
        self._way: _Way = (Ordered if profile.ordered else Jitter)(format, profile, self._stats)
        self.usual = self._way if isinstance(self._way, Usual) else None

    @property
    def stats(self) -> UplinkStats:
        """As of now."""
        self._way.settle()
        return self._stats

    def push(self, packet: bytes, sequence: int, sample_index: int | None, now_ns: int) -> Frames:
        """The frames that are due now.

        `sequence` counts the audio packets of this client, by one, without wrapping; `sample_index` is the number of
        its first sample, at the rate of the format, where the transport carries it: it tells a pause from a loss.
        Raises `AudioError` for a packet that is none (counted; the session goes on), `RateLie` for a client that does
        not send at the rate that it declared (nothing that follows can be believed).
        """
        return self._way.push(packet, sequence, sample_index, now_ns)

    def due_ns(self) -> int:
        """When `poll` has something, if nothing comes until then; -1: never."""
        return self._way.due_ns()

    def poll(self, now_ns: int) -> Frames:
        """What is due by time alone."""
        return self._way.poll(now_ns)

    def describe(self) -> dict[str, object]:
        """The audio as it comes, as it is handed on, and what was done with it: for logs and metrics."""
        return {
            "received": self.format.describe(),
            "handed_on": NATIVE.describe(),
            "profile": self.profile.name,
            **self.stats.as_data(),
        }
