"""Calls of tools (docs/kernel.md, Tools), on both kernels.

The shop's model has 500 ms for its first output and 600 ms for its first word; it calls `find` (400 ms, something is
said meanwhile) and `refund` (900 ms, soft), three times in a turn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conversation import EARS, IDLE, LLM, VOICE, Conversation, decision, requests, signals
from kernels import plan_of
from plan_shop import FIND, FIND_STARTED, FROM_FIND, REFUND, TO_REFUND

from rspp_runtime.abi import Cause, Control, In, Op, Output, Result, Signal
from rspp_runtime.abi.codes import Flag

NAME = "stub_shop"
ANSWER = 1  # the model's port
CALLS = {FIND: 1, REFUND: 2}  # its ports
TIMEOUT, FAILURE, CANCELLED = 1, 4, 5


@pytest.fixture
def talk(kernel: Callable[[str], Any]) -> Conversation:
    """The model has its question."""
    return Conversation(kernel(NAME)(plan_of(NAME), "talk", 1, [None, None])).connect().ask()


def call(talk: Conversation, tool: int, number: int = 1, arguments: bytes = b"{}") -> list[Output]:
    assert talk.chunk(LLM, CALLS[tool], arguments, a=number) == Result.ACCEPTED
    return talk.step()


def answers(outputs: list[Output]) -> list[tuple[int, int, bytes]]:
    """What the model was given: number of the call, flags, answer."""
    given = requests(outputs, Op.FEED)
    return [(one.x, one.y, one.payload) for one in given if one.node == LLM and one.port == ANSWER]


def of(outputs: list[Output], node: int) -> list[Op]:
    return [Op(one.op) for one in outputs if one.node == node and one.op != Op.DECISION]


def failed(outcome: int) -> int:
    return int(Flag.FAILED) | outcome << 8


def test_a_call_runs_and_its_answer_comes_back(talk: Conversation) -> None:
    """The tool gets the call and all of its input at once; the model gets what it said, under the call's number."""
    outputs = call(talk, FIND, 7, b'{"number":"1"}')
    assert of(outputs, FIND) == [Op.INVOKE, Op.FEED, Op.FINISH]
    assert requests(outputs, Op.FEED)[0].payload == b'{"number":"1"}'
    assert talk.chunk(FIND, 0, b"on its way") == Result.ACCEPTED
    assert answers(talk.step()) == [(7, 0, b"on its way")]
    assert answers(talk.done(FIND)) == []
    assert signals(talk.outputs).count("PROVIDER_ERROR") == 0


def test_what_is_said_meanwhile_is_said_at_its_start(talk: Conversation) -> None:
    outputs = call(talk, FIND)
    assert plan_of(NAME).events[FIND_STARTED].name == "find.started"
    assert b"Gr\xc3\xbc\xc3\x9f Gott!" in [one.payload for one in requests(outputs, Op.FEED) if one.node == VOICE]


def test_the_models_deadline_waits_while_something_is_said(talk: Conversation) -> None:
    """Called after 100 of 500 ms, answered 300 ms later: 400 ms remain, and not one more."""
    start = talk.now
    talk.step(start + 100)
    call(talk, FIND)
    talk.chunk(VOICE, 0, bytes(640), a=12, b=2)  # all of what is said
    talk.step(start + 400)
    talk.chunk(FIND, 0, b"here")
    assert "PROVIDER_ERROR" not in signals(talk.step())
    talk.done(FIND)
    assert "PROVIDER_ERROR" not in signals(talk.step(start + 799))
    outputs = talk.step(start + 800)
    assert decision(outputs, Signal.PROVIDER_ERROR).node == LLM
    assert "BUDGET_EXHAUSTED" not in signals(outputs)  # 800 ms are the model's: it had 500 of them


def test_without_a_filler_the_tools_time_is_the_models(talk: Conversation) -> None:
    start = talk.now
    talk.step(start + 100)
    call(talk, REFUND)
    assert "PROVIDER_ERROR" not in signals(talk.step(start + 499))
    late = decision(talk.step(start + 500), Signal.PROVIDER_ERROR)
    assert (late.node, late.cause, late.y) == (LLM, Cause.NODE_TIMEOUT, 0)  # and nobody calls again


