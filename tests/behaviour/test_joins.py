"""Merges and selects (docs/kernel.md, Joins), on both kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conversation import decision, requests, signals
from kernels import plan_of
from plan_junction import BEST, EDGES, LEFT, QUICK, RIGHT, STT, VOICE, WATCH
from yard import FINAL, PARTIAL, Yard

from rspp_runtime.abi import Cause, Control, Op, Output, Result, Signal

DELTA, WHOLE = 0, 1


class Junction(Yard):
    """One session of the junction; both models have the question."""

    def question(self) -> Junction:
        self.begin()
        self.say(b"and what now?")
        for node in (LEFT, RIGHT):
            self.credit(node)
        return self

    def says(self, node: int, port: int, text: bytes, media_ms: int = 0) -> Result:
        return self.chunk(node, port, text, a=len(text), b=len(text.split()), media_ns=media_ms * 1_000_000)


@pytest.fixture
def talk(kernel: Callable[[str], Any]) -> Junction:
    return Junction(kernel("stub_junction")(plan_of("stub_junction"), "junction", 1, [])).question()


def texts(outputs: list[Output], op: Op, node: int = -1) -> list[bytes]:
    return [output.payload for output in requests(outputs, op) if node in (-1, output.node)]


@pytest.mark.feature("F-005", "one_stream", "order")
def test_a_merge_by_time_lets_the_earlier_item_go_first_though_it_came_later(talk: Junction) -> None:
    talk.says(LEFT, WHOLE, b"second", media_ms=20)
    assert texts(talk.step(), Op.SEND) == []  # an earlier one could still come
    talk.says(RIGHT, WHOLE, b"first", media_ms=10)
    assert texts(talk.step(), Op.SEND) == [b"first"]
    assert texts(talk.step(talk.now + 40), Op.SEND) == [b"second"]


def test_a_merge_by_time_waits_so_long_and_says_when(talk: Junction) -> None:
    talk.says(LEFT, WHOLE, b"alone", media_ms=20)
    talk.step()
    begun = talk.now
    talk.step(begun + 31)  # what was recognised has been shown, and its merge waits no more
    assert talk.deadline == (begun + 40) * 1_000_000
    assert texts(talk.step(begun + 39), Op.SEND) == []
    assert texts(talk.step(begun + 40), Op.SEND) == [b"alone"]


def test_an_item_without_media_time_counts_from_when_it_came(talk: Junction) -> None:
    talk.step(100)
    talk.says(LEFT, WHOLE, b"one", media_ms=101)
    talk.says(RIGHT, WHOLE, b"two")
    assert texts(talk.step(), Op.SEND) == [b"two"]


@pytest.mark.feature("F-005", "order")
def test_a_merge_in_turns_waits_for_the_one_whose_turn_it_is(talk: Junction) -> None:
    """The right one is first; without `within`, the left one waits as long as the turn does."""
    talk.says(LEFT, WHOLE, b"later")
    talk.says(RIGHT, WHOLE, b"to both, at once")  # so that the merge by time does not hold anything back
    talk.step(300)
    sent = texts(talk.outputs, Op.SEND)
    assert sent.count(b"later") == 1  # by the merge by time alone
    talk.says(RIGHT, DELTA, b"my turn")
    assert texts(talk.step(), Op.SEND) == [b"my turn", b"later"]


def test_a_merge_in_turns_goes_on_when_nothing_more_comes(talk: Junction) -> None:
    """Both models have ended: what the left one said need not wait for the right one."""
    talk.says(LEFT, WHOLE, b"later")
    talk.done(RIGHT)
    talk.step(talk.now + 100)
    assert texts(talk.outputs, Op.SEND).count(b"later") == 1
    assert texts(talk.done(LEFT), Op.SEND) == [b"later"]


@pytest.mark.feature("F-005", "order")
def test_a_merge_by_priority_takes_the_first_source_that_has_something(talk: Junction) -> None:
    """The voice has taken all it may: what waits is ordered by priority, not by arrival."""
    talk.says(RIGHT, DELTA, b"One answer.")
    talk.says(LEFT, DELTA, b"The longer one of them.")
    talk.done(LEFT, outcome=4)  # its reaction says sorry
    fed = texts(talk.outputs, Op.FEED, VOICE)
    assert fed == [b"Sorry, once more please.", b"The longer one of them."]


@pytest.mark.feature("F-006", "condition", "audit")
def test_a_select_lets_the_highest_through_and_tells(talk: Junction) -> None:
    talk.says(RIGHT, DELTA, b"Three words here.")
    talk.says(LEFT, DELTA, b"Two words.")
    outputs = talk.step()
    chosen = decision(outputs, Signal.SELECTED)
    assert (chosen.node, chosen.x, chosen.y) == (BEST, EDGES["right -> best"], 3)
    dropped = decision(outputs, Signal.DROP_NOTICE)
    assert (dropped.node, dropped.cause) == (EDGES["left -> best"], Cause.NOT_SELECTED)
    assert texts(outputs, Op.FEED, VOICE) == [b"Three words here."]


def test_what_was_chosen_stays_chosen_for_the_turn(talk: Junction) -> None:
    talk.says(RIGHT, DELTA, b"Three words here.")
    talk.says(LEFT, DELTA, b"Two words.")
    talk.step()
    talk.says(LEFT, DELTA, b"Now I have many more of them.")
    outputs = talk.step()
    assert "SELECTED" not in signals(outputs)
    assert decision(outputs, Signal.DROP_NOTICE).cause == Cause.NOT_SELECTED
    assert texts(talk.outputs, Op.FEED, VOICE) == [b"Three words here."]


def test_a_select_waits_for_the_others_only_so_long(talk: Junction) -> None:
    talk.says(LEFT, DELTA, b"Two words.")
    begun = talk.now
    assert "SELECTED" not in signals(talk.step(begun + 59))
    assert decision(talk.step(begun + 60), Signal.SELECTED).x == EDGES["left -> best"]


@pytest.mark.feature("F-006", "change")
def test_the_next_turn_chooses_anew(talk: Junction) -> None:
    talk.says(RIGHT, DELTA, b"Three words here.")
    talk.says(LEFT, DELTA, b"Two words.")
    talk.step()
    talk.control(Control.CANCEL_TURN)
    talk.question()
    talk.says(RIGHT, DELTA, b"One.")
    talk.says(LEFT, DELTA, b"Two words.")
    assert decision(talk.step(), Signal.SELECTED).x == EDGES["left -> best"]


def test_outside_of_turns_a_choice_ends_when_its_flow_pauses(kernel: Callable[[str], Any]) -> None:
    talk = Junction(kernel("stub_junction")(plan_of("stub_junction"), "junction", 1, []))
    talk.begin()
    start = talk.now
    talk.chunk(STT, FINAL, b"a final", flags=1, b=2)
    assert decision(talk.step(), Signal.SELECTED).node == QUICK
    talk.chunk(STT, PARTIAL, b"a partial", b=2)
    outputs = talk.step(start + 40)  # the partial has been gathered
    assert decision(outputs, Signal.DROP_NOTICE).cause == Cause.NOT_SELECTED
    talk.chunk(STT, PARTIAL, b"another", b=1)
    outputs = talk.step(start + 100)
    assert decision(outputs, Signal.SELECTED).x == EDGES["stt.partial -> quick"]
    assert b"another" in texts(outputs, Op.TAP, WATCH)
