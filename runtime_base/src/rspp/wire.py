"""The protocol rspp/1 as bytes: one map a message, MessagePack or JSON (docs/protocol.md).

Shared by the server and the client. Knows how messages are written and which fields they have; what they mean is the
business of who sends and who receives them.
"""

from __future__ import annotations

import base64
import binascii
import enum
import json
from collections.abc import Mapping
from typing import Any

import msgpack  # type: ignore[import-untyped]

PROTOCOL = "rspp/1"
PATH = "/v1/session"
MSGPACK, JSON = "rspp.1.msgpack", "rspp.1.json"
SUBPROTOCOLS = (MSGPACK, JSON)
BEARER = "rspp.bearer."  # a subprotocol that is a token, where headers cannot be set

MESSAGE_BYTES_MAX = 64 * 1024
HELLO_BYTES_MAX = 16 * 1024
TEXT_BYTES_MAX = 4096  # of a text: what the event ABI takes (CONTRACTS §2)
INTEGER_MAX = 2**53 - 1

Message = bytes | str
_BINARY = (bytes, bytearray, memoryview)
Fields = dict[str, Any]

SAID = {
    "hello": {"protocol": str},
    "audio": {"seq": int, "payload": bytes},
    "text": {"seq": int, "text": str},
    "control": {"seq": int, "signal": str},
    "delivery": {"seq": int, "signal": str, "turn_id": str, "played_ms": int},
    "ack": {"received": int},
    "ping": {},
    "bye": {},
}
"""What a client says: for each type the fields that it must have."""

MAY = {
    "hello": {
        "audio_in": dict, "audio_out": dict, "playback": str, "echo_cancelled": bool, "resume": dict,
        "attributes": dict, "client": str, "traceparent": str,
    },
    "audio": {"sample_index": int},
    "control": {"key": str},
    "ping": {"t": int},
    "bye": {"reason": str},
}  # fmt: skip
"""The fields that it may have besides; null is as good as absent."""

CONTROLS = ("end_utterance", "cancel", "button_down", "button_up", "dtmf")
DELIVERIES = ("playback_started", "playback_progress", "playback_completed", "playback_cancelled")
PLAYBACKS = ("acked", "none")


class Close(enum.IntEnum):
    """Close codes; `RESUMABLE` are those after which a client may come back."""

    DONE = 1000
    DRAINING = 1001
    MALFORMED = 1007
    TOO_LONG = 1009
    TOKEN = 4401
    TIMEOUT = 4408
    AUDIO = 4415
    RATE = 4429
    SERVER = 4500


RESUMABLE = frozenset({Close.DRAINING, Close.TIMEOUT, Close.RATE, Close.SERVER, 1006, 1011, 1012, 1013})


class WireError(Exception):
    """A message that is not one of this protocol; says which field, and what it should be.

    `is_fatal`: not even a map, so that nothing that follows can be trusted either.
    """

    def __init__(self, code: str, reason: str, field: str = "", *, is_fatal: bool = False) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.field = field
        self.is_fatal = is_fatal


def choose(offered: list[str]) -> str | None:
    """The subprotocol that a server takes of those that a client offers, in the client's order."""
    return next((one for one in offered if one in SUBPROTOCOLS), None)


def bearer(offered: list[str]) -> str:
    """The token among the subprotocols, or nothing."""
    return next((one.removeprefix(BEARER) for one in offered if one.startswith(BEARER)), "")


def encode(fields: Mapping[str, Any], subprotocol: str) -> Message:
    """One message. `payload` is bytes in `fields`."""
    if subprotocol == MSGPACK:
        packed: bytes = msgpack.packb(fields)
        return packed
    payload = fields.get("payload")
    if payload is not None:
        fields = {**fields, "payload": base64.b64encode(payload).decode("ascii")}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def decode(message: Message, subprotocol: str) -> Fields:
    """A map with a `type`. Raises `WireError`, always fatal."""
    binary = isinstance(message, _BINARY)
    if binary != (subprotocol == MSGPACK):
        other = "binary" if subprotocol == MSGPACK else "text"
        raise WireError("malformed", f"{subprotocol} is spoken in {other} messages", is_fatal=True)
    try:
        fields = (
            msgpack.unpackb(message, strict_map_key=True, max_ext_len=0)
            if binary
            else json.loads(message, parse_constant=_no_constant)
        )
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        what = "MessagePack" if binary else "JSON"
        raise WireError("malformed", f"not a message in {what}: {_short(error)}", is_fatal=True) from None
    if not isinstance(fields, dict):
        raise WireError("malformed", "a message is a map", is_fatal=True)
    if not isinstance(fields.get("type"), str):
        raise WireError("malformed", "`type` is missing: every message has one", "type", is_fatal=True)
    if not binary and isinstance(fields.get("payload"), str):
        try:
            fields["payload"] = base64.b64decode(fields["payload"], validate=True)
        except (binascii.Error, ValueError):
            raise WireError("schema_validation_error", "`payload` is not base64", "payload") from None
    return fields


def check(fields: Fields) -> None:
    """That a message of a client has what its type needs, in the right form. Raises `WireError`."""
    kind = fields["type"]
    must = SAID.get(kind)
    if must is None:
        raise WireError("unknown_type", f"`{_short(kind)}` is no message of {PROTOCOL}", "type")
    for name, form in must.items():
        value = fields.get(name)
        if value.__class__ is not form:
            missing = "is missing" if value is None else f"is not {_FORMS[form]}"
            raise WireError("schema_validation_error", f"`{kind}`: `{name}` {missing}", name)
        _check_value(kind, name, value)
    for name, form in MAY.get(kind, {}).items():
        value = fields.get(name)
        if value is None:
            continue
        if value.__class__ is not form:
            raise WireError("schema_validation_error", f"`{kind}`: `{name}` is not {_FORMS[form]}", name)
        _check_value(kind, name, value)


def _check_value(kind: str, name: str, value: Any) -> None:
    if value.__class__ is int and not 0 <= value <= INTEGER_MAX:
        raise WireError("schema_validation_error", f"`{kind}`: `{name}` is not between 0 and 2^53 - 1", name)
    if value.__class__ is str and not is_unicode(value):
        raise WireError("schema_validation_error", f"`{kind}`: `{name}` has half of a surrogate pair", name)


def is_unicode(text: str) -> bool:
    """Whether it can be written as UTF-8: JSON can say halves of surrogate pairs."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_FORMS = {str: "a text", int: "a whole number", bool: "true or false", dict: "a map", bytes: "bytes"}


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _short(what: object) -> str:
    """Fit to be told."""
    return str(what)[:80].encode("utf-8", "replace").decode()
