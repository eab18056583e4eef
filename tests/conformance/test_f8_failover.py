"""F8: failover with migration (CONTRACTS §13). The kernel's part on both kernels; then whole sessions, left and gone on
with: every turn that opened has one terminal and its close, its evidence is complete, the log replays identically.
"""

from __future__ import annotations

from typing import Any

import pytest
from conversation import AUDIO, EARS, INGRESS, LLM, SPEECH_START, STT, TEXT, VOICE, Conversation, decision, signals

from rspp_runtime.abi import Cause, Control, In, Op, Result, Signal

WHOLE = ["MIGRATION_START", "LEASE_ROTATED", "SESSION_HANDOFF", "MIGRATION_FINISH"]


def hand_over(talk: Conversation, epoch: int = 2, *, blank: bool = False) -> list[Any]:
    assert talk.offer(In.CONTROL, port=Control.HANDOFF, a=epoch, b=int(blank), epoch=epoch) == Result.ACCEPTED
    talk.epoch = epoch
    return talk.step()


def answering(talk: Conversation) -> Conversation:
    return talk.ask().think(b"It is forty-two. ").speak(2, 8, 2)


def messages(talk: Conversation) -> list[bytes]:
    """What the model is told of the conversation, in the turn of a new question."""
    before = len(talk.outputs)
    talk.ask()
    return [output.payload for output in talk.outputs[before:] if output.op == Op.CONTEXT]


@pytest.mark.feature("F-157", "markers", "identity")
def test_between_turns_it_is_marked_and_goes_on(talk: Conversation) -> None:
    outputs = hand_over(talk, 5)
    assert [name for name in signals(outputs) if name in WHOLE] == WHOLE
    assert (decision(outputs, Signal.MIGRATION_START).x, decision(outputs, Signal.LEASE_ROTATED).x) == (1, 5)
    assert decision(outputs, Signal.MIGRATION_FINISH).x == 5
    assert talk.offer(In.MEDIA, node=INGRESS, port=AUDIO, payload=bytes(640)) == Result.REFUSED  # not connected yet
    talk.control(Control.CONNECTED)
    talk.control(Control.CANCEL_TURN)  # of the greeting
    talk.step(talk.now + 100)
    answering(talk)


def test_t8_an_open_turn_ends_before_anything_is_forgotten(talk: Conversation) -> None:
    told = signals(hand_over(answering(talk)))
    order = ["MIGRATION_START", "LEASE_ROTATED", "DEAUTHORIZED_DRAIN", "ABORT", "CLOSE", "SESSION_HANDOFF"]
    assert [name for name in told if name in order] == order
    assert decision(talk.outputs, Signal.ABORT).cause == Cause.AUTHORITY_LOSS


def test_t3_a_proposal_of_the_old_epoch_is_refused(talk: Conversation) -> None:
    assert talk.offer(In.MEDIA, node=INGRESS, port=TEXT, payload=b"hello", b=1) == Result.ACCEPTED
    told = signals(hand_over(talk))
    assert [name for name in told if name != "LATE_AFTER_CANCEL"] == [
        "TURN_OPEN_PROPOSED", *WHOLE[:2], "STALE_EPOCH_REJECT", *WHOLE[2:],
    ]  # fmt: skip


@pytest.mark.feature("F-155", "lost")
def test_what_was_hot_is_forgotten(talk: Conversation) -> None:
    talk.hear()
    ears, stt = talk.invocation(EARS), talk.invocation(STT)
    assert talk.chunk(EARS, SPEECH_START) == Result.ACCEPTED
    talk.step()
    assert talk.chunk(STT, 2, b"half a sen", a=0, b=3) == Result.ACCEPTED
    cancelled = {output.invocation for output in hand_over(talk) if output.op == Op.CANCEL}
    assert cancelled == {ears, stt}
    talk.control(Control.CONNECTED)
    talk.control(Control.CANCEL_TURN)
    talk.step(talk.now + 100)
    before = len(talk.outputs)
    talk.ask()
    told = b" ".join(output.payload for output in talk.outputs[before:] if output.op == Op.FEED and output.node == LLM)
    assert b"half" not in told


@pytest.mark.feature("NF-027", "injected")
@pytest.mark.feature("F-156", "rejected", "event")
def test_outputs_of_the_old_process_are_refused(talk: Conversation) -> None:
    voice = talk.ask().think(b"It is forty-two. ").invocation(VOICE)
    hand_over(talk)
    old = {"node": VOICE, "port": 0, "invocation": voice, "payload": bytes(640)}
    assert talk.offer(In.CHUNK, epoch=1, **old) == Result.REFUSED
    assert signals(talk.step()) == ["STALE_EPOCH_REJECT"]
    assert talk.offer(In.CHUNK, **old) == Result.REFUSED  # who lies about the epoch comes too late
    assert signals(talk.step()) == ["LATE_AFTER_CANCEL"]


@pytest.mark.parametrize("blank", [False, True])
def test_the_conversation_goes_on_if_it_is_known(talk: Conversation, blank: bool) -> None:
    answering(talk)
    hand_over(talk, blank=blank)
    talk.control(Control.CONNECTED)
    talk.control(Control.CANCEL_TURN)
    talk.step(talk.now + 100)
    assert bool(messages(talk)) is not blank


@pytest.mark.feature("F-158", "failover")
def test_a_resend_to_the_new_holder_is_known(talk: Conversation) -> None:
    item = {"node": INGRESS, "port": AUDIO, "payload": bytes(640), "invocation": 77}
    assert talk.offer(In.MEDIA, **item) == Result.ACCEPTED
    talk.step()
    hand_over(talk)
    talk.control(Control.CONNECTED)
    assert talk.offer(In.MEDIA, **item) == Result.REFUSED
    assert decision(talk.step(), Signal.REJECT).cause == Cause.DUPLICATE


@pytest.mark.parametrize("in_a_turn", [False, True])
def test_a_revoked_session_has_its_authority_again_with_the_new_holder(talk: Conversation, in_a_turn: bool) -> None:
    """Revocation before a turn and in one; nothing opens until another holder has the session."""
    if in_a_turn:
        answering(talk)
    ends = signals(talk.control(Control.LEASE_REVOKED))
    assert ("ABORT" in ends) is in_a_turn
    talk.offer(In.MEDIA, node=INGRESS, port=TEXT, payload=b"hello", b=1)
    assert "DEAUTHORIZED_DRAIN" in signals(talk.step())
    hand_over(talk)
    talk.control(Control.CONNECTED)
    talk.control(Control.CANCEL_TURN)
    talk.step(talk.now + 100)
    talk.offer(In.MEDIA, node=INGRESS, port=TEXT, payload=b"hello", b=1)
    assert "TURN_OPEN" in signals(talk.step())


@pytest.mark.parametrize("epoch", [0, 1])
def test_a_holder_without_a_higher_epoch_is_none(talk: Conversation, epoch: int) -> None:
    assert talk.offer(In.CONTROL, port=Control.HANDOFF, a=epoch) == Result.ACCEPTED
    assert signals(talk.step()) == []


def test_an_ended_session_is_not_handed_over(talk: Conversation) -> None:
    talk.control(Control.ENDED)
    assert signals(hand_over(talk)) == []


def test_what_comes_in_the_same_window_comes_after(talk: Conversation) -> None:
    answering(talk)
    talk.offer(In.CONTROL, port=Control.HANDOFF, a=2, epoch=2)
    talk.offer(In.CONTROL, port=Control.CONNECTED, epoch=1)
    told = signals(talk.step())
    assert told.index("MIGRATION_FINISH") < told.index("CONNECTED")
