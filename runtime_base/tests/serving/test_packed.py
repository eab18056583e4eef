"""The usual messages of rspp/1, read and written by hand: the same as `rspp.wire` has it, or left to it."""

from __future__ import annotations

from typing import Any

import msgpack
from hypothesis import example, given
from hypothesis import strategies as st

from rspp import wire
from rspp_runtime.serving import packed

COUNT = st.integers(0, wire.INTEGER_MAX)
ANY = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.binary() | st.text()
KEYS = st.sampled_from(("type", "seq", "payload", "sample_index", "text", "t"))


def by_the_book(message: bytes) -> tuple[int, int | None, bytes] | None:
    """What `rspp.wire` reads; None of anything but audio."""
    try:
        fields = wire.decode(message, wire.MSGPACK)
        wire.check(fields)
    except wire.WireError:
        return None
    if fields["type"] != "audio":
        return None
    return fields["seq"], fields.get("sample_index"), fields["payload"]


@given(COUNT, st.none() | COUNT, st.binary(max_size=700), st.permutations(("type", "seq", "payload", "sample_index")))
@example(2**53 - 1, 2**32, bytes(2**16), ("payload", "seq", "type", "sample_index"))
def test_the_usual_message_is_read_in_any_order(
    sequence: int, index: int | None, payload: bytes, order: tuple[str, ...]
) -> None:
    fields = {"type": "audio", "seq": sequence, "payload": payload, "sample_index": index}
    message = msgpack.packb({name: fields[name] for name in order if fields[name] is not None})
    assert packed.read(message) == by_the_book(message) == (sequence, index, payload)


@given(st.dictionaries(KEYS, ANY | st.just("audio")), st.binary(max_size=3))
def test_what_is_read_of_any_map_is_what_the_protocol_says(fields: dict[str, Any], more: bytes) -> None:
    message = msgpack.packb(fields) + more
    assert packed.read(message) in (None, by_the_book(message))


@given(st.data())
def test_what_is_cut_off_or_changed_is_read_as_the_protocol_says_or_not(data: st.DataObject) -> None:
    fields = {"type": "audio", "seq": data.draw(COUNT), "sample_index": data.draw(COUNT), "payload": bytes(300)}
    message = bytearray(msgpack.packb(fields))
    for _ in range(data.draw(st.integers(0, 3))):
        message[data.draw(st.integers(0, 60))] = data.draw(st.integers(0, 255))
    broken = bytes(message[: data.draw(st.integers(0, len(message)))])
    assert packed.read(broken) in (None, by_the_book(broken))
    assert packed.read(bytes(message)) in (None, by_the_book(bytes(message)))


def test_a_field_that_comes_twice_is_left_to_the_protocol() -> None:
    pair = msgpack.packb("seq") + b"\x01"
    message = b"\x84" + msgpack.packb({"type": "audio", "payload": b"ab"})[1:] + pair + pair
    assert by_the_book(message) == (1, None, b"ab")
    assert packed.read(message) is None


@given(
    st.text(st.characters(codec="utf-8"), max_size=300),
    st.lists(st.tuples(COUNT, COUNT, COUNT, st.binary(max_size=700))),
)
@example("s/", [(2**32, 3, 2**16, bytes(2**16))])
def test_what_is_written_is_what_the_protocol_writes(prefix: str, frames: list[tuple[int, int, int, bytes]]) -> None:
    writer = packed.Writer(prefix)
    for sequence, turn, pts_ms, payload in frames:
        fields = {"type": "audio", "seq": sequence, "turn_id": prefix + str(turn), "pts_ms": pts_ms, "payload": payload}
        assert writer.audio(sequence, turn, pts_ms, payload) == wire.encode(fields, wire.MSGPACK)
