"""What a turn's plan freezes: a policy, and the providers that may be tried (docs/kernel.md, Choices).

The attendant has a policy for a tenant, under which its model has one provider; its first recogniser is for the tier
`gold`, its first voice for other regions than `eu`, its second for the full mode.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from conversation import LLM, STT, VOICE, Conversation, decision, requests, signals
from kernels import plan_of

from rspp_runtime.abi import Control, Op, Output, Signal
from rspp_runtime.abi.codes import Attribute, text_id

LARGE, PRIVATE = 0, 3
NEAR, FAR = 0, 1
WARM, PLAIN = 0, 1


@pytest.fixture
def talk(kernel: Callable[[str], Any]) -> Conversation:
    return Conversation(kernel("stub_attendant")(plan_of("stub_attendant"), "talk", 1, [None, None]))


def known(talk: Conversation, **attributes: str) -> None:
    for name, text in attributes.items():
        talk.control(Control.ATTRIBUTE, a=Attribute[name.upper()], b=text_id(text))


def invoked(outputs: list[Output], node: int) -> list[int]:
    return [one.x for one in requests(outputs, Op.INVOKE) if one.node == node]


def opened(talk: Conversation) -> list[Output]:
    return [one for one in talk.outputs if one.op == Op.DECISION and one.code == Signal.TURN_OPEN]


def test_without_its_attribute_a_provider_is_none(talk: Conversation) -> None:
    talk.connect()
    talk.ask()
    assert invoked(talk.outputs, STT) == [FAR]
    assert invoked(talk.outputs, VOICE)[0] == PLAIN
    assert "PROVIDER_SWITCH" not in signals(talk.outputs)


def test_providers_are_those_for_the_session(talk: Conversation) -> None:
    known(talk, tier="gold", region="us")
    talk.connect()
    talk.ask()
    assert invoked(talk.outputs, STT) == [NEAR]
    assert invoked(talk.outputs, VOICE)[0] == WARM


@pytest.mark.feature("F-056", "follows")
def test_a_policy_has_providers_of_its_own(talk: Conversation) -> None:
    known(talk, tenant="acme")
    talk.connect()
    talk.ask()
    assert invoked(talk.outputs, LLM) == [PRIVATE]


@pytest.mark.feature("F-056", "traceable")
def test_the_choice_is_frozen_and_on_record(talk: Conversation) -> None:
    """In the decision that opens the turn, and in the hash of its plan."""
    known(talk, tenant="acme", region="eu")
    talk.connect()
    first = opened(talk)[0]
    assert first.port == 1
    chosen = {"authority_epoch": 1, "mode": "full", "policy": "private"}
    chosen["provider_bindings"] = {"stt": "far", "llm": "private", "voice": "plain"}
    chosen["turn_id"] = "talk/1"
    added = json.dumps(chosen, separators=(",", ":")).encode()
    template = plan_of("stub_attendant").template_hash.encode()
    assert first.payload == hashlib.sha256(b"rspp.plan.v1\0" + template + added).digest()


def test_what_becomes_known_in_a_turn_holds_from_the_next_one_on(talk: Conversation) -> None:
    talk.connect()
    talk.hear()
    talk.fall_silent()
    known(talk, tenant="acme")
    talk.recognise(b"what is the answer?")
    assert invoked(talk.outputs, LLM) == [LARGE]
    talk.control(Control.CANCEL_TURN)
    talk.ask()
    assert invoked(talk.outputs, LLM) == [LARGE, PRIVATE]
    assert [one.port for one in opened(talk)] == [0, 0, 1]


def test_an_unknown_attribute_is_taken_and_changes_nothing(talk: Conversation) -> None:
    for place in (-1, len(Attribute), 2**40):
        talk.control(Control.ATTRIBUTE, a=place, b=1)
    talk.connect()
    assert decision(talk.outputs, Signal.TURN_OPEN).port == 0
