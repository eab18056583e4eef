"""Attempts: retries, the next provider, circuit breakers (docs/kernel.md), on both kernels.

The switchboard's model has two providers, each tried twice, with 150 ms an attempt of a budget of 800 ms; its circuits
open at the third failure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conversation import EARS, FINAL, LLM, MS, SPEECH, STT, VOICE, Conversation, decision, requests, signals
from kernels import plan_of

from rspp_runtime.abi import Cause, Control, In, Op, Output, Result, Signal
from rspp_runtime.abi.codes import CircuitState, Follow
from rspp_runtime.providers.contract import Outcome

QUESTION = b"what is the answer?"


@pytest.fixture
def talk(kernel: Callable[[str], Any]) -> Conversation:
    """Connected and silent."""
    session = kernel("stub_switchboard")(plan_of("stub_switchboard"), "talk", 1, [None, None])
    conversation = Conversation(session).connect()
    conversation.outputs.clear()
    return conversation


def fails(
    talk: Conversation, node: int, outcome: Outcome = Outcome.OVERLOAD, *, retryable: bool = False
) -> list[Output]:
    """The node's invocation ends so."""
    talk.offer(In.DONE, node=node, invocation=talk.invocation(node), a=outcome, b=retryable)
    return talk.step()


def settle(talk: Conversation) -> None:
    """What was said has been played, and the turn is on record."""
    talk.step(talk.now + 100)
    for one in requests(talk.outputs, Op.APPEND)[-1:]:
        talk.control(Control.EVIDENCE_APPENDED, a=one.turn)
    talk.step(talk.now + 100)


def invoked(outputs: list[Output], node: int) -> list[tuple[int, int]]:
    """Which provider, and the attempts before, of each invocation."""
    return [(one.x, one.y) for one in requests(outputs, Op.INVOKE) if one.node == node]


def fed(outputs: list[Output], node: int) -> list[bytes]:
    return [one.payload for one in requests(outputs, Op.FEED) if one.node == node]


def circuits(outputs: list[Output]) -> list[tuple[int, CircuitState, Cause]]:
    found = [one for one in outputs if one.op == Op.DECISION and one.code == Signal.CIRCUIT_EVENT]
    return [(one.x, CircuitState(one.y), Cause(one.cause)) for one in found]


def test_the_next_provider_gets_all_that_the_first_one_had(talk: Conversation) -> None:
    talk.ask(QUESTION)
    first = talk.invocation(LLM)
    outputs = fails(talk, LLM)
    error, switch = decision(outputs, Signal.PROVIDER_ERROR), decision(outputs, Signal.PROVIDER_SWITCH)
    assert (error.invocation, error.x, error.y) == (first, Outcome.OVERLOAD, Follow.PROVIDER_SWITCH)
    assert (switch.invocation, switch.x, switch.y, switch.cause) == (first, 0, 1, Cause.NODE_ERROR)
    assert invoked(outputs, LLM) == [(1, 1)]
    assert fed(outputs, LLM) == [QUESTION]
    assert [one.op for one in requests(outputs, Op.INVOKE, Op.FEED, Op.FINISH)] == [Op.INVOKE, Op.FEED, Op.FINISH]
    talk.think(b"Forty-two. ").speak(2, 5, 1)
    assert "PLAYBACK_STARTED" in signals(talk.outputs)


def test_what_a_failed_attempt_still_says_is_refused(talk: Conversation) -> None:
    talk.ask()
    first = talk.invocation(LLM)
    talk.step(talk.now + 150)
    assert invoked(talk.outputs, LLM) == [(0, 0)]
    assert talk.chunk(LLM, 0, b"Late.", invocation=first) == Result.REFUSED
    talk.step(talk.now + 20)
    assert invoked(talk.outputs, LLM) == [(0, 0), (0, 1)]
    assert talk.chunk(LLM, 0, b"In time.", a=8, b=2) == Result.ACCEPTED


def test_a_deadline_is_tried_again_after_the_backoff_and_then_elsewhere(talk: Conversation) -> None:
    """150 ms each, 20 ms before each retry: 0, 170, 320, 490."""
    talk.ask()
    start, begun = talk.now, []
    for ms in range(1, 790):
        begun += [(ms, *attempt) for attempt in invoked(talk.step(start + ms), LLM)]
    assert begun == [(170, 0, 1), (320, 1, 2), (490, 1, 3)]
    errors = [one for one in talk.outputs if one.op == Op.DECISION and one.code == Signal.PROVIDER_ERROR]
    errors = [one for one in errors if one.node == LLM]
    assert [Follow(one.y) for one in errors] == [Follow.RETRY, Follow.PROVIDER_SWITCH, Follow.RETRY, Follow.NONE]
    assert {Outcome(one.x) for one in errors} == {Outcome.TIMEOUT}
    exhausted = [one for one in talk.outputs if one.op == Op.DECISION and one.code == Signal.BUDGET_EXHAUSTED]
    assert LLM not in [one.node for one in exhausted]


