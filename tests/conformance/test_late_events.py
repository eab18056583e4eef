"""T11: what comes late of a turn that is closed is dropped, remapped to a proposal of its own, or diagnosed; the turn
stays closed, and whatever ended it owns the terminal (CONTRACTS §5). The rows of docs/kernel.md, Late events.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conversation import AUDIO, EARS, INGRESS, LLM, MS, SPEECH_END, STT, TEXT, VOICE, Conversation, decision, signals
from kernels import plan_of

from rspp_runtime.abi import Cause, Control, In, Op, Result, Signal


def cancelled(talk: Conversation) -> Conversation:
    """The answer was cut off while it was spoken, and nothing of it has told that it ended."""
    talk.ask().think(b"It is forty-two. ")
    assert talk.chunk(VOICE, 0, bytes(640), a=8, b=2) == Result.ACCEPTED
    talk.step()
    talk.control(Control.CANCEL_TURN)
    return talk


def closed_turns(talk: Conversation) -> int:
    return signals(talk.outputs).count("CLOSE")


@pytest.mark.feature("F-140", "late")
@pytest.mark.parametrize("node", [LLM, VOICE])
def test_an_output_is_diagnosed(talk: Conversation, node: int) -> None:
    cancelled(talk)
    assert talk.chunk(node, 0, b"too late") == Result.REFUSED
    assert signals(talk.step()) == ["LATE_AFTER_CANCEL"]
    assert closed_turns(talk) == 1


def test_an_output_at_the_fence_is_diagnosed(talk: Conversation) -> None:
    talk.ask().think(b"It is forty-two. ")
    assert talk.chunk(VOICE, 0, bytes(640), a=8, b=2) == Result.ACCEPTED
    talk.advance()  # it waits for the transport
    outputs = talk.control(Control.CANCEL_TURN)
    assert decision(outputs, Signal.LATE_AFTER_CANCEL).y == 1
    assert [output for output in outputs if output.op == Op.SEND] == []


DROPPED: dict[str, Callable[[Conversation], Result]] = {
    "the end of an invocation": lambda t: t.offer(In.DONE, node=VOICE, invocation=t.invocation(VOICE), a=5),
    "credit": lambda t: t.offer(In.CREDIT, node=VOICE, invocation=t.invocation(VOICE), a=1),
    "a cancel": lambda t: t.offer(In.CONTROL, port=Control.CANCEL_TURN),
    "evidence that was appended": lambda t: t.offer(In.CONTROL, port=Control.EVIDENCE_APPENDED, a=2),
    "evidence that could not be": lambda t: t.offer(In.CONTROL, port=Control.EVIDENCE_FAILED, a=2),
}


@pytest.mark.feature("F-140", "late")
@pytest.mark.parametrize("what", DROPPED)
def test_what_needs_no_answer_is_dropped(talk: Conversation, what: str) -> None:
    cancelled(talk)
    assert DROPPED[what](talk) == Result.ACCEPTED
    assert signals(talk.step()) == []
    assert closed_turns(talk) == 1


def test_input_that_ends_in_a_turn_is_remapped_to_a_proposal(talk: Conversation) -> None:
    """It waits while the turn lives, and opens a turn of its own when that has closed."""
    talk.ask().think(b"It is forty-two. ")
    assert talk.offer(In.MEDIA, node=INGRESS, port=TEXT, payload=b"and why?", b=2) == Result.ACCEPTED
    assert "DEFER" in signals(talk.step())
    told = signals(talk.control(Control.CANCEL_TURN))
    assert told[told.index("CLOSE") :] == ["CLOSE", "TURN_OPEN_PROPOSED", "TURN_OPEN"]


def test_an_utterance_that_is_recognised_too_late_is_diagnosed(talk: Conversation) -> None:
    """The recogniser had its time; what it still says belongs to no turn."""
    talk.hear()
    stt = talk.invocation(STT)
    talk.fall_silent()
    talk.step(talk.now + plan_of("stub_assistant").nodes[STT].first_output_ns // MS + 1)
    assert talk.chunk(STT, 2, b"hello", invocation=stt, a=0, b=1) == Result.REFUSED
    assert "LATE_AFTER_CANCEL" in signals(talk.step())


@pytest.mark.feature("F-140", "late")
@pytest.mark.parametrize("is_cancel_first", [True, False])
def test_a_cancel_against_a_spent_budget_owns_the_terminal(talk: Conversation, is_cancel_first: bool) -> None:
    """Both fall into one scheduling window, whichever comes first; the other one finds a closed turn."""
    talk.ask()
    talk.now += plan_of("stub_assistant").turn_total_ns // MS + 1
    if is_cancel_first:
        talk.offer(In.CONTROL, port=Control.CANCEL_TURN)
    else:
        talk.offer(In.MEDIA, node=INGRESS, port=AUDIO, payload=bytes(640))
        talk.offer(In.CONTROL, port=Control.CANCEL_TURN)
    outputs = talk.step()
    assert decision(outputs, Signal.ABORT).cause == Cause.CANCELLED
    assert signals(outputs).count("CLOSE") == 1


def test_speech_that_ends_after_the_turn_opens_the_next(talk: Conversation) -> None:
    cancelled(talk)
    talk.hear()
    talk.chunk(EARS, SPEECH_END)
    assert "TURN_OPEN" in signals(talk.step())
