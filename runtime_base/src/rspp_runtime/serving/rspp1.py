"""The dialect rspp/1 (docs/protocol.md): the words of `dialect`, written as `rspp.wire` writes them."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from rspp import wire
from rspp.wire import Close, Fields, WireError
from rspp_runtime.abi.codes import Cause, Control, Scope, Signal, emitter
from rspp_runtime.abi.lookup import heard_by
from rspp_runtime.abi.messages import Output
from rspp_runtime.abi.plan import Node
from rspp_runtime.audio.format import NATIVE, Format, FormatError
from rspp_runtime.serving import packed
from rspp_runtime.serving.dialect import (
    NOTHING,
    Ack,
    Audio,
    Bye,
    Delivery,
    DialectError,
    Hello,
    Key,
    Messages,
    Ping,
    Told,
    Typed,
    Welcome,
    Word,
)
from rspp_runtime.serving.packed import Writer
from rspp_runtime.session.observer import InvocationEnd

TOLD: frozenset[int] = frozenset(
    {
        Signal.TURN_OPEN_PROPOSED, Signal.TURN_OPEN, Signal.COMMIT, Signal.ABORT, Signal.CLOSE, Signal.BARGE_IN,
        Signal.CANCEL, Signal.REJECT, Signal.DEFER, Signal.DEGRADE, Signal.FALLBACK, Signal.PROVIDER_SWITCH,
        Signal.BUDGET_EXHAUSTED, Signal.OUTPUT_ACCEPTED, Signal.PLAYBACK_STARTED, Signal.PLAYBACK_COMPLETED,
        Signal.PLAYBACK_CANCELLED, Signal.CONNECTED, Signal.ENDED,
    }
)  # fmt: skip
"""The decisions that a party is told of."""

_HEARD = frozenset({Signal.PLAYBACK_COMPLETED, Signal.PLAYBACK_CANCELLED})
_CONTROLS = {
    "end_utterance": Control.END_UTTERANCE,
    "cancel": Control.CANCEL_TURN,
    "button_down": Control.BUTTON_DOWN,
    "button_up": Control.BUTTON_UP,
}
_KEYS = frozenset("0123456789*#ABCD")
ATTRIBUTES = frozenset({"language", "region", "tier", "name", "channel", "caller"})


class Rspp1:
    """One connection's dialect. `session_id` is of the token: turns are named after it."""

    __slots__ = ("_lead_ms", "_prefix", "_session_id", "_subprotocol", "_welcomed", "writer")

    numbered = True
    told: Container[int] = TOLD
    watches = False
    pings = True

    def __init__(self, subprotocol: str, session_id: str) -> None:
        self._subprotocol = subprotocol
        self._session_id = session_id
        self._prefix = session_id + "/"
        self.writer: Writer | None = Writer(self._prefix) if subprotocol == wire.MSGPACK else None
        self._welcomed = False
        self._lead_ms = 0  # how far an estimate of what was heard may be off

    # ---- from the party

    def receive(self, message: wire.Message) -> Word | None:
        if self._welcomed and self.writer is not None and message.__class__ is bytes:
            usual = packed.read(message)
            if usual is not None:
                return Audio._make(usual)
        try:
            fields = wire.decode(message, self._subprotocol)
            if fields["type"] == "audio" and self._welcomed:
                return self._audio(fields)
            wire.check(fields)
        except WireError as error:
            close = Close.MALFORMED if error.is_fatal or not self._welcomed else 0
            raise DialectError(error.code, error.reason, error.field, close) from None
        kind = fields["type"]
        if kind == "hello":
            return self._hello(fields)
        if not self._welcomed:
            raise DialectError("no_hello", "the first message is `hello`", "type", Close.MALFORMED)
        return _READ[kind](self, fields)

    def _hello(self, fields: Fields) -> Hello:
        if self._welcomed:
            raise DialectError("second_hello", "`hello` is said once in a connection", "type")
        if fields["protocol"] != wire.PROTOCOL:
            raise DialectError(
                "protocol", f"`protocol` is {wire.PROTOCOL!r} here, not {fields['protocol'][:40]!r}", "protocol",
                Close.MALFORMED,
            )  # fmt: skip
        playback = fields.get("playback") or "none"
        if playback not in wire.PLAYBACKS:
            raise DialectError(
                "schema_validation_error", f"`playback` is one of {', '.join(wire.PLAYBACKS)}", "playback",
                Close.MALFORMED,
            )  # fmt: skip
        hello = Hello(
            audio_in=_format(fields, "audio_in"),
            audio_out=_format(fields, "audio_out"),
            reports=playback == "acked",
            echo_cancelled=bool(fields.get("echo_cancelled")),
            received=_received(fields.get("resume")),
            attributes=_attributes(fields.get("attributes") or {}),
            client=(fields.get("client") or "")[:100],
            traceparent=str(fields.get("traceparent") or "")[:64],
        )
        self._welcomed = True
        return hello

    def _audio(self, fields: Fields) -> Audio:
        """The usual message, fifty times a second: looked at by hand."""
        sequence, payload, index = fields.get("seq"), fields.get("payload"), fields.get("sample_index")
        if (
            sequence.__class__ is not int
            or payload.__class__ is not bytes
            or not (index is None or index.__class__ is int)
        ):
            wire.check(fields)
        assert isinstance(sequence, int)
        assert isinstance(payload, bytes)
        if not 0 <= sequence <= wire.INTEGER_MAX or (index is not None and not 0 <= index <= wire.INTEGER_MAX):
            wire.check(fields)
        return Audio(sequence, index, payload)

    def _typed(self, fields: Fields) -> Typed:
        text = fields["text"].strip()
        if not text:
            raise DialectError("schema_validation_error", "`text`: `text` is empty: a turn needs a word", "text")
        if (size := len(text.encode())) > wire.TEXT_BYTES_MAX:
            raise DialectError(
                "schema_validation_error", f"`text`: {size} bytes are more than {wire.TEXT_BYTES_MAX}", "text"
            )
        return Typed(fields["seq"], text)

    def _control(self, fields: Fields) -> Told | Key:
        signal = fields["signal"]
        if signal == "dtmf":
            key = fields.get("key") or ""
            if key not in _KEYS:
                raise DialectError("schema_validation_error", "`control`: `key` is one of 0-9 * # A-D", "key")
            return Key(fields["seq"], key)
        code = _CONTROLS.get(signal)
        if code is None:
            raise DialectError(
                "schema_validation_error", f"`control`: `signal` is one of {', '.join(wire.CONTROLS)}", "signal"
            )
        return Told(fields["seq"], code)

    def _delivery(self, fields: Fields) -> Delivery:
        if fields["signal"] not in wire.DELIVERIES:
            raise DialectError(
                "schema_validation_error", f"`delivery`: `signal` is one of {', '.join(wire.DELIVERIES)}", "signal"
            )
        turn = fields["turn_id"].removeprefix(self._prefix)
        if not (turn.isascii() and turn.isdecimal() and len(turn) <= 15):
            raise DialectError(
                "schema_validation_error", "`delivery`: `turn_id` is not a turn of this session", "turn_id"
            )
        return Delivery(fields["seq"], fields["signal"], int(turn), fields["played_ms"])

    # ---- to the party

    def _say(self, fields: dict[str, Any]) -> Messages:
        return (wire.encode(fields, self._subprotocol),)

    def welcome(self, welcome: Welcome) -> Messages:
        w = welcome
        self._lead_ms = w.lead_ms
        return self._say(
            {
                "type": "welcome",
                "session_id": w.session_id,
                "pipeline": w.pipeline,
                "pipeline_version": w.pipeline_version,
                "template_hash": w.template_hash,
                "authority_epoch": w.authority_epoch,
                "tenant": w.tenant,
                "audio_in": w.audio_in.describe() if w.audio_in else None,
                "audio_out": w.audio_out.describe() if w.audio_out else None,
                "resumed": w.resumed,
                "received": w.received,
                "lead_ms": w.lead_ms,
                "ping_ms": w.ping_ms,
                "message_bytes_max": wire.MESSAGE_BYTES_MAX,
                "resume": {"token": w.resume_token, "within_ms": w.within_ms},
                **({} if w.moved is None else {"moved": dict(w.moved)}),
            }
        )

    def audio(self, sequence: int, turn: int, pts_ms: int, packet: bytes) -> Messages:
        if self.writer is not None and sequence >= 0 and turn >= 0 and pts_ms >= 0:
            return (self.writer.audio(sequence, turn, pts_ms, packet),)
        turn_id = self._prefix + str(turn)
        fields = {"type": "audio", "seq": sequence, "turn_id": turn_id, "pts_ms": pts_ms, "payload": packet}
        return (wire.encode(fields, self._subprotocol),)

    def text(self, sequence: int, turn: int, text: str) -> Messages:
        return self._say({"type": "text", "seq": sequence, "turn_id": self._prefix + str(turn), "text": text})

    def transcript(self, sequence: int, text: str, *, final: bool) -> Messages:
        return self._say({"type": "transcript", "seq": sequence, "text": text, "final": final})

    def decision(self, sequence: int, output: Output) -> Messages:
        signal = Signal(output.code)
        fields: dict[str, Any] = {
            "type": "signal",
            "seq": sequence,
            "signal": signal.name.lower(),
            "emitted_by": emitter(signal, output.port, output.cause),
            "runtime_sequence": output.seq,
            "runtime_timestamp_ms": output.t_ns // 1_000_000,
        }
        if output.turn:
            fields["turn_id"] = self._prefix + str(output.turn)
        if output.cause:
            fields["reason"] = Cause(output.cause).name.lower()
        if signal in _HEARD:
            basis, error_ms = heard_by(self._lead_ms * 1_000_000, output.port, output.invocation)
            fields["detail"] = {"words": output.x, "bytes": output.y, "basis": basis, "error_ms": error_ms}
        elif signal == Signal.CANCEL:
            fields["detail"] = {"scope": Scope(output.x).name.lower()}
        return self._say(fields)

    def voiced(self, sequence: int, turn: int, text: str) -> Messages:
        return NOTHING

    def began(self, sequence: int, turn: int, node: Node, invocation: int) -> Messages:
        return NOTHING

    def ended(self, sequence: int, node: Node, end: InvocationEnd) -> Messages:
        return NOTHING

    def flush(self, sequence: int, turn: int) -> Messages:
        return self._say({"type": "flush", "seq": sequence, "turn_id": self._prefix + str(turn)})

    def ack(self, received: int) -> Messages:
        return self._say({"type": "ack", "received": received})

    def token(self, sequence: int, token: str, within_ms: int) -> Messages:
        return self._say({"type": "token", "seq": sequence, "token": token, "within_ms": within_ms})

    def pong(self, t: int | None) -> Messages:
        return self._say({"type": "pong"} if t is None else {"type": "pong", "t": t})

    def error(self, error: DialectError) -> Messages:
        fields = {"type": "error", "code": error.code, "reason": error.reason}
        return self._say({**fields, "field": error.field} if error.field else fields)

    def goodbye(self, code: int, reason: str, resume_token: str, within_ms: int, after_ms: int) -> Messages:
        resume = {"token": resume_token, "within_ms": within_ms} if resume_token else None
        fields: dict[str, Any] = {"type": "goodbye", "code": code, "reason": reason, "resume": resume}
        return self._say({**fields, "after_ms": after_ms} if after_ms else fields)


