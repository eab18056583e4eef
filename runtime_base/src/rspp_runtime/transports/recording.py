"""What was played, written to a WAV on the media clock: silence where it was silent, cut where it was flushed."""

from __future__ import annotations

import struct
from collections import deque
from pathlib import Path

from rspp_runtime.session.gateway import SAMPLE_BYTES, SAMPLE_RATE_HZ

SECOND_NS = 1_000_000_000
UNKNOWN = 0xFFFFFFFF  # length of a RIFF stream


class Recording:
    """A WAV file of what the party heard, 16 kHz mono, from session time 0.

    Holds only what was sent and is not yet played, which the kernel's lead bounds; what is played goes to the file.
    """

    def __init__(self, path: Path) -> None:
        """Raises `OSError`."""
        self._file = path.open("wb")
        self._file.write(_header(None))
        self._written = 0  # samples
        self._ahead: deque[tuple[int, bytes]] = deque()  # (first sample, PCM)

    def send(self, payload: bytes, play_at_ns: int) -> None:
        self._ahead.append((_sample(play_at_ns), payload))

    def flush(self, now_ns: int) -> None:
        """What is not played at `now_ns` never will be; a frame that is being played is cut there."""
        self.played(now_ns)
        now = _sample(now_ns)
        for first, payload in self._ahead:
            if first < now:
                self._write(first, payload[: (now - first) * SAMPLE_BYTES])
        self._ahead.clear()

    def played(self, now_ns: int) -> None:
        """Writes what was played to its end by `now_ns`."""
        now = _sample(now_ns)
        while self._ahead and self._ahead[0][0] + len(self._ahead[0][1]) // SAMPLE_BYTES <= now:
            self._write(*self._ahead.popleft())

    def close(self, now_ns: int) -> None:
        """The rest is not played; the file ends at `now_ns`."""
        self.flush(now_ns)
        self._silence(_sample(now_ns))
        try:
            self._file.seek(0)
            self._file.write(_header(self._written))
        finally:
            self._file.close()

    def _write(self, first: int, payload: bytes) -> None:
        self._silence(first)
        skip = max(0, self._written - first) * SAMPLE_BYTES  # never twice at one time
        self._file.write(payload[skip:])
        self._written += len(payload[skip:]) // SAMPLE_BYTES

    def _silence(self, until: int) -> None:
        while (gap := until - self._written) > 0:
            count = min(gap, SAMPLE_RATE_HZ)
            self._file.write(bytes(count * SAMPLE_BYTES))
            self._written += count


def _header(samples: int | None) -> bytes:
    """Of a RIFF file. None while it is being written: as a stream's, it tells readers to take what is there."""
    size = UNKNOWN - 36 if samples is None else samples * SAMPLE_BYTES
    form = struct.pack("<HHIIHH", 1, 1, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ * SAMPLE_BYTES, SAMPLE_BYTES, 8 * SAMPLE_BYTES)
    riff, fmt, data = (struct.pack("<I", length) for length in (36 + size, len(form), size))
    return b"RIFF" + riff + b"WAVEfmt " + fmt + form + b"data" + data


class Loudspeaker:
    """The playing side of a local transport: what is sent goes to a recording, or into the void."""

    def __init__(self, recording: Recording | None) -> None:
        self._recording = recording
        self._now_ns = 0

    def heard_until(self, now_ns: int) -> None:
        """So far the party has heard what was sent."""
        self._now_ns = now_ns
        if self._recording is not None:
            self._recording.played(now_ns)

    def send(self, port: str, turn: int, payload: bytes, play_at_ns: int) -> None:
        if port == "audio" and self._recording is not None:
            self._recording.send(payload, play_at_ns)

    def flush(self, turn: int, now_ns: int) -> None:
        self._now_ns = now_ns
        if self._recording is not None:
            self._recording.flush(now_ns)

    async def close(self) -> None:
        if self._recording is not None:
            self._recording.close(self._now_ns)


def _sample(ns: int) -> int:
    return ns * SAMPLE_RATE_HZ // SECOND_NS
