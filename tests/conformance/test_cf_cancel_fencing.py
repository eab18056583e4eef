"""CF: after a cancel was accepted nothing of its turn leaves, and all that tried is on record (CONTRACTS §5, §9)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conversation import EARS, LLM, MS, SPEECH, VOICE, Conversation, decision, requests, signals
from kernels import plan_of
from plans import PLANS
from recorded import header, is_signal, play
from schedule import handlers

from rspp_runtime.abi import Cause, Control, In, Op, Result, Signal
from rspp_runtime.abi.codes import Scope

SEEDS = 60
OF_A_TURN = (Op.INVOKE, Op.CONTEXT, Op.FEED, Op.FINISH, Op.SEND)


def answering(talk: Conversation) -> Conversation:
    """40 ms of the answer are sent and being played; the model and the voice have more to say."""
    talk.ask()
    talk.chunk(LLM, 0, b"It is forty-two. And more. ", a=17, b=3)
    talk.step()
    for index in (1, 2):
        assert talk.chunk(VOICE, 0, bytes(640), a=8 * index, b=2 * index) == Result.ACCEPTED
        talk.step()
    return talk


STAGES: dict[str, Callable[[Conversation], Conversation]] = {
    "waiting_for_the_recogniser": lambda talk: (talk.hear().fall_silent(), talk)[1],
    "thinking": lambda talk: talk.ask(),
    "speaking": answering,
}


@pytest.mark.parametrize("when", STAGES)
def test_a_cancel_is_followed_by_one_abort_and_one_close_at_once(talk: Conversation, when: str) -> None:
    """T7; the fence is applied at the instant of the cancel, so gate 3 (150 ms) is met with 0."""
    STAGES[when](talk)
    outputs = [output for output in talk.control(Control.CANCEL_TURN) if output.op == Op.DECISION]
    kept = [name for name in signals(outputs) if name not in ("DROP_NOTICE", "PLAYBACK_CANCELLED")]
    assert kept == ["CANCEL", "ABORT", "CLOSE"]
    assert decision(outputs, Signal.ABORT).cause == Cause.CANCELLED
    assert {output.t_ns for output in outputs} == {talk.now * MS}


@pytest.mark.feature("F-039", "suppressed")
@pytest.mark.parametrize("when", STAGES)
def test_nothing_leaves_after_a_cancel_whoever_tries(talk: Conversation, when: str) -> None:
    """Every invocation of the turn goes on producing: all of it is refused, and each try is told with its size."""
    STAGES[when](talk)
    invoked = [(output.node, output.invocation) for output in requests(talk.outputs, Op.INVOKE) if output.turn]
    talk.control(Control.CANCEL_TURN)
    before = talk.session.stats()["refused_outputs"]
    for node, invocation in invoked:
        assert talk.chunk(node, 0, b"too late", invocation=invocation) == Result.REFUSED
    outputs = talk.step(talk.now + 1000)
    assert requests(outputs, *OF_A_TURN) == []
    late = [output for output in outputs if is_signal(output, Signal.LATE_AFTER_CANCEL)]
    assert [(output.node, output.invocation, output.x, output.y) for output in late] == [
        (node, invocation, len(b"too late"), 0) for node, invocation in invoked
    ]
    assert talk.session.stats()["refused_outputs"] == before + len(invoked)


def test_what_was_made_and_not_yet_drained_stays_behind_the_fence(talk: Conversation) -> None:
    """One gate for all: audio that already waits for the transport does not pass, and is told at the fence."""
    answering(talk)
    assert talk.chunk(VOICE, 0, bytes(640), a=24, b=6) == Result.ACCEPTED
    talk.advance()
    talk.offer(In.CONTROL, port=Control.CANCEL_TURN)
    outputs = talk.step()
    assert requests(outputs, Op.SEND) == []
    late = decision(outputs, Signal.LATE_AFTER_CANCEL)
    assert (late.x, late.y) == (640, 1)


def test_what_was_sent_and_not_yet_played_is_flushed(talk: Conversation) -> None:
    answering(talk)
    talk.step(talk.now + 25)  # one frame of two has been played
    outputs = talk.control(Control.CANCEL_TURN)
    assert [output.turn for output in requests(outputs, Op.FLUSH)] == [2]
    heard = decision(outputs, Signal.PLAYBACK_CANCELLED)
    assert (heard.x, heard.y) == (2, 8)


def test_each_invocation_of_the_turn_is_stopped_within_its_grace_or_by_force(talk: Conversation) -> None:
    answering(talk)
    model, voice = talk.invocation(LLM), talk.invocation(VOICE)
    outputs = talk.control(Control.CANCEL_TURN)
    asked = {output.invocation: output.x for output in requests(outputs, Op.CANCEL)}
    assert asked == dict.fromkeys((model, voice), (talk.now + 75) * MS)
    assert talk.offer(In.DONE, node=LLM, invocation=model, a=5) == Result.ACCEPTED
    assert [output.invocation for output in requests(talk.step(talk.now + 75), Op.FORCE)] == [voice]


def test_a_cancel_of_one_node_leaves_the_turn_active(talk: Conversation) -> None:
    """§5: scopes node and provider_invocation do not end a turn."""
    answering(talk)
    outputs = talk.control(Control.CANCEL_NODE, a=VOICE)
    cancelled = decision(outputs, Signal.CANCEL)
    assert (cancelled.x, cancelled.y, cancelled.turn) == (Scope.NODE, VOICE, 2)
    assert not {"ABORT", "COMMIT", "CLOSE"} & set(signals(outputs))
    assert talk.chunk(VOICE, 0, bytes(640)) == Result.REFUSED
    assert talk.chunk(LLM, 0, b"Still here. ", a=12, b=2) == Result.ACCEPTED


def test_a_cancel_of_the_session_ends_turn_and_session(talk: Conversation) -> None:
    answering(talk)
    outputs = talk.control(Control.CANCEL_SESSION)
    assert [name for name in signals(outputs) if name in ("ABORT", "CLOSE", "ENDED")] == ["ABORT", "CLOSE", "ENDED"]
    assert decision(outputs, Signal.ABORT).cause == Cause.CANCELLED
    assert talk.frame() == Result.REFUSED


def test_a_cancel_reaches_no_hearing(talk: Conversation) -> None:
    """Voice activity is session-scoped: it goes on, and the user can speak again at once."""
    answering(talk)
    ears = talk.invocation(EARS)
    outputs = talk.control(Control.CANCEL_TURN)
    assert EARS not in {output.node for output in requests(outputs, Op.CANCEL)}
    assert talk.offer(In.CHUNK, node=EARS, port=SPEECH, invocation=ears, payload=bytes(640)) == Result.ACCEPTED


def test_the_next_turn_begins_clean(talk: Conversation) -> None:
    """Nothing of the cancelled turn is fed to the next one's invocations, and these are new."""
    answering(talk)
    old = {talk.invocation(LLM), talk.invocation(VOICE)}
    talk.control(Control.CANCEL_TURN)
    talk.step(talk.now + 100)
    at = len(talk.outputs)
    talk.ask(b"and now?").think(b"Now it is seven. ")
    new = talk.outputs[at:]
    assert not old & {output.invocation for output in requests(new, Op.INVOKE, Op.FEED)}
    fed = [output.payload for output in requests(new, Op.FEED) if output.node in (LLM, VOICE)]
    assert fed == [b"and now?", b"Now it is seven. "]


