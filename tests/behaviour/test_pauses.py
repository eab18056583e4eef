"""A possible false interruption: playback pauses at once, and goes on where it stopped, or the turn is cancelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conversation import EARS, EGRESS, MS, SPEECH_END, SPEECH_START, VOICE, Conversation, decision, requests, signals
from kernels import plan_of

from rspp_runtime.abi import Cause, Control, In, Op, Output, Result, Signal

FRAME_MS = 20
PAUSE_MS = 1500


@pytest.fixture
def talk(kernel: Callable[[str], Any]) -> Conversation:
    """An answer of ten frames is being played, 40 ms of it so far; each frame marks one byte and one word more."""
    session = kernel("stub_patience")(plan_of("stub_patience"), "talk", 1, [None, None])
    talk = Conversation(session).connect()
    talk.ask().think(b"a b c d e f g h i j. ")
    for index in range(1, 11):
        assert talk.chunk(VOICE, 0, bytes([index]) * 640, a=index, b=index) == Result.ACCEPTED
        talk.step()
    talk.done(VOICE)
    talk.step(talk.now + 40)
    return talk


def interrupt(talk: Conversation) -> list[Output]:
    talk.chunk(EARS, SPEECH_START)
    return talk.step()


def fall_silent(talk: Conversation) -> list[Output]:
    talk.chunk(EARS, SPEECH_END)
    return talk.step()


def played(outputs: list[Output]) -> list[int]:
    """Which frames left for the ear."""
    return [output.payload[0] for output in outputs if output.op == Op.SEND and output.node == EGRESS]


def let_play(talk: Conversation, ms: int) -> list[Output]:
    """Time goes by as the kernel asks for it."""
    until, seen = talk.now + ms, []
    while talk.now < until:
        due = talk.deadline // MS if talk.deadline >= 0 else until
        seen += talk.step(min(max(due, talk.now + 1), until))
    return seen


def test_a_pause_stops_the_transport_at_once(talk: Conversation) -> None:
    outputs = interrupt(talk)
    assert signals(outputs) == ["HEARD", "BARGE_IN", "PLAYBACK_PAUSED"]
    paused = decision(outputs, Signal.PLAYBACK_PAUSED)
    assert (paused.cause, paused.x, paused.y) == (Cause.BARGE_IN, 2, 2)  # 40 ms: two frames
    assert [request.turn for request in requests(outputs, Op.FLUSH)] == [2]
    assert played(let_play(talk, 1_000)) == []


def test_it_goes_on_where_it_stopped(talk: Conversation) -> None:
    """Frames three to ten come again or for the first time, each once, in order, paced from now on."""
    talk.now += 10  # in the middle of the third frame
    interrupt(talk)
    let_play(talk, 300)
    resumed_at = talk.now
    outputs = fall_silent(talk)
    assert "PLAYBACK_RESUMED" in signals(outputs)
    outputs += let_play(talk, 400)
    sends = requests(outputs, Op.SEND)
    assert played(outputs) == [3, 4, 5, 6, 7, 8, 9, 10]
    assert [send.x // MS for send in sends] == [resumed_at + FRAME_MS * index for index in range(8)]
    ended = decision(outputs, Signal.PLAYBACK_COMPLETED)
    assert (ended.x, ended.t_ns // MS) == (10, resumed_at + 8 * FRAME_MS)


def test_what_was_not_drained_does_not_leave(talk: Conversation) -> None:
    """A frame that a step has sent into the data lane, and that nobody has drained when playback pauses."""
    before = played(talk.outputs)
    talk.advance(talk.now + 60)
    talk.chunk(EARS, SPEECH_START)
    talk.advance()
    assert played(talk.drain()) == []
    resumed = fall_silent(talk) + let_play(talk, 400)
    assert played(resumed) == [6, 7, 8, 9, 10]  # 100 ms were played
    assert before[-1] > 6


def test_a_pause_that_nobody_ends_was_an_interruption(talk: Conversation) -> None:
    interrupt(talk)
    assert "ABORT" not in signals(let_play(talk, PAUSE_MS - 1))
    outputs = talk.step(talk.now + 1)
    assert signals(outputs)[-4:] == ["CANCEL", "PLAYBACK_CANCELLED", "ABORT", "CLOSE"]
    assert decision(outputs, Signal.ABORT).cause == Cause.CANCELLED
    assert decision(outputs, Signal.PLAYBACK_CANCELLED).x == 2
    assert requests(outputs, Op.FLUSH) == []  # the transport holds nothing


def test_what_was_heard_before_the_pause_is_what_the_next_turn_remembers(talk: Conversation) -> None:
    interrupt(talk)
    talk.control(Control.CANCEL_TURN)
    talk.chunk(EARS, SPEECH_END)
    talk.step()
    talk.control(Control.CANCEL_TURN)
    talk.step(talk.now + 100)
    talk.ask(b"go on")
    told = [output.payload for output in requests(talk.outputs, Op.CONTEXT)]
    assert told[-1] == b"a "  # two bytes of ten


def test_the_producer_is_not_too_slow_while_it_is_paused(talk: Conversation) -> None:
    """The edge into egress blocks for 500 ms at most; a pause that is longer sheds nothing."""
    talk.control(Control.CANCEL_TURN)
    talk.control(Control.CANCEL_TURN)  # again: at once
    talk.step(talk.now + 100)
    talk.ask().think(b"k l m n o p q r s t. ")
    interrupt(talk)
    full = 0
    for _ in range(20):
        if talk.chunk(VOICE, 0, bytes(640), a=1, b=1) == Result.FULL:
            full += 1
            talk.step(talk.now + 100)
    assert full > 5
    assert "DROP_NOTICE" not in signals(talk.outputs[-60:])
    assert talk.session.stats()["edge.0.dropped"] == 0


def test_pausing_twice_and_resuming_twice_is_once(talk: Conversation) -> None:
    interrupt(talk)
    assert signals(interrupt(talk)) == ["HEARD", "BARGE_IN"]
    assert "PLAYBACK_RESUMED" in signals(fall_silent(talk))
    assert "PLAYBACK_RESUMED" not in signals(fall_silent(talk))


def test_a_pause_before_the_first_frame_holds_it_back(kernel: Callable[[str], Any]) -> None:
    session = kernel("stub_patience")(plan_of("stub_patience"), "talk", 1, [None, None])
    talk = Conversation(session).connect()
    talk.ask()
    assert requests(interrupt(talk), Op.FLUSH) == []
    talk.think(b"yes. ")
    talk.chunk(VOICE, 0, bytes(640), a=3, b=1)
    assert played(talk.step(talk.now + 100)) == []
    assert len(played(fall_silent(talk))) == 1


@pytest.mark.parametrize("how", [Control.LEASE_REVOKED, Control.DISCONNECTED])
def test_other_ends_end_a_paused_turn(talk: Conversation, how: Control) -> None:
    interrupt(talk)
    outputs = talk.control(how)
    assert signals(outputs)[-3:] == ["PLAYBACK_CANCELLED", "ABORT", "CLOSE"]
    assert "CANCEL" not in signals(let_play(talk, 2 * PAUSE_MS))


def test_a_frame_that_is_held_for_a_pause_is_given_back(kernel: Callable[[str], Any]) -> None:
    """Many turns, half of them paused: the pool of audio slots never runs dry (the compiled kernel would raise)."""
    session = kernel("stub_patience")(plan_of("stub_patience"), "talk", 1, [None, None])
    talk = Conversation(session).connect()
    for round in range(60):
        talk.ask().think(b"a b c d e f g h i j. ")
        for _ in range(10):
            talk.chunk(VOICE, 0, bytes(640), a=20, b=10)
            talk.step()
        talk.done(VOICE)
        if round % 2:
            interrupt(talk)
            let_play(talk, 100)
            fall_silent(talk)
        let_play(talk, 300)
        talk.control(Control.EVIDENCE_APPENDED, a=talk.session.stats()["turns"])
        talk.offer(In.CONTROL, port=Control.CANCEL_TURN)
        talk.step(talk.now + 100)
    assert talk.session.stats()["turns"] >= 60
