"""The binary framing of RTVI: one protobuf `Frame` in each WebSocket message, as its public clients write and read it.

Five small messages, declared here and read and written by `protobuf` (decision 0055): no generated module that only
fits some of its versions, and a pool of our own, because another library of the process may have declared the same
names.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

PACKAGE = "pipecat"  # the name that the public clients' declarations have; it is not on the wire

# Message by message: (number, name, type). `Frame` is a oneof of the others; `pts` alone says whether it is there.
MESSAGES: dict[str, tuple[tuple[int, str, str], ...]] = {
    "TextFrame": ((1, "id", "uint64"), (2, "name", "string"), (3, "text", "string")),
    "AudioRawFrame": (
        (1, "id", "uint64"),
        (2, "name", "string"),
        (3, "audio", "bytes"),
        (4, "sample_rate", "uint32"),
        (5, "num_channels", "uint32"),
        (6, "pts", "optional uint64"),
    ),
    "TranscriptionFrame": (
        (1, "id", "uint64"),
        (2, "name", "string"),
        (3, "text", "string"),
        (4, "user_id", "string"),
        (5, "timestamp", "string"),
    ),
    "MessageFrame": ((1, "data", "string"),),
    "InterruptionFrame": ((1, "id", "uint64"), (2, "name", "string")),
}
FRAME = (
    (1, "text", "TextFrame"),
    (2, "audio", "AudioRawFrame"),
    (3, "transcription", "TranscriptionFrame"),
    (4, "message", "MessageFrame"),
    (5, "interruption", "InterruptionFrame"),
)


class FrameError(Exception):
    """Bytes that are no frame, or a frame of nothing; the message is one line."""


class Audio(NamedTuple):
    """PCM s16le, channels interleaved, as the sender recorded it."""

    payload: bytes
    rate_hz: int
    channels: int


class Message(NamedTuple):
    """An RTVI message, as the text of a JSON object."""

    text: str


class Typed(NamedTuple):
    """A `TextFrame` or a `TranscriptionFrame`: words that did not go through a recogniser here."""

    kind: str  # "text" or "transcription"
    text: str


class Interruption(NamedTuple):
    """What was said and is not yet played is to be forgotten."""


Frame = Audio | Message | Typed | Interruption


def read(data: bytes) -> Frame:
    """The frame of one binary message. Raises `FrameError`."""
    frame_class, decode_error = _protobuf()
    try:
        frame = frame_class.FromString(data)
    except decode_error:
        raise FrameError("these bytes are no protobuf Frame of the RTVI protocol") from None
    match frame.WhichOneof("frame"):
        case "audio":
            audio = frame.audio
            return Audio(audio.audio, audio.sample_rate, audio.num_channels)
        case "message":
            return Message(frame.message.data)
        case "transcription" | "text" as kind:
            return Typed(kind, getattr(frame, kind).text)
        case "interruption":
            return Interruption()
    raise FrameError("this Frame has nothing in it that RTVI knows")


def audio(payload: bytes, rate_hz: int, channels: int = 1) -> bytes:
    """One frame of PCM s16le."""
    frame = _protobuf()[0]()
    frame.audio.audio = payload
    frame.audio.sample_rate = rate_hz
    frame.audio.num_channels = channels
    return _bytes(frame)


def message(text: str) -> bytes:
    """One RTVI message, given as the text of a JSON object."""
    frame = _protobuf()[0]()
    frame.message.data = text
    return _bytes(frame)


def interruption() -> bytes:
    """Tells the client to forget the audio that it has not yet played."""
    frame = _protobuf()[0]()
    frame.interruption.SetInParent()
    return _bytes(frame)


def _bytes(frame: Any) -> bytes:
    written: bytes = frame.SerializeToString()
    return written


@cache
def _protobuf() -> tuple[Any, type[Exception]]:
    """The class `Frame`, and what its parser raises."""
    try:
        from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
        from google.protobuf.message import DecodeError
    except ImportError:
        raise ImportError("RTVI needs the extra: pip install 'rspp-runtime[serve]'") from None

    field = descriptor_pb2.FieldDescriptorProto
    types = {
        "uint64": field.TYPE_UINT64,
        "uint32": field.TYPE_UINT32,
        "string": field.TYPE_STRING,
        "bytes": field.TYPE_BYTES,
    }
    file = descriptor_pb2.FileDescriptorProto(name="rspp/rtvi.proto", package=PACKAGE, syntax="proto3")
    for name, fields in MESSAGES.items():
        declared = file.message_type.add(name=name)
        for number, label, kind in fields:
            type_name = kind.removeprefix("optional ")
            made = declared.field.add(name=label, number=number, type=types[type_name], label=field.LABEL_OPTIONAL)
            if kind != type_name:
                made.proto3_optional = True
                made.oneof_index = len(declared.oneof_decl)
                declared.oneof_decl.add(name=f"_{label}")
    whole = file.message_type.add(name="Frame")
    whole.oneof_decl.add(name="frame")
    for number, label, kind in FRAME:
        whole.field.add(
            name=label,
            number=number,
            type=field.TYPE_MESSAGE,
            type_name=f".{PACKAGE}.{kind}",
            label=field.LABEL_OPTIONAL,
            oneof_index=0,
        )
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.Frame")), DecodeError
