"""Invariants of what a party reports to have played (docs/kernel.md, Reports; CONTRACTS §9)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Cause, Control, In, Result, Signal
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.simulation.book import Book
from rspp_runtime.simulation.checks import IN_A_TURN, Checks, claim
from rspp_runtime.simulation.pages import ACTIVE
from rspp_runtime.simulation.violation import Violation

MS_NS = 1_000_000
CHECKS = Checks()
on, while_ = CHECKS.on, CHECKS.while_


def a_report_is_believed_if_it_can_be_true(book: Book, event: Inbound, result: int, *, undrained: bool) -> None:
    """A report is taken if it is of the turn that plays, not behind the last one, and not beyond what was sent."""
    is_report = event.op == In.CONTROL and event.port == Control.PLAYED
    if not is_report or event.epoch != book.epoch or result == Result.FULL or undrained or book.turn.refused:
        return
    turn = book.turn
    plays = bool(book.basis) and book.turn_state == ACTIVE and event.a == turn.serial and turn.began_ns >= 0
    plays = plays and turn.playback < 2
    can_be = plays and max(turn.began_ns, turn.reported_ns) <= event.b <= book.cursor_ns
    if can_be != (result == Result.ACCEPTED):
        raise Violation(
            "a_report_is_believed_if_it_can_be_true",
            f"turn {event.a}, {event.b} ns: answered {result}; turn {turn.serial} played from {turn.began_ns}, "
            f"reported to {turn.reported_ns}, sent to {book.cursor_ns}",
        )


claim(CHECKS, a_report_is_believed_if_it_can_be_true)


@on(Signal.PLAYBACK_STARTED)
def playback_begins_when_it_is_reported(book: Book, output: Output) -> str | None:
    """Where a party reports, playback begins with its first report, or when that is overdue."""
    turn = book.turn
    if not book.basis or turn.reported_at_ns > output.t_ns or (output.cause == Cause.NONE and turn.reported_ns >= 0):
        return None
    if output.cause != Cause.NOT_REPORTED or turn.reported_ns >= 0:
        return f"cause {output.cause}, reported to {turn.reported_ns}"
    early = turn.began_ns >= 0 and output.t_ns < turn.began_ns + book.plan.stall_ns
    return f"not reported at {output.t_ns}, and began at {turn.began_ns}" if early else None


@on(Signal.PLAYBACK_COMPLETED)
def what_is_not_reported_is_said_to_be_so(book: Book, output: Output) -> str | None:
    """A playback that its party has not reported to the end is completed for that reason, and no other is."""
    if not book.turn.audio or book.turn.reported_at_ns > output.t_ns:
        return None
    late = bool(book.basis) and book.turn.reported_ns < book.turn.audio[-1][0]
    if output.cause == Cause.NOT_REPORTED and book.undrained_ns < output.t_ns:
        return None  # frames of a step that nobody has drained yet come behind this decision
    return f"cause {output.cause}" if late != (output.cause == Cause.NOT_REPORTED) else None


@on(
    Signal.PLAYBACK_STARTED, Signal.PLAYBACK_COMPLETED, Signal.PLAYBACK_CANCELLED, Signal.PLAYBACK_PAUSED,
    Signal.PLAYBACK_RESUMED,
)  # fmt: skip
def a_figure_has_its_basis(book: Book, output: Output) -> str | None:
    """What was heard says by what it is known; a reported figure is off by no more than a report is old."""
    turn = book.turn
    if turn.reported_at_ns > output.t_ns:
        return None  # it was reported after a step that nobody has drained yet
    basis = book.basis if turn.reported_ns >= 0 else 0
    if output.port != basis:
        return f"basis {output.port}, not {basis}"
    old_ns = max(book.interval_ns, output.t_ns - turn.reported_at_ns) if basis else 0
    right = 0 <= output.invocation * MS_NS < old_ns + MS_NS
    return None if right or output.invocation == 0 else f"off by {output.invocation} ms, told {old_ns} ns ago"


@on(Signal.PLAYBACK_CANCELLED)
def a_party_that_still_plays_is_stopped(book: Book, output: Output) -> str | None:
    """Who has not reported the end, and has time for it, is told to forget the rest."""
    turn = book.turn
    if not book.basis or not turn.audio or turn.flushed_ns == output.t_ns or turn.refused:
        return None
    plays = turn.reported_ns < book.cursor_ns and output.t_ns < book.cursor_ns + book.plan.stall_ns
    return f"reported to {turn.reported_ns} of {book.cursor_ns}" if plays else None


@while_(IN_A_TURN)
def a_party_is_not_waited_for(book: Book) -> str | None:
    """Playback that its party does not report has begun when that is overdue."""
    turn = book.turn
    if not book.basis or turn.playback or turn.began_ns < 0 or turn.refused:
        return None
    late = book.now >= turn.began_ns + book.plan.stall_ns
    return f"began at {turn.began_ns}, and was not said to" if late else None
