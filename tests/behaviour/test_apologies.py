"""What is said about a turn that failed (docs/kernel.md, Apologies), on both kernels.

The patient assistant has lines of its own for a failure of its model; for all others it has only `turn.error`, from the
third failure in a row on in other words. The failure that is easiest to bring about: the record cannot be appended.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conversation import LLM, VOICE, Conversation, decision, requests, signals
from kernels import plan_of

from rspp_runtime.abi import Cause, Control, In, Op, Output, Signal
from rspp_runtime.abi.codes import Origin
from rspp_runtime.providers.contract import Outcome

SORRY, HELLO = b"Sorry, could you say that again?", "Grüß Gott!".encode()
GAP_MS = 4000


@pytest.fixture
def talk(kernel: Callable[[str], Any]) -> Conversation:
    session = kernel("stub_patience")(plan_of("stub_patience"), "talk", 1, [None, None])
    talk = Conversation(session).connect()
    talk.outputs.clear()
    return talk


def said(outputs: list[Output]) -> list[bytes]:
    return [one.payload for one in requests(outputs, Op.FEED) if one.node == VOICE]


def evidence(talk: Conversation) -> list[Output]:
    """Whatever asks for a record gets it."""
    seen = len(talk.outputs)
    for one in requests(talk.outputs, Op.APPEND):
        talk.control(Control.EVIDENCE_APPENDED, a=one.turn)
    return talk.outputs[seen:]


def hear_out(talk: Conversation) -> list[Output]:
    """The voice says what it was given; the turn commits."""
    seen = len(talk.outputs)
    talk.speak(2, 4, 1)
    talk.step(talk.now + 100)
    evidence(talk)
    return talk.outputs[seen:]


def lose_record(talk: Conversation) -> list[Output]:
    """The voice says it all, and the turn cannot be recorded."""
    serial = [one.turn for one in talk.outputs if one.op == Op.DECISION and one.code == Signal.TURN_OPEN][-1]
    seen = len(talk.outputs)
    talk.speak(2, 4, 1)
    talk.step(talk.now + 100)
    talk.control(Control.EVIDENCE_FAILED, a=serial)
    return talk.outputs[seen:]


def answer(talk: Conversation) -> list[Output]:
    """A turn that speaks, and cannot be recorded."""
    talk.ask().think(b"It is so. ")
    return lose_record(talk)


@pytest.mark.feature("F-135", "heard", "ready")
def test_a_turn_that_failed_is_excused_in_a_turn_of_its_own(talk: Conversation) -> None:
    outputs = answer(talk)
    names = signals(outputs)
    assert names[names.index("ABORT") :] == ["ABORT", "CLOSE", "TURN_OPEN_PROPOSED", "TURN_OPEN"]
    aborted, proposed = decision(outputs, Signal.ABORT), decision(outputs, Signal.TURN_OPEN_PROPOSED)
    assert aborted.cause == Cause.RECORDING_EVIDENCE_UNAVAILABLE
    assert (proposed.x, proposed.y) == (Origin.API, aborted.turn)
    assert said(outputs)[-1:] == [SORRY]
    assert "COMMIT" in signals(hear_out(talk))
    outputs = talk.ask().drain()
    assert "ABORT" not in signals(outputs)


def test_a_voice_that_is_silent_is_excused_too(talk: Conversation) -> None:
    """Nothing takes its timeout, so the turn ends; the next call of the voice may work."""
    talk.ask().think(b"It is so. ")
    outputs = talk.step(talk.now + 400)
    assert decision(outputs, Signal.ABORT).cause == Cause.NODE_TIMEOUT_OR_FAILURE
    assert decision(outputs, Signal.TURN_OPEN_PROPOSED).y == decision(outputs, Signal.ABORT).turn
    assert said(outputs)[-1:] == [SORRY]


def test_nobody_is_sorry_for_a_cancel(talk: Conversation) -> None:
    talk.ask()
    seen = len(talk.outputs)
    talk.control(Control.CANCEL_TURN)
    talk.step(talk.now + 2000)
    names = signals(talk.outputs[seen:])
    assert "ABORT" in names
    assert "TURN_OPEN_PROPOSED" not in names


def test_nobody_is_sorry_when_the_user_has_gone(talk: Conversation) -> None:
    talk.ask()
    outputs = talk.control(Control.DISCONNECTED)
    assert decision(outputs, Signal.ABORT).cause == Cause.TRANSPORT_DISCONNECT_OR_STALL
    assert "TURN_OPEN_PROPOSED" not in signals(outputs)


def test_an_apology_that_fails_is_the_end_of_it(talk: Conversation) -> None:
    answer(talk)
    outputs = talk.step(talk.now + GAP_MS + 1000)  # its voice is silent; the gap is over
    assert decision(outputs, Signal.ABORT).cause == Cause.BUDGET_EXHAUSTED
    assert "TURN_OPEN_PROPOSED" not in signals(outputs)


def test_two_failures_in_a_moment_are_excused_once(talk: Conversation) -> None:
    answer(talk)
    talk.control(Control.CANCEL_TURN)  # of the apology: the user has heard enough
    talk.step()
    seen = len(talk.outputs)
    talk.ask()
    talk.done(LLM, Outcome.SUCCESS)
    serial = [one.turn for one in talk.outputs if one.op == Op.DECISION and one.code == Signal.TURN_OPEN][-1]
    talk.control(Control.EVIDENCE_FAILED, a=serial)
    assert "ABORT" in signals(talk.outputs[seen:])
    proposed = [one for one in talk.outputs[seen:] if one.op == Op.DECISION and one.code == Signal.TURN_OPEN_PROPOSED]
    assert [one.y for one in proposed] == [0]


def test_who_has_gone_on_is_answered_instead(talk: Conversation) -> None:
    """While the turn was failing, the user has said something else: that comes first, and is all."""
    talk.ask().think(b"It is so. ")
    talk.speak(2, 4, 1)
    talk.step(talk.now + 100)
    talk.offer(In.MEDIA, node=0, port=1, payload=b"and now?", a=8, b=2)
    talk.step()
    outputs = talk.control(Control.EVIDENCE_FAILED, a=2)
    names = signals(outputs)
    assert names[-4:] == ["ABORT", "CLOSE", "TURN_OPEN_PROPOSED", "TURN_OPEN"]
    proposed = decision(outputs, Signal.TURN_OPEN_PROPOSED)
    assert (proposed.x, proposed.y) == (Origin.TEXT, 0)
    assert SORRY not in said(outputs)


def test_the_third_failure_in_a_row_is_told_otherwise(talk: Conversation) -> None:
    words = []
    for _ in range(3):
        words += said(answer(talk))[-1:]
        hear_out(talk)
        talk.step(talk.now + GAP_MS)
    assert words == [SORRY, SORRY, HELLO]


def test_an_answer_ends_the_row(talk: Conversation) -> None:
    words = []
    for commits in (False, False, True, False):
        if commits:
            talk.ask().think(b"It is so. ")
            assert "COMMIT" in signals(hear_out(talk))
        else:
            words += said(answer(talk))[-1:]
            hear_out(talk)
        talk.step(talk.now + GAP_MS)
    assert words == [SORRY, SORRY, SORRY]
