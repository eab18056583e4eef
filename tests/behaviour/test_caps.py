"""Caps and budgets of cost (docs/kernel.md, Caps), on both kernels.

The tollgate: the model has one call a turn, 20 tokens in and 40 out; the voice 120 characters and 2 s, or 300
micro-dollars; the recogniser 1.5 s a turn and 9 s a session; a turn may cost 700 micro-dollars.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conversation import LLM, MS, SORRY, STT, VOICE, Conversation, decision, requests, signals
from kernels import plan_of

from rspp_runtime.abi import Cause, Control, In, Op, Plan, Result, Signal, Unit
from rspp_runtime.providers.contract import Outcome

NAME = "stub_tollgate"


@pytest.fixture
def talk(kernel: Callable[[str], Any]) -> Conversation:
    """Connected and silent."""
    return opened(kernel, plan_of(NAME))


def opened(kernel: Callable[[str], Any], plan: Plan) -> Conversation:
    conversation = Conversation(kernel(NAME)(plan, "talk", 1, [None, None])).connect()
    conversation.outputs.clear()
    return conversation


def uses(talk: Conversation, node: int, unit: Unit, amount: int) -> Result:
    return talk.offer(In.USAGE, node=node, port=unit, invocation=talk.invocation(node), a=amount)


@pytest.mark.feature("F-058", "capped", "event")
def test_an_answer_that_would_exceed_the_cap_is_cut_and_what_was_said_stays(talk: Conversation) -> None:
    talk.ask()
    assert uses(talk, LLM, Unit.TOKENS_OUT, 30) == Result.ACCEPTED
    assert talk.chunk(LLM, 0, b"A long story. ", a=13, b=3) == Result.ACCEPTED
    assert uses(talk, LLM, Unit.TOKENS_OUT, 11) == Result.REFUSED
    told = decision(talk.drain(), Signal.BUDGET_EXHAUSTED)
    assert (told.node, told.x, told.y, told.cause) == (LLM, Unit.TOKENS_OUT, LLM, Cause.BUDGET_EXHAUSTED)
    assert talk.chunk(LLM, 0, b"And more. ", a=9, b=2) == Result.REFUSED  # though it does not keep to it
    outputs = talk.step()
    assert [one.node for one in requests(outputs, Op.CANCEL)] == [LLM]
    assert "PROVIDER_ERROR" not in signals(outputs)
    assert b"A long story." in [one.payload for one in requests(outputs, Op.FEED) if one.node == VOICE]


def test_exactly_the_cap_may_be_used(talk: Conversation) -> None:
    talk.ask()
    assert uses(talk, LLM, Unit.TOKENS_OUT, 40) == Result.ACCEPTED
    assert uses(talk, LLM, Unit.TOKENS_OUT, 1) == Result.REFUSED


@pytest.mark.feature("NF-017", "capped")
def test_a_text_that_would_exceed_the_cap_is_not_taken_and_the_rest_is_told(talk: Conversation) -> None:
    talk.ask().think(b"One. ", b"Two. ")
    assert uses(talk, VOICE, Unit.CHARS, 100) == Result.ACCEPTED
    talk.credit(VOICE)
    assert uses(talk, VOICE, Unit.CHARS, 21) == Result.REFUSED
    voice, outputs = talk.invocation(VOICE), talk.step()
    assert requests(outputs, Op.CANCEL, Op.FINISH) == []  # its input has ended; what it has taken it says
    assert talk.chunk(VOICE, 0, bytes(640), invocation=voice, a=4, b=1) == Result.ACCEPTED
    assert "PLAYBACK_STARTED" in signals(talk.step())


def test_a_node_that_got_nothing_does_what_the_pipeline_says(talk: Conversation) -> None:
    """`on llm.budget_exhausted -> sorry`: a fallback."""
    talk.ask()
    assert uses(talk, LLM, Unit.TOKENS_IN, 21) == Result.REFUSED
    outputs = talk.step()
    fallback = decision(outputs, Signal.FALLBACK)
    assert fallback.cause == Cause.BUDGET_EXHAUSTED
    said = plan_of(NAME).nodes[SORRY].text.encode()
    assert [one.payload for one in requests(outputs, Op.FEED) if one.node == VOICE] == [said]


def test_without_a_reaction_of_its_own_it_fails(talk: Conversation) -> None:
    """`on voice.error -> degrade text_only`."""
    talk.ask().think(b"One. ")
    assert uses(talk, VOICE, Unit.CHARS, 121) == Result.REFUSED
    outputs = talk.step()
    error = decision(outputs, Signal.PROVIDER_ERROR)
    assert (error.node, error.x, error.cause) == (VOICE, Outcome.BLOCKED, Cause.BUDGET_EXHAUSTED)
    assert "DEGRADE" in signals(outputs)


@pytest.mark.feature("F-058", "capped")
def test_one_call_a_turn(talk: Conversation) -> None:
    """The next turn begins anew."""
    talk.ask().think(b"Yes. ")
    talk.speak(1, 4, 1)
    talk.step(talk.now + 200)
    for one in requests(talk.outputs, Op.APPEND)[-1:]:
        talk.control(Control.EVIDENCE_APPENDED, a=one.turn)
    talk.step(talk.now + 100)
    talk.ask()
    assert [one.node for one in requests(talk.outputs, Op.INVOKE)].count(LLM) == 2
    assert "BUDGET_EXHAUSTED" not in signals(talk.outputs)


def test_a_recogniser_keeps_what_it_heard_and_hears_again_in_the_next_turn(talk: Conversation) -> None:
    talk.hear()
    assert uses(talk, STT, Unit.AUDIO_NS, 1_500 * MS) == Result.ACCEPTED
    assert uses(talk, STT, Unit.AUDIO_NS, 20 * MS) == Result.REFUSED
    outputs = talk.step()
    assert requests(outputs, Op.CANCEL) == []
    talk.chunk(1, 0, bytes(640))
    lost = decision(talk.step(), Signal.DROP_NOTICE)
    assert lost.cause == Cause.BUDGET_EXHAUSTED
    talk.fall_silent()
    talk.recognise(b"so far so good")
    assert [one.payload for one in requests(talk.outputs, Op.FEED) if one.node == LLM] == [b"so far so good"]


@pytest.mark.feature("NF-017", "capped")
def test_the_cost_of_a_turn_is_bounded_over_all_of_its_providers(talk: Conversation) -> None:
    """200 for the call, 500 a thousand tokens in, 10,000 out, 30,000 a minute: the 700th micro-dollar is the last."""
    talk.ask()
    assert uses(talk, LLM, Unit.TOKENS_OUT, 40) == Result.ACCEPTED  # 200 + 400
    talk.think(b"Hello. ")
    assert uses(talk, VOICE, Unit.AUDIO_NS, 200 * MS) == Result.ACCEPTED  # + 100
    assert uses(talk, VOICE, Unit.AUDIO_NS, 1) == Result.REFUSED
    told = decision(talk.drain(), Signal.BUDGET_EXHAUSTED)
    assert (told.x, told.y) == (Unit.TURN_COST, -3)
    assert decision(talk.step(), Signal.ABORT).cause == Cause.BUDGET_EXHAUSTED


def test_a_cap_of_money_is_a_blocks_own(talk: Conversation) -> None:
    talk.ask().think(b"Hello. ")
    assert uses(talk, VOICE, Unit.AUDIO_NS, 600 * MS) == Result.ACCEPTED
    assert uses(talk, VOICE, Unit.AUDIO_NS, 1) == Result.REFUSED
    told = decision(talk.drain(), Signal.BUDGET_EXHAUSTED)
    assert (told.x, told.y) == (Unit.COST, VOICE)
    assert "ABORT" not in signals(talk.step())


def test_what_is_no_usage_is_refused(talk: Conversation) -> None:
    talk.ask()
    assert uses(talk, LLM, Unit.CALLS, 1) == Result.REFUSED
    assert uses(talk, LLM, Unit.TOKENS_IN, -1) == Result.REFUSED
    assert [Cause(one.cause) for one in talk.drain() if one.code == Signal.REJECT] == [
        Cause.UNKNOWN_PORT,
        Cause.OVERSIZED,
    ]
    assert talk.offer(In.USAGE, node=LLM, port=Unit.TOKENS_IN, invocation=999, a=1) == Result.REFUSED
    assert talk.drain() == []