def test_the_deadline_between_outputs_always_waits(talk: Conversation) -> None:
    """The model has spoken: 400 ms from the answer to its next output."""
    start = talk.now
    talk.chunk(LLM, 0, b"Well, ", a=0, b=1)
    talk.step()
    call(talk, REFUND)
    talk.step(start + 150)
    talk.chunk(VOICE, 0, bytes(640), a=6, b=1)
    talk.step(start + 850)
    talk.chunk(REFUND, 0, b"paid")
    assert answers(talk.step()) == [(1, 0, b"paid")]
    talk.done(REFUND)
    assert "PROVIDER_ERROR" not in signals(talk.step(start + 1249))
    assert decision(talk.step(start + 1250), Signal.PROVIDER_ERROR).node == LLM


def test_one_call_too_many_is_refused_and_on_record(talk: Conversation) -> None:
    for number in (1, 2, 3):
        assert talk.chunk(LLM, CALLS[FIND], b"{}", a=number) == Result.ACCEPTED
    assert talk.chunk(LLM, CALLS[REFUND], b"{}", a=4) == Result.REFUSED
    refused = decision([one for one in talk.step() if one.cause == Cause.TOO_MANY_CALLS], Signal.REJECT)
    assert (refused.node, refused.port, refused.x) == (LLM, CALLS[REFUND], 3)


def test_calls_of_one_tool_run_one_after_the_other(talk: Conversation) -> None:
    assert of(call(talk, FIND, 1), FIND).count(Op.INVOKE) == 1
    assert of(call(talk, FIND, 2), FIND) == []
    assert of(call(talk, REFUND, 3), REFUND).count(Op.INVOKE) == 1  # another tool runs beside it
    talk.chunk(FIND, 0, b"one")
    talk.step()
    outputs = talk.done(FIND)
    assert of(outputs, FIND) == [Op.INVOKE, Op.FEED, Op.FINISH]
    talk.chunk(FIND, 0, b"two")
    assert answers(talk.step()) == [(2, 0, b"two")]


def test_one_that_takes_too_long_hurts_only_its_call(talk: Conversation) -> None:
    start = talk.now
    call(talk, FIND)
    talk.chunk(VOICE, 0, bytes(640), a=12, b=2)
    outputs = talk.step(start + 400)
    assert decision(outputs, Signal.PROVIDER_ERROR).node == FIND
    assert [one.node for one in requests(outputs, Op.CANCEL)] == [FIND]
    assert answers(outputs + talk.step()) == [(1, failed(TIMEOUT), b"")]
    assert not {"ABORT", "BUDGET_EXHAUSTED"} & set(signals(talk.outputs[-20:]))
    talk.think(b"I do not know. ")


def test_one_that_fails_hurts_only_its_call(talk: Conversation) -> None:
    call(talk, REFUND)
    outputs = talk.done(REFUND, FAILURE) + talk.step()
    assert decision(outputs, Signal.PROVIDER_ERROR).node == REFUND
    assert answers(outputs) == [(1, failed(FAILURE), b"")]
    assert "ABORT" not in signals(outputs + talk.step())


def test_a_second_answer_is_late(talk: Conversation) -> None:
    call(talk, FIND)
    talk.chunk(FIND, 0, b"one")
    assert talk.chunk(FIND, 0, b"two") == Result.REFUSED
    outputs = talk.step()
    assert decision(outputs, Signal.LATE_AFTER_CANCEL).node == FIND
    assert answers(outputs) == [(1, 0, b"one")]


def test_a_turn_takes_its_calls_along(talk: Conversation) -> None:
    """What runs is cancelled within the grace; what waits never begins; what is said then reaches nobody."""
    call(talk, FIND, 1)
    call(talk, FIND, 2)
    outputs = talk.control(Control.CANCEL_TURN)
    cancelled = {one.node: one.x - one.t_ns for one in requests(outputs, Op.CANCEL)}
    assert cancelled[FIND] == 75_000_000
    assert talk.chunk(FIND, 0, b"late") == Result.REFUSED
    assert decision(talk.step(), Signal.LATE_AFTER_CANCEL).node == FIND
    talk.done(FIND, CANCELLED)
    outputs = talk.step(talk.now + 500)
    assert of(outputs, FIND) == []
    assert answers(outputs) == []


