"""Reactions that look before they act, and events that decisions raise (docs/kernel.md, Events), on both kernels.

The attendant is the switchboard with such reactions: its user interrupts with three words or 400 ms of speech.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from conversation import (
    EARS,
    FINAL,
    IDLE,
    LLM,
    PARTIAL,
    SPEECH,
    SPEECH_END,
    SPEECH_START,
    STT,
    VOICE,
    Conversation,
    decision,
    requests,
    signals,
)
from kernels import plan_of

from rspp_runtime.abi import Cause, Control, In, Op, Output, Result, Signal
from rspp_runtime.abi.codes import Follow, Scope
from rspp_runtime.abi.plan import Check
from rspp_runtime.providers.contract import Outcome
from rspp_runtime.reference import Session as Pure

NOT_LLM = Check("!=", "path", 3)
SORRY = b"Sorry, could you say that again?"


@pytest.fixture
def talk(kernel: Callable[[str], Any]) -> Conversation:
    """Connected and silent, behind the cancelled greeting."""
    session = kernel("stub_attendant")(plan_of("stub_attendant"), "talk", 1, [None, None])
    conversation = Conversation(session).connect()
    conversation.outputs.clear()
    return conversation


def said(outputs: list[Output]) -> list[bytes]:
    return [one.payload for one in requests(outputs, Op.FEED) if one.node == VOICE]


def fails(talk: Conversation, node: int, outcome: Outcome, *, retryable: bool = False) -> list[Output]:
    talk.offer(In.DONE, node=node, invocation=talk.invocation(node), a=outcome, b=retryable)
    return talk.step()


def interrupts(talk: Conversation) -> list[Output]:
    """The user begins to speak while the turn is active, and the recogniser hears the first frame."""
    talk.frame()
    talk.step()
    talk.credit(EARS)
    talk.chunk(EARS, SPEECH_START)
    outputs = talk.step()
    talk.chunk(EARS, SPEECH, bytes(640))
    return outputs + talk.step()


def partial(talk: Conversation, words: int) -> list[Output]:
    assert talk.chunk(STT, PARTIAL, b"so " * words, b=words) == Result.ACCEPTED
    return talk.step()


def test_an_interruption_waits_for_enough_words(talk: Conversation) -> None:
    talk.ask()
    outputs = interrupts(talk)
    assert "BARGE_IN" in signals(outputs)
    assert "ABORT" not in signals(outputs)
    assert "ABORT" not in signals(partial(talk, 2))
    outputs = partial(talk, 3)
    assert signals(outputs).count("BARGE_IN") == 0  # it is still the same interruption
    assert decision(outputs, Signal.ABORT).cause == Cause.CANCELLED


def test_words_of_final_texts_count_with_those_of_the_partial_one(talk: Conversation) -> None:
    talk.ask()
    interrupts(talk)
    talk.chunk(STT, FINAL, b"now then", b=2)
    assert "ABORT" not in signals(talk.step())
    assert "ABORT" in signals(partial(talk, 1))


def test_an_interruption_that_lasts_is_one_too(talk: Conversation) -> None:
    """Without a word: each frame of speech asks again."""
    talk.ask()
    interrupts(talk)
    for _ in range(2):
        talk.now += 200
        talk.chunk(EARS, SPEECH, bytes(640))
        assert "ABORT" not in signals(talk.step())
    talk.now += 1
    talk.chunk(EARS, SPEECH, bytes(640))
    assert "ABORT" in signals(talk.step())


def test_speech_that_ended_interrupts_no_more(talk: Conversation) -> None:
    talk.ask()
    interrupts(talk)
    talk.chunk(EARS, SPEECH_END)
    talk.step()
    assert "ABORT" not in signals(partial(talk, 8))


def test_each_line_acts_once_in_a_speech(talk: Conversation) -> None:
    """The line that cancels the model needs no words: it acts at the onset, and not again with each of them.

    It does so in the third turn; `on llm.cancel` then cancels it once more.
    """
    talk.ask()
    talk.control(Control.CANCEL_TURN)
    talk.ask()
    outputs = interrupts(talk)
    assert [one.x for one in outputs if one.op == Op.DECISION and one.code == Signal.CANCEL] == [Scope.NODE] * 2
    assert "CANCEL" not in signals(partial(talk, 1)) + signals(partial(talk, 2))


def test_silence_is_counted_from_the_last_speech(talk: Conversation) -> None:
    """The model is cancelled at the second `idle`, if nobody spoke for 100 ms."""
    talk.ask()
    talk.now += 60
    talk.chunk(EARS, IDLE)
    assert "CANCEL" not in signals(talk.step())
    talk.now += 60
    talk.chunk(EARS, IDLE)
    assert "CANCEL" in signals(talk.step())
    talk.hear()
    talk.fall_silent()
    talk.now += 300
    talk.chunk(EARS, IDLE)
    assert "CANCEL" not in signals(talk.step())


@pytest.mark.feature("F-047", "recorded")
def test_a_failure_is_handled_only_where_a_line_acts(talk: Conversation) -> None:
    """An overload of both providers is excused, and `on llm.fallback` goes on in writing; a failure of the
    infrastructure that may be tried again ends the turn.
    """
    talk.ask()
    fails(talk, LLM, Outcome.OVERLOAD)
    outputs = fails(talk, LLM, Outcome.OVERLOAD)
    named = signals(outputs)
    assert named.index("PROVIDER_ERROR") < named.index("FALLBACK") < named.index("DEGRADE")
    assert "ABORT" not in named
    talk.control(Control.CANCEL_TURN)
    talk.ask()
    for _ in range(3):
        outputs = fails(talk, LLM, Outcome.INFRASTRUCTURE_FAILURE, retryable=True)
        talk.step(talk.now + 30)
    outputs += fails(talk, LLM, Outcome.INFRASTRUCTURE_FAILURE, retryable=True)
    assert "FALLBACK" not in signals(talk.outputs[-len(outputs) :])
    assert decision(outputs, Signal.ABORT).cause == Cause.PROVIDER_FAILURE


def test_a_decision_is_an_event_with_its_provider(talk: Conversation) -> None:
    """A timeout of the model's first provider cancels the voice; `provider_error` of its second does not."""
    talk.ask()
    outputs: list[Output] = []
    while not any(one.code == Signal.PROVIDER_ERROR for one in outputs if one.op == Op.DECISION):
        assert talk.now < 60_000
        talk.now += 10
        outputs = talk.step()
    error = decision(outputs, Signal.PROVIDER_ERROR)
    assert (error.port, error.x, error.y) == (0, Outcome.TIMEOUT, Follow.RETRY)
    cancel = decision(outputs, Signal.CANCEL)
    assert (cancel.x, cancel.y, cancel.cause) == (Scope.NODE, VOICE, Cause.USER)
    assert cancel.seq > error.seq