@pytest.mark.feature("F-059", "backoff")
def test_each_further_retry_waits_twice_as_long(kernel: Callable[[str], Any]) -> None:
    """The shop's model is tried three times, after 20 ms and after 40 ms; then it is the other one's turn."""
    talk = Conversation(kernel("stub_shop")(plan_of("stub_shop"), "talk", 1, [None, None])).connect().ask()
    waits = []
    for attempt in (1, 2):
        failed_at = talk.now
        assert decision(fails(talk, LLM, retryable=True), Signal.PROVIDER_ERROR).y == Follow.RETRY
        while invoked(talk.step(talk.now + 1), LLM) != [(0, attempt)]:
            assert talk.now < failed_at + 100
        waits.append(talk.now - failed_at)
    assert waits == [20, 40]
    assert decision(fails(talk, LLM, retryable=True), Signal.PROVIDER_ERROR).y == Follow.PROVIDER_SWITCH


def test_a_retry_waits_until_the_outputs_have_room_for_all_of_it(kernel: Callable[[str], Any]) -> None:
    """Frames that nobody drains fill the outputs one by one: it goes on as long as its most fits, and not longer."""
    plan = plan_of("stub_switchboard")
    most = 3 + plan.context_items_max  # INVOKE, CONTEXT for each, FEED, FINISH
    for undrained in range(plan.data_out_max - most - 2, plan.data_out_max - most + 2):
        talk = Conversation(kernel("stub_switchboard")(plan, "talk", 1, [None, None])).connect().ask()
        fails(talk, LLM, Outcome.OVERLOAD, retryable=True)
        for _ in range(undrained):
            talk.frame()
            talk.advance()
            talk.credit(EARS)
        talk.advance(talk.now + 20)
        outputs = talk.drain()
        assert len(requests(outputs, Op.FEED)) >= undrained
        assert invoked(outputs, LLM) == ([(0, 1)] if undrained + most <= plan.data_out_max else [])
        assert invoked(talk.step(), LLM) == ([] if undrained + most <= plan.data_out_max else [(0, 1)])


@pytest.mark.feature("F-059", "stop")
def test_no_attempt_that_could_not_begin_in_time(talk: Conversation) -> None:
    """15 ms are left: too little for the backoff, enough to ask somebody else, who has them and no more."""
    talk.ask()
    talk.advance(talk.now + 785)  # the driver comes late
    outputs = talk.drain()
    assert decision(outputs, Signal.PROVIDER_ERROR).y == Follow.PROVIDER_SWITCH
    assert invoked(outputs, LLM) == [(1, 1)]
    assert talk.step(talk.now + 14) == []
    outputs = talk.step(talk.now + 1)
    error, exhausted = decision(outputs, Signal.PROVIDER_ERROR), decision(outputs, Signal.BUDGET_EXHAUSTED)
    assert (error.node, error.y, exhausted.y) == (LLM, Follow.NONE, LLM)
    assert invoked(outputs, LLM) == []


def test_only_what_may_help_is_tried_again(talk: Conversation) -> None:
    talk.ask()
    assert decision(fails(talk, LLM, Outcome.BLOCKED), Signal.PROVIDER_ERROR).y == Follow.PROVIDER_SWITCH
    outputs = fails(talk, LLM, Outcome.INFRASTRUCTURE_FAILURE, retryable=True)
    assert decision(outputs, Signal.PROVIDER_ERROR).y == Follow.RETRY
    assert invoked(outputs, LLM) == []
    assert talk.deadline == (talk.now + 20) * MS
    assert invoked(talk.step(talk.now + 20), LLM) == [(1, 2)]


def test_after_the_last_one_the_node_fails(talk: Conversation) -> None:
    talk.ask()
    fails(talk, LLM)
    outputs = fails(talk, LLM)
    assert decision(outputs, Signal.PROVIDER_ERROR).y == Follow.NONE
    assert "FALLBACK" in signals(outputs)
    assert invoked(outputs, LLM) == []


def test_an_answer_that_has_begun_is_not_begun_anew(talk: Conversation) -> None:
    talk.ask()
    assert talk.chunk(LLM, 0, b"The answer", a=0, b=2) == Result.ACCEPTED
    outputs = fails(talk, LLM, retryable=True)
    assert decision(outputs, Signal.PROVIDER_ERROR).y == Follow.NONE
    assert invoked(outputs, LLM) == []


