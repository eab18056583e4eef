"""A soft cancel: producers stop at once, a word may be ended, and then the cancel is accepted (CONTRACTS §5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conversation import EARS, EGRESS, IDLE, LLM, MS, SPEECH_START, VOICE, Conversation, decision, requests, signals
from kernels import plan_of

from rspp_runtime.abi import Cause, Control, In, Op, Output, Result, Signal
from rspp_runtime.abi.codes import CancelMode, Scope

SOFT_MS = 400  # the longest segment
WORD_MS = 120  # six frames


def opened(kernel: Callable[[str], Any]) -> Conversation:
    session = kernel("stub_patience")(plan_of("stub_patience"), "talk", 1, [None, None])
    return Conversation(session).connect()


@pytest.fixture
def talk(kernel: Callable[[str], Any]) -> Conversation:
    """Words of 120 ms are being spoken; 40 ms of the first have been played, and the model still thinks."""
    talk = opened(kernel).ask()
    talk.chunk(LLM, 0, b"one two three four five. ", a=24, b=5)
    talk.step()
    for index in range(1, 13):
        assert talk.chunk(VOICE, 0, bytes(640), a=index, b=index // 6) == Result.ACCEPTED
        talk.step()
    talk.step(talk.now + 40)
    return talk


def until_the_end(talk: Conversation) -> list[Output]:
    """Time goes by as the kernel asks for it, until the turn is closed."""
    seen: list[Output] = []
    while "CLOSE" not in signals(seen):
        seen += talk.step(max(talk.now + 1, talk.deadline // MS))
    return seen


@pytest.mark.feature("F-041", "soft")
def test_the_word_is_ended_and_nothing_more(talk: Conversation) -> None:
    talk.done(LLM)
    began = talk.now
    outputs = talk.control(Control.CANCEL_TURN)
    assert "CANCEL" not in signals(outputs)
    assert decision(outputs, Signal.CANCEL_PENDING).x // MS == began + SOFT_MS
    assert requests(outputs, Op.FLUSH) == []
    outputs += until_the_end(talk)
    accepted = decision(outputs, Signal.CANCEL)
    assert (accepted.port, accepted.x, accepted.cause) == (CancelMode.SOFT, Scope.TURN, Cause.USER)
    assert accepted.t_ns // MS == began - 40 + 12 * 20  # all that had been sent, 200 ms ahead
    assert decision(outputs, Signal.PLAYBACK_CANCELLED).x == 2
    assert signals(outputs)[-3:] == ["PLAYBACK_CANCELLED", "ABORT", "CLOSE"]
    late = [send for send in requests(outputs, Op.SEND) if send.node == EGRESS]
    assert late == []


def test_a_word_that_was_not_sent_to_its_end_is(kernel: Callable[[str], Any]) -> None:
    """The voice is slower than the ear: the frames that end the word still come, are heard, and no more are taken."""
    talk = opened(kernel).ask()
    talk.chunk(LLM, 0, b"one two three four five. ", a=24, b=5)
    talk.step()
    for _ in range(2):
        talk.chunk(VOICE, 0, bytes(640), a=1, b=0)
    talk.step()
    talk.step(talk.now + 20)
    talk.control(Control.CANCEL_TURN)
    assert talk.chunk(VOICE, 0, bytes(640), a=2, b=0) == Result.ACCEPTED
    assert talk.chunk(VOICE, 0, bytes(640), a=3, b=1) == Result.ACCEPTED
    outputs = talk.step()
    assert len([send for send in requests(outputs, Op.SEND) if send.node == EGRESS]) == 2
    assert [cancel.node for cancel in requests(outputs, Op.CANCEL)] == [VOICE]
    assert talk.chunk(VOICE, 0, bytes(640), a=4, b=1) == Result.REFUSED
    outputs = until_the_end(talk)
    assert decision(outputs, Signal.PLAYBACK_CANCELLED).x == 1
    assert decision(outputs, Signal.CANCEL).port == CancelMode.SOFT


def test_who_is_hard_stops_at_once(talk: Conversation) -> None:
    """The recogniser's next node but one: what leads into an effect is flushed, and nothing is given to anybody."""
    talk.chunk(LLM, 0, b"six. ", a=5, b=1)
    outputs = talk.control(Control.CANCEL_TURN)
    assert "DROP_NOTICE" in signals(outputs)
    outputs = talk.step(talk.now + 10)
    assert requests(outputs, Op.FEED, Op.INVOKE) == []


