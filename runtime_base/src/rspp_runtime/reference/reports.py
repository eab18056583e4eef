"""What a party reports to have played, and what follows from it (`docs/kernel.md`, Reports; CONTRACTS §9).

A report names a place in what was sent, on the media clock. It is believed as far as it can be true: of the turn that
plays, not behind the last one, not beyond what was sent; and nothing has been heard before its time.
"""

from __future__ import annotations

from rspp_runtime.abi.codes import Basis, Cause, Result, Signal
from rspp_runtime.abi.messages import Inbound
from rspp_runtime.reference.outputs import decide
from rspp_runtime.reference.state import State

MS_NS = 1_000_000


def connected(s: State, basis: int, interval_ns: int) -> None:
    """A party is there, and says what it will tell."""
    s.egress.basis = Basis(basis) if basis in (Basis.ACKED, Basis.MARKED) else Basis.PACED
    s.egress.interval_ns = max(0, interval_ns)


def played(s: State, event: Inbound) -> Result:
    """It has played so far."""
    egress = s.egress
    plays = s.active and s.turn.playing and event.a == s.turn.serial
    stale = not plays or event.b < max(egress.began_ns, egress.reported_ns)
    if egress.basis is Basis.PACED or stale or event.b > egress.cursor_ns:
        cause = Cause.STALE_REPORT if stale and egress.basis is not Basis.PACED else Cause.IMPOSSIBLE_REPORT
        decide(s, Signal.REPORT_REFUSED, cause, x=event.a, y=event.b)
        return Result.REFUSED
    s.next_seq()
    egress.reported_ns, egress.reported_at_ns = event.b, s.now
    return Result.ACCEPTED


def sends_first(s: State) -> None:
    """The turn's first frame is sent. Where nothing is reported, that is when playback begins."""
    s.turn.started = s.egress.basis is Basis.PACED
    if s.turn.started:
        _decide(s, Signal.PLAYBACK_STARTED, Cause.NONE)


def begins(s: State) -> bool:
    """Decide that playback has begun: the party says so, or should have by now; returns whether that was to be done."""
    if not (s.active and s.turn.playing) or s.turn.started:
        return False
    if s.egress.reported_ns < 0 and s.now < s.egress.began_ns + s.plan.stall_ns:
        return False
    s.turn.started = True
    _decide(s, Signal.PLAYBACK_STARTED, Cause.NONE if s.egress.reported_ns >= 0 else Cause.NOT_REPORTED)
    return True


def is_awaited(s: State) -> bool:
    """Whether the party has still to say that it has played all that was sent, and has time for it."""
    egress = s.egress
    if egress.basis is Basis.PACED or not s.turn.playing:
        return False
    return egress.reported_ns < egress.cursor_ns and s.now < egress.cursor_ns + s.plan.stall_ns


def sounds(s: State) -> bool:
    """Whether something of what was sent may still be heard."""
    return s.egress.cursor_ns > s.now or is_awaited(s)


def wakes_ns(s: State) -> list[int]:
    """When what is playing is over, or is past its deadlines."""
    egress = s.egress
    if not (s.active and s.turn.playing):
        return []
    times = [egress.cursor_ns] if egress.cursor_ns > s.now else []
    if not times and is_awaited(s):
        times.append(egress.cursor_ns + s.plan.stall_ns)
    if not s.turn.started:
        times.append(egress.began_ns + s.plan.stall_ns)
    return times


def update_ledger(s: State) -> None:
    """Move what has been heard by now, as far as is known, from the ledger to what was heard."""
    if s.egress.basis is Basis.PACED:
        _heard_until(s, s.now)
    else:
        _heard_until(s, min(s.now, s.egress.reported_ns))


def settle(s: State) -> None:
    """As `update_ledger`, and by time if nothing was reported of this turn: what was heard is needed now."""
    if s.egress.reported_ns < 0:
        _heard_until(s, s.now)
    else:
        update_ledger(s)


def word_that_plays(s: State) -> int:
    """The word whose time it is, counted from 1; the last one, while only the party still plays."""
    words = s.egress.heard_words
    for entry in s.egress.ledger:
        if entry.end_ns > s.now:
            return words + 1
        words = entry.words
    return words + 1 if s.egress.cursor_ns > s.now else max(1, words)


def ledger_has_room(s: State) -> bool:
    """Whether one more frame can be sent: an entry that only waits for a report makes room (`thin`)."""
    ledger = s.egress.ledger
    return len(ledger) < s.plan.ledger_max or ledger[0].end_ns <= s.now


def thin(s: State) -> None:
    """The ledger is full: of entries that only wait for a report the one is forgotten whose neighbours are closest."""
    egress, ledger = s.egress, s.egress.ledger
    if len(ledger) < s.plan.ledger_max:
        return
    ends = [max(egress.began_ns, egress.reported_ns), *(entry.end_ns for entry in ledger)]
    due = sum(entry.end_ns <= s.now for entry in ledger)
    spans = [ends[index + 2] - ends[index] for index in range(min(due, len(ledger) - 1))]
    del ledger[spans.index(min(spans))]


def decide_heard(s: State, signal: Signal, cause: Cause = Cause.NONE) -> None:
    """Decide something about playback that says what was heard."""
    _decide(s, signal, cause, x=s.egress.heard_words, y=s.egress.heard_bytes)


def completed(s: State) -> None:
    """All was played, or is past its deadline."""
    egress = s.egress
    late = egress.basis is not Basis.PACED and egress.reported_ns < egress.cursor_ns
    decide_heard(s, Signal.PLAYBACK_COMPLETED, Cause.NOT_REPORTED if late else Cause.NONE)


def _decide(s: State, signal: Signal, cause: Cause, *, x: int = 0, y: int = 0) -> None:
    egress = s.egress
    basis, error_ms = Basis.PACED, 0
    if egress.basis is not Basis.PACED and egress.reported_ns >= 0:
        basis = egress.basis
        unreported_ns = min(s.now, egress.cursor_ns) - egress.reported_ns
        since_ns = max(egress.interval_ns, s.now - egress.reported_at_ns)
        error_ms = -(-max(0, min(unreported_ns, since_ns)) // MS_NS)
    decide(s, signal, cause, port=basis, invocation=error_ms, x=x, y=y)


def _heard_until(s: State, until_ns: int) -> None:
    egress, ledger = s.egress, s.egress.ledger
    while len(ledger) > egress.unsent and ledger[0].end_ns <= until_ns:
        played = ledger.popleft()
        egress.heard_words, egress.heard_bytes = played.words, played.bytes
