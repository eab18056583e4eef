"""What a party reports to have played: what is heard goes by that, and nothing waits for a report beyond its time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conversation import EARS, EGRESS, MS, SPEECH_END, SPEECH_START, VOICE, Conversation, decision, requests, signals
from kernels import plan_of

from rspp_runtime.abi import Cause, Control, In, Op, Output, Result, Signal
from rspp_runtime.abi.codes import Basis, emitter
from rspp_runtime.abi.lookup import heard_by

FRAME_MS = 20
STALL_MS = 500
INTERVAL_MS = 100
LEDGER_MAX = 32
STUB = "stub_patience"


class Call(Conversation):
    """An answer of `frames` frames is sent to somebody who reports; each marks one byte and one word more."""

    began = -1  # ms at which its first frame plays

    def connected(self, basis: int, interval_ms: int = INTERVAL_MS) -> Call:
        self.control(Control.CONNECTED, a=basis, b=interval_ms * MS)
        self.control(Control.CANCEL_TURN)
        self.step(self.now + 100)
        return self

    def answered(self, frames: int, reports: Callable[[int], float | None] = lambda _: None) -> Call:
        words = b" ".join(b"%c" % (97 + index % 26) for index in range(frames)) + b". "
        self.ask().think(words)
        for index in range(1, frames + 1):
            while self.chunk(VOICE, 0, bytes([index]) * 640, a=2 * index, b=index) == Result.FULL:
                self.let_play(FRAME_MS, reports)
            self.step()
            if self.began < 0:
                self.began = next((out.x // MS for out in self.outputs if _is_frame(out)), -1)
        self.done(VOICE)
        return self

    def heard(self, ms: float, turn: int = 2) -> Result:
        """Reports: `ms` of what was sent were played."""
        return self.offer(In.CONTROL, port=Control.PLAYED, a=turn, b=self.began * MS + int(ms * MS))

    def cancelled(self) -> Output:
        """The turn is cancelled; asked for twice, since its voice may end a word. What was heard of it."""
        self.control(Control.CANCEL_TURN)
        self.control(Control.CANCEL_TURN)
        return decision(self.outputs, Signal.PLAYBACK_CANCELLED)

    def let_play(self, ms: int, reports: Callable[[int], float | None] = lambda _: None) -> list[Output]:
        """Time goes by as the kernel asks for it, but every 10 ms somebody may report."""
        until, seen = self.now + ms, self.drain()
        while self.now < until:
            due = self.deadline // MS if self.deadline >= 0 else until
            seen += self.step(min(max(due, self.now + 1), until, self.now + 10 - self.now % 10))
            if self.now % 10 == 0 and (place := reports(self.now)) is not None:
                self.heard(place)
                seen += self.step()
        return seen


@pytest.fixture
def start(kernel: Callable[[str], Any]) -> Callable[..., Call]:
    def make(basis: int, frames: int = 10, interval_ms: int = INTERVAL_MS) -> Call:
        session = kernel(STUB)(plan_of(STUB), "talk", 1, [None, None])
        call = Call(session).connected(basis, interval_ms)
        return call.answered(frames) if frames else call

    return make


Start = Callable[..., Call]


def _is_frame(output: Output) -> bool:
    return output.op == Op.SEND and output.node == EGRESS and len(output.payload) == 640


def played(outputs: list[Output]) -> list[int]:
    return [output.payload[0] for output in outputs if _is_frame(output)]


def by(output: Output) -> tuple[str, int]:
    return heard_by(plan_of(STUB).lead_ns, output.port, output.invocation)


def signed(output: Output) -> str:
    return emitter(Signal(output.code), output.port, output.cause)


def test_who_reports_nothing_is_estimated(start: Start) -> None:
    call = start(Basis.PACED)
    assert decision(call.outputs, Signal.PLAYBACK_STARTED).t_ns == call.began * MS
    done = decision(call.let_play(300), Signal.PLAYBACK_COMPLETED)
    assert (done.x, done.y, done.t_ns // MS) == (10, 20, call.began + 200)
    assert (done.port, done.invocation, done.cause) == (0, 0, 0)  # as before there were reports
    assert (by(done), signed(done)) == (("paced", 200), "RK-22")


@pytest.mark.parametrize("basis", [Basis.ACKED, Basis.MARKED])
def test_it_begins_and_is_over_when_the_party_says_so(start: Start, basis: Basis) -> None:
    """70 ms of network and buffer: each moment is that much later, and signed by the connection."""
    call, late = start(basis), 70
    assert "PLAYBACK_STARTED" not in signals(call.outputs)
    outputs = call.let_play(400, lambda now: min(now - call.began - late, 200) if now >= call.began + late else None)
    began = decision(outputs, Signal.PLAYBACK_STARTED)
    assert (began.t_ns // MS - call.began - late) in range(10)
    done = decision(outputs, Signal.PLAYBACK_COMPLETED)
    assert (done.t_ns // MS - call.began - late - 200) in range(10)
    assert (done.x, done.y, done.cause) == (10, 20, 0)
    assert by(done) == (basis.name.lower(), 0)  # all of it: nothing is uncertain
    assert {signed(began), signed(done)} == {"RK-23"}
    assert requests(outputs, Op.APPEND)  # and evidence is asked for


def test_what_was_heard_at_an_interruption_is_the_last_report(start: Start) -> None:
    call = start(Basis.ACKED)
    call.let_play(100, lambda now: 50.0 if now == call.began + 100 - 10 else None)
    cut = call.cancelled()
    assert (cut.x, cut.y) == (2, 4)  # by time it were five
    error_ms = call.now - call.began - 50  # the interval is 100 ms, and no more could have been played
    assert (by(cut), signed(cut)) == (("acked", error_ms), "RK-23")
    call.step(call.now + 100)
    call.ask(b"go on")
    assert [output.payload for output in requests(call.outputs, Op.CONTEXT)][-1] == b"a b "


def test_the_error_is_the_time_since_the_last_report(start: Start) -> None:
    call = start(Basis.ACKED, 15, interval_ms=20)
    call.let_play(100, lambda now: 90.0 if now == call.began + 100 else None)
    call.let_play(120)
    cut = call.cancelled()
    assert (cut.x, by(cut)) == (4, ("acked", 120))


def test_nobody_hears_what_is_ahead_of_time(start: Start) -> None:
    """A report of all that was sent, at once: believed only as far as time has come."""
    call = start(Basis.ACKED)
    assert call.heard(200) == Result.ACCEPTED
    call.let_play(60)
    cut = call.cancelled()
    assert cut.x == (call.now - call.began) // FRAME_MS < 10


@pytest.mark.parametrize(
    ("ms", "turn", "cause"),
    [
        (200.001, 2, Cause.IMPOSSIBLE_REPORT),  # a microsecond more than was sent
        (10**12, 2, Cause.IMPOSSIBLE_REPORT),
        (-1, 2, Cause.STALE_REPORT),  # before the turn was played
        (30, 2, Cause.STALE_REPORT),  # behind the last report
        (60, 1, Cause.STALE_REPORT),
        (60, 3, Cause.STALE_REPORT),
        (60, 2**40, Cause.STALE_REPORT),
    ],
)
def test_what_cannot_be_true_is_refused_and_recorded(start: Start, ms: float, turn: int, cause: Cause) -> None:
    call = start(Basis.ACKED)
    call.step(call.began + 60)
    assert call.heard(40) == Result.ACCEPTED
    assert call.heard(ms, turn) == Result.REFUSED
    refused = decision(call.step(), Signal.REPORT_REFUSED)
    assert (refused.cause, refused.x, refused.y) == (cause, turn, call.began * MS + int(ms * MS))
    cut = call.cancelled()
    assert cut.x == 2


def test_a_report_that_says_the_same_again_is_news_of_its_time(start: Start) -> None:
    call = start(Basis.ACKED, interval_ms=0)
    call.step(call.began + 60)
    assert call.heard(60) == Result.ACCEPTED
    call.let_play(60)
    assert call.heard(60) == Result.ACCEPTED
    cut = call.cancelled()
    assert (cut.x, by(cut)) == (3, ("acked", 0))


def test_who_said_nothing_of_reports_is_not_believed(start: Start) -> None:
    call = start(Basis.PACED)
    assert call.heard(20) == Result.REFUSED
    assert decision(call.step(), Signal.REPORT_REFUSED).cause == Cause.IMPOSSIBLE_REPORT


@pytest.mark.parametrize("basis", [-1, 3, 2**40])
def test_a_basis_that_there_is_not_is_none(start: Start, basis: int) -> None:
    assert "PLAYBACK_STARTED" in signals(start(basis).outputs)


def test_who_never_reports_holds_a_turn_open_for_the_stall_and_no_longer(start: Start) -> None:
    call = start(Basis.ACKED)
    outputs = call.let_play(200 + STALL_MS - 1)
    began = decision(outputs, Signal.PLAYBACK_STARTED)
    assert (began.t_ns // MS, began.cause) == (call.began + STALL_MS, Cause.NOT_REPORTED)
    assert "PLAYBACK_COMPLETED" not in signals(outputs)
    done = decision(call.let_play(2), Signal.PLAYBACK_COMPLETED)
    assert (done.t_ns // MS, done.cause, done.x) == (call.began + 200 + STALL_MS, Cause.NOT_REPORTED, 10)
    assert {(*by(one), signed(one)) for one in (began, done)} == {("paced", 200, "RK-22")}
    assert call.control(Control.EVIDENCE_APPENDED, a=2)[0].code == Signal.COMMIT


def test_who_stops_reporting_has_heard_what_it_said(start: Start) -> None:
    call = start(Basis.ACKED)
    outputs = call.let_play(200 + STALL_MS + 10, lambda now: 100.0 if now == call.began + 110 else None)
    done = decision(outputs, Signal.PLAYBACK_COMPLETED)
    assert (done.t_ns // MS, done.cause, done.x) == (call.began + 200 + STALL_MS, Cause.NOT_REPORTED, 5)
    assert (by(done), signed(done)) == (("acked", 100), "RK-22")  # 100 ms were sent and not reported


def test_reports_that_do_not_move_do_not_hold_the_turn(start: Start) -> None:
    call = start(Basis.ACKED)
    outputs = call.let_play(200 + STALL_MS + 10, lambda now: 100.0)
    assert decision(outputs, Signal.PLAYBACK_COMPLETED).t_ns // MS == call.began + 200 + STALL_MS


def test_nothing_is_awaited_of_a_turn_that_is_over(start: Start) -> None:
    call = start(Basis.ACKED)
    call.let_play(300, lambda now: min(now - call.began, 200.0))
    call.control(Control.EVIDENCE_APPENDED, a=2)
    assert call.heard(200) == Result.REFUSED
    assert decision(call.step(), Signal.REPORT_REFUSED).cause == Cause.STALE_REPORT


def test_at_a_cancel_the_party_is_told_to_stop_while_it_may_still_play(start: Start) -> None:
    """By time all was played 100 ms ago; the party, which is late, still has some of it."""
    call = start(Basis.ACKED)
    call.let_play(300, lambda now: max(0.0, now - call.began - 200.0))
    assert call.cancelled().x == 5
    assert [request.turn for request in requests(call.outputs, Op.FLUSH)][-1] == 2


def test_a_reconnect_may_change_it(start: Start) -> None:
    call = start(Basis.ACKED)
    call.control(Control.DISCONNECTED)
    call.control(Control.CONNECTED)
    call.step(call.now + 100)
    first = len(call.outputs)
    call.control(Control.CANCEL_TURN)
    call.step(call.now + 100)
    call.answered(3)
    assert by(decision(call.outputs[first:], Signal.PLAYBACK_STARTED)) == ("paced", 200)


# ---- pauses


def interrupt(call: Call) -> list[Output]:
    call.chunk(EARS, SPEECH_START)
    return call.step()


def fall_silent(call: Call) -> list[Output]:
    call.chunk(EARS, SPEECH_END)
    return call.step()


def test_after_a_pause_playback_goes_on_with_what_was_not_reported(start: Start) -> None:
    """At the pause 40 ms were reported; the party stops at 60 ms, and says so."""
    call = start(Basis.ACKED)
    call.let_play(80, lambda now: 40.0 if now == call.began + 60 else None)
    paused = decision(interrupt(call), Signal.PLAYBACK_PAUSED)
    assert (paused.x, by(paused)) == (2, ("acked", call.now - call.began - 40))
    assert call.heard(60) == Result.ACCEPTED
    assert call.heard(call.now - call.began + 1) == Result.REFUSED  # nothing plays that was taken back
    call.let_play(300)
    outputs = fall_silent(call)
    resumed = decision(outputs, Signal.PLAYBACK_RESUMED)
    assert (resumed.x, by(resumed)[0]) == (3, "acked")
    again = call.now
    outputs += call.let_play(100)
    assert played(outputs)[:3] == [4, 5, 6]
    first = requests(outputs, Op.SEND)[0]
    assert first.x // MS == again
    call.began = again - 60  # from here on places are later by the pause
    outputs += call.let_play(200, lambda now: min(now - call.began, 200.0))
    assert played(outputs) == [4, 5, 6, 7, 8, 9, 10]
    done = decision(outputs, Signal.PLAYBACK_COMPLETED)
    assert (done.x, by(done)) == (10, ("acked", 0))


def test_without_a_word_from_the_party_a_pause_goes_by_time(start: Start) -> None:
    """It reports so seldom that nobody would want to hear again all that it has not reported."""
    call = start(Basis.MARKED)
    call.let_play(100, lambda now: 40.0 if now == call.began + 60 else None)
    assert decision(interrupt(call), Signal.PLAYBACK_PAUSED).x == 2
    call.let_play(300)
    outputs = fall_silent(call)
    assert played(outputs + call.let_play(100)) == [6, 7, 8, 9, 10]


def test_frames_that_wait_to_come_again_are_not_heard_by_reports_of_others(start: Start) -> None:
    """Twelve frames are to come again, and the lead holds eleven."""
    call = start(Basis.ACKED, 13)
    call.let_play(40, lambda now: 20.0 if now == call.began + 40 else None)
    interrupt(call)
    assert call.heard(20) == Result.ACCEPTED
    assert played(fall_silent(call)) == [*range(2, 13)]
    call.began = call.now
    call.step(call.now + 20)
    assert call.heard(20) == Result.ACCEPTED
    assert call.cancelled().x == 2


@pytest.mark.parametrize(("later_ms", "left"), [(30, [*range(3, 14)]), (300, [13])])
def test_a_second_pause_keeps_what_the_first_one_left(start: Start, later_ms: int, left: list[int]) -> None:
    """Twelve frames are to come again, eleven of them have been sent; the twelfth was due long ago."""
    call = start(Basis.ACKED, 13)
    call.let_play(40, lambda now: 20.0 if now == call.began + 40 else None)
    interrupt(call)
    call.heard(20)
    call.let_play(600)
    assert played(fall_silent(call)) == [*range(2, 13)]
    call.now += later_ms  # in the middle of the third frame, or when all that was sent should have been played
    interrupt(call)
    assert played(fall_silent(call))[:11] == left[:11]
    call.let_play(400)
    assert [output.payload[0] for output in call.outputs if _is_frame(output)][-len(left) :] == left


def test_a_report_that_comes_while_a_word_is_ended_counts(start: Start) -> None:
    """Nobody had reported anything when the cancel was asked for; what is said until it is accepted is not too late."""
    call = start(Basis.ACKED)
    call.let_play(50)
    call.control(Control.CANCEL_TURN)
    call.step()
    assert "CANCEL_PENDING" in signals(call.outputs)
    call.heard(20)
    call.control(Control.CANCEL_TURN)
    cut = decision(call.outputs, Signal.PLAYBACK_CANCELLED)
    assert (cut.x, cut.y, by(cut)[0]) == (1, 2, "acked")  # by time it were two


# ---- the ledger


def test_a_party_that_is_far_behind_is_known_less_finely_and_never_wrongly(start: Start) -> None:
    """Of 32 entries of the ledger eleven are ahead of time: the others are too few for a second."""
    assert plan_of(STUB).ledger_max == LEDGER_MAX
    call, late = start(Basis.ACKED, 0), 1_000
    call.answered(100, lambda now: max(0.0, now - call.began - late))
    place_ms = call.now - call.began - late
    assert call.heard(place_ms) == Result.ACCEPTED
    heard = place_ms // FRAME_MS
    assert heard > 20
    assert heard // 2 <= call.cancelled().x <= heard
