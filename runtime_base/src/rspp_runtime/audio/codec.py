"""PCM and µ-law, there and back; Opus is in `opus`. A decoder gives PCM s16le, mono, 16 kHz."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from rspp_runtime.audio.conceal import Concealer
from rspp_runtime.audio.format import PACKET_MS_MAX, SAMPLE_BYTES, AudioError, Format, MissingExtraError
from rspp_runtime.session.gateway import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from rspp_runtime.audio.resample import Resampler

try:
    import numpy as np
except ModuleNotFoundError as error:
    raise MissingExtraError(str(error.name), "serve") from None


class Decoder(Protocol):
    """From a client's packets to PCM s16le mono 16 kHz, in their order."""

    def duration_ns(self, packet: bytes) -> int:
        """How long a packet is, from its form alone. Raises `AudioError`."""
        ...

    def decode(self, packet: bytes) -> bytes:
        """May give less or more than the packet's duration, since a resampler keeps some back. Raises `AudioError`."""
        ...

    def conceal(self, duration_ns: int) -> bytes:
        """What may have been said in so much time."""
        ...


class Encoder(Protocol):
    """From PCM s16le mono 16 kHz to a client's packets."""

    def encode(self, pcm: bytes) -> list[bytes]:
        """The packets that `pcm` completes."""
        ...

    def rest(self) -> list[bytes]:
        """The last packet, filled up with silence; what follows begins anew."""
        ...

    def forget(self) -> None:
        """What is inside is never heard."""
        ...


class PlainDecoder:
    """PCM and µ-law."""

    __slots__ = ("_concealer", "_format", "_is_native", "_packet_bytes_max", "_resampler", "_sample_bytes")

    def __init__(self, format: Format) -> None:
        self._format = format
        self._sample_bytes = SAMPLE_BYTES[format.encoding] * format.channels
        self._packet_bytes_max = format.rate_hz * PACKET_MS_MAX // 1000 * self._sample_bytes
        self._is_native = format.encoding == "pcm16" and format.rate_hz == SAMPLE_RATE_HZ and format.channels == 1
        self._resampler = _resampler(format.rate_hz, SAMPLE_RATE_HZ)
        self._concealer = Concealer()

    def duration_ns(self, packet: bytes) -> int:
        size = len(packet)
        if not size or size % self._sample_bytes or size > self._packet_bytes_max:
            form = self._format
            raise AudioError(
                f"audio: {size} bytes are no packet of {form.encoding} at {form.rate_hz} Hz with {form.channels} "
                f"channel{'s' if form.channels > 1 else ''}: send {self._sample_bytes} to {self._packet_bytes_max} "
                f"bytes, whole samples; usual are {form.packet_bytes}"
            )
        return size // self._sample_bytes * 1_000_000_000 // self._format.rate_hz

    def decode(self, packet: bytes) -> bytes:
        pcm = packet if self._is_native else self._convert(packet)
        self._concealer.heard(pcm)
        return pcm

    def conceal(self, duration_ns: int) -> bytes:
        return self._concealer.make(duration_ns * SAMPLE_RATE_HZ // 1_000_000_000)

    def _convert(self, packet: bytes) -> bytes:
        samples = from_ulaw(packet) if self._format.encoding == "ulaw" else np.frombuffer(packet, "<i2")
        if self._format.channels == 2:
            samples = (samples.reshape(-1, 2).sum(axis=1, dtype=np.int32) >> 1).astype("<i2")
        if self._resampler is not None:
            return self._resampler.process(samples)
        pcm: bytes = samples.tobytes()
        return pcm


class PlainEncoder:
    """PCM and µ-law."""

    __slots__ = ("_format", "_resampler", "_rest")

    def __init__(self, format: Format) -> None:
        self._format = format
        self._resampler = _resampler(SAMPLE_RATE_HZ, format.rate_hz)
        self._rest = b""

    def encode(self, pcm: bytes) -> list[bytes]:
        if self._resampler is not None:
            pcm = self._resampler.process(np.frombuffer(pcm, "<i2"))
        return self._cut(self._written(pcm))

    def rest(self) -> list[bytes]:
        tail = [] if self._resampler is None else self._cut(self._written(self._resampler.rest()))
        if self._rest:
            silence = b"\0" if self._format.encoding == "pcm16" else b"\xff"
            tail.append(self._rest.ljust(self._format.packet_bytes, silence))
            self._rest = b""
        return tail

    def forget(self) -> None:
        self._rest = b""
        if self._resampler is not None:
            self._resampler.forget()

    def _written(self, pcm: bytes) -> bytes:
        """As the format has it. Both channels get the same: a mixer would make it quieter by 3 dB."""
        if self._format.channels == 1 and self._format.encoding == "pcm16":
            return pcm
        samples = np.repeat(np.frombuffer(pcm, "<i2"), self._format.channels)
        written: bytes = to_ulaw(samples) if self._format.encoding == "ulaw" else samples.tobytes()
        return written

    def _cut(self, written: bytes) -> list[bytes]:
        if self._rest:
            written = self._rest + written
        size = self._format.packet_bytes
        whole = len(written) - len(written) % size
        self._rest = written[whole:]
        return [written[at : at + size] for at in range(0, whole, size)]


def _resampler(in_hz: int, out_hz: int) -> Resampler | None:
    """The library is loaded for the first client that needs it: most do not."""
    if in_hz == out_hz:
        return None
    from rspp_runtime.audio.resample import Resampler

    return Resampler(in_hz, out_hz)


# ---------------------------------------------------------------------------------------------------- G.711, µ-law


@cache
def _decoding() -> Any:
    """int16 by byte: sign, exponent of three bits, mantissa of four, all inverted; a bias of 33 in 14 bits."""
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (code >> 4) & 7, (code & 15).astype(np.int32)
    magnitude = (((mantissa << 1) + 33) << exponent) - 33 << 2
    return np.where(code & 0x80, -magnitude, magnitude).astype("<i2")


@cache
def _encoding() -> Any:
    """Byte by int16 seen as uint16: the nearest value that there is."""
    values = _decoding()[128:].astype(np.int32)[::-1]  # from 0 up: codes 255 down to 128
    bounds = (values[:-1] + values[1:] + 1) // 2
    magnitude = np.arange(32769)
    up = (255 - np.searchsorted(bounds, magnitude, side="right")).astype(np.uint8)
    table = np.empty(65536, np.uint8)
    table[:32768] = up[:32768]
    table[32768:] = (up[32768:0:-1]) & 0x7F  # -32768 … -1
    return table


def from_ulaw(packet: bytes) -> Any:
    return _decoding()[np.frombuffer(packet, np.uint8)]


def to_ulaw(samples: Any) -> bytes:
    written: bytes = _encoding()[samples.view("<u2")].tobytes()
    return written


# ----------------------------------------------------------------------------------------------------------- choosing


def make_decoder(format: Format) -> Decoder:
    """Raises `MissingExtraError`."""
    if format.encoding == "opus":
        from rspp_runtime.audio.opus import OpusDecoder

        return OpusDecoder()
    return PlainDecoder(format)


def make_encoder(format: Format) -> Encoder:
    """Raises `MissingExtraError`."""
    if format.encoding == "opus":
        from rspp_runtime.audio.opus import OpusEncoder

        return OpusEncoder(format.frame_ms)
    return PlainEncoder(format)


def peak(pcm: bytes) -> int:
    """The largest amplitude of PCM s16le."""
    return int(np.abs(np.frombuffer(pcm, "<i2").astype(np.int32)).max(initial=0))
