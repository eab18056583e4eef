"""AE: who holds the lease decides, and what comes or would leave under another epoch is refused (CONTRACTS §4, §5)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conversation import AUDIO, EARS, INGRESS, LLM, VOICE, Conversation, decision, requests, signals
from kernels import plan_of
from plans import PLANS
from recorded import header, is_signal, play
from schedule import handlers

from rspp_runtime.abi import Cause, Control, In, Op, Result, Signal

SEEDS = 60


def answering(talk: Conversation) -> Conversation:
    return talk.ask().think(b"It is forty-two. ").speak(2, 8, 2)


INPUTS: dict[str, Callable[[Conversation], dict[str, Any]]] = {
    "media": lambda talk: {"op": In.MEDIA, "node": INGRESS, "port": AUDIO, "payload": bytes(640)},
    "chunk": lambda talk: {
        "op": In.CHUNK, "node": VOICE, "port": 0, "invocation": talk.invocation(VOICE), "payload": bytes(640),
    },
    "control": lambda talk: {"op": In.CONTROL, "port": Control.CANCEL_TURN},
}  # fmt: skip


@pytest.mark.parametrize("offered", [0, 2, 7])
@pytest.mark.parametrize("what", INPUTS)
def test_t12_at_ingress_another_epoch_is_refused_and_changes_nothing(
    talk: Conversation, what: str, offered: int
) -> None:
    """Older or newer than the session's: the decision carries the epoch that was offered, the turn stays as it is."""
    talk.ask().think(b"It is forty-two. ")
    assert talk.offer(epoch=offered, **INPUTS[what](talk)) == Result.REFUSED
    outputs = talk.step()
    assert signals(outputs) == ["STALE_EPOCH_REJECT"]
    told = decision(outputs, Signal.STALE_EPOCH_REJECT)
    assert (told.x, told.cause) == (offered, Cause.AUTHORITY_EPOCH_MISMATCH)
    assert talk.offer(**INPUTS[what](talk)) == Result.ACCEPTED  # the same, of this epoch


@pytest.mark.feature("NF-027", "injected")
def test_t12_at_egress_what_was_made_under_the_old_epoch_does_not_leave(talk: Conversation) -> None:
    """Gate 4."""
    talk.ask().think(b"It is forty-two. ")
    assert talk.chunk(VOICE, 0, bytes(640), a=8, b=2) == Result.ACCEPTED
    talk.advance()  # it waits for the transport
    assert talk.offer(In.CONTROL, port=Control.LEASE_ROTATED, a=2) == Result.ACCEPTED
    outputs = talk.step()
    assert requests(outputs, Op.SEND) == []
    assert decision(outputs, Signal.LATE_AFTER_CANCEL).y == 1


@pytest.mark.parametrize(
    ("control", "first"), [(Control.LEASE_ROTATED, ["LEASE_ROTATED"]), (Control.LEASE_REVOKED, [])]
)
def test_t8_authority_lost_in_a_turn(talk: Conversation, control: Control, first: list[str]) -> None:
    outputs = answering(talk).control(control, a=2)
    told = [name for name in signals(outputs) if name not in ("DROP_NOTICE", "PLAYBACK_CANCELLED")]
    assert told == [*first, "DEAUTHORIZED_DRAIN", "ABORT", "CLOSE"]
    assert decision(outputs, Signal.ABORT).cause == Cause.AUTHORITY_LOSS


def test_t3_a_proposal_of_an_old_epoch_opens_no_turn(talk: Conversation) -> None:
    talk.offer(In.CONTROL, port=Control.END_UTTERANCE)
    talk.offer(In.CONTROL, port=Control.LEASE_ROTATED, a=2)
    assert signals(talk.step()) == ["TURN_OPEN_PROPOSED", "LEASE_ROTATED", "STALE_EPOCH_REJECT"]
    talk.epoch = 2
    assert "TURN_OPEN" in signals(talk.control(Control.END_UTTERANCE))


