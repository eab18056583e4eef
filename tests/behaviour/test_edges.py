"""Full edges, hand-off, pacing (docs/kernel.md), on both kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conversation import CAPTIONS, EARS, LLM, MS, PARTIAL, STT, VOICE, Conversation, decision, requests, signals
from kernels import plan_of

from rspp_runtime.abi import Cause, Op, Result, Signal


@pytest.fixture
def talk(kernel: Callable[[str], Any]) -> Conversation:
    """Connected, silent, no turn, nothing fed to the ears."""
    session = kernel("stub_assistant")(plan_of("stub_assistant"), "talk", 1, [None, None])
    conversation = Conversation(session).connect()
    conversation.outputs.clear()
    return conversation


@pytest.mark.feature("F-044", "block")
@pytest.mark.feature("F-145", "signal")
def test_a_full_edge_blocks_its_producer_and_room_resumes_it(talk: Conversation) -> None:
    """The ears take four frames at once, four more wait on the edge; the ninth has to wait outside."""
    for _ in range(8):
        assert talk.frame() == Result.ACCEPTED
        talk.step()
    assert talk.frame() == Result.FULL
    assert signals(talk.step()) == ["FLOW_XOFF"]
    talk.credit(EARS, 1)
    outputs = talk.step()
    assert signals(outputs) == ["FLOW_XON"]
    assert [request.node for request in requests(outputs, Op.RESUME)] == [0]
    assert talk.frame() == Result.ACCEPTED


@pytest.mark.feature("F-148", "capped")
@pytest.mark.feature("F-148", "shedding")
def test_blocking_lasts_only_so_long_then_the_oldest_gives_way(talk: Conversation) -> None:
    for _ in range(8):
        talk.frame()
        talk.step()
    assert talk.frame() == Result.FULL
    assert talk.step(talk.now + 39) != [] and talk.deadline == (talk.now + 1) * MS  # noqa: PT018
    assert [request.op for request in requests(talk.step(talk.now + 1), Op.RESUME)] == [Op.RESUME]
    assert talk.frame() == Result.ACCEPTED
    dropped = decision(talk.step(), Signal.DROP_NOTICE)
    assert (dropped.node, dropped.cause) == (8, Cause.QUEUE_PRESSURE)
    assert dropped.x == dropped.y
    assert talk.session.stats()["edge.8.dropped"] == 1


def test_items_too_old_are_shed_before_they_move(talk: Conversation) -> None:
    for _ in range(6):
        talk.frame()
        talk.step()
    talk.now += 401
    talk.credit(EARS, 4)
    outputs = talk.step()
    dropped = decision(outputs, Signal.DROP_NOTICE)
    assert dropped.cause == Cause.QUEUE_AGE
    assert dropped.y > dropped.x
    assert requests(outputs, Op.FEED) == []


def test_captions_keep_only_the_latest(talk: Conversation) -> None:
    talk.hear()
    for text in (b"what", b"what is", b"what is it"):
        talk.chunk(STT, PARTIAL, text)
    outputs = talk.step()
    assert [output.payload for output in requests(outputs, Op.TAP)] == [b"what is it"]
    assert {output.node for output in requests(outputs, Op.TAP)} == {CAPTIONS}
    assert [output.cause for output in outputs if output.code == Signal.DROP_NOTICE] == [Cause.SUPERSEDED] * 2


def fed_to_voice(outputs: list[Any]) -> list[bytes]:
    return [output.payload for output in requests(outputs, Op.FEED) if output.node == VOICE]


def test_text_is_handed_over_by_sentence(talk: Conversation) -> None:
    talk.ask()
    talk.chunk(LLM, 0, b"It is", a=0, b=2)
    assert fed_to_voice(talk.step()) == []
    talk.chunk(LLM, 0, b" so. And", a=4, b=2)
    assert fed_to_voice(talk.step()) == [b"It is so."]
    assert fed_to_voice(talk.step(talk.now + 149)) == []
    assert fed_to_voice(talk.step(talk.now + 1)) == [b" And"]


def test_one_letter_may_be_a_sentence(talk: Conversation) -> None:
    talk.ask()
    talk.chunk(LLM, 0, b"A", a=1, b=1)
    assert fed_to_voice(talk.step()) == [b"A"]


def test_the_end_of_the_model_releases_the_rest(talk: Conversation) -> None:
    talk.ask()
    talk.chunk(LLM, 0, b"and so on", b=3)
    assert fed_to_voice(talk.done(LLM)) == [b"and so on"]
    assert [request.node for request in requests(talk.outputs, Op.FINISH)][-1] == VOICE


def test_audio_is_sent_at_most_the_lead_ahead(talk: Conversation) -> None:
    """Eleven frames of 20 ms leave at once: the eleventh begins 200 ms from now, which is just not too early."""
    talk.ask().think(b"It is so. ")
    for index in range(16):
        assert talk.chunk(VOICE, 0, bytes(640), a=index, b=1) == Result.ACCEPTED
        talk.advance()
    began = talk.now
    sent = requests(talk.drain(), Op.SEND)
    audio = [output for output in sent if output.port == 0]
    assert [output.x for output in audio] == [(began + 20 * index) * MS for index in range(11)]
    assert talk.deadline == (began + 20) * MS
    assert len(requests(talk.step(began + 20), Op.SEND)) == 1


def test_what_a_reader_did_not_drain_holds_the_session_up_and_loses_nothing(talk: Conversation) -> None:
    talk.hear()
    offered = 0
    while talk.frame() == Result.ACCEPTED:
        offered += 1
        talk.credit(EARS)
        talk.advance()
        assert offered < 200
    assert talk.deadline == talk.now * MS  # the outputs are full
    fed = [output for output in talk.drain() if output.op == Op.FEED and output.node == EARS]
    talk.credit(EARS, len(fed))
    fed += [output for output in talk.step() if output.op == Op.FEED and output.node == EARS]
    assert len(fed) >= offered - 1
    assert [output.seq for output in fed] == sorted(output.seq for output in fed)


def test_oversized_items_are_refused(talk: Conversation) -> None:
    assert talk.offer(1, node=0, port=0, payload=bytes(641)) == Result.REFUSED
    assert decision(talk.step(), Signal.REJECT).cause == Cause.OVERSIZED