def test_a_model_ends_its_delta(talk: Conversation) -> None:
    talk.control(Control.CANCEL_TURN)
    assert talk.chunk(LLM, 0, b"six. ", a=5, b=1) == Result.ACCEPTED
    outputs = talk.step()
    assert LLM in [cancel.node for cancel in requests(outputs, Op.CANCEL)]
    assert talk.chunk(LLM, 0, b"seven. ", a=7, b=1) == Result.REFUSED


def test_the_deadline_is_the_end(kernel: Callable[[str], Any]) -> None:
    """A word that never ends: at its deadline the cancel is accepted."""
    talk = opened(kernel).ask()
    talk.chunk(LLM, 0, b"one two three four five. ", a=24, b=5)
    talk.step()
    began = 0
    for index in range(40):
        talk.chunk(VOICE, 0, bytes(640), a=1, b=0)
        talk.step(talk.now + 20)
        if index == 5:
            began = talk.now
            talk.control(Control.CANCEL_TURN)
    ended = decision(talk.outputs, Signal.PLAYBACK_CANCELLED)
    assert ended.t_ns // MS == began + SOFT_MS
    assert ended.x == 0


def test_who_asks_again_means_now(talk: Conversation) -> None:
    talk.control(Control.CANCEL_TURN)
    talk.step(talk.now + 10)
    outputs = talk.control(Control.CANCEL_TURN)
    assert signals(outputs)[-4:] == ["CANCEL", "PLAYBACK_CANCELLED", "ABORT", "CLOSE"]
    assert len(requests(outputs, Op.FLUSH)) == 1


@pytest.mark.parametrize(
    ("control", "cause"),
    [(Control.LEASE_REVOKED, Cause.AUTHORITY_LOSS), (Control.DISCONNECTED, Cause.CANCELLED)],
)
def test_another_end_ends_it_at_once(talk: Conversation, control: Control, cause: Cause) -> None:
    """Authority goes before; everything else is weaker than the cancel that is pending."""
    talk.control(Control.CANCEL_TURN)
    assert decision(talk.control(control), Signal.ABORT).cause == cause


def test_beside_another_end_it_is_hard(talk: Conversation) -> None:
    talk.offer(In.CONTROL, port=Control.CANCEL_TURN)
    talk.offer(In.CONTROL, port=Control.DISCONNECTED)
    outputs = talk.step()
    assert decision(outputs, Signal.CANCEL).port == CancelMode.HARD
    assert decision(outputs, Signal.ABORT).cause == Cause.CANCELLED


def test_without_a_segment_it_is_hard(kernel: Callable[[str], Any]) -> None:
    """The turn waits for the recogniser: nobody in it has been given anything yet."""
    talk = opened(kernel)
    talk.hear()
    talk.fall_silent()
    outputs = talk.control(Control.CANCEL_TURN)
    assert "CANCEL_PENDING" not in signals(outputs)
    assert decision(outputs, Signal.CANCEL).port == CancelMode.HARD


