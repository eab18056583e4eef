"""rspp/1 as bytes: both encodings say the same, and whatever comes instead is one `DialectError` and nothing else."""

from __future__ import annotations

import inspect
import json
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rspp import wire
from rspp.wire import JSON, MSGPACK, Close, WireError
from rspp_runtime.abi.codes import Cause, Control, Op, Signal
from rspp_runtime.abi.messages import Output
from rspp_runtime.audio.format import NATIVE, Format
from rspp_runtime.serving.dialect import (
    Ack,
    Audio,
    Bye,
    Delivery,
    Dialect,
    DialectError,
    Hello,
    Key,
    Ping,
    Told,
    Typed,
    Welcome,
)
from rspp_runtime.serving.rspp1 import TOLD, Rspp1

BOTH = pytest.mark.parametrize("subprotocol", [MSGPACK, JSON])
HELLO: dict[str, Any] = {"type": "hello", "protocol": "rspp/1"}
COUNT = st.integers(0, wire.INTEGER_MAX)
WORDS = st.text(st.characters(codec="utf-8"), max_size=40)


def welcomed(subprotocol: str) -> Rspp1:
    dialect = Rspp1(subprotocol, "s-1")
    assert isinstance(dialect.receive(wire.encode(HELLO, subprotocol)), Hello)
    return dialect


def said() -> st.SearchStrategy[tuple[dict[str, Any], object]]:
    """A message of a client, and the word that it is."""
    return st.one_of(
        st.tuples(COUNT, st.binary(max_size=640), st.none() | COUNT).map(
            lambda a: (
                {"type": "audio", "seq": a[0], "payload": a[1]} | ({} if a[2] is None else {"sample_index": a[2]}),
                Audio(a[0], a[2], a[1]),
            )
        ),
        st.tuples(COUNT, WORDS.map(str.strip).filter(bool)).map(
            lambda a: ({"type": "text", "seq": a[0], "text": a[1]}, Typed(*a))
        ),
        st.tuples(COUNT, st.sampled_from("0123456789*#ABCD")).map(
            lambda a: ({"type": "control", "seq": a[0], "signal": "dtmf", "key": a[1]}, Key(*a))
        ),
        st.tuples(
            COUNT,
            st.sampled_from(
                [
                    ("end_utterance", Control.END_UTTERANCE),
                    ("cancel", Control.CANCEL_TURN),
                    ("button_down", Control.BUTTON_DOWN),
                    ("button_up", Control.BUTTON_UP),
                ]
            ),
        ).map(lambda a: ({"type": "control", "seq": a[0], "signal": a[1][0]}, Told(a[0], a[1][1]))),
        st.tuples(COUNT, st.sampled_from(wire.DELIVERIES), st.integers(0, 10**9), COUNT).map(
            lambda a: (
                {"type": "delivery", "seq": a[0], "signal": a[1], "turn_id": f"s-1/{a[2]}", "played_ms": a[3]},
                Delivery(*a),
            )
        ),
        COUNT.map(lambda n: ({"type": "ack", "received": n}, Ack(n))),
        (st.none() | COUNT).map(lambda n: ({"type": "ping"} | ({} if n is None else {"t": n}), Ping(n))),
        WORDS.map(lambda text: ({"type": "bye", "reason": text}, Bye(text))),
    )


@BOTH
@given(pair=said())
def test_each_word_comes_through_in_both_encodings(subprotocol: str, pair: tuple[dict[str, Any], object]) -> None:
    fields, word = pair
    assert welcomed(subprotocol).receive(wire.encode(fields, subprotocol)) == word
    assert welcomed(subprotocol).receive(wire.encode(fields | {"unknown": [1, {"x": None}]}, subprotocol)) == word


@BOTH
def test_hello_says_what_a_party_can_do(subprotocol: str) -> None:
    fields = HELLO | {
        "audio_in": {"encoding": "ulaw", "rate_hz": 8000, "channels": 1, "frame_ms": 40},
        "audio_out": None,
        "playback": "acked",
        "echo_cancelled": True,
        "resume": {"received": 7},
        "attributes": {"language": "nl", "caller": "+31 20"},
        "client": "a phone",
    }
    assert Rspp1(subprotocol, "s-1").receive(wire.encode(fields, subprotocol)) == Hello(
        Format("ulaw", 8000, 1, 40), NATIVE, True, True, 7, {"language": "nl", "caller": "+31 20"}, "a phone"
    )


# ---- whatever else comes


def dialect_errors(dialect: Rspp1, message: wire.Message) -> DialectError | None:
    """None if it is a word. Anything else than a `DialectError` that can be told fails the test."""
    try:
        dialect.receive(message)
    except DialectError as raised:
        error = raised
    else:
        return None
    assert error.code
    assert error.reason == str(error)
    assert len(error.reason) < 400
    assert wire.is_unicode(error.reason)
    assert all(isinstance(one, bytes | str) for one in dialect.error(error))
    return error


ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ANY_VALUE = ANY_JSON | st.binary(max_size=30)


