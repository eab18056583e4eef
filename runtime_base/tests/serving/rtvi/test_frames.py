"""The binary framing: what the public client's own serializer wrote, round trips, and rubbish."""

from __future__ import annotations

import base64
import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rspp_runtime.serving.rtvi import frames

# Written by tests/e2e/rtvi/frames.mjs, that is by the serializer of @pipecat-ai/websocket-transport 1.7.1.
RECORDED = json.loads((Path(__file__).parent / "frames.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "case", RECORDED, ids=lambda case: case.get("message", case)["type" if "message" in case else "what"]
)
def test_what_the_public_client_writes_is_read(case: dict[str, Any]) -> None:
    frame = frames.read(base64.b64decode(case["frame"]))
    if case["what"] == "audio":
        assert frame == frames.Audio(base64.b64decode(case["pcm"]), case["rate_hz"], case["channels"])
    else:
        assert isinstance(frame, frames.Message)
        assert json.loads(frame.text) == case["message"]


@given(st.binary(max_size=2000), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_audio_is_read_as_it_was_written(payload: bytes, rate_hz: int, channels: int) -> None:
    assert frames.read(frames.audio(payload, rate_hz, channels)) == frames.Audio(payload, rate_hz, channels)


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_messages_are_read_as_they_were_written(text: str) -> None:
    assert frames.read(frames.message(text)) == frames.Message(text)


def test_an_interruption_is_five_bits_and_a_length() -> None:
    assert frames.interruption() == b"\x2a\x00"  # field 5, a message, of no bytes
    assert frames.read(b"\x2a\x00") == frames.Interruption()


@pytest.mark.parametrize(("number", "kind"), [(1, "text"), (3, "transcription")])
def test_words_in_frames_of_their_own_are_read(number: int, kind: str) -> None:
    words = "grüß dich".encode()
    inner = bytes([3 << 3 | 2, len(words)]) + words
    assert frames.read(bytes([number << 3 | 2, len(inner)]) + inner) == frames.Typed(kind, "grüß dich")


def test_fields_that_nobody_knows_yet_are_passed_over() -> None:
    later = b"\x9a\x06\x03abc"  # field 99
    assert frames.read(later + frames.message("{}")) == frames.Message("{}")


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff", b"\x9a\x06\x03abc", b"\x22\x03\x0a\x01\xff", frames.message("{}")[:-1], b"\x0b" * 200],
    ids=["nothing", "no tag", "of later", "no UTF-8", "cut off", "nested groups"],
)
def test_what_is_no_frame_is_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(frames.FrameError) as refused:
        frames.read(data)
    assert "\n" not in str(refused.value)


@given(st.binary(max_size=200) | st.sampled_from(RECORDED).map(lambda case: base64.b64decode(case["frame"])), st.data())
def test_rubbish_never_does_more_than_be_refused(data: bytes, draw: st.DataObject) -> None:
    mutated = bytearray(data)
    for _ in range(draw.draw(st.integers(0, 4))):
        if mutated:
            mutated[draw.draw(st.integers(0, len(mutated) - 1))] = draw.draw(st.integers(0, 255))
    with contextlib.suppress(frames.FrameError):
        frames.read(bytes(mutated))


def test_our_names_do_not_meet_those_of_others() -> None:
    from google.protobuf import descriptor_pool

    frames.read(frames.interruption())
    with pytest.raises(KeyError):  # of the pool that all libraries share
        descriptor_pool.Default().FindMessageTypeByName(f"{frames.PACKAGE}.Frame")
