"""Guards of flows (docs/kernel.md, Guards), on both kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conversation import requests
from kernels import plan_of
from yard import EGRESS, LONG, SHORT, VOICE, WATCH, Yard

from rspp_runtime.abi import Control, Op, Result


@pytest.fixture
def yard(kernel: Callable[[str], Any]) -> Yard:
    return Yard(kernel("stub_switchyard")(plan_of("stub_switchyard"), "yard", 1, [])).begin()


def fed(outputs: list[Any]) -> dict[int, list[bytes]]:
    """What each node was fed."""
    found: dict[int, list[bytes]] = {}
    for output in requests(outputs, Op.FEED):
        found.setdefault(output.node, []).append(output.payload)
    return found


def test_a_question_goes_where_its_guard_holds_and_nowhere_else(yard: Yard) -> None:
    """At most two words are short; the other edge says `otherwise`."""
    assert fed(yard.say(b"and now?")) == {SHORT: [b"and now?"]}
    yard.control(Control.CANCEL_TURN)
    yard.frame()
    yard.step()
    assert fed(yard.say(b"and what now?")) == {LONG: [b"and what now?"]}


def test_the_turn_s_origin_is_read_too(yard: Yard) -> None:
    """Whatever the API asks for is long: one comparison of two that `and` joins fails."""
    yard.control(Control.END_UTTERANCE)
    yard.chunk(1, 2, b"now", flags=1, b=1)
    assert fed(yard.done(1)) == {LONG: [b"now"]}


def test_an_item_that_no_edge_takes_is_no_loss(yard: Yard) -> None:
    """Nothing is dropped, nothing is fed, and the turn comes to its end."""
    yard.say(b"and what now?")
    assert yard.delta(LONG, b"") == Result.ACCEPTED
    outputs = yard.step()
    assert requests(outputs, Op.FEED, Op.SEND) == []
    assert requests(yard.done(LONG), Op.APPEND) != []
    counted = yard.session.stats()
    assert (counted["edge.1.dropped"], counted["edge.4.dropped"]) == (0, 0)


def test_a_full_edge_holds_up_only_what_would_take_it(yard: Yard) -> None:
    """The voice's edge is full, and blocks; what is final passes it by, and is shown."""
    yard.say(b"and what now?")
    answers = [yard.delta(LONG, b"one more word.") for _ in range(3)]
    assert answers == [Result.ACCEPTED] * 3
    assert yard.delta(LONG, b"one more word.") == Result.FULL
    assert yard.delta(LONG, b"the end.", flags=1) == Result.ACCEPTED
    shown = [output.payload for output in requests(yard.step(), Op.SEND) if output.node == EGRESS]
    assert shown == [b"the end."]
    assert VOICE in fed(yard.outputs)


def test_turns_are_numbered(yard: Yard) -> None:
    """What is final is shown in the first two turns only."""
    for turn in (1, 2, 3):
        yard.say(b"and what now?")
        yard.delta(LONG, b"so.", flags=1)
        shown = [output.payload for output in requests(yard.step(), Op.SEND)]
        assert shown == ([b"so."] if turn < 3 else [])
        yard.control(Control.CANCEL_TURN)
        yard.frame()
        yard.step()


def test_audio_is_chosen_by_its_length(yard: Yard) -> None:
    """The tap takes what has 300 bytes; of these its sample leaves out the second."""
    for size in (298, 300, 320, 310):
        yard.frame(size)
    shown = [len(output.payload) for output in requests(yard.step(), Op.TAP) if output.node == WATCH]
    assert shown == [300, 310]