@BOTH
@pytest.mark.feature("NF-013", "refused")
@given(message=st.binary(max_size=200) | st.text(max_size=200), first=st.booleans())
def test_any_message_is_a_word_or_one_error(subprotocol: str, message: bytes | str, first: bool) -> None:
    dialect_errors(Rspp1(subprotocol, "s-1") if first else welcomed(subprotocol), message)


@pytest.mark.feature("NF-013", "refused")
@given(value=ANY_JSON, first=st.booleans())
def test_any_json_is_a_word_or_one_error(value: object, first: bool) -> None:
    dialect_errors(Rspp1(JSON, "s-1") if first else welcomed(JSON), json.dumps(value))


@BOTH
@pytest.mark.feature("NF-013", "refused")
@given(data=st.data())
def test_any_value_of_any_field_is_a_word_or_one_error(subprotocol: str, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(wire.SAID)))
    names = sorted({**wire.SAID[kind], **wire.MAY.get(kind, {})})
    fields = {"type": kind} | {name: data.draw(ANY_VALUE, name) for name in names if data.draw(st.booleans())}
    if kind == "hello" and data.draw(st.booleans()):
        fields["protocol"] = wire.PROTOCOL
    try:
        if subprotocol == MSGPACK:
            message: wire.Message = msgpack.packb(fields)
        else:
            message = json.dumps(fields, default=lambda raw: raw.decode("latin-1"))
    except (OverflowError, UnicodeEncodeError):
        return  # an integer, or a text, that this encoding cannot say
    dialect_errors(Rspp1(subprotocol, "s-1") if kind == "hello" else welcomed(subprotocol), message)


def deep(depth: int, subprotocol: str) -> wire.Message:
    if subprotocol == JSON:
        return '{"type":"text","text":' + "[" * depth + "]" * depth + "}"
    return b"\x82\xa4type\xa4text\xa4text" + b"\x91" * depth + b"\xc0"


@pytest.mark.feature("NF-013", "refused")
@pytest.mark.parametrize(
    ("subprotocol", "message", "code", "field"),
    [
        (JSON, deep(30_000, JSON), "malformed", ""),
        (MSGPACK, deep(30_000, MSGPACK), "malformed", ""),
        (JSON, '{"type":"ack","received":NaN}', "malformed", ""),
        (JSON, '{"type":"ack","received":1e999}', "schema_validation_error", "received"),
        (JSON, '{"type":"ack","received":' + "9" * 5000 + "}", "malformed", ""),
        (JSON, '{"type":"ack","received":' + "9" * 400 + "}", "schema_validation_error", "received"),
        (JSON, '{"type":"ack","received":true}', "schema_validation_error", "received"),
        (JSON, '{"type":"ack","received":-1}', "schema_validation_error", "received"),
        (JSON, '{"type":"text","seq":1,"text":"\\ud83d"}', "schema_validation_error", "text"),
        (JSON, '{"type":"\\ud83d"}', "unknown_type", "type"),
        (JSON, '{"type":"audio","seq":1,"payload":"%%%"}', "schema_validation_error", "payload"),
        (JSON, '{"type":"audio","seq":1,"payload":"é"}', "schema_validation_error", "payload"),
        (JSON, '{"type":"audio","seq":1,"payload":7}', "schema_validation_error", "payload"),
        (JSON, '{"type":"audio","seq":1}', "schema_validation_error", "payload"),
        (JSON, '{"type":"text","seq":1,"text":"  "}', "schema_validation_error", "text"),
        (JSON, json.dumps({"type": "text", "seq": 1, "text": "é" * 2049}), "schema_validation_error", "text"),
        (JSON, '{"type":"control","seq":1,"signal":"dtmf","key":"11"}', "schema_validation_error", "key"),
        (JSON, '{"type":"control","seq":1,"signal":"dtmf"}', "schema_validation_error", "key"),
        (JSON, '{"type":"control","seq":1,"signal":"shout"}', "schema_validation_error", "signal"),
        (JSON, '{"type":"delivery","seq":1,"signal":"x","turn_id":"s-1/1","played_ms":1}',
         "schema_validation_error", "signal"),
        (JSON, '{"type":"delivery","seq":1,"signal":"playback_started","turn_id":"s-2/1","played_ms":1}',
         "schema_validation_error", "turn_id"),
        (JSON, '{"type":"hello","protocol":"rspp/1"}', "second_hello", "type"),
        (JSON, b"{}", "malformed", ""),
        (MSGPACK, "{}", "malformed", ""),
        (MSGPACK, msgpack.packb({b"type": "ping"}), "malformed", "type"),
        (MSGPACK, msgpack.packb({1: "ping"}), "malformed", ""),
        (MSGPACK, msgpack.packb({"type": "ping", "t": msgpack.ExtType(5, b"x")}), "malformed", ""),
        (MSGPACK, msgpack.packb({"type": "ping", "t": msgpack.Timestamp(1)}), "malformed", ""),
        (MSGPACK, msgpack.packb({"type": "ping"}) + b"\0", "malformed", ""),
        (MSGPACK, b"\xdf\xff\xff\xff\xff", "malformed", ""),
        (MSGPACK, b"\x81\xa4type\xa2\xff\xfe", "malformed", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(subprotocol: str, message: wire.Message, code: str, field: str) -> None:
    error = dialect_errors(welcomed(subprotocol), message)
    assert error is not None
    assert (error.code, error.field) == (code, field)
    assert error.close == (Close.MALFORMED if code == "malformed" else 0)  # what is no message ends the connection


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"protocol": "rspp/2"}, "protocol"),
        ({"protocol": None}, "protocol"),
        ({"playback": "loud"}, "playback"),
        ({"audio_in": {"encoding": "mp3"}}, "audio_in"),
        ({"audio_out": {"rate_hz": 1}}, "audio_out"),
        ({"audio_in": []}, "audio_in"),
        ({"resume": {}}, "resume"),
        ({"resume": {"received": -1}}, "resume"),
        ({"resume": {"received": True}}, "resume"),
        ({"attributes": {"shoe_size": "44"}}, "attributes"),
        ({"attributes": {"language": 3}}, "attributes"),
        ({"attributes": {"language": "x" * 257}}, "attributes"),
        ({"attributes": {"name": "\ud83d"}}, "attributes"),
        ({"client": "\ud83d"}, "client"),
        ({"echo_cancelled": 1}, "echo_cancelled"),
    ],
)
def test_a_wrong_hello_ends_the_connection_and_names_its_field(change: dict[str, Any], field: str) -> None:
    dialect = Rspp1(JSON, "s-1")
    error = dialect_errors(dialect, json.dumps(HELLO | change))
    assert error is not None
    assert (error.field, error.close) == (field, Close.MALFORMED)


