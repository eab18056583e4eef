"""Idempotency keys (docs/kernel.md, ingest): what is sent again is taken once, on both kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conversation import INGRESS, TEXT, Conversation, decision, signals
from kernels import plan_of

from rspp_runtime.abi import Cause, Control, In, Op, Result, Signal
from rspp_runtime.session.gateway import Gateway, key_number

NAME = "stub_assistant"


@pytest.fixture
def talk(kernel: Callable[[str], Any]) -> Conversation:
    conversation = Conversation(kernel(NAME)(plan_of(NAME), "talk", 1, [None, None])).connect()
    conversation.outputs.clear()
    return conversation


def say(talk: Conversation, text: bytes, key: int, **fields: Any) -> Result:
    return talk.offer(In.MEDIA, node=INGRESS, port=TEXT, payload=text, b=1, invocation=key, **fields)


@pytest.mark.feature("F-158", "duplicates", "lineage")
def test_the_same_key_is_taken_once_and_the_duplicate_names_the_first(talk: Conversation) -> None:
    before = talk.session.stats()["runtime_sequence"]
    assert say(talk, b"order a taxi", 7) == Result.ACCEPTED
    assert say(talk, b"order a taxi", 7, transport_sequence=12) == Result.REFUSED
    told = decision(talk.step(), Signal.REJECT)
    assert (told.cause, told.x, told.y) == (Cause.DUPLICATE, 12, before + 1)
    assert signals(talk.outputs).count("TURN_OPEN") == 1


def test_without_a_key_each_is_one_of_its_own(talk: Conversation) -> None:
    assert say(talk, b"yes", 0) == Result.ACCEPTED
    assert say(talk, b"yes", 0) == Result.ACCEPTED


def test_what_was_not_taken_may_be_sent_again(talk: Conversation) -> None:
    assert say(talk, bytes(5_000), 9) == Result.REFUSED  # too large
    assert say(talk, b"yes", 9) == Result.ACCEPTED


def test_as_many_keys_are_remembered_as_the_plan_says(talk: Conversation) -> None:
    keys_max = plan_of(NAME).keys_max
    for key in range(1, keys_max + 2):
        assert talk.offer(In.CONTROL, port=Control.SEEN, a=key) == Result.ACCEPTED
    assert say(talk, b"x", 2) == Result.REFUSED
    assert say(talk, b"x", 1) == Result.ACCEPTED  # the oldest was forgotten


@pytest.mark.feature("F-158", "reconnect")
def test_a_reconnect_with_a_resend_duplicates_nothing(talk: Conversation) -> None:
    gateway = Gateway(plan_of(NAME), 1)
    sent = [gateway.media("audio", bytes(640), 20_000_000 * n, sequence=n) for n in range(5)]
    taken = [talk.session.ingest(event, talk.now * 1_000_000) for event in sent[:3]]
    talk.control(Control.DISCONNECTED)
    talk.control(Control.CONNECTED)
    again = [talk.session.ingest(event, talk.now * 1_000_000) for event in sent[1:4]]
    assert taken == [Result.ACCEPTED] * 3
    assert again == [Result.REFUSED] * 2 + [Result.ACCEPTED]
    rejected = [one for one in talk.drain() if one.op == Op.DECISION and one.code == Signal.REJECT]
    assert [one.x for one in rejected] == [1, 2]


@pytest.mark.feature("F-158", "failover")
def test_the_next_holder_takes_nothing_again(kernel: Callable[[str], Any], talk: Conversation) -> None:
    """It is told what the last one took, and the client sends again all that it knows no answer to."""
    gateway = Gateway(plan_of(NAME), 1)
    sent = [gateway.media("audio", bytes(640), 20_000_000 * n, sequence=n) for n in range(4)]
    for event in sent[:3]:
        assert talk.session.ingest(event, talk.now * 1_000_000) == Result.ACCEPTED
    heir = Conversation(kernel(NAME)(plan_of(NAME), "talk", 2, [None, None]))
    heir.epoch = 2
    heir.connect()
    for event in sent[:3]:
        assert heir.offer(In.CONTROL, port=Control.SEEN, a=event.invocation) == Result.ACCEPTED
    fresh = [event._replace(epoch=2) for event in sent]
    answers = [heir.session.ingest(event, heir.now * 1_000_000) for event in fresh]
    assert answers == [Result.REFUSED] * 3 + [Result.ACCEPTED]
    rejected = [one for one in heir.drain() if one.op == Op.DECISION and one.code == Signal.REJECT]
    assert {one.y for one in rejected} == {0}


def test_what_a_transport_does_not_carry_is_made_up_always_in_the_same_way() -> None:
    one, other = Gateway(plan_of(NAME), 3), Gateway(plan_of(NAME), 3)
    made = [[gateway.media("text", text, 0) for text in (b"a", b"b")] for gateway in (one, other)]
    assert made[0] == made[1]
    assert [(event.transport_sequence, event.epoch, event.invocation) for event in made[0]] == [(1, 3, 0), (2, 3, 0)]
    kept = one.media("text", b"c", 0, key="order-17", sequence=40, epoch=2)
    assert (kept.transport_sequence, kept.epoch, kept.invocation) == (40, 2, key_number("order-17"))
    assert 0 < key_number("") < 2**63