_READ = {
    "text": Rspp1._typed,
    "control": Rspp1._control,
    "delivery": Rspp1._delivery,
    "ack": lambda _, fields: Ack(fields["received"]),
    "ping": lambda _, fields: Ping(fields.get("t")),
    "bye": lambda _, fields: Bye((fields.get("reason") or "")[:200]),
    "audio": Rspp1._audio,
}


def _format(fields: Fields, name: str) -> Format:
    given = fields.get(name)
    if given is None:
        return NATIVE
    try:
        return Format.parse(given, name)
    except FormatError as error:
        raise DialectError("schema_validation_error", str(error), name, Close.MALFORMED) from None


def _received(resume: Mapping[str, Any] | None) -> int | None:
    if resume is None:
        return None
    received = resume.get("received")
    if received.__class__ is not int or not 0 <= received <= wire.INTEGER_MAX:
        raise DialectError(
            "schema_validation_error", "`resume`: `received` is a whole number", "resume", Close.MALFORMED
        )
    assert isinstance(received, int)
    return received


def _attributes(given: Mapping[str, Any]) -> dict[str, str]:
    for name, value in given.items():
        if name not in ATTRIBUTES or not isinstance(value, str) or len(value) > 256 or not wire.is_unicode(value):
            raise DialectError(
                "schema_validation_error",
                f"`attributes`: {ascii(name)[:40]} is not a text of at most 256 letters for one of "
                + ", ".join(sorted(ATTRIBUTES)),
                "attributes",
                Close.MALFORMED,
            )
    return dict(given)