@BOTH
@given(pair=said())
def test_nothing_is_taken_before_hello(subprotocol: str, pair: tuple[dict[str, Any], object]) -> None:
    error = dialect_errors(Rspp1(subprotocol, "s-1"), wire.encode(pair[0], subprotocol))
    assert error is not None
    assert (error.code, error.close) == ("no_hello", Close.MALFORMED)


# ---- to the party


def decoded(messages: tuple[wire.Message, ...], subprotocol: str) -> list[dict[str, Any]]:
    return [wire.decode(one, subprotocol) for one in messages]


def say_everything(dialect: Dialect) -> dict[str, tuple[wire.Message, ...]]:
    """Every word of the dialect once."""
    output = Output(Op.DECISION, 5_000_000, 17, turn=3, code=Signal.ABORT, cause=Cause.CANCELLED)
    welcome = Welcome("s-1", "p", "1.0.0", "ab" * 32, 2, "acme", NATIVE, None, True, 4, 200, 20_000, "t.t.t", 32_000)
    return {
        "welcome": dialect.welcome(welcome),
        "audio": dialect.audio(1, 3, 40, b"\0\1"),
        "text": dialect.text(2, 3, "hé"),
        "transcript": dialect.transcript(3, "hi", final=True),
        "signal": dialect.decision(4, output),
        "flush": dialect.flush(5, 3),
        "ack": dialect.ack(9),
        "token": dialect.token(6, "t.t.t", 32_000),
        "pong": dialect.pong(7),
        "error": dialect.error(DialectError("c", "r", "f")),
        "goodbye": dialect.goodbye(1001, "r", "t.t.t", 32_000, 100),
    }


@BOTH
def test_what_a_party_is_told_is_the_same_in_both_encodings(subprotocol: str) -> None:
    everything = say_everything(welcomed(subprotocol))
    other = say_everything(welcomed(JSON if subprotocol == MSGPACK else MSGPACK))
    for name, messages in everything.items():
        (fields,) = decoded(messages, subprotocol)
        assert fields["type"] == name
        assert [fields] == decoded(other[name], JSON if subprotocol == MSGPACK else MSGPACK)
    (signal,) = decoded(everything["signal"], subprotocol)
    assert signal["signal"] == "abort"
    assert signal["reason"] == "cancelled"
    assert signal["turn_id"] == "s-1/3"
    assert signal["emitted_by"] == "RK-03"


def test_every_decision_that_is_told_can_be_said() -> None:
    dialect = welcomed(JSON)
    fields = inspect.signature(Output).parameters
    for code in sorted(TOLD):
        blank = {name: b"" if name == "payload" else 0 for name in fields}
        (told,) = decoded(dialect.decision(1, Output(**blank | {"op": Op.DECISION, "code": code, "turn": 1})), JSON)
        assert told["signal"] == Signal(code).name.lower()


def test_a_subprotocol_is_chosen_in_the_clients_order() -> None:
    assert wire.choose([JSON, MSGPACK]) == JSON
    assert wire.choose(["chat", wire.BEARER + "x", MSGPACK]) == MSGPACK
    assert wire.choose([]) is None
    assert wire.bearer(["chat", wire.BEARER + "a.b.c"]) == "a.b.c"
    assert wire.bearer([]) == ""


def test_what_is_no_map_is_fatal_and_what_is_wrong_in_one_is_not() -> None:
    with pytest.raises(WireError) as whole:
        wire.decode("[]", JSON)
    assert whole.value.is_fatal
    with pytest.raises(WireError) as part:
        wire.check({"type": "ack"})
    assert not part.value.is_fatal
