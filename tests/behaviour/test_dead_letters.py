"""What a node could not work on is shown to a tap (docs/kernel.md, Dead letters), on both kernels.

The workshop shows it of its Python nodes, a model that is late and its voice; the typist of a Python node outside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from conversation import Conversation, decision, requests, signals
from kernels import plan_of

from rspp_runtime.abi import Cause, Control, Emission, In, Item, Op, Output, Result, Signal
from rspp_runtime.providers.contract import Outcome

INGRESS, GATE, STT, LLM, SHOUT, MOMENT, VOICE, WATCH, EGRESS = range(9)
FINAL, SPEECH_END = 2, 4
FIND, WRITER, PAGE, LOST = 1, 2, 3, 4
TYPED = 1
BAD_FRAME, BAD_WORD = b"\xff" * 320, b"unspeakable"
ASKED = b"what is the answer?"


def gate(item: Item) -> Sequence[Emission] | None:
    return None if item.payload == BAD_FRAME else [Emission(0, item.payload)]


def shout(item: Item) -> Sequence[Emission] | None:
    return None if item.payload == BAD_WORD else [Emission(0, item.payload, item.flags, item.a, item.b)]


class Shop(Conversation):
    """One session of the workshop."""

    def frame(self, payload: bytes = bytes(320)) -> Result:
        return self.offer(In.MEDIA, node=INGRESS, port=0, payload=payload)

    def ask(self, text: bytes = ASKED) -> list[Output]:
        """The user asks; the model has the question, and the voice says that it takes a moment."""
        self.frame()
        self.step()
        self.credit(STT)
        self.chunk(STT, SPEECH_END)
        self.step()
        assert self.chunk(STT, FINAL, text, a=len(text), b=len(text.split())) == Result.ACCEPTED
        return self.done(STT)

    def delta(self, text: bytes) -> list[Output]:
        assert self.chunk(LLM, 0, text, a=len(text), b=len(text.split())) == Result.ACCEPTED
        return self.step()


class Desk(Conversation):
    """One session of the typist."""

    def type(self, text: bytes) -> list[Output]:
        assert self.offer(In.MEDIA, node=INGRESS, port=TYPED, payload=text, b=len(text.split())) == Result.ACCEPTED
        return self.step()


@pytest.fixture
def shop(kernel: Callable[[str], Any]) -> Shop:
    shop = Shop(kernel("stub_workshop")(plan_of("stub_workshop"), "shop", 1, [gate, shout]))
    shop.control(Control.CONNECTED)
    return shop


@pytest.fixture
def desk(kernel: Callable[[str], Any]) -> Desk:
    desk = Desk(kernel("stub_typist")(plan_of("stub_typist"), "desk", 1, []))
    desk.control(Control.CONNECTED)
    return desk


def letters(outputs: list[Output]) -> list[Output]:
    return requests(outputs, Op.DEAD_LETTER)


@pytest.mark.feature("F-132", "emitted", "session")
def test_a_python_node_that_fails_shows_its_item(shop: Shop) -> None:
    """Who is shown it takes nothing up: the turn ends as it would without that line."""
    shop.ask()
    outputs = shop.delta(BAD_WORD)
    (letter,) = letters(outputs)
    assert (letter.node, letter.code, letter.cause, letter.port) == (WATCH, SHOUT, Cause.NODE_ERROR, 0)
    assert (letter.payload, letter.turn) == (BAD_WORD, 1)
    assert letter.seq < decision(outputs, Signal.ABORT).seq
    assert decision(outputs, Signal.ABORT).cause == Cause.NODE_TIMEOUT_OR_FAILURE


def test_what_went_well_is_not_shown(shop: Shop) -> None:
    shop.ask()
    assert not letters(shop.delta(b"Forty-two is the answer."))
    assert [one.payload for one in letters(shop.delta(BAD_WORD))] == [BAD_WORD]


def test_outside_of_turns_it_is_of_no_turn(shop: Shop) -> None:
    shop.frame(BAD_FRAME)
    (letter,) = letters(shop.step())
    assert (letter.code, letter.turn, letter.payload) == (GATE, 0, BAD_FRAME)


@pytest.mark.feature("F-132", "emitted", "session")
def test_a_model_that_is_late_shows_its_prompt(shop: Shop) -> None:
    """Another line for the same event acts, and so the turn goes on."""
    fed = [one for one in requests(shop.ask(), Op.FEED) if one.node == LLM]
    assert shop.chunk(VOICE, 0, bytes(320), a=11, b=2) == Result.ACCEPTED
    shop.done(VOICE)
    outputs = shop.step(shop.now + 500)
    (letter,) = letters(outputs)
    assert (letter.seq, letter.payload, letter.cause) == (fed[0].seq, ASKED, Cause.NODE_TIMEOUT)
    assert "ABORT" not in signals(outputs)
    assert "FALLBACK" not in signals(outputs)


@pytest.mark.feature("F-132", "emitted")
def test_a_voice_shows_all_that_its_call_was_given(shop: Shop) -> None:
    shop.ask()
    shop.delta(b"Forty-two is the answer. ")
    shown = letters(shop.done(VOICE, Outcome.INFRASTRUCTURE_FAILURE))
    assert [one.payload for one in shown] == [b"One moment.", b"Forty-two is the answer. "]
    shop.step(shop.now + 100)
    shop.ask()
    shown = letters(shop.done(VOICE, Outcome.INFRASTRUCTURE_FAILURE))
    assert [(one.payload, one.turn) for one in shown] == [(b"One moment.", 2)]


def test_it_leaves_behind_everything_else(shop: Shop) -> None:
    """Control before data before telemetry, and never more than the lane holds."""
    for _ in range(10):
        shop.frame(BAD_FRAME)
        shop.advance(shop.now + 1)
    shop.frame()
    outputs = shop.step()
    lanes = [0 if one.op < Op.INVOKE else 1 if one.op < Op.TAP else 2 for one in outputs]
    assert lanes == sorted(lanes)
    assert {0, 1, 2} == set(lanes)
    assert len(letters(outputs)) == plan_of("stub_workshop").telemetry_out_max
    assert signals(outputs).count("FLOW_XOFF") == 0


@pytest.mark.feature("F-132", "emitted", "session")
def test_a_python_node_outside_shows_what_it_is_not_done_with(desk: Desk) -> None:
    desk.type(b"hello there")
    outputs = desk.done(FIND, Outcome.INFRASTRUCTURE_FAILURE)
    (letter,) = letters(outputs)
    assert (letter.node, letter.code, letter.cause, letter.payload) == (LOST, FIND, Cause.NODE_ERROR, b"hello there")
    assert decision(outputs, Signal.ABORT).cause == Cause.PROVIDER_FAILURE


def test_a_python_node_outside_that_was_done_shows_nothing(desk: Desk) -> None:
    desk.type(b"hello there")
    desk.credit(FIND)
    outputs = desk.done(FIND, Outcome.INFRASTRUCTURE_FAILURE)
    assert "PROVIDER_ERROR" in signals(outputs)
    assert not letters(outputs)


def test_credit_of_another_invocation_changes_nothing(desk: Desk) -> None:
    desk.type(b"hello there")
    desk.offer(In.CREDIT, node=FIND, invocation=desk.invocation(FIND) + 1, a=1)
    assert len(letters(desk.step(desk.now + 120))) == 1


def test_a_mode_without_the_tap_shows_nothing(desk: Desk) -> None:
    """The second turn's failure enters the mode in which the tap is off."""
    shown = []
    for _ in range(3):
        desk.type(b"hello there")
        shown.append(len(letters(desk.step(desk.now + 120))))
        desk.control(Control.CANCEL_TURN)
        desk.step(desk.now + 100)
    assert shown == [1, 1, 0]