def test_reactions_that_lead_back_to_their_event_run_once(talk: Conversation) -> None:
    """`on llm.cancel -> cancel llm` would go on for ever."""
    talk.ask()
    outputs = talk.control(Control.CANCEL_NODE, a=LLM)
    assert [one.y for one in outputs if one.op == Op.DECISION and one.code == Signal.CANCEL] == [LLM, LLM]
    outputs = talk.control(Control.CANCEL_NODE, a=LLM)
    assert signals(outputs).count("CANCEL") == 2


@pytest.mark.feature("F-045", "reaction")
def test_a_spent_turn_goes_on_where_a_line_says_how() -> None:
    """`on turn.budget_exhausted -> degrade text_only`: the turn answers in writing instead of ending.

    Budgets of paths would be spent before (test_paths.py): here the plan has none, so the twin alone is shown.
    """
    stub = plan_of("stub_attendant")
    lines = [
        replace(line, guard=(Check("==", "mode", 0),)) if NOT_LLM in line.guard else line for line in stub.reactions
    ]
    plan = replace(stub, paths=(), reactions=tuple(lines))
    talk = Conversation(Pure(plan, "talk", 1, [None, None])).connect().ask()
    outputs: list[Output] = []
    for _ in range(30):
        if "BUDGET_EXHAUSTED" in signals(outputs):
            break
        talk.now += 100
        talk.chunk(LLM, 0)
        outputs = talk.step()
    assert decision(outputs, Signal.BUDGET_EXHAUSTED).y == -1
    degraded = [one.x for one in outputs if one.op == Op.DECISION and one.code == Signal.DEGRADE]
    assert degraded == [1, 3]  # and mute, once the first text is out
    assert "ABORT" not in signals(outputs)
    talk.chunk(LLM, 0, b"Here it is.", a=11, b=3)
    assert [one.payload for one in requests(talk.step(), Op.SEND)] == [b"Here it is."]


def test_the_end_of_a_turn_is_an_event_of_that_turn(talk: Conversation) -> None:
    """`on turn.abort when event.reason == "provider_failure" -> sorry`: the apology is a turn of its own."""
    talk.ask()
    for _ in range(4):
        outputs = fails(talk, LLM, Outcome.INFRASTRUCTURE_FAILURE, retryable=True)
        talk.step(talk.now + 30)
        if "ABORT" in signals(outputs):
            break
    named = signals(outputs)
    assert named.index("CLOSE") < named.index("TURN_OPEN_PROPOSED") < named.index("TURN_OPEN")
    assert said(outputs) == [SORRY]


def test_a_cancelled_turn_is_not_excused(talk: Conversation) -> None:
    talk.ask()
    outputs = talk.control(Control.CANCEL_TURN)
    assert decision(outputs, Signal.ABORT).cause == Cause.CANCELLED
    assert "TURN_OPEN_PROPOSED" not in signals(outputs)
