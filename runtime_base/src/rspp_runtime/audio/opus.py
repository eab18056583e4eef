"""Raw Opus packets (RFC 6716) there and back, with the libopus that PyAV brings along.

A packet is looked at before it is decoded: its first byte, the table of contents, and the lengths of its frames say how
long it is and whether it can be one. Loss is concealed by libopus itself: a packet of a table of contents and nothing
else is, by the RFC, a frame that was lost. In-band FEC of the next packet is not used: PyAV has no way to ask for it.
"""

from __future__ import annotations

from typing import Any

from rspp_runtime.audio.format import PACKET_MS_MAX, AudioError, MissingExtraError
from rspp_runtime.audio.swresample import FrameResampler
from rspp_runtime.session.gateway import SAMPLE_BYTES, SAMPLE_RATE_HZ

try:
    import av
    import numpy as np
except ModuleNotFoundError as error:
    raise MissingExtraError(str(error.name), "opus") from None

DECODED_HZ = 48_000  # of FFmpeg's libopus, whatever the packet was made of
BIT_RATE = 24_000  # a wideband voice
COMPLEXITY = 5  # of 10: two thirds of the time, and nobody hears the difference in a voice
PACKET_BYTES_MAX = 1275 * 6 + 7
FRAME_BYTES_LIMIT = 1275
_SILK_US = (10_000, 20_000, 40_000, 60_000)
_HYBRID_US = (10_000, 20_000)
_CELT_US = (2_500, 5_000, 10_000, 20_000)


def frame_us(toc: int) -> int:
    """How long one frame of a packet is, by its first byte."""
    config = toc >> 3
    if config < 12:
        return _SILK_US[config & 3]
    if config < 16:
        return _HYBRID_US[config & 1]
    return _CELT_US[config & 3]


def packet_us(packet: bytes) -> int:
    """How long a packet is, if it is one by the rules of RFC 6716, section 3.4. Raises `AudioError`."""
    size = len(packet)
    if not 0 < size <= PACKET_BYTES_MAX:
        raise AudioError(f"audio: {size} bytes are no Opus packet; one has 1 to {PACKET_BYTES_MAX}")
    toc, code = packet[0], packet[0] & 3
    count = 1 if code == 0 else 2
    if code == 3:
        if size < 2:
            raise _broken("its frames are not counted")
        count = packet[1] & 63
    whole_us = count * frame_us(toc)
    if not 0 < whole_us <= PACKET_MS_MAX * 1000:
        raise _broken(f"it would have {count} frames of {frame_us(toc) / 1000:g} ms; {PACKET_MS_MAX} ms are allowed")
    if not _lengths_fit(packet, code, count):
        raise _broken("the lengths of its frames do not fit its own")
    return whole_us


def _lengths_fit(packet: bytes, code: int, count: int) -> bool:
    left = len(packet) - 1
    if code == 0:
        return left <= FRAME_BYTES_LIMIT
    if code == 1:
        return left % 2 == 0 and left // 2 <= FRAME_BYTES_LIMIT
    if code == 2:
        used, first = _length(packet, 1)
        return used > 0 and 0 <= left - used - first <= FRAME_BYTES_LIMIT
    at, padding = 2, 0
    if packet[1] & 0x40:
        while True:
            if at >= len(packet):
                return False
            more = packet[at]
            at += 1
            padding += 254 if more == 255 else more
            if more != 255:
                break
    if not packet[1] & 0x80:
        left = len(packet) - at - padding
        return left >= 0 and left % count == 0 and left // count <= FRAME_BYTES_LIMIT
    frames = 0
    for _ in range(count - 1):
        used, length = _length(packet, at)
        if not used:
            return False
        at += used
        frames += length
    return 0 <= len(packet) - at - padding - frames <= FRAME_BYTES_LIMIT


def _length(packet: bytes, at: int) -> tuple[int, int]:
    """(bytes used, the frame's length) at that place; (0, 0) if the packet ends there."""
    if at >= len(packet):
        return 0, 0
    if packet[at] < 252:
        return 1, packet[at]
    if at + 1 >= len(packet):
        return 0, 0
    return 2, packet[at + 1] * 4 + packet[at]


def _broken(why: str) -> AudioError:
    return AudioError(f"audio: this is no Opus packet: {why}")


class OpusDecoder:
    """One client's stream. Two channels are mixed by libopus."""

    def __init__(self) -> None:
        self._context = av.CodecContext.create("libopus", "r")
        self._context.layout = "mono"
        self._context.open()
        self._resampler = FrameResampler(SAMPLE_RATE_HZ)
        self._toc = 0x48  # until one has come: SILK, wideband, 20 ms

    def duration_ns(self, packet: bytes) -> int:
        return packet_us(packet) * 1000

    def decode(self, packet: bytes) -> bytes:
        pcm = self._decoded(packet)
        self._toc = packet[0] & ~3  # one frame
        return pcm

    def conceal(self, duration_ns: int) -> bytes:
        """By libopus, frame by frame; what is not a whole frame is left out, and made up for by the next one."""
        pieces = []
        left_us = duration_ns // 1000
        step_us = frame_us(self._toc)
        while left_us > 0:
            pieces.append(self._decoded(bytes((self._toc,))))
            left_us -= step_us
        return b"".join(pieces)

    def _decoded(self, packet: bytes) -> bytes:
        try:
            frames = self._context.decode(av.Packet(packet))
        except av.FFmpegError as error:
            raise _broken(error.strerror or "libopus refuses it") from None
        if not frames:
            raise _broken("there is no audio in it")
        return b"".join([self._resampler.process(frame) for frame in frames])


class OpusEncoder:
    """For one client: mono at 16 kHz, which every decoder plays at the rate and the channels that it likes."""

    def __init__(self, frame_ms: int) -> None:
        self._context = context = av.CodecContext.create("libopus", "w")
        context.sample_rate = SAMPLE_RATE_HZ
        context.layout = "mono"
        context.format = "s16"
        context.bit_rate = BIT_RATE
        context.options = {
            "application": "voip",
            "frame_duration": str(frame_ms),
            "compression_level": str(COMPLEXITY),
        }
        context.open()
        self._size = SAMPLE_RATE_HZ * frame_ms // 1000 * SAMPLE_BYTES
        self._pts = 0
        self._rest = b""

    def encode(self, pcm: bytes) -> list[bytes]:
        pcm = self._rest + pcm
        whole = len(pcm) - len(pcm) % self._size
        self._rest = pcm[whole:]
        return [packet for at in range(0, whole, self._size) for packet in self._packets(pcm[at : at + self._size])]

    def rest(self) -> list[bytes]:
        if not self._rest:
            return []
        last, self._rest = self._rest.ljust(self._size, b"\0"), b""
        return self._packets(last)

    def forget(self) -> None:
        self._rest = b""

    def _packets(self, pcm: bytes) -> list[bytes]:
        frame: Any = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2").reshape(1, -1), "s16", "mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        frame.pts = self._pts
        self._pts += frame.samples
        return [bytes(packet) for packet in self._context.encode(frame)]