@pytest.mark.feature("F-038", "no_leak")
def test_a_soft_one_runs_to_its_end_and_the_next_waits_for_it(talk: Conversation) -> None:
    start = talk.now
    call(talk, REFUND)
    talk.step(start + 100)
    outputs = talk.control(Control.CANCEL_TURN)
    soft = next(one for one in requests(outputs, Op.CANCEL) if one.node == REFUND)
    assert soft.x - soft.t_ns == 800_000_000  # what is left of its 900 ms
    running = talk.invocation(REFUND)
    for node in (LLM,):
        talk.done(node, CANCELLED)
    talk.ask()
    assert of(call(talk, REFUND, 1), REFUND) == []
    assert talk.chunk(REFUND, 0, b"paid", invocation=running) == Result.REFUSED
    talk.offer(In.DONE, node=REFUND, invocation=running, a=CANCELLED)
    outputs = talk.step()
    assert of(outputs, REFUND) == [Op.INVOKE, Op.FEED, Op.FINISH]
    assert answers(outputs) == []  # what the other turn's call brought is nobody's


def test_a_soft_one_that_does_not_end_is_forced_at_its_own_deadline(talk: Conversation) -> None:
    start = talk.now
    call(talk, REFUND)
    talk.control(Control.CANCEL_TURN)
    assert REFUND not in [one.node for one in requests(talk.step(start + 899), Op.FORCE)]
    assert REFUND in [one.node for one in requests(talk.step(start + 900), Op.FORCE)]


def test_a_call_of_somebody_who_is_gone_does_not_begin(talk: Conversation) -> None:
    call(talk, REFUND, 1)
    call(talk, REFUND, 2)
    outputs = talk.control(Control.CANCEL_NODE, a=LLM)
    lost = decision([one for one in outputs if one.cause == Cause.CALLER_GONE], Signal.DROP_NOTICE)
    assert lost.node == TO_REFUND
    talk.chunk(REFUND, 0, b"paid")
    assert answers(talk.step()) == []
    assert of(talk.done(REFUND), REFUND) == []


def test_a_tool_that_is_cancelled_is_answered_for(talk: Conversation) -> None:
    call(talk, FIND)
    outputs = talk.control(Control.CANCEL_NODE, a=FIND)
    assert answers(outputs) == [(1, failed(CANCELLED), b"")]
    assert "ABORT" not in signals(outputs)


def test_the_conversation_remembers_what_a_tool_said(talk: Conversation) -> None:
    call(talk, FIND)
    talk.chunk(FIND, 0, b'{"state":"on its way"}')
    talk.step()
    talk.done(FIND)
    talk.control(Control.CANCEL_TURN)
    talk.done(LLM, CANCELLED)
    told = len(talk.outputs)
    talk.ask(b"and now?")
    context = [(one.x, one.payload) for one in talk.outputs[told:] if one.op == Op.CONTEXT]
    assert (2, b'{"state":"on its way"}') in context


def test_answers_wait_where_they_can_be_counted(talk: Conversation) -> None:
    """A ring holds all calls of a turn, so none of them is ever shed."""
    plan = plan_of(NAME)
    assert plan.edges[FROM_FIND].items_max == plan.nodes[LLM].calls_max
    for number in (1, 2, 3):
        talk.chunk(LLM, CALLS[FIND], b"{}", a=number)
    for _ in range(3):
        talk.step()
        talk.chunk(FIND, 0, b"x")
        talk.done(FIND)
    assert [number for number, _, _ in answers(talk.outputs)] == [1, 2, 3]
    assert "QUEUE_PRESSURE" not in {Cause(one.cause).name for one in talk.outputs if one.op == Op.DECISION}


def test_a_reaction_calls_and_the_turn_waits_for_it(talk: Conversation) -> None:
    """Nobody is its caller: what it says is forgotten, and the turn is finished when it is done."""
    talk.chunk(EARS, IDLE)  # cancels the model, calls `refund`
    outputs = talk.step()
    assert of(outputs, REFUND) == [Op.INVOKE, Op.FEED, Op.FINISH]
    assert next(one.payload for one in requests(outputs, Op.FEED) if one.node == REFUND) == b"{}"
    talk.done(LLM, CANCELLED)
    talk.chunk(REFUND, 0, b"paid")
    assert not requests(talk.step(talk.now + 300), Op.APPEND)
    assert requests(talk.done(REFUND), Op.APPEND)
    assert answers(talk.outputs) == []


def test_a_reaction_outside_of_a_turn_opens_one_for_its_call(kernel: Callable[[str], Any]) -> None:
    talk = Conversation(kernel(NAME)(plan_of(NAME), "talk", 1, [None, None])).connect()
    talk.hear()
    talk.chunk(EARS, IDLE)
    outputs = talk.step()
    assert "TURN_OPEN" in signals(outputs)
    assert of(outputs, REFUND) == [Op.INVOKE, Op.FEED, Op.FINISH]
