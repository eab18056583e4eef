"""What flows between ports: `audio(rate, channels, encoding)`, `text`, `event`, `bytes`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_FROZEN = ConfigDict(frozen=True, extra="forbid")
SAMPLE_BYTES = {"s16le": 2, "f32le": 4, "mulaw": 1, "alaw": 1}
OPUS_BYTES_PER_SECOND = 64_000  # at most: 510 kbit/s a stream
ENCODINGS = (*SAMPLE_BYTES, "opus")


class AudioType(BaseModel):
    """Audio. `rate_hz` samples a second and channel, `channels` 1 or 2; PCM, but for `opus`."""

    model_config = _FROZEN
    name: Literal["audio"] = "audio"
    rate_hz: int
    channels: int
    encoding: str
    payload_class: str = "audio_raw"

    @property
    def bytes_per_second(self) -> int:
        if self.encoding == "opus":
            return OPUS_BYTES_PER_SECOND
        return self.rate_hz * self.channels * SAMPLE_BYTES[self.encoding]

    def __str__(self) -> str:
        rate = f"{self.rate_hz / 1000:g}kHz" if self.rate_hz >= 1000 else f"{self.rate_hz}Hz"
        of_class = "" if self.payload_class == "audio_raw" else f", {self.payload_class}"
        return f"audio({rate}, {'mono' if self.channels == 1 else 'stereo'}, {self.encoding}{of_class})"


class TextType(BaseModel):
    """UTF-8 text; `payload_class` is `text_raw`, `PII` or `PHI` (CONTRACTS §2)."""

    model_config = _FROZEN
    name: Literal["text"] = "text"
    payload_class: str = "text_raw"

    def __str__(self) -> str:
        return "text" if self.payload_class == "text_raw" else f"text({self.payload_class})"


class EventType(BaseModel):
    """A small structured event."""

    model_config = _FROZEN
    name: Literal["event"] = "event"
    payload_class: str = "metadata"

    def __str__(self) -> str:
        return "event" if self.payload_class == "metadata" else f"event({self.payload_class})"


class BytesType(BaseModel):
    """Opaque bytes."""

    model_config = _FROZEN
    name: Literal["bytes"] = "bytes"
    payload_class: str = "derived_summary"

    def __str__(self) -> str:
        return "bytes" if self.payload_class == "derived_summary" else f"bytes({self.payload_class})"


class AnyType(BaseModel):
    """Accepts whatever arrives: the input of `tap`."""

    model_config = _FROZEN
    name: Literal["any"] = "any"

    def __str__(self) -> str:
        return "any"


PortType = Annotated[AudioType | TextType | EventType | BytesType | AnyType, Field(discriminator="name")]