def test_t4_before_a_turn_revoked_authority_drains_and_neither_aborts_nor_closes(talk: Conversation) -> None:
    talk.control(Control.LEASE_REVOKED)
    assert signals(talk.control(Control.END_UTTERANCE)) == ["TURN_OPEN_PROPOSED", "DEAUTHORIZED_DRAIN"]
    assert signals(talk.control(Control.END_UTTERANCE)) == ["TURN_OPEN_PROPOSED", "DEAUTHORIZED_DRAIN"]


@pytest.mark.parametrize(
    "others", [(Control.CANCEL_TURN,), (Control.DISCONNECTED,), (Control.CANCEL_TURN, Control.ENDED)]
)
@pytest.mark.parametrize("is_first", [True, False])
def test_authority_comes_before_every_other_end(
    talk: Conversation, others: tuple[Control, ...], is_first: bool
) -> None:
    """In one scheduling window, in whichever order they came."""
    answering(talk)
    came = (Control.LEASE_REVOKED, *others) if is_first else (*others, Control.LEASE_REVOKED)
    for control in came:
        assert talk.offer(In.CONTROL, port=control) == Result.ACCEPTED
    outputs = talk.step()
    assert decision(outputs, Signal.ABORT).cause == Cause.AUTHORITY_LOSS
    assert signals(outputs).count("CLOSE") == 1


@pytest.mark.parametrize("epoch", [0, 1])
def test_a_lease_never_goes_back(talk: Conversation, epoch: int) -> None:
    answering(talk)
    assert signals(talk.control(Control.LEASE_ROTATED, a=epoch)) == []
    assert talk.frame() == Result.ACCEPTED


def test_after_a_rotation_the_new_holder_goes_on(talk: Conversation) -> None:
    answering(talk).control(Control.LEASE_ROTATED, a=5)
    talk.step(talk.now + 100)
    assert talk.frame() == Result.REFUSED
    talk.epoch = 5
    talk.step()
    talk.credit(EARS)
    talk.ask()
    (opened,) = [output for output in talk.outputs if is_signal(output, Signal.TURN_OPEN)][1:]
    assert opened.turn == 3
    assert talk.chunk(LLM, 0, b"Yes. ", a=5, b=1) == Result.ACCEPTED


def test_what_is_not_checked_by_epoch_still_reaches_its_invocation(talk: Conversation) -> None:
    """CREDIT and DONE end what the old holder began, so that no invocation is left over."""
    talk.ask()
    assert talk.offer(In.DONE, node=LLM, invocation=talk.invocation(LLM), epoch=0) == Result.ACCEPTED


# ---- under any schedule


@pytest.mark.feature("NF-027", "injected")
@pytest.mark.parametrize("name", sorted(PLANS))
def test_no_output_of_a_stale_epoch_leaves_under_random_schedules(
    name: str, kernel: Callable[[str], Any], kernel_name: str, tmp_path: Path
) -> None:
    """Gate 4, zero: no turn goes on past a rotation or a revocation, and each loss in a turn drains, then aborts."""
    plan = plan_of(name)
    rotations = losses = 0
    for seed in range(SEEDS):
        session = kernel(name)(plan, "call", 1, handlers(seed))
        head = header(plan, "call", kernel_name)
        recorded = play(plan, session, seed, tmp_path / f"{seed}.log", head, trouble=0.05)
        epoch, active, of_turn, drained = 1, 0, 1, False
        for output in recorded.outputs:
            if is_signal(output, Signal.LEASE_ROTATED):
                assert output.x > epoch, seed
                epoch, rotations = output.x, rotations + 1
            elif is_signal(output, Signal.TURN_OPEN):
                active, of_turn, drained = output.turn, epoch, False
            elif is_signal(output, Signal.DEAUTHORIZED_DRAIN) and active:
                drained = True
            elif is_signal(output, Signal.COMMIT):
                assert of_turn == epoch, seed
                active = 0
            elif is_signal(output, Signal.ABORT):
                assert (output.cause == Cause.AUTHORITY_LOSS) == drained, seed
                assert drained or of_turn == epoch, seed
                losses += drained
                active = 0
            elif output.op == Op.SEND:
                assert (output.turn, of_turn) == (active, epoch), seed
    assert rotations > 20
    assert losses > 3
