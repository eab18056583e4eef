"""From the session's audio to a client's packets."""

from __future__ import annotations

from rspp_runtime.audio.codec import Encoder, make_encoder
from rspp_runtime.audio.format import NATIVE, Format
from rspp_runtime.audio.usual import Through


class Downlink(Through):
    """One client's packets, each of `format.frame_ms`."""

    __slots__ = ("_encoder", "_native_bytes", "format")

    def __init__(self, format: Format) -> None:
        """Raises `MissingExtraError`."""
        self.format = format
        self.is_native = format == NATIVE
        self._native_bytes = NATIVE.packet_bytes
        self._encoder: Encoder = make_encoder(format)
        self.is_empty = True

    def encode(self, pcm: bytes) -> list[bytes]:
        """Whole packets; what is less waits for more. `pcm` is PCM s16le mono 16 kHz, of any even length."""
        if self.is_native and self.is_empty and len(pcm) == self._native_bytes:
            return [pcm]
        self.is_empty = False
        return self._encoder.encode(pcm)

    def flush(self) -> None:
        """After a cancel: what is inside is forgotten."""
        self.is_empty = True
        self._encoder.forget()

    def rest(self) -> list[bytes]:
        """At the end of a turn: the last packet, filled up with silence."""
        self.is_empty = True
        return self._encoder.rest()
