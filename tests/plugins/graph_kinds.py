"""What the sketches of `graphs` know of each kind of node; kept apart from the compiler's catalogue."""

from __future__ import annotations

from typing import NamedTuple

from rspp_compiler.ir.spec import Execution, PortSpec, Scope
from rspp_compiler.ir.types import AnyType, AudioType, BytesType, EventType, PortType, TextType
from rspp_compiler.source import Span

MS = 1_000_000
FRAME_BYTES, FRAME_NS = 640, 20 * MS
COMMON_EVENTS = ("started", "done", "error", "timeout")
DETECTORS = ("vad", "endpointer", "realtime")
DETECTS = ("speech_start", "speech_end", "barge_in", "idle")

_ITEMS = {"audio": FRAME_BYTES, "text": 4096, "event": 1024, "bytes": 4096, "any": 4096}


class Shape(NamedTuple):
    """A kind: `inputs` and `outputs` are `name: type` by a comma, the main port first."""

    execution: Execution
    scope: Scope | None  # None: where it stands decides
    inputs: str
    outputs: str
    events: tuple[str, ...] = ()
    first_output_ns: int = 0
    has_provider: bool = False


SHAPES: dict[str, Shape] = {
    "ingress": Shape("boundary", "session", "", "audio: audio, text: text, dtmf: event", ("dtmf", "button_up")),
    "egress": Shape("boundary", "session", "audio: audio, text: text", ""),
    "vad": Shape("effect", "session", "audio: audio", "speech: audio", DETECTS, 800 * MS, True),
    "endpointer": Shape("kernel", "session", "text: text", "", ("speech_end",)),
    "stt": Shape(
        "effect", "session", "audio: audio", "utterance: text, partial: text, final: text", (), 300 * MS, True
    ),
    "realtime": Shape(
        "effect", "session", "audio: audio, prompt: text", "audio: audio, transcript: text", DETECTS, 800 * MS, True
    ),
    "collect": Shape("kernel", "session", "dtmf: event", "text: text"),
    "timer": Shape("kernel", "session", "", "", ("fired",)),
    "llm": Shape("effect", "turn", "prompt: text, context: text", "delta: text, final: text", (), 800 * MS, True),
    "tts": Shape("effect", "turn", "text: text", "audio: audio", ("playback_completed",), 300 * MS, True),
    "say": Shape("kernel", "turn", "trigger: any", "text: text"),
    "play": Shape("kernel", "turn", "trigger: any", "audio: audio"),
    "merge": Shape("kernel", None, "in: text", "out: text"),
    "select": Shape("kernel", None, "in: text", "out: text"),
    "label": Shape("kernel", None, "in: text", "out: text"),
    "redact": Shape("kernel", None, "in: text", "out: text"),
    "tap": Shape("kernel", None, "in: any", ""),
    "python": Shape("kernel", None, "a: text", "b: text"),
    "grpc": Shape("effect", None, "a: text", "b: text", (), 800 * MS),
    "wasm": Shape("kernel", None, "a: text", "b: text"),
    "resample": Shape("kernel", None, "in: audio", "out: audio"),
    "decode": Shape("kernel", None, "in: audio", "out: audio"),
}


def port_type(text: str) -> PortType:
    """`audio`, `audio(24000)`, `text(PII)`, `event`, `bytes`, `any`."""
    name, _, of = text.rstrip(")").partition("(")
    match name:
        case "audio":
            return AudioType(rate_hz=int(of or 16_000), channels=1, encoding="s16le")
        case "text":
            return TextType(payload_class=of or "text_raw")
        case "event":
            return EventType(payload_class=of or "metadata")
        case "bytes":
            return BytesType(payload_class=of or "derived_summary")
    return AnyType()


def ports(text: str, span: Span) -> tuple[PortSpec, ...]:
    """Ports from `audio: audio/30ms, prompt: text(PII)`; the first is the main one. A frame of audio lasts 20 ms, or
    as long as it says.
    """
    rows = [row.split(":") for row in text.split(",") if row.strip()]
    return tuple(_port(name.strip(), type.strip(), index == 0, span) for index, (name, type) in enumerate(rows))


def _port(name: str, written: str, main: bool, span: Span) -> PortSpec:
    described, _, frame = written.partition("/")
    type = port_type(described)
    length = int(frame.removesuffix("ms") or FRAME_NS // MS) * MS if isinstance(type, AudioType) else 0
    size = type.bytes_per_second * length // (1000 * MS) if isinstance(type, AudioType) else _ITEMS[type.name]
    return PortSpec(span=span, name=name, type=type, item_bytes_max=size, item_ns=length, main=main)