def test_a_cancel_leaves_nothing_to_try(talk: Conversation) -> None:
    talk.ask()
    fails(talk, LLM, retryable=True)  # backing off
    talk.chunk(EARS, 1)
    outputs = talk.step()
    assert "ABORT" in signals(outputs)
    assert invoked(talk.step(talk.now + 500), LLM) == []


def test_the_voice_speaks_all_of_its_text_with_the_next_provider(talk: Conversation) -> None:
    """Marks count from where the first attempt began, and the text counts once in what was heard."""
    talk.ask()
    for text in (b"One. ", b"Two. "):
        assert talk.chunk(LLM, 0, text, a=len(text), b=1) == Result.ACCEPTED
        talk.step()
    talk.done(LLM)
    outputs = fails(talk, VOICE)
    assert fed(outputs, VOICE) == [b"One. ", b"Two. "]
    talk.speak(2, 5, 1)
    talk.step(talk.now + 100)
    completed = decision(talk.outputs, Signal.PLAYBACK_COMPLETED)
    assert (completed.x, completed.y) == (2, 10)


def test_more_than_is_retained_is_not_tried_again(talk: Conversation) -> None:
    """The voice keeps two sentences; after the third nobody could get all of it."""
    talk.ask()
    for text in (b"One. ", b"Two. ", b"Three. "):
        talk.chunk(LLM, 0, text, a=len(text), b=1)
        talk.step()
        talk.credit(VOICE)
    talk.step()
    assert len(fed(talk.outputs, VOICE)) == 3
    assert decision(fails(talk, VOICE), Signal.PROVIDER_ERROR).y == Follow.NONE


def test_the_recogniser_hears_the_whole_utterance_again(talk: Conversation) -> None:
    """It fails after the utterance has ended: the other one is fed, finished, and answers in its place."""
    talk.hear()
    for _ in range(3):
        talk.chunk(EARS, SPEECH, bytes(640))
        talk.step()
        talk.credit(STT)
    talk.fall_silent()
    outputs = fails(talk, STT)
    assert decision(outputs, Signal.PROVIDER_SWITCH).y == 1
    ops = [one.op for one in requests(outputs, Op.INVOKE, Op.FEED, Op.FINISH) if one.node == STT]
    assert ops == [Op.INVOKE, Op.FEED, Op.FEED, Op.FEED, Op.FEED, Op.FINISH]
    assert talk.chunk(STT, FINAL, QUESTION, a=len(QUESTION), b=4) == Result.ACCEPTED
    talk.done(STT)
    assert fed(talk.outputs, LLM) == [QUESTION]


@pytest.mark.feature("F-057", "opens", "recovers")
def test_a_circuit_opens_lets_a_probe_through_and_closes(talk: Conversation) -> None:
    """The third failure opens; until 700 ms later the first provider is passed over, then tried once."""
    for _ in range(2):
        talk.ask()
        fails(talk, LLM)  # of the first provider: the second answers
        talk.think(b"Yes. ").speak(1, 4, 1)
        settle(talk)
    talk.ask()
    outputs = fails(talk, LLM)
    assert circuits(outputs) == [(0, CircuitState.OPEN, Cause.NODE_ERROR)]
    talk.think(b"Yes. ").speak(1, 4, 1)
    settle(talk)

    before = len(talk.outputs)
    talk.ask()
    new = talk.outputs[before:]
    assert invoked(new, LLM) == [(1, 0)]
    switch = decision(new, Signal.PROVIDER_SWITCH)
    assert (switch.x, switch.y, switch.cause) == (0, 1, Cause.CIRCUIT_OPEN)
    talk.think(b"Yes. ").speak(1, 4, 1)
    settle(talk)

    talk.step(talk.now + 700)
    before = len(talk.outputs)
    talk.ask()
    new = talk.outputs[before:]
    assert invoked(new, LLM) == [(0, 0)]
    assert circuits(new) == [(0, CircuitState.HALF_OPEN, Cause.PROBE_DUE)]
    talk.chunk(LLM, 0, b"I am back. ", a=11, b=3)
    assert circuits(talk.step()) == [(0, CircuitState.CLOSED, Cause.PROBE_ANSWERED)]


def test_without_a_provider_that_may_be_tried_the_node_fails_at_once(talk: Conversation) -> None:
    for _ in range(3):
        talk.ask()
        fails(talk, LLM)
        fails(talk, LLM)
        talk.control(Control.CANCEL_TURN)
        talk.step(talk.now + 100)
    before = len(talk.outputs)
    talk.ask()
    new = talk.outputs[before:]
    error = decision(new, Signal.PROVIDER_ERROR)
    assert (error.invocation, error.cause, error.y) == (0, Cause.CIRCUIT_OPEN, Follow.NONE)
    assert invoked(new, LLM) == []
    assert "FALLBACK" in signals(new)
