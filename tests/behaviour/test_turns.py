"""The life of a turn, case by case (CONTRACTS §5), on both kernels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from conversation import EARS, FINAL, LLM, MS, SPEECH, STT, VOICE, Conversation, decision, requests, signals
from kernels import plan_of

from rspp_runtime.abi import Cause, Control, In, Op, Result, Signal
from rspp_runtime.providers.contract import Outcome


def test_the_plan_hash_escapes_the_session_as_json_does(kernel: Callable[[str], Any]) -> None:
    plan = plan_of("stub_assistant")
    talk = Conversation(kernel("stub_assistant")(plan, 'a "quoted" sëssion', 1, [None, None])).connect(greet=True)
    turn = {"authority_epoch": 1, "mode": "full", "turn_id": 'a "quoted" sëssion/1'}
    added = json.dumps(turn, ensure_ascii=False, separators=(",", ":"))
    expected = hashlib.sha256(b"rspp.plan.v1\0" + f"{plan.template_hash}{added}".encode()).digest()
    assert decision(talk.outputs, Signal.TURN_OPEN).payload == expected


@pytest.fixture
def talk(kernel: Callable[[str], Any]) -> Conversation:
    """Connected, silent, no turn."""
    session = kernel("stub_assistant")(plan_of("stub_assistant"), "talk", 1, [None, None])
    conversation = Conversation(session).connect()
    conversation.outputs.clear()
    conversation.frame()
    conversation.step()
    conversation.credit(EARS)
    return conversation


def test_t1_a_proposal_emits_nothing_of_the_turn(talk: Conversation) -> None:
    talk.hear()
    assert talk.chunk(EARS, 2) == Result.ACCEPTED
    assert talk.drain() == []


@pytest.mark.parametrize(
    ("state", "signal", "cause"),
    [
        (1, "DEFER", Cause.SNAPSHOT_STALE),
        (2, "REJECT", Cause.SNAPSHOT_MISSING),
        (3, "REJECT", Cause.SNAPSHOT_INCOMPATIBLE),
    ],
)
def test_t2_snapshot(talk: Conversation, state: int, signal: str, cause: Cause) -> None:
    talk.control(Control.SNAPSHOT, a=state)
    outputs = talk.control(Control.END_UTTERANCE)
    assert signals(outputs) == ["TURN_OPEN_PROPOSED", signal]
    assert outputs[-1].cause == cause
    assert talk.session.stats()["turns"] == 1  # the greeting's


@pytest.mark.feature("F-141", "three", "no_state")
def test_three_proposals_have_three_outcomes_and_only_one_becomes_a_turn(talk: Conversation) -> None:
    outcomes = {}
    for state in (1, 2, 0):
        talk.control(Control.SNAPSHOT, a=state)
        outputs = talk.control(Control.END_UTTERANCE)
        outcomes[state] = signals(outputs)
        assert {o.turn for o in outputs if o.code in (Signal.DEFER, Signal.REJECT)} <= {0}
    assert outcomes[1] == ["TURN_OPEN_PROPOSED", "DEFER"]
    assert outcomes[2] == ["TURN_OPEN_PROPOSED", "REJECT"]
    assert outcomes[0][:2] == ["TURN_OPEN_PROPOSED", "TURN_OPEN"]


ENDS = {
    "a cancel": (Control.CANCEL_TURN, 0),
    "its evidence": (Control.EVIDENCE_APPENDED, 2),
    "its evidence that failed": (Control.EVIDENCE_FAILED, 2),
}


@pytest.mark.feature("F-141", "forced")
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("state", [1, 2, 3])
def test_what_was_never_a_turn_has_no_end(talk: Conversation, state: int, end: str) -> None:
    """Whoever ends what was deferred or refused finds nothing: no abort, no commit, no close, however often."""
    talk.control(Control.SNAPSHOT, a=state)
    talk.control(Control.END_UTTERANCE)
    turns = talk.session.stats()["turns"]
    for _ in range(3):
        control, turn = ENDS[end]
        assert signals(talk.control(control, a=turn)) == []
    assert talk.session.stats()["turns"] == turns


def test_t3_stale_epoch_of_the_proposal(talk: Conversation) -> None:
    talk.offer(In.CONTROL, port=Control.END_UTTERANCE)
    talk.offer(In.CONTROL, port=Control.LEASE_ROTATED, a=2)
    assert signals(talk.step()) == ["TURN_OPEN_PROPOSED", "LEASE_ROTATED", "STALE_EPOCH_REJECT"]


def test_t4_authority_revoked(talk: Conversation) -> None:
    talk.control(Control.LEASE_REVOKED)
    assert signals(talk.control(Control.END_UTTERANCE)) == ["TURN_OPEN_PROPOSED", "DEAUTHORIZED_DRAIN"]


@pytest.mark.parametrize("gone", [Control.ENDED, Control.DISCONNECTED, Control.CANCEL_SESSION])
def test_no_turn_opens_for_a_party_that_has_gone(talk: Conversation, gone: Control) -> None:
    """The user asks and hangs up within one scheduling window: nobody is there to be answered."""
    talk.offer(In.CONTROL, port=Control.END_UTTERANCE)
    talk.offer(In.CONTROL, port=gone)
    outputs = talk.step()
    assert "TURN_OPEN" not in signals(outputs)
    assert decision(outputs, Signal.REJECT).cause == Cause.SESSION_NOT_RUNNING


def test_t5_opens_with_the_range_that_it_answers(talk: Conversation) -> None:
    talk.hear()
    outputs = talk.fall_silent()
    opened = decision(outputs, Signal.TURN_OPEN)
    assert opened.turn == 2
    assert opened.x == decision(talk.outputs, Signal.HEARD).x < opened.y
    assert len(opened.payload) == 32


def test_t5a_plan_cannot_be_frozen(talk: Conversation) -> None:
    talk.control(Control.BINDING, a=LLM, b=0)
    outputs = talk.control(Control.END_UTTERANCE)
    assert signals(outputs) == ["TURN_OPEN_PROPOSED", "REJECT"]
    assert outputs[-1].cause == Cause.PLAN_NOT_FREEZABLE


def answer(talk: Conversation) -> Conversation:
    """A turn of which 40 ms are being played: eight words, of which the voice marks four a frame."""
    return talk.ask().think(b"It is forty-two. ").speak(2, 8, 2)


def test_t6_commits_when_all_is_played_and_recorded(talk: Conversation) -> None:
    answer(talk)
    assert "COMMIT" not in signals(talk.step(talk.now + 39))
    outputs = talk.step(talk.now + 1)
    assert signals(outputs) == ["PLAYBACK_COMPLETED"]
    assert decision(outputs, Signal.PLAYBACK_COMPLETED)[-3:-1] == (3, 16)
    assert [request.turn for request in requests(outputs, Op.APPEND)] == [2]
    assert signals(talk.control(Control.EVIDENCE_APPENDED, a=2)) == ["COMMIT", "CLOSE"]


def test_t7_cancel(talk: Conversation) -> None:
    answer(talk)
    outputs = talk.control(Control.CANCEL_TURN)
    assert signals(outputs) == ["CANCEL", "PLAYBACK_CANCELLED", "ABORT", "CLOSE"]
    assert decision(outputs, Signal.ABORT).cause == Cause.CANCELLED
    assert len(requests(outputs, Op.FLUSH)) == 1


@pytest.mark.parametrize("control", [Control.LEASE_REVOKED, Control.LEASE_ROTATED])
def test_t8_authority_lost(talk: Conversation, control: Control) -> None:
    answer(talk)
    outputs = talk.control(control, a=2)
    assert signals(outputs)[-4:] == ["DEAUTHORIZED_DRAIN", "PLAYBACK_CANCELLED", "ABORT", "CLOSE"]
    assert decision(outputs, Signal.ABORT).cause == Cause.AUTHORITY_LOSS


@pytest.mark.parametrize("late", [False, True])
def test_t9_evidence_cannot_be_appended(talk: Conversation, late: bool) -> None:
    answer(talk)
    talk.step(talk.now + 40)
    outputs = talk.step(talk.now + 500) if late else talk.control(Control.EVIDENCE_FAILED, a=2)
    assert signals(outputs) == ["ABORT", "CLOSE"]
    assert decision(outputs, Signal.ABORT).cause == Cause.RECORDING_EVIDENCE_UNAVAILABLE


def test_t10_no_way_to_continue(talk: Conversation) -> None:
    """Disconnected while the answer is thought of."""
    talk.ask()
    outputs = talk.control(Control.DISCONNECTED)
    assert decision(outputs, Signal.ABORT).cause == Cause.TRANSPORT_DISCONNECT_OR_STALL


def test_t11_late_output_is_refused_and_the_turn_stays_closed(talk: Conversation) -> None:
    talk.ask()
    talk.control(Control.CANCEL_TURN)
    assert talk.chunk(LLM, 0, b"too late") == Result.REFUSED
    outputs = talk.step()
    assert signals(outputs) == ["LATE_AFTER_CANCEL"]
    assert decision(outputs, Signal.LATE_AFTER_CANCEL).x == len(b"too late")
    assert talk.session.stats()["refused_outputs"] == 1


def test_t12_stale_epoch_at_ingress_changes_nothing(talk: Conversation) -> None:
    talk.ask()
    assert talk.chunk(LLM, 0, b"hello", epoch=0) == Result.REFUSED
    assert signals(talk.step()) == ["STALE_EPOCH_REJECT"]
    assert talk.chunk(LLM, 0, b"hello") == Result.ACCEPTED


@pytest.mark.parametrize(
    ("controls", "cause"),
    [
        ((Control.DISCONNECTED, Control.CANCEL_TURN, Control.LEASE_REVOKED), Cause.AUTHORITY_LOSS),
        ((Control.DISCONNECTED, Control.CANCEL_TURN), Cause.CANCELLED),
        ((Control.DISCONNECTED,), Cause.TRANSPORT_DISCONNECT_OR_STALL),
    ],
)
def test_ends_in_one_window_go_by_precedence(talk: Conversation, controls: tuple[Control, ...], cause: Cause) -> None:
    talk.ask()
    for control in controls:
        talk.offer(In.CONTROL, port=control)
    outputs = talk.step()
    assert decision(outputs, Signal.ABORT).cause == cause
    assert signals(outputs).count("CLOSE") == 1


@pytest.mark.feature("F-140", "policy")
def test_a_proposal_during_a_turn_waits_for_its_end(talk: Conversation) -> None:
    answer(talk)
    assert signals(talk.control(Control.END_UTTERANCE)) == ["DEFER"]
    assert signals(talk.control(Control.END_UTTERANCE)) == []
    assert signals(talk.control(Control.CANCEL_TURN))[-3:] == ["CLOSE", "TURN_OPEN_PROPOSED", "TURN_OPEN"]


def test_the_budget_of_a_deferred_turn_runs_from_when_it_may_begin(talk: Conversation) -> None:
    talk.control(Control.END_UTTERANCE)
    talk.control(Control.END_UTTERANCE)
    talk.now += 5_000  # longer than the turn budget
    outputs = talk.control(Control.CANCEL_TURN)
    assert signals(outputs)[-1] == "TURN_OPEN"
    assert "BUDGET_EXHAUSTED" not in signals(talk.step(talk.now + 100))


def test_what_a_late_reaction_says_is_a_turn_of_its_own(talk: Conversation) -> None:
    """The recogniser fails after evidence was asked for: in that turn, the commit would cut `sorry` off."""
    talk.ask().think(b"Yes.").speak(frames=2, bytes_each=2, words_each=1)
    talk.chunk(EARS, SPEECH, bytes(640))  # the recogniser is at work again; nobody has interrupted
    talk.step(talk.now + 40)
    asked = requests(talk.outputs, Op.APPEND)[-1]
    failed = talk.done(STT, outcome=4)
    assert signals(failed) == ["PROVIDER_ERROR", "DEFER"]
    assert not requests(failed, Op.INVOKE)
    ended = talk.control(Control.EVIDENCE_APPENDED, a=asked.turn)
    assert signals(ended) == ["COMMIT", "CLOSE", "TURN_OPEN_PROPOSED", "TURN_OPEN"]
    fed = [output for output in requests(ended, Op.FEED) if output.node == VOICE]
    assert [(output.turn, output.payload) for output in fed] == [(asked.turn + 1, b"Sorry, could you say that again?")]


def test_a_recogniser_that_finishes_one_utterance_keeps_no_deadline_for_the_next(talk: Conversation) -> None:
    """The user goes on speaking before the first utterance is recognised: no timeout hits the second."""
    talk.hear()
    talk.fall_silent()
    first = talk.invocation(STT)
    talk.hear()
    assert talk.invocation(STT) != first
    talk.chunk(STT, FINAL, b"hello", invocation=first, b=1)
    talk.offer(In.DONE, node=STT, invocation=first)
    talk.step()
    assert "PROVIDER_ERROR" not in signals(talk.step(talk.now + 1_000))


@pytest.mark.feature("F-039", "kept")
@pytest.mark.feature("F-140", "policy")
def test_barge_in_stops_the_answer_and_the_context_keeps_what_was_heard(talk: Conversation) -> None:
    talk.ask().think(b"It is forty-two. ").speak(2, 8, 2)
    talk.step(talk.now + 25)  # one frame has been played
    talk.hear()
    barge = [name for name in signals(talk.outputs) if name in ("BARGE_IN", "CANCEL", "PLAYBACK_CANCELLED", "ABORT")]
    assert barge == ["CANCEL", "ABORT", "BARGE_IN", "CANCEL", "PLAYBACK_CANCELLED", "ABORT"][-len(barge) :]
    cancelled = decision(talk.outputs, Signal.PLAYBACK_CANCELLED)
    assert (cancelled.x, cancelled.y) == (2, 8)
    talk.fall_silent()
    outputs = talk.recognise(b"go on")
    said = [(output.x, output.payload) for output in requests(outputs, Op.CONTEXT)]
    assert said == [(0, b"what is the answer?"), (1, b"It is fo")]


def test_what_was_sent_and_not_drained_does_not_pass_the_fence(talk: Conversation) -> None:
    talk.ask().think(b"Yes. ")
    talk.chunk(VOICE, 0, bytes(640), a=4, b=1)
    talk.advance()  # the frame is in the data lane
    talk.offer(In.CONTROL, port=Control.CANCEL_TURN)
    talk.advance()
    outputs = talk.drain()
    assert requests(outputs, Op.SEND) == []
    refused = decision(outputs, Signal.LATE_AFTER_CANCEL)
    assert (refused.x, refused.y, refused.turn) == (640, 1, 2)
    assert outputs.index(refused) > outputs.index(decision(outputs, Signal.CLOSE))


def test_budget_of_the_turn(talk: Conversation) -> None:
    """The model answers in time, and nothing comes of it: warned at 1.6 s, ended at 2 s after the end of input."""
    talk.hear()
    talk.fall_silent()
    began = talk.now
    talk.recognise()
    talk.step(began + 700)
    for at in (700, 1050, 1400):
        talk.step(began + at)
        talk.chunk(LLM, 0, b"")
        talk.step()
    assert "BUDGET_WARNING" in signals(talk.step(began + 1600))
    talk.chunk(LLM, 0, b"")
    outputs = talk.step(began + 2000)
    assert signals(outputs)[:1] == ["BUDGET_EXHAUSTED"]
    assert decision(outputs, Signal.ABORT).cause == Cause.BUDGET_EXHAUSTED


def test_a_model_that_is_late_is_replaced_by_the_fallback(talk: Conversation) -> None:
    talk.ask()
    outputs = talk.step(talk.now + 800)
    assert signals(outputs)[:3] == ["BUDGET_EXHAUSTED", "PROVIDER_ERROR", "FALLBACK"]
    fed = [output.payload for output in requests(outputs, Op.FEED) if output.node == VOICE]
    assert fed == [b"Sorry, could you say that again?"]


def test_a_voice_that_fails_degrades_the_turn_to_text(talk: Conversation) -> None:
    talk.ask()
    talk.chunk(LLM, 0, b"It is so. ", a=10, b=3)
    talk.step()
    outputs = talk.done(VOICE, outcome=4)
    assert signals(outputs) == ["PROVIDER_ERROR", "DEGRADE"]
    talk.chunk(LLM, 0, b"And more. ", a=10, b=2)
    outputs = talk.step()
    assert signals(outputs) == ["OUTPUT_ACCEPTED"]
    assert [output.payload for output in requests(outputs, Op.SEND)] == [b"And more. "]
    outputs = talk.done(LLM)
    assert [request.turn for request in requests(outputs, Op.APPEND)] == [2]
    assert signals(talk.control(Control.EVIDENCE_APPENDED, a=2)) == ["COMMIT", "CLOSE"]


def test_grace_then_force(talk: Conversation) -> None:
    talk.ask()
    outputs = talk.control(Control.CANCEL_TURN)
    cancel = requests(outputs, Op.CANCEL)
    assert [(request.node, request.x) for request in cancel] == [(LLM, (talk.now + 75) * MS)]
    assert requests(talk.step(talk.now + 74), Op.FORCE) == []
    assert [request.invocation for request in requests(talk.step(talk.now + 1), Op.FORCE)] == [cancel[0].invocation]


def test_an_invocation_that_stops_in_its_grace_is_not_forced(talk: Conversation) -> None:
    talk.ask()
    talk.control(Control.CANCEL_TURN)
    talk.done(LLM, outcome=5)
    assert talk.step(talk.now + 1000) == []


def test_the_end_of_the_session(talk: Conversation) -> None:
    talk.hear()
    outputs = talk.control(Control.ENDED)
    assert signals(outputs) == ["ENDED"]
    assert sorted(request.node for request in requests(outputs, Op.CANCEL)) == [EARS, STT]
    assert talk.frame() == Result.REFUSED


@pytest.mark.parametrize("rotates", [False, True])
def test_what_a_node_s_end_proposed_is_of_the_epoch_at_which_it_was_taken(
    kernel: Callable[[str], Any], rotates: bool
) -> None:
    """The recogniser fails and somebody apologises, unless the lease rotated in the same window before."""
    talk = Conversation(kernel("stub_assistant")(plan_of("stub_assistant"), "talk", 1, [None, None])).connect().hear()
    failed = {"node": STT, "invocation": talk.invocation(STT), "a": Outcome.INFRASTRUCTURE_FAILURE}
    if rotates:
        assert talk.offer(In.CONTROL, port=Control.LEASE_ROTATED, a=7) == Result.ACCEPTED
    assert talk.offer(In.DONE, **failed) == Result.ACCEPTED
    told = [output for output in talk.step() if output.op == Op.DECISION]
    assert [Signal(output.code).name for output in told if output.code != Signal.LEASE_ROTATED] == [
        "PROVIDER_ERROR", "TURN_OPEN_PROPOSED", "STALE_EPOCH_REJECT" if rotates else "TURN_OPEN"
    ]  # fmt: skip
    if rotates:
        assert decision(told, Signal.STALE_EPOCH_REJECT).x == 1
