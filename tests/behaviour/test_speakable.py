"""The deadline `speakable` (docs/kernel.md): from the first input of a model to its first word, on both kernels.

The tollgate's model has 500 ms for it, of a longer budget to its first output.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conversation import LLM, Conversation, decision, requests, signals
from kernels import plan_of

from rspp_runtime.abi import Cause, Op, Result, Signal

NAME = "stub_tollgate"


def blank(talk: Conversation, invocation: int) -> Result:
    return talk.chunk(LLM, 0, b" ", invocation=invocation)


@pytest.fixture
def model(kernel: Callable[[str], Any]) -> tuple[Conversation, int]:
    conversation = Conversation(kernel(NAME)(plan_of(NAME), "talk", 1, [None, None])).connect().ask()
    return conversation, conversation.invocation(LLM)


def test_what_has_no_word_is_no_speech(model: tuple[Conversation, int]) -> None:
    """Chunks come in time, and none of them can be spoken."""
    talk, invocation = model
    start = talk.now
    for ms in range(100, 500, 100):
        talk.step(start + ms)
        assert blank(talk, invocation) == Result.ACCEPTED
    assert "PROVIDER_ERROR" not in signals(talk.step(start + 499))
    outputs = talk.step(start + 500)
    assert decision(outputs, Signal.PROVIDER_ERROR).cause == Cause.NODE_TIMEOUT
    assert "BUDGET_EXHAUSTED" not in signals(outputs)
    assert [one.invocation for one in requests(outputs, Op.CANCEL)] == [invocation]


def test_it_holds_before_the_first_chunk_too(model: tuple[Conversation, int]) -> None:
    talk, invocation = model
    outputs = talk.step(talk.now + 500)
    assert decision(outputs, Signal.PROVIDER_ERROR).invocation == invocation
    assert "BUDGET_EXHAUSTED" not in signals(outputs)


def test_one_word_is_enough(model: tuple[Conversation, int]) -> None:
    talk, invocation = model
    start = talk.now
    for ms in range(100, 600, 100):
        talk.step(start + ms)
        text = (b"Well ", 1) if ms == 400 else (b" ", 0)
        assert talk.chunk(LLM, 0, text[0], b=text[1], invocation=invocation) == Result.ACCEPTED
    assert "PROVIDER_ERROR" not in signals(talk.outputs)


def test_between_chunks_the_other_deadline_holds(model: tuple[Conversation, int]) -> None:
    talk, invocation = model
    start = talk.now
    talk.step(start + 100)
    assert talk.chunk(LLM, 0, b"Well ", b=1, invocation=invocation) == Result.ACCEPTED
    chunk_ms = plan_of(NAME).nodes[LLM].chunk_ns // 1_000_000
    assert "PROVIDER_ERROR" not in signals(talk.step(start + 99 + chunk_ms))
    assert "PROVIDER_ERROR" in signals(talk.step(start + 100 + chunk_ms))
