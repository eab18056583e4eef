"""What is kept for a party that was cut off: what it has not got, in order, and never more than the bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rspp_runtime.serving.missed import FRAME_NS, WORDS_MAX, Missed

SECOND = 1_000_000_000
FRAME = b"\1\0" * 320


@given(st.lists(st.sampled_from(["word", "audio", "ack"]), max_size=700), st.data())
def test_what_is_told_again_is_what_was_not_received(steps: list[str], data: st.DataObject) -> None:
    missed, sequence, received, words = Missed(2 * SECOND), 0, 0, []
    for step in steps:
        if step == "ack":
            received = data.draw(st.integers(received, sequence))
            missed.received(received)
        else:
            sequence += 1
            if step == "word":
                missed.keep(sequence, "text", (1, str(sequence)))
                words.append(sequence)
    at = data.draw(st.integers(received, sequence))
    assert [one[0] for one in missed.words(at)] == [number for number in words if number > at][-WORDS_MAX:]


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 200)), max_size=300),
    st.integers(0, 4 * SECOND),
    st.sampled_from([0, 1, 2, 3]),
)
def test_audio_that_is_past_is_not_played_nor_what_was_flushed(
    frames: list[tuple[int, int]], now_ns: int, flushed: int
) -> None:
    missed = Missed(2 * SECOND)
    for turn, at in frames:
        missed.audio(turn, FRAME, at * FRAME_NS)
    if flushed:
        missed.flush(flushed)
    kept = frames[-(2 * SECOND // FRAME_NS) :]
    wanted = [(turn, FRAME, at * FRAME_NS) for turn, at in kept if at * FRAME_NS >= now_ns and turn != flushed]
    assert list(missed.still_to_play(now_ns)) == wanted
    assert list(missed.still_to_play(0)) == []  # once


def test_words_survive_what_empties_the_audio() -> None:
    missed = Missed(SECOND)
    missed.keep(1, "text", (1, "a"))
    missed.audio(1, FRAME, 0)
    missed.forget_audio()
    assert list(missed.still_to_play(0)) == []
    assert missed.words(0) == [(1, "text", (1, "a"))]
