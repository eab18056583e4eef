"""From the session's audio to a client's packets."""

from __future__ import annotations

from rspp_runtime.audio.codec import Encoder, make_encoder
from rspp_runtime.audio.format import NATIVE, Format


class Downlink:
    """One client's packets, each of `format.frame_ms`."""

    __slots__ = ("_encoder", "_is_empty", "_is_native", "_native_bytes", "format")

    def __init__(self, format: Format) -> None:
        """Raises `MissingExtraError`."""
        self.format = format
        self._is_native = format == NATIVE
        self._native_bytes = NATIVE.packet_bytes
        self._encoder: Encoder = make_encoder(format)
        self._is_empty = True

    def encode(self, pcm: bytes) -> list[bytes]:
        """Whole packets; what is less waits for more. `pcm` is PCM s16le mono 16 kHz, of any even length."""
        if self._is_native and self._is_empty and len(pcm) == self._native_bytes:
            return [pcm]
        self._is_empty = False
        return self._encoder.encode(pcm)

    def flush(self) -> None:
        """After a cancel: what is inside is forgotten."""
        self._is_empty = True
        self._encoder.forget()

    def rest(self) -> list[bytes]:
        """At the end of a turn: the last packet, filled up with silence."""
        self._is_empty = True
        return self._encoder.rest()
