"""Modes: entered from the next turn on, degraded to only downwards, with providers of their own (docs/kernel.md).

The attendant enters `brief` when a turn is cancelled, in which the model has one provider, the third.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from conversation import LLM, VOICE, Conversation, decision, requests, signals
from kernels import plan_of

from rspp_runtime.abi import Control, In, Op, Output, Result, Signal
from rspp_runtime.abi.codes import Follow
from rspp_runtime.providers.contract import Outcome

TEXT_ONLY, BRIEF, MUTE = 1, 2, 3


@pytest.fixture
def talk(kernel: Callable[[str], Any]) -> Conversation:
    """Connected; three turns were cancelled: with the third, `brief` was entered."""
    session = kernel("stub_attendant")(plan_of("stub_attendant"), "talk", 1, [None, None])
    talk = Conversation(session).connect()
    for _ in range(2):
        talk.ask()
        talk.control(Control.CANCEL_TURN)
        talk.step()
    return talk


def invoked(outputs: list[Output], node: int) -> list[int]:
    return [one.x for one in requests(outputs, Op.INVOKE) if one.node == node]


def hash_of(mode: str, turn: int) -> bytes:
    template = plan_of("stub_attendant").template_hash
    chosen = {
        "stt": "far",
        "llm": "tiny" if mode == "brief" else "large",
        "voice": "plain" if mode == "full" else "robot",
    }
    plan = {"authority_epoch": 1, "mode": mode, "policy": "", "provider_bindings": chosen, "turn_id": f"talk/{turn}"}
    added = json.dumps(plan, separators=(",", ":"))
    return hashlib.sha256(b"rspp.plan.v1\0" + template.encode() + added.encode()).digest()


def fails(talk: Conversation, node: int, outcome: Outcome, *, retryable: bool = False) -> list[Output]:
    talk.offer(In.DONE, node=node, invocation=talk.invocation(node), a=outcome, b=retryable)
    return talk.step()


def test_a_mode_holds_from_the_next_turn_on(talk: Conversation) -> None:
    assert decision(talk.outputs, Signal.ENTERED).x == BRIEF
    opened = [one.payload for one in talk.outputs if one.op == Op.DECISION and one.code == Signal.TURN_OPEN]
    assert opened == [hash_of("full", turn) for turn in (1, 2, 3)]
    talk.ask()
    assert talk.outputs[-1].turn == 4
    opened = [one.payload for one in talk.outputs if one.op == Op.DECISION and one.code == Signal.TURN_OPEN]
    assert opened[-1] == hash_of("brief", 4)


@pytest.mark.feature("F-056", "follows")
def test_a_mode_has_providers_of_its_own(talk: Conversation) -> None:
    """The third one, and nobody behind it: when it is overloaded, the model has failed."""
    before = len(talk.outputs)
    talk.ask()
    assert invoked(talk.outputs[before:], LLM) == [2]
    outputs = fails(talk, LLM, Outcome.OVERLOAD)
    assert decision(outputs, Signal.PROVIDER_ERROR).y == Follow.NONE
    assert "FALLBACK" in signals(outputs)


def test_it_is_tried_again_within_its_own(talk: Conversation) -> None:
    talk.ask()
    outputs = fails(talk, LLM, Outcome.OVERLOAD, retryable=True)
    assert decision(outputs, Signal.PROVIDER_ERROR).y == Follow.RETRY
    assert invoked(talk.step(talk.now + 20), LLM) == [2]


def test_the_full_pipeline_has_its_own_again(kernel: Callable[[str], Any]) -> None:
    """The first turn ends by itself: nothing is entered, and its model has two providers."""
    session = kernel("stub_attendant")(plan_of("stub_attendant"), "talk", 1, [None, None])
    talk = Conversation(session).connect(greet=True)
    talk.speak(1, 0, 0)
    talk.step(talk.now + 300)
    talk.control(Control.EVIDENCE_APPENDED, a=1)
    assert "ENTERED" not in signals(talk.outputs)
    talk.outputs.clear()
    talk.ask()
    outputs = fails(talk, LLM, Outcome.BLOCKED)
    assert invoked(talk.outputs, LLM) == [0, 1]
    assert decision(outputs, Signal.PROVIDER_SWITCH).y == 1


def test_within_a_turn_it_only_goes_down(talk: Conversation) -> None:
    """The voice fails: in writing. The first text is out: mute, which leaves out more. And not back."""
    talk.ask()
    talk.chunk(LLM, 0, b"Here it is.", a=11, b=3)
    talk.step()
    outputs = fails(talk, VOICE, Outcome.BLOCKED)
    while "DEGRADE" not in signals(outputs):
        outputs = fails(talk, VOICE, Outcome.BLOCKED)
    assert decision(outputs, Signal.DEGRADE).x == TEXT_ONLY
    assert talk.chunk(LLM, 0, b"In writing.", a=11, b=2) == Result.ACCEPTED
    outputs = talk.step()
    assert decision(outputs, Signal.DEGRADE).x == MUTE
    assert [one.payload for one in requests(outputs, Op.SEND)] == [b"In writing."]
    talk.control(Control.CANCEL_TURN)
    talk.ask()
    opened = [one.payload for one in talk.outputs if one.op == Op.DECISION and one.code == Signal.TURN_OPEN]
    assert opened[-1] == hash_of("brief", 5)
