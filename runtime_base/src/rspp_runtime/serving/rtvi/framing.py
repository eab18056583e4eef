"""Either framing of RTVI: protobuf in binary WebSocket messages, JSON in text messages.

A client chooses by what it sends, and is answered alike. In JSON, audio is an RTVI message like all others: `raw-audio`
from the client, `bot-tts-audio` to it, in base64.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from rspp_runtime.serving.dialect import DialectError, Message
from rspp_runtime.serving.rtvi import frames
from rspp_runtime.serving.rtvi.frames import Audio, Interruption, Typed

LABEL = "rtvi-ai"
AUDIO_TYPES = ("raw-audio", "raw-audio-batch")
BATCH_MAX = 64  # packets of one message

Fields = Mapping[str, Any]


def read(message: Message) -> Audio | Typed | Interruption | Fields:
    """A message: audio, words of their own, or the fields of an RTVI message. Raises `DialectError`."""
    if isinstance(message, str):
        return _fields(message)
    try:
        frame = frames.read(message)
    except frames.FrameError as error:
        raise DialectError("malformed", str(error)) from None
    return _fields(frame.text) if isinstance(frame, frames.Message) else frame


def write(fields: Fields, *, binary: bool) -> Message:
    """An RTVI message. `fields` has its `type`, and what else it has."""
    text = json.dumps({"label": LABEL, **fields}, ensure_ascii=False, separators=(",", ":"))
    return frames.message(text) if binary else text


def write_audio(payload: bytes, rate_hz: int, *, binary: bool) -> Message:
    """PCM s16le, mono."""
    if binary:
        return frames.audio(payload, rate_hz)
    data = {"audio": base64.b64encode(payload).decode(), "sample_rate": rate_hz, "num_channels": 1}
    return write({"type": "bot-tts-audio", "data": data}, binary=False)


def raw_audio(data: Fields) -> list[Audio]:
    """The packets of a `raw-audio` or a `raw-audio-batch`. Raises `DialectError`."""
    given = data.get("base64AudioBatch") or [data.get("base64Audio")]
    rate_hz, channels = data.get("sampleRate"), data.get("numChannels")
    if not isinstance(given, list) or len(given) > BATCH_MAX or not all(isinstance(one, str) for one in given):
        raise DialectError(
            "schema_validation_error", f"`base64Audio` is a text, a batch has {BATCH_MAX} at most", "data"
        )
    if rate_hz.__class__ is not int or channels.__class__ is not int:
        raise DialectError("schema_validation_error", "`sampleRate` and `numChannels` are whole numbers", "data")
    assert isinstance(rate_hz, int)
    assert isinstance(channels, int)
    try:
        return [Audio(base64.b64decode(one, validate=True), rate_hz, channels) for one in given]
    except (binascii.Error, ValueError):
        raise DialectError("schema_validation_error", "the audio is not base64", "data") from None


def clean(given: object, chars_max: int = 64) -> str:
    """What a client has said, fit to be said again or written down; nothing of what is no text."""
    return given[:chars_max].encode("utf-8", "replace").decode() if isinstance(given, str) else ""


def _fields(text: str) -> Fields:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        raise DialectError("malformed", "an RTVI message is a JSON object") from None
    if not isinstance(fields, dict) or fields.get("label") != LABEL or not isinstance(fields.get("type"), str):
        raise DialectError("malformed", f'an RTVI message is a JSON object with "label": "{LABEL}" and a "type"')
    return fields