@pytest.mark.feature("F-041", "hard")
def test_a_hard_cancel_emits_no_buffered_chunk(kernel: Callable[[str], Any]) -> None:
    """The assistant, which has no soft node: nothing of what waits or was sent is heard after the cancel."""
    talk = Conversation(kernel("stub_assistant")(plan_of("stub_assistant"), "talk", 1, [None, None])).connect()
    talk.ask().think(b"one two three four five. ").speak(12, 1, 1)
    talk.step(talk.now + 40)
    outputs = talk.control(Control.CANCEL_TURN)
    cancelled = decision(outputs, Signal.CANCEL)
    assert (cancelled.port, cancelled.t_ns // MS) == (CancelMode.HARD, talk.now)
    assert len(requests(outputs, Op.FLUSH)) == 1
    assert requests(outputs + talk.step(talk.now + 500), Op.SEND) == []


def test_a_node_ends_its_segment_and_the_turn_goes_on(talk: Conversation) -> None:
    """`cancel voice`: its next frame is its last; what it made is heard, and the turn is active still."""
    talk.chunk(EARS, IDLE)
    outputs = talk.step()
    pending = decision(outputs, Signal.CANCEL_PENDING)
    assert (pending.node, pending.cause) == (VOICE, Cause.USER)
    assert requests(outputs, Op.CANCEL) == []
    assert talk.chunk(VOICE, 0, bytes(640), a=13, b=2) == Result.ACCEPTED
    outputs = talk.step()
    accepted = decision(outputs, Signal.CANCEL)
    assert (accepted.port, accepted.x, accepted.y) == (CancelMode.SOFT, Scope.NODE, VOICE)
    assert talk.chunk(VOICE, 0, bytes(640), a=14, b=2) == Result.REFUSED
    assert "ABORT" not in signals(talk.step(talk.now + 100))


def test_a_node_that_says_nothing_more_is_cancelled_at_its_deadline(talk: Conversation) -> None:
    talk.chunk(EARS, IDLE)
    talk.step()
    began = talk.now
    accepted = None
    while accepted is None and talk.now < began + 2 * SOFT_MS:
        outputs = talk.step(max(talk.now + 1, talk.deadline // MS))
        accepted = next((o for o in outputs if o.op == Op.DECISION and o.code == Signal.CANCEL), None)
    assert accepted is not None
    assert accepted.t_ns // MS == began + SOFT_MS


# ---- why, and the other verbs


@pytest.mark.feature("F-035", "mapped")
def test_a_cancel_says_who_wanted_it(kernel: Callable[[str], Any]) -> None:
    talk = Conversation(kernel("stub_assistant")(plan_of("stub_assistant"), "talk", 1, [None, None])).connect()
    talk.ask()
    assert decision(talk.control(Control.CANCEL_TURN), Signal.CANCEL).cause == Cause.USER
    talk.step(talk.now + 100)
    talk.ask()
    talk.chunk(EARS, 1)
    assert decision(talk.step(), Signal.CANCEL).cause == Cause.BARGE_IN


def test_abort_turn_ends_it_as_failed(kernel: Callable[[str], Any]) -> None:
    """`on stt.error -> abort turn`: a provider failed."""
    talk = opened(kernel)
    talk.hear()
    talk.fall_silent()
    outputs = talk.done(2, outcome=4)
    assert decision(outputs, Signal.ABORT).cause == Cause.PROVIDER_FAILURE


def test_open_turn_answers_without_an_utterance(kernel: Callable[[str], Any]) -> None:
    talk = opened(kernel)
    outputs = talk.control(Control.DTMF, a=ord("#"))
    assert signals(outputs)[:2] == ["TURN_OPEN_PROPOSED", "TURN_OPEN"]
    assert decision(outputs, Signal.TURN_OPEN_PROPOSED).x == 2  # dtmf


@pytest.mark.feature("F-042", "finalizes")
def test_the_button_ends_the_utterance(kernel: Callable[[str], Any]) -> None:
    """Push to talk: the recogniser finishes when the button is let go, though no silence was heard."""
    talk = opened(kernel)
    talk.hear()
    outputs = talk.control(Control.BUTTON_UP)
    assert [finish.node for finish in requests(outputs, Op.FINISH)] == [2]
    assert "TURN_OPEN" in signals(outputs)


def test_the_button_interrupts(talk: Conversation) -> None:
    """Pressed while the answer is spoken: the turn is cancelled, softly here, and a new one waits for its end."""
    outputs = talk.control(Control.BUTTON_DOWN)
    assert "DEFER" in signals(outputs)
    outputs += until_the_end(talk)
    assert decision(outputs, Signal.CANCEL).cause == Cause.USER
    assert signals(outputs)[-2:] == ["CLOSE", "TURN_OPEN_PROPOSED"] or "TURN_OPEN" in signals(outputs + talk.step())


# ---- what must be heard


def test_a_barge_in_does_not_cut_off_what_is_not_interruptible(kernel: Callable[[str], Any]) -> None:
    """The greeting has `interruptible = false`: speech over it neither pauses nor cancels; the API may."""
    session = kernel("stub_patience")(plan_of("stub_patience"), "talk", 1, [None, None])
    talk = Conversation(session).connect(greet=True)
    talk.chunk(VOICE, 0, bytes(640), a=4, b=1)
    talk.hear()
    assert "BARGE_IN" in signals(talk.outputs)
    assert "PLAYBACK_PAUSED" not in signals(talk.outputs)
    assert "CANCEL" in signals(talk.control(Control.CANCEL_TURN) + until_the_end(talk))


def test_the_next_turn_may_be_cut_off_again(talk: Conversation) -> None:
    """The fixture's turn came after the greeting's."""
    talk.chunk(EARS, SPEECH_START)
    assert "PLAYBACK_PAUSED" in signals(talk.step())
