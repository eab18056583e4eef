"""Sampling, joining, gathering, marks (docs/kernel.md, Edges), on both kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conversation import MS, decision, requests, signals
from kernels import plan_of
from yard import EGRESS, LONG, SHORT, STT, VOICE, WATCH, Yard

from rspp_runtime.abi import Cause, Op, Result, Signal

AUDIO_OUT, TEXT_OUT, PARTIALS, METER = 0, 1, 5, 10


@pytest.fixture
def yard(kernel: Callable[[str], Any]) -> Yard:
    return Yard(kernel("stub_switchyard")(plan_of("stub_switchyard"), "yard", 1, [])).begin()


def shown(outputs: list[Any]) -> list[bytes]:
    return [output.payload for output in requests(outputs, Op.TAP) if output.node == WATCH]


def test_a_sample_keeps_its_share_and_tells_what_it_leaves_out(yard: Yard) -> None:
    """Sixty of a hundred: the first frame was one that it leaves out; then pass, out, pass, pass, out, and again."""
    passed, told = [], []
    for _ in range(9):
        yard.frame()
        outputs = yard.step()
        yard.credit(STT)
        passed.append(len(requests(outputs, Op.TAP)))
        told += [o for o in outputs if o.code == Signal.DROP_NOTICE and o.op == Op.DECISION]
    assert passed == [1, 0, 1, 1, 0, 1, 0, 1, 1]
    assert [(notice.cause, notice.node, notice.y - notice.x) for notice in told] == [(Cause.SAMPLED, METER, 0)] * 3
    assert yard.session.stats()["edge.10.dropped"] == 4


@pytest.mark.feature("F-053", "cadence")
def test_partials_within_the_time_reach_their_reader_as_one(yard: Yard) -> None:
    yard.partial(b"what")
    assert shown(yard.step()) == []
    yard.partial(b"what is")
    yard.step(yard.now + 60)
    yard.partial(b"what is it")
    assert shown(yard.step(yard.now + 39)) == []
    assert yard.deadline == (yard.now + 1) * MS
    assert shown(yard.step(yard.now + 1)) == [b"what is it"]
    yard.partial(b"what is it now")
    assert shown(yard.step(yard.now + 99)) == []
    assert shown(yard.step(yard.now + 1)) == [b"what is it now"]


@pytest.mark.feature("F-053", "final")
def test_a_final_text_is_not_superseded(yard: Yard) -> None:
    """It takes the place of the partial before it, and what comes after it stands behind it."""
    yard.partial(b"what is")
    yard.partial(b"what is it?", final=True)
    yard.partial(b"and")
    yard.partial(b"and why")
    assert shown(yard.step(yard.now + 100)) == [b"what is it?", b"and why"]


@pytest.mark.feature("F-069", "merges")
@pytest.mark.feature("F-044", "merge", "counted")
def test_what_was_joined_is_told_with_what_it_became(yard: Yard) -> None:
    yard.partial(b"what")
    yard.partial(b"what is")
    (tapped,) = requests(yard.step(yard.now + 100), Op.TAP)
    notice = decision([o for o in yard.outputs if o.cause == Cause.COALESCED], Signal.DROP_NOTICE)
    assert (notice.node, notice.y - notice.x, notice.invocation) == (PARTIALS, 0, tapped.seq)
    assert notice.x < tapped.seq
    counts = yard.session.stats()
    assert counts["edge.5.dropped"] == 0
    assert {key: count for key, count in counts.items() if key.endswith(".merged") and count} == {"edge.5.merged": 1}


def test_texts_are_joined_and_keep_the_first_one_s_place(yard: Yard) -> None:
    yard.say(b"and what now?")
    for text in (b"It is so. ", b"And then ", b"not."):
        assert yard.delta(LONG, text, flags=1) == Result.ACCEPTED
    outputs = yard.step()
    (sent,) = [output for output in requests(outputs, Op.SEND) if output.node == EGRESS]
    assert (sent.payload, sent.y) == (b"It is so. And then not.", 6)
    told = [o for o in outputs if o.cause == Cause.COALESCED]
    assert [(notice.node, notice.invocation) for notice in told] == [(TEXT_OUT, sent.seq)] * 2
    assert [notice.x for notice in told] == [notice.y for notice in told]
    assert sent.seq < told[0].x < told[1].x


def test_other_edges_keep_what_they_hold_when_one_joins(yard: Yard) -> None:
    """The voice's edge shares the items that the screen's edge joins: it is fed piece by piece."""
    yard.say(b"and what now?")
    long_text = b"x" * 61
    assert yard.delta(LONG, long_text) == Result.ACCEPTED
    assert yard.delta(LONG, long_text) == Result.ACCEPTED
    outputs = yard.step()
    assert [len(output.payload) for output in requests(outputs, Op.SEND)] == [122]
    assert [len(output.payload) for output in requests(outputs, Op.FEED) if output.node == VOICE] == [61, 61]


def test_what_does_not_fit_in_one_item_is_not_joined(yard: Yard) -> None:
    yard.say(b"and what now?")
    for _ in range(3):
        yard.delta(LONG, b"y" * 90, flags=1)
    assert [len(output.payload) for output in requests(yard.step(), Op.SEND)] == [180, 90]


def speaking(yard: Yard) -> Yard:
    """The voice has a text."""
    yard.say(b"and now?")
    yard.delta(SHORT, b"yes.")
    yard.step()
    return yard


@pytest.mark.feature("F-144", "crossings")
def test_marks_are_told_once_a_crossing(yard: Yard) -> None:
    speaking(yard)
    for _ in range(7):
        assert yard.chunk(VOICE, 0, bytes(320)) == Result.ACCEPTED
    outputs = yard.step()  # six of them leave at once, the lead being 100 ms
    marks = [o for o in outputs if o.op == Op.DECISION and o.code == Signal.WATERMARK and o.node == AUDIO_OUT]
    assert [(mark.x, mark.y) for mark in marks] == [(1, 6), (0, 2)]
    for _ in range(4):
        yard.chunk(VOICE, 0, bytes(320))
    assert signals(yard.step()) == []  # five wait: between the marks nothing is told
    yard.chunk(VOICE, 0, bytes(320))
    assert decision(yard.step(), Signal.WATERMARK).x == 1


def test_a_producer_that_was_held_back_goes_on_at_the_low_mark(yard: Yard) -> None:
    speaking(yard)
    for _ in range(14):
        assert yard.chunk(VOICE, 0, bytes(320)) == Result.ACCEPTED
        yard.advance()
    assert yard.chunk(VOICE, 0, bytes(320)) == Result.FULL
    yard.drain()
    resumed = {}
    for _ in range(8):
        outputs = yard.step(yard.now + 20)
        resumed[yard.now] = len(requests(outputs, Op.RESUME))
    assert list(resumed.values()) == [0, 0, 0, 0, 0, 1, 0, 0]


def test_a_flush_brings_an_edge_below_its_mark(yard: Yard) -> None:
    from rspp_runtime.abi import Control

    speaking(yard)
    for _ in range(14):
        yard.chunk(VOICE, 0, bytes(320))
        yard.advance()
    yard.drain()
    outputs = yard.control(Control.CANCEL_TURN)
    mark = decision(outputs, Signal.WATERMARK)
    assert (mark.node, mark.x, mark.y) == (AUDIO_OUT, 0, 0)