def test_a_second_cancel_does_nothing(talk: Conversation) -> None:
    answering(talk)
    talk.control(Control.CANCEL_TURN)
    assert signals(talk.control(Control.CANCEL_TURN)) == []


# ---- under any schedule


@pytest.mark.parametrize("name", sorted(PLANS))
def test_the_fence_holds_under_random_schedules(
    name: str, kernel: Callable[[str], Any], kernel_name: str, tmp_path: Path
) -> None:
    """Whatever happens: between the end of a turn and the next `turn_open` nothing of a turn leaves, and what leaves is
    of the turn that is open; what was refused is counted exactly as often as it is told.
    """
    plan = plan_of(name)
    fenced = refused = 0
    for seed in range(SEEDS):
        session = kernel(name)(plan, "call", 1, handlers(seed))
        recorded = play(plan, session, seed, tmp_path / f"{seed}.log", header(plan, "call", kernel_name))
        told = [output for output in recorded.outputs if is_signal(output, Signal.LATE_AFTER_CANCEL)]
        assert len(told) == recorded.stats_at_end["refused_outputs"], seed
        refused += len(told)
        active = 0
        for output in recorded.outputs:
            if is_signal(output, Signal.TURN_OPEN):
                active = output.turn
            elif is_signal(output, Signal.COMMIT, Signal.ABORT):
                assert output.turn == active, seed
                fenced, active = fenced + 1, 0
            elif output.op in OF_A_TURN and output.turn:
                # Requests for work leave after control: in the drain of a turn's end they are those of the next one.
                assert output.turn == active, (seed, output)
    assert fenced > 50
    assert refused > 20
