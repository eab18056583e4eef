"""What is measured where input enters."""

from __future__ import annotations

from types import ModuleType

import pytest

from rspp_runtime.abi.codes import Control, In
from rspp_runtime.session.gateway import Gateway, InputError, check_audio, text_mark


@pytest.mark.parametrize(
    ("text", "sentence_end", "words"),
    [
        ("", 0, 0),
        ("It is four.", 11, 3),
        (" four.", 6, 1),
        ("It is four. And", 11, 4),
        ("It costs 3.50 euros", 0, 4),
        ("Really?! Yes", 8, 2),
        ("“Stop!” he said", 11, 3),  # the quotes have three bytes each
        ("Größe. Ja", 8, 2),
        ("one\ntwo", 4, 2),
        ("今天。明天", 9, 1),
        ("a. b. c", 5, 3),
        ("wait…", 7, 1),
    ],
)
def test_text_is_measured_in_bytes_and_words(text: str, sentence_end: int, words: int) -> None:
    assert text_mark(text.encode()) == (sentence_end, words)


@pytest.mark.parametrize(
    ("text", "clause", "word"),
    [
        ("", 0, 0),
        ("Well, it is", 5, 9),
        ("It is four.", 11, 6),
        ("It costs 3,50 euros", 0, 14),
        ("one - two", 5, 6),
        ("so: (yes); and", 10, 11),
        ("你好，世界", 9, 0),
        ("a\nb", 2, 2),
        ("ends here ", 0, 10),
    ],
)
def test_clauses_and_words_end_where_they_are_marked(text: str, clause: int, word: int) -> None:
    assert text_mark(text.encode(), "clause").end == clause
    assert text_mark(text.encode(), "word").end == word


def test_a_word_in_pieces_counts_once() -> None:
    assert text_mark(b"hel").words == 1
    assert text_mark(b"lo wor", within_word=True).words == 1
    assert text_mark(b"ld", within_word=True).words == 0
    assert text_mark(b" again", within_word=True).words == 1


@pytest.mark.feature("NF-013", "refused")
def test_text_that_is_not_utf8_is_refused_with_its_place() -> None:
    with pytest.raises(InputError, match="byte 2"):
        text_mark(b"ab\xff")


@pytest.mark.feature("NF-013", "refused")
@pytest.mark.parametrize("size", [0, 1, 641, 642, 1280])
def test_audio_has_whole_samples_and_at_most_20_ms(size: int) -> None:
    with pytest.raises(InputError, match=f"ears.audio: {size} bytes"):
        check_audio(bytes(size), "ears.audio")


def test_stamps(scripted: ModuleType) -> None:
    gateway = Gateway(scripted.plan(), epoch=7)
    first = gateway.media("audio", bytes(640), 20_000_000)
    second = gateway.media("text", b"Hello. You", 0)
    third = gateway.control(Control.LEASE_ROTATED, a=8)
    assert (first.op, first.node, first.port, first.media_ns) == (In.MEDIA, 0, 0, 20_000_000)
    assert (second.port, second.a, second.b) == (1, 6, 2)
    assert [event.transport_sequence for event in (first, second, third)] == [1, 2, 3]
    assert {event.epoch for event in (first, second, third)} == {7}
    assert gateway.media("dtmf", b"5", 0).port == -1  # the kernel refuses it, and records that
