"""Budgets of paths (docs/kernel.md, Paths), on both kernels: they warn, they end, and what is in time is left alone.

The attendant has four: to what is heard (250 ms from the end of the input), to the first word (350 ms), to the first
sound (500 ms) and through all of it (900 ms); each warns at 80 %. Its lines let the turn go on. The patient assistant
has one, to what is played (1100 ms), and no line for it; the workshop has one into the text that is shown (600 ms).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conversation import INGRESS, LLM, MS, STT, VOICE, Conversation, decision, requests, signals
from kernels import plan_of

from rspp_runtime.abi import Cause, Control, Emission, In, Op, Output, Result, Signal
from rspp_runtime.abi.lookup import budget_name

HEARD, SPOKEN, WHOLE, THOUGHT = range(4)
FIND, REFUND = 9, 10
TEXT_ONLY = 1


def begin(kernel: Callable[[str], Any], stub: str) -> Conversation:
    talk = Conversation(kernel(stub)(plan_of(stub), "talk", 1, [None, None])).connect()
    talk.outputs.clear()
    return talk


@pytest.fixture
def talk(kernel: Callable[[str], Any]) -> Conversation:
    return begin(kernel, "stub_attendant")


@pytest.fixture
def patient(kernel: Callable[[str], Any]) -> Conversation:
    return begin(kernel, "stub_patience")


def wait(talk: Conversation, ms: int) -> list[Output]:
    """So long, as a driver would: from one deadline to the next."""
    seen, until = len(talk.outputs), talk.now + ms
    while talk.now < until:
        talk.step(min(until, max(talk.now + 1, talk.deadline // MS if talk.deadline >= 0 else until)))
    return talk.outputs[seen:]


def told(outputs: list[Output], path: int) -> list[tuple[str, int]]:
    """What was decided about a path's budget: the signal's name, and ms."""
    return [
        (Signal(one.code).name, one.t_ns // MS)
        for one in outputs
        if one.op == Op.DECISION and one.code in (Signal.BUDGET_WARNING, Signal.BUDGET_EXHAUSTED) and one.y == -4 - path
    ]


def test_it_warns_and_then_it_is_over(talk: Conversation) -> None:
    """The model has the question and says nothing: at 280 ms, then at 350 ms, to the ms."""
    began = talk.ask().now
    outputs = wait(talk, 1000)
    assert told(outputs, THOUGHT) == [("BUDGET_WARNING", began + 280), ("BUDGET_EXHAUSTED", began + 350)]
    spent = [one for one in outputs if one.code == Signal.BUDGET_EXHAUSTED and one.y == -4 - THOUGHT]
    assert [(one.cause, one.x, one.node, one.turn) for one in spent] == [(Cause.BUDGET_EXHAUSTED, 0, -1, 2)]
    assert budget_name(plan_of("stub_attendant"), spent[0].y) == "stt.utterance -> llm.delta"


@pytest.mark.parametrize(("at", "names"), [(270, []), (349, ["BUDGET_WARNING"])])
def test_what_comes_out_in_time_ends_it(talk: Conversation, at: int, names: list[str]) -> None:
    talk.ask()
    before = wait(talk, at)
    talk.chunk(LLM, 0, b"It ", b=1)
    assert [name for name, _ in told(before + wait(talk, 400), THOUGHT)] == names


def test_what_is_taken_at_the_limit_itself_is_in_time(talk: Conversation) -> None:
    """An input of that moment comes before its timers."""
    talk.ask()
    wait(talk, 349)
    talk.now += 1
    talk.chunk(LLM, 0, b"It ", b=1)
    assert "BUDGET_EXHAUSTED" not in [name for name, _ in told(wait(talk, 400), THOUGHT)]


def test_what_begins_outside_of_turns_counts_from_the_end_of_the_input(talk: Conversation) -> None:
    """However long somebody speaks; and it is over with what is heard, not with a text on the way."""
    talk.hear()
    wait(talk, 900)
    assert told(talk.outputs, HEARD) == []
    talk.fall_silent()
    ended = talk.now
    wait(talk, 230)
    talk.chunk(STT, 2, b"what is", b=2)  # a final text; the recogniser goes on
    outputs = wait(talk, 100)
    assert told(talk.outputs, HEARD) == [("BUDGET_WARNING", ended + 200), ("BUDGET_EXHAUSTED", ended + 250)]
    assert decision(outputs, Signal.DEGRADE).x == TEXT_ONLY


def test_an_utterance_that_is_heard_in_time_ends_it(talk: Conversation) -> None:
    talk.hear()
    talk.fall_silent()
    wait(talk, 190)
    talk.recognise()
    wait(talk, 300)
    assert told(talk.outputs, HEARD) == []


def test_a_line_degrades_and_the_turn_goes_on(talk: Conversation) -> None:
    talk.hear()
    talk.fall_silent()
    outputs = wait(talk, 260)
    degraded = decision(outputs, Signal.DEGRADE)
    assert (degraded.x, degraded.cause) == (TEXT_ONLY, Cause.BUDGET_EXHAUSTED)
    assert "ABORT" not in signals(outputs)
    talk.recognise()
    talk.think(b"It is so. ")
    shown = b"".join(one.payload for one in requests(talk.outputs, Op.SEND) if one.port == 1)
    assert shown == b"It is so. "


def test_a_line_falls_back_for_its_own_path_only(talk: Conversation) -> None:
    """`when event.path == …`: the excuse is for the first sound, not for the first word."""
    began = talk.ask().now
    outputs = wait(talk, 700)
    (fallback,) = [
        one for one in outputs if one.code == Signal.FALLBACK and one.cause == Cause.BUDGET_EXHAUSTED
    ]  # fmt: skip
    assert fallback.t_ns // MS == began + 500
    cancelled = [one for one in outputs if one.code == Signal.CANCEL and one.cause == Cause.BUDGET_EXHAUSTED]
    assert [(one.y, one.t_ns // MS) for one in cancelled] == [(LLM, began + 350)]
    assert "ABORT" not in signals([one for one in outputs if one.t_ns // MS <= began + 500])


def test_without_a_line_the_turn_ends(patient: Conversation) -> None:
    """The model's words come late, and the voice has no time left."""
    began = patient.ask().now
    wait(patient, 700)
    patient.chunk(LLM, 0, b"It is", b=2)
    outputs = wait(patient, 500)
    assert told(outputs, 0) == [("BUDGET_WARNING", began + 880), ("BUDGET_EXHAUSTED", began + 1100)]
    aborted = decision(outputs, Signal.ABORT)
    assert (aborted.cause, aborted.t_ns // MS) == (Cause.BUDGET_EXHAUSTED, began + 1100)


def test_what_is_played_in_time_ends_it(patient: Conversation) -> None:
    patient.ask()
    wait(patient, 600)
    patient.think(b"It is so. ")
    wait(patient, 270)
    assert patient.chunk(VOICE, 0, bytes(640), a=9, b=3) == Result.ACCEPTED
    outputs = wait(patient, 700)
    assert "PLAYBACK_STARTED" in signals(outputs)
    assert told(patient.outputs, 0) == []


def test_it_is_used_once_a_turn_and_anew_in_the_next(patient: Conversation) -> None:
    for _ in range(2):
        began, seen = patient.ask().now, len(patient.outputs)
        wait(patient, 700)
        patient.chunk(LLM, 0, b"It is", b=2)
        outputs = wait(patient, 500)
        assert told(patient.outputs[seen:], 0) == [("BUDGET_WARNING", began + 880), ("BUDGET_EXHAUSTED", began + 1100)]
        assert decision(outputs, Signal.ABORT).cause == Cause.BUDGET_EXHAUSTED
        patient.control(Control.CANCEL_TURN)  # of the apology
        wait(patient, 5000)


def test_a_way_that_the_mode_cuts_is_not_blamed(talk: Conversation) -> None:
    """The paths to the voice have begun; then the turn goes on in writing."""
    talk.hear()
    talk.fall_silent()
    wait(talk, 260)
    talk.recognise()
    talk.chunk(LLM, 0, b"It ", b=1)
    outputs = wait(talk, 1000)
    assert told(outputs, SPOKEN) == told(outputs, WHOLE) == []


def test_a_cancelled_turn_is_not_blamed(talk: Conversation) -> None:
    talk.ask()
    wait(talk, 100)
    talk.control(Control.CANCEL_TURN)
    assert not [one for one in wait(talk, 2000) if one.op == Op.DECISION and one.y <= -4]


@pytest.mark.parametrize("is_at_work", [True, False])
def test_where_nothing_is_on_the_way_nobody_is_late(kernel: Callable[[str], Any], is_at_work: bool) -> None:
    """What the model says is spoken, and not shown: once it has ended, nothing is on the way to the text, however long
    it plays. While it goes on, there could be something yet, and that is late.
    """
    handlers = [lambda _: [Emission(0, payload=bytes(320))], lambda item: [Emission(0, payload=item.payload, a=9)]]
    talk = Conversation(kernel("stub_workshop")(plan_of("stub_workshop"), "talk", 1, handlers))
    talk.control(Control.CONNECTED)
    talk.offer(In.MEDIA, node=INGRESS, port=0, payload=bytes(320))
    talk.step()
    talk.chunk(STT, 4)  # it detects the end of speech itself
    talk.step()
    talk.recognise(b"what is it?")
    began, llm, voice = talk.now, 3, 6
    talk.chunk(llm, 0, b"It is so. It will stay. ", b=6)
    talk.step()
    if not is_at_work:
        talk.done(llm)
    for frame in range(7):
        talk.chunk(voice, 0, bytes(320), a=frame, b=1)
        wait(talk, 90)
    late = [("BUDGET_WARNING", began + 480), ("BUDGET_EXHAUSTED", began + 600)] if is_at_work else []
    assert told(talk.outputs, 1) == late
    assert ("ABORT" in signals(talk.outputs)) == is_at_work


@pytest.mark.parametrize("is_filled", [True, False])
def test_its_time_stands_still_while_something_is_said_for_a_tool(
    kernel: Callable[[str], Any], is_filled: bool
) -> None:
    """`find` has a filler and runs for 300 ms; `refund` has none, and its time counts: the warning comes at 416 ms."""
    talk = begin(kernel, "stub_shop")
    began = talk.ask().now
    wait(talk, 100)
    port, tool = (1, FIND) if is_filled else (2, REFUND)
    assert talk.chunk(LLM, port, b"{}", a=1) == Result.ACCEPTED
    talk.step()
    if is_filled:
        talk.chunk(VOICE, 0, bytes(640), a=10, b=2)
        talk.done(VOICE)
    wait(talk, 300)
    talk.chunk(tool, 0, b"mild", b=1)
    talk.done(tool)
    wait(talk, 45)
    assert told(talk.outputs, 0) == ([] if is_filled else [("BUDGET_WARNING", began + 416)])
    if is_filled:  # 655 ms after the question, of which 300 do not count
        wait(talk, 210)
        talk.chunk(LLM, 0, b"It is mild.", a=11, b=3)
        wait(talk, 300)
        assert told(talk.outputs, 0) == []
