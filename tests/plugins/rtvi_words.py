"""A dialect under test: what a client says to it, and what it says, as the client reads it."""

from __future__ import annotations

import json
from typing import Any

from rspp_runtime.abi.codes import Op, Signal
from rspp_runtime.abi.messages import Output
from rspp_runtime.audio.format import NATIVE
from rspp_runtime.serving.dialect import Message, Messages, Welcome, Word
from rspp_runtime.serving.rtvi import frames, framing
from rspp_runtime.serving.rtvi.dialect import Rtvi

NOON = "2026-11-27T12:00:00.000+00:00"


def welcome(**changes: Any) -> Welcome:
    fields: dict[str, Any] = {
        "session_id": "s-1", "pipeline": "assistant", "pipeline_version": "1.0.0", "template_hash": "0" * 64,
        "authority_epoch": 1, "tenant": "acme", "audio_in": NATIVE, "audio_out": NATIVE, "resumed": False,
        "received": 0, "lead_ms": 200, "ping_ms": 20_000, "resume_token": "secret", "within_ms": 32_000,
    }  # fmt: skip
    return Welcome(**{**fields, **changes})


def said(kind: str, data: Any = None, *, binary: bool = True, number: str = "m1") -> Message:
    """A client's message."""
    fields = {"type": kind, "id": number} if data is None else {"type": kind, "id": number, "data": data}
    return framing.write(fields, binary=binary)


def read(messages: Messages) -> list[Any]:
    """What a client reads: RTVI messages as maps, without their label, and frames of audio."""
    found: list[Any] = []
    for message in messages:
        if isinstance(message, bytes):
            frame = frames.read(message)
            if not isinstance(frame, frames.Message):
                found.append(frame)
                continue
            message = frame.text
        fields = json.loads(message)
        assert fields.pop("label") == "rtvi-ai"
        found.append(fields)
    return found


def types(messages: Messages) -> list[str]:
    return [one["type"] if isinstance(one, dict) else type(one).__name__ for one in read(messages)]


def ready(version: str = "2.1.0", *, binary: bool = True, **changes: Any) -> tuple[Rtvi, list[Any], Word | None]:
    """A dialect whose client has said that it is ready, and was welcomed; what it was told, and its hello."""
    dialect = Rtvi(lambda: NOON)
    word = dialect.receive(said("client-ready", {"version": version}, binary=binary, number="r1"))
    return dialect, read(dialect.welcome(welcome(**changes))), word


def decided(signal: Signal, turn: int = 1, t_ms: int = 0, cause: int = 0, x: int = 0, y: int = 0) -> Output:
    return Output(Op.DECISION, t_ms * 1_000_000, 1, turn=turn, code=signal, cause=cause, x=x, y=y)
