"""Timers, end-pointers, collectors of keys, typed text (docs/kernel.md, Clocks and keys), on both kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conversation import Conversation, decision, requests, signals
from kernels import plan_of
from plan_keypad import FIND, HINT, INGRESS, LLM, STT, VOICE, WATCH, WRITER
from test_corpus_agreement import for_runtime

from pipelines import compile_text, value
from rspp_runtime.abi import Cause, Control, In, Op, Output, Result, Signal
from rspp_runtime.abi.codes import Origin
from rspp_runtime.reference import Session as Pure

AUDIO, TYPED, DTMF = range(3)
PARTIAL, FINAL = 1, 2


class Pad(Conversation):
    """One session of the keypad; its greeting is over."""

    def begin(self) -> Pad:
        self.control(Control.CONNECTED)
        self.control(Control.CANCEL_TURN)
        self.step()
        return self

    def press(self, keys: str, port: int = DTMF) -> list[Output]:
        found: list[Output] = []
        for key in keys:
            assert self.offer(In.MEDIA, node=INGRESS, port=port, payload=key.encode(), a=ord(key)) == Result.ACCEPTED
            found += self.step()
        return found

    def hears(self, text: bytes, port: int = PARTIAL) -> list[Output]:
        """A frame, and what is recognised of it."""
        if not [one for one in self.outputs if one.op == Op.INVOKE and one.node == STT]:
            self.offer(In.MEDIA, node=INGRESS, port=AUDIO, payload=bytes(320))
            self.step()
            self.credit(STT)
        self.chunk(STT, port, text, a=text.rfind(b".") + 1, b=len(text.split()))
        return self.step()


@pytest.fixture
def pad(kernel: Callable[[str], Any]) -> Pad:
    return Pad(kernel("stub_keypad")(plan_of("stub_keypad"), "pad", 1, [])).begin()


def fed(outputs: list[Output], node: int) -> list[bytes]:
    return [one.payload for one in requests(outputs, Op.FEED) if one.node == node]


def test_a_number_of_digits_is_a_turn(pad: Pad) -> None:
    assert signals(pad.press("12")) == ["CANCEL"] * 2  # what each key does besides
    outputs = pad.press("3")
    assert decision(outputs, Signal.TURN_OPEN_PROPOSED).x == Origin.DTMF
    opened = decision(outputs, Signal.TURN_OPEN)
    assert opened.x == opened.y > 0
    assert fed(outputs, LLM) == [b"123"]


def test_the_key_that_ends_it_is_not_part_of_it(pad: Pad) -> None:
    assert fed(pad.press("4#"), LLM) == [b"4"]


def test_the_ending_key_alone_is_nothing(pad: Pad) -> None:
    assert fed(pad.press("#"), LLM) == []
    assert fed(pad.press("56#"), LLM) == [b"56"]


def test_a_key_that_does_not_come_forgets_the_others_and_is_an_event(pad: Pad) -> None:
    pad.press("12")
    outputs = pad.step(pad.now + 400)
    assert decision(outputs, Signal.TURN_OPEN_PROPOSED).x == Origin.API
    assert fed(outputs, VOICE) == [b"Time is up."]
    pad.control(Control.CANCEL_TURN)
    assert fed(pad.press("3#"), LLM) == [b"3"]


def test_keys_without_an_end_end_with_silence_and_go_on_outside_of_turns(pad: Pad) -> None:
    outputs = pad.press("7")
    assert requests(outputs, Op.TAP) == []
    pad.step(pad.now + 100)
    pad.press("8")
    outputs = pad.step(pad.now + 150)
    assert [(one.node, one.payload, one.turn) for one in requests(outputs, Op.TAP)] == [(WATCH, b"78", 0)]
    assert pad.session.stats()[f"edge.{3}.dropped"] == 0
    assert HINT  # the collector that made it


def test_keys_of_a_turn_that_is_refused_are_forgotten(pad: Pad) -> None:
    pad.control(Control.SNAPSHOT, a=2)
    assert decision(pad.press("123"), Signal.REJECT).cause == Cause.SNAPSHOT_MISSING
    pad.control(Control.SNAPSHOT, a=0)
    assert fed(pad.press("9#"), LLM) == [b"9"]


def test_keys_wait_for_the_turn_that_is_in_progress(pad: Pad) -> None:
    pad.press("123")
    assert decision(pad.press("456"), Signal.DEFER).cause == Cause.TURN_ACTIVE
    assert fed(pad.press("7"), LLM) == []
    outputs = pad.control(Control.CANCEL_TURN)
    assert fed(outputs, LLM) == [b"456"]
    assert fed(pad.press("8#"), LLM) == []  # 7 and 8, deferred again
    assert fed(pad.control(Control.CANCEL_TURN), LLM) == [b"78"]


def test_buttons_are_events(pad: Pad) -> None:
    """Push to talk: the button that goes up ends the utterance."""
    pad.hears(b"hold the", FINAL)
    pad.done(STT)
    outputs = pad.control(Control.BUTTON_UP)
    assert fed(outputs, LLM) == [b"hold the"]
    assert "ABORT" in signals(pad.control(Control.BUTTON_DOWN))


def test_a_key_that_is_sent_twice_is_pressed_once(pad: Pad) -> None:
    """Its idempotency key is that of the item; the event that reactions hear of comes with it, once."""
    key = {"node": INGRESS, "port": DTMF, "invocation": 77, "payload": b"1", "a": ord("1")}
    before = pad.session.stats()["runtime_sequence"]
    assert pad.offer(In.MEDIA, **key) == Result.ACCEPTED
    assert pad.offer(In.MEDIA, transport_sequence=9, **key) == Result.REFUSED
    outputs = pad.step()
    refused = decision(outputs, Signal.REJECT)
    assert (refused.cause, refused.x, refused.y) == (Cause.DUPLICATE, 9, before + 1)
    assert signals(outputs).count("CANCEL") == 1
    assert fed(pad.press("2#"), LLM) == [b"12"]


def test_a_key_that_nobody_takes_in_this_mode_is_still_an_event(pad: Pad) -> None:
    """All edges of its port are off. It has the two sequences of an item and an event, as always."""
    pad.control(Control.BUTTON_UP)
    before = pad.session.stats()["runtime_sequence"]
    outputs = pad.press("1")
    assert signals(outputs) == ["CANCEL"]
    assert decision(outputs, Signal.CANCEL).seq == before + 3
    pad.control(Control.BUTTON_DOWN)
    assert fed(pad.press("23#"), LLM) == [b"23"]


def test_a_key_without_room_is_told_when_there_is_some(pad: Pad) -> None:
    """A key is an event too, and no event fits any more: it is not taken, and RESUME says when it may come again."""
    for _ in range(plan_of("stub_keypad").control_in_max):
        assert pad.offer(In.CONTROL, port=Control.SNAPSHOT) == Result.ACCEPTED
    assert pad.offer(In.MEDIA, node=INGRESS, port=DTMF, payload=b"7", a=ord("7")) == Result.FULL
    assert [one.node for one in requests(pad.step(), Op.RESUME)] == [INGRESS]


@pytest.mark.feature("F-017", "boundaries")
def test_an_end_pointer_waits_less_after_a_sentence(pad: Pad) -> None:
    pad.hears(b"Where is it.")
    begun = pad.now
    assert "TURN_OPEN_PROPOSED" not in signals(pad.step(begun + 59))
    outputs = pad.step(begun + 60)
    assert decision(outputs, Signal.TURN_OPEN_PROPOSED).x == Origin.SPEECH
    assert [one.node for one in requests(outputs, Op.FINISH)] == [STT]


@pytest.mark.feature("F-017", "boundaries")
def test_an_end_pointer_waits_longer_inside_of_one_and_begins_again_with_every_word(pad: Pad) -> None:
    pad.hears(b"where")
    pad.step(pad.now + 200)
    pad.hears(b"where is")
    begun = pad.now
    assert "TURN_OPEN_PROPOSED" not in signals(pad.step(begun + 249))
    assert "TURN_OPEN_PROPOSED" in signals(pad.step(begun + 250))


def test_an_end_pointer_needs_no_detector_beside_it() -> None:
    """What it decides is then the first event of the plan."""
    text = """pipeline bare version "1.0.0" {
      node pauses : endpointer
      ingress.audio -> stt -> llm -> egress.text { commit_point }
      stt.partial -> pauses
      on pauses.speech_end -> end utterance
    }"""
    plan = for_runtime(value(compile_text(text), "freeze").layout.plan)
    assert plan.turn_owner == 0
    pad = Pad(Pure(plan, "bare", 1, [])).begin()
    pad.offer(In.MEDIA, node=plan.ingress, port=0, payload=bytes(320))
    pad.step()
    hears = next(node.id for node in plan.nodes if node.kind == "stt")
    pad.chunk(hears, PARTIAL, b"Where is it.", a=12, b=3)
    pad.step()
    assert "TURN_OPEN_PROPOSED" in signals(pad.step(pad.now + 10_000))


def test_what_is_still_recognised_of_an_utterance_that_ended_does_not_end_another(pad: Pad) -> None:
    pad.hears(b"Where is it.")
    pad.step(pad.now + 60)
    pad.hears(b"Where is it now.")
    assert "DEFER" not in signals(pad.step(pad.now + 100))


def test_a_timer_fires_again_and_again_and_one_fires_once(kernel: Callable[[str], Any]) -> None:
    pad = Pad(kernel("stub_keypad")(plan_of("stub_keypad"), "pad", 1, []))
    pad.control(Control.CONNECTED)
    assert decision(pad.outputs, Signal.TURN_OPEN_PROPOSED).x == Origin.GREETING
    pad.control(Control.CANCEL_TURN)
    pad.step(50)  # the grace of what the greeting had begun
    assert pad.deadline == 700_000_000
    outputs = pad.step(700)
    assert decision(outputs, Signal.TURN_OPEN_PROPOSED).x == Origin.TIMER
    pad.control(Control.CANCEL_TURN)
    assert decision(pad.step(1400), Signal.TURN_OPEN_PROPOSED).x == Origin.TIMER
    pad.control(Control.CANCEL_TURN)
    assert [one.y for one in pad.step(2000) if one.op == Op.DECISION and one.code == Signal.CANCEL] == [VOICE]
    pad.step(2050)
    assert pad.deadline == 2_100_000_000
    pad.control(Control.ENDED)
    assert pad.deadline == -1


class Page(Conversation):
    """One session of the typist."""

    def begin(self) -> Page:
        self.control(Control.CONNECTED)
        return self

    def type(self, text: bytes) -> list[Output]:
        assert self.offer(In.MEDIA, node=INGRESS, port=TYPED, payload=text, b=len(text.split())) == Result.ACCEPTED
        return self.step()

    def finds(self, text: bytes) -> list[Output]:
        """The Python node emits it, and is done with its item."""
        assert self.chunk(FIND, 0, text, b=len(text.split())) == Result.ACCEPTED
        self.credit(FIND)
        return self.step()


@pytest.fixture
def page(kernel: Callable[[str], Any]) -> Page:
    return Page(kernel("stub_typist")(plan_of("stub_typist"), "typist", 1, [])).begin()


def test_where_people_only_type_the_text_is_the_utterance(page: Page) -> None:
    outputs = page.type(b"hello there")
    assert decision(outputs, Signal.TURN_OPEN_PROPOSED).x == Origin.TEXT
    assert fed(outputs, FIND) == [b"hello there"]
    assert fed(page.finds(b"a greeting"), WRITER) == [b"a greeting"]
    page.done(FIND)
    assert page.chunk(WRITER, 0, b"Good day.", a=9, b=2) == Result.ACCEPTED
    assert [one.payload for one in requests(page.step(), Op.SEND)] == [b"Good day."]
    page.done(WRITER)
    page.control(Control.EVIDENCE_APPENDED, a=1)
    page.type(b"and you?")
    said = [one.payload for one in requests(page.finds(b"a question"), Op.CONTEXT)]
    assert said == [b"hello there", b"Good day."]


@pytest.mark.feature("F-007", "activated")
def test_a_python_node_outside_owes_an_end_of_each_item(page: Page) -> None:
    """An output is not enough: the item has to be done with."""
    page.type(b"hello there")
    begun = page.now
    assert page.chunk(FIND, 0, b"half of it", b=3) == Result.ACCEPTED
    assert "PROVIDER_ERROR" not in signals(page.step(begun + 119))
    outputs = page.step(begun + 120)
    failed = decision(outputs, Signal.PROVIDER_ERROR)
    assert (failed.node, failed.cause) == (FIND, Cause.NODE_TIMEOUT)
    assert [one.node for one in requests(outputs, Op.CANCEL)] == [FIND, WRITER]


def test_a_python_node_outside_that_is_done_owes_nothing(page: Page) -> None:
    """It need not emit anything; that it still has to end is another deadline."""
    page.type(b"hello there")
    begun = page.now
    page.step(begun + 100)
    page.credit(FIND)
    assert "PROVIDER_ERROR" not in signals(page.step(begun + 219))
    assert "PROVIDER_ERROR" in signals(page.step(begun + 220))
