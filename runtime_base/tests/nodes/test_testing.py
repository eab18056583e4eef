"""The harness for one's own nodes."""

from __future__ import annotations

import pytest

from rspp_runtime.nodes import Emit, Item
from rspp_runtime.nodes.testing import Emitted, run


def shout(item: Item, emit: Emit) -> None:
    emit(item.text.upper())


class Counter:
    def __init__(self) -> None:
        self.words = 0

    def __call__(self, item: Item, emit: Emit) -> None:
        self.words += item.words
        emit(str(self.words), final=item.final)


@pytest.mark.feature("F-128", "sequence")
def test_a_function() -> None:
    assert run(shout, ["hello", "you"]) == [Emitted("text", "HELLO"), Emitted("text", "YOU")]


def test_a_class_remembers_within_a_session() -> None:
    assert [e.payload for e in run(Counter, ["one two", "three"])] == ["2", "3"]
    assert [e.payload for e in run(Counter, ["one"])] == ["1"]


def test_ports_by_name() -> None:
    def split(item: Item, emit: Emit) -> None:
        emit(item.audio, "left")
        emit(item.audio[::-1], "right")

    out = run(split, [b"\1\2"], inputs={"audio": "audio"}, outputs={"left": "audio", "right": "audio"})
    assert out == [Emitted("left", b"\1\2"), Emitted("right", b"\2\1")]


def test_what_the_kernel_would_refuse_fails_here_too() -> None:
    def chatty(item: Item, emit: Emit) -> None:
        for _ in range(9):
            emit("x")

    with pytest.raises(AssertionError, match=r"the node failed on item 1: .*more than 4 items"):
        run(chatty, ["go"])
