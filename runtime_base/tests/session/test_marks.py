"""Text is measured twice: in plain Python, and for ASCII in the kernel's language. Both say the same."""

from __future__ import annotations

import random

from rspp_runtime.kernel.marks import mark
from rspp_runtime.session.gateway import _SENTENCE_END, text_mark

ALPHABET = [
    "a", "Bc", ".", "!", "?", "...", '"', "'", ")", "]", "(", ",", " ", "  ", "\n", "\t", "\x0b", "\x1c", "\0", "1.5",
]  # fmt: skip


def _plainly(text: str) -> tuple[int, int]:
    """As the page defines it: where the last sentence ends, and how many words there are."""
    return max((match.end() for match in _SENTENCE_END.finditer(text)), default=0), len(text.split())


def test_ascii_is_measured_as_the_definition_says() -> None:
    chance = random.Random(5)
    for _ in range(20_000):
        text = "".join(chance.choice(ALPHABET) for _ in range(chance.randrange(9)))
        assert mark(text.encode()) == _plainly(text), repr(text)
        within = text_mark(text.encode(), within_word=True).words
        assert within == _plainly(text)[1] - bool(text and not text[0].isspace()), repr(text)


def test_anything_else_is_measured_elsewhere() -> None:
    assert mark("ja, natürlich.".encode()) is None
    assert text_mark("Ça va… ?".encode()) == (len("Ça va… ?".encode()), 3)
    assert mark(b"\xff") is None
