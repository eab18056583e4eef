"""Invariants of turns (docs/kernel.md: Proposing, opening, ending a turn; CONTRACTS §5 and §8)."""

from __future__ import annotations

import hashlib
import json

from rspp_runtime.abi.codes import Cause, Op, Origin, Signal
from rspp_runtime.abi.messages import Output
from rspp_runtime.simulation.book import Book
from rspp_runtime.simulation.checks import IN_A_TURN, Checks, claim
from rspp_runtime.simulation.legal import COUNTED
from rspp_runtime.simulation.pages import (
    ACTIVE,
    AUTHORITY,
    BUDGET,
    CANCELLED,
    CLOSED,
    DISCONNECT,
    ERROR,
    IDLE,
    OPENING,
    TERMINAL,
)
from rspp_runtime.simulation.violation import Violation

CHECKS = Checks()
on, after_step, while_ = CHECKS.on, CHECKS.after_step, CHECKS.while_

_RANK = {
    int(Cause.AUTHORITY_LOSS): AUTHORITY,
    int(Cause.CANCELLED): CANCELLED,
    int(Cause.BUDGET_EXHAUSTED): BUDGET,
    int(Cause.RECORDING_EVIDENCE_UNAVAILABLE): ERROR,
    int(Cause.NODE_TIMEOUT_OR_FAILURE): ERROR,
    int(Cause.PROVIDER_FAILURE): ERROR,
    int(Cause.TRANSPORT_DISCONNECT_OR_STALL): DISCONNECT,
}
_STATES = ("Idle", "Opening", "Active", "Terminal", "Closed")


@on(*Signal)
def a_signal_belongs_to_its_state(book: Book, output: Output) -> str | None:
    """A decision falls only in a state in which the plan has what can cause it (`legal`)."""
    code, state = output.code, book.turn_state
    if (state, code) in book.legal or code not in COUNTED:
        return None
    if state == OPENING and book.doubtful and (IDLE, code) in book.legal:
        return None
    return f"{Signal(code).name} in state {_STATES[state]}"


@on(Signal.TURN_OPEN_PROPOSED)
def a_proposal_waits_for_the_end(book: Book, output: Output) -> str | None:
    """A turn is proposed only while none is Opening or Active; it has a known origin."""
    if book.turn_state not in (IDLE, CLOSED) and not (book.turn_state == OPENING and book.doubtful):
        return f"proposed in state {_STATES[book.turn_state]}"
    return None if 0 <= output.x <= Origin.API else f"origin {output.x}"


@on(Signal.TURN_OPEN_PROPOSED)
def an_apology_is_for_a_failure(book: Book, output: Output) -> str | None:
    """A turn that apologises follows the one that failed, never an apology, and not too soon after the last one."""
    if not output.y:
        return None
    if not book.plan.apology_ns or output.y != book.failed or output.x != Origin.API:
        return f"an apology for turn {output.y}, origin {output.x}; turn {book.failed} had failed"
    early = book.apologised_ns >= 0 and output.t_ns < book.apologised_ns + book.plan.apology_ns
    return f"an apology at {output.t_ns} after one at {book.apologised_ns}" if early else None


@on(Signal.TURN_OPEN)
def a_turn_opens_once(book: Book, output: Output) -> str | None:
    """Only a proposed turn opens, with the next serial, in a connected session that holds its authority."""
    if book.turn_state != OPENING:
        return f"opened in state {_STATES[book.turn_state]}"
    if output.turn != book.turn.serial + 1:
        return f"turn {output.turn} after turn {book.turn.serial}"
    if book.revoked:
        return "opened without authority"
    if book.leaving or not book.running:
        return "opened for a party that has gone"
    return None if output.x <= output.y else f"answers sequences {output.x} to {output.y}"


@on(Signal.TURN_OPEN)
def the_plan_is_the_turns_own(book: Book, output: Output) -> str | None:
    """The plan hash is that of CONTRACTS §6 for this turn, mode and epoch."""
    plan = book.plan
    if plan.policies or any(node.attempts and node.attempts.guards for node in plan.nodes):
        return None  # what it chose, the two kernels compare
    turn = {
        "authority_epoch": book.epoch,
        "mode": plan.modes[book.entered].name,
        "turn_id": f"{book.session_id}/{output.turn}",
    }
    added = json.dumps(turn, ensure_ascii=False, separators=(",", ":"))
    right = hashlib.sha256(b"rspp.plan.v1\0" + f"{plan.template_hash}{added}".encode()).digest()
    return None if output.payload == right else f"plan hash {output.payload.hex()[:12]}, not {right.hex()[:12]}"


@on(Signal.COMMIT, Signal.ABORT)
def one_terminal(book: Book, output: Output) -> str | None:
    """An accepted turn has exactly one of commit and abort."""
    if book.turn_state != ACTIVE:
        return f"{Signal(output.code).name} in state {_STATES[book.turn_state]}"
    return None if output.turn == book.turn.serial else f"of turn {output.turn}"


@on(Signal.CLOSE)
def then_one_close(book: Book, output: Output) -> str | None:
    """The terminal is followed by exactly one close of the same turn."""
    if book.turn_state != TERMINAL:
        return f"closed in state {_STATES[book.turn_state]}"
    return None if output.turn == book.turn.serial else f"of turn {output.turn}"


@on(*(signal for signal in Signal if signal != Signal.CLOSE))
def nothing_between_terminal_and_close(book: Book, output: Output) -> str | None:
    """No decision stands between a terminal and its close."""
    return f"{Signal(output.code).name} in state Terminal" if book.turn_state == TERMINAL else None


@on(*(signal for signal in Signal if signal not in (Signal.COMMIT, Signal.ABORT, Signal.CLOSE, Signal.TURN_OPEN)))
def decisions_name_the_active_turn(book: Book, output: Output) -> str | None:
    """A decision carries the turn that is Active, or 0 (a refusal at the fence: its item's)."""
    if output.code == Signal.LATE_AFTER_CANCEL and output.y == 1:
        return None if 0 < output.turn <= book.turn.serial else f"refused an item of turn {output.turn}"
    active = book.turn.serial if book.turn_state == ACTIVE else 0
    return None if output.turn == active else f"{Signal(output.code).name} of turn {output.turn}, active is {active}"


@on(Signal.COMMIT)
def a_commit_is_on_record(book: Book, output: Output) -> str | None:
    """A turn commits only when its evidence was asked for and appended, and nothing was left that ends it."""
    if book.turn.asked_ns < 0:
        return "committed without asking for evidence"
    return None if book.turn.appended else "committed before its evidence was appended"


@on(Signal.COMMIT, Signal.PLAYBACK_COMPLETED)
def a_commit_was_played(book: Book, output: Output) -> str | None:
    """A turn is complete only when its last frame has been played."""
    if output.turn != book.turn.serial or not book.turn.audio:
        return None
    end = book.turn.audio[-1][0]
    if book.basis and output.code == Signal.PLAYBACK_COMPLETED and book.turn.reported_ns < end:
        end += book.plan.stall_ns
    return f"{Signal(output.code).name} at {output.t_ns}, playback ends at {end}" if output.t_ns < end else None


@on(Signal.ABORT)
def the_strongest_end_wins(book: Book, output: Output) -> str | None:
    """Of the ends that fell into one window: authority > cancel > budget > error > disconnect (CONTRACTS §5)."""
    rank = _RANK.get(output.cause)
    if rank is None:
        return f"cause {output.cause} is no reason to abort"
    strongest = min(book.turn.ends, default=DISCONNECT)
    return f"aborted by {Cause(output.cause).name}, a stronger end had come" if rank > strongest else None


@on(Signal.ABORT)
def an_abort_has_a_reason(book: Book, output: Output) -> str | None:
    """A turn aborts only for an end that came."""
    rank, turn = _RANK.get(output.cause), book.turn
    if rank == CANCELLED and any(r.action.verb in ("cancel_turn", "cancel_session") for r in book.plan.reactions):
        return None
    if rank == CANCELLED and 0 <= turn.paused_ns <= output.t_ns - book.plan.pause_ns:
        return None  # a pause that nobody ended
    if rank == ERROR or (rank == DISCONNECT and book.ended) or (rank == BUDGET and turn.budgets):
        return None
    return None if rank in turn.ends else f"aborted by {Cause(output.cause).name}, and there was no such end"


@on(Signal.DEFER)
def a_deferral_has_a_turn(book: Book, output: Output) -> str | None:
    """A proposal is deferred for a turn that is in progress, or for a snapshot."""
    if output.cause == Cause.TURN_ACTIVE and book.turn_state not in (OPENING, ACTIVE):
        return f"TURN_ACTIVE in state {_STATES[book.turn_state]}"
    return None


@on(Signal.BUDGET_EXHAUSTED, Signal.BUDGET_WARNING)
def budgets_run_their_time(book: Book, output: Output) -> str | None:
    """The budget of a turn, its warning and its total end neither early nor after its first output."""
    turn, plan = book.turn, book.plan
    if output.y >= 0 or output.y <= -3 or book.turn_state != ACTIVE:
        return None
    if output.y == -2:
        due = turn.opened_ns + plan.turn_total_ns
    else:
        due = turn.input_end_ns + (plan.turn_ns if output.code == Signal.BUDGET_EXHAUSTED else plan.turn_warning_ns)
        if turn.output:
            return "after the first output"
    return None if output.t_ns >= due else f"at {output.t_ns}, due at {due}"


@on(Signal.DEGRADE)
def fidelity_only_goes_down(book: Book, output: Output) -> str | None:
    """A turn is degraded to modes that leave out more and more (CONTRACTS §7)."""
    if not 0 < output.x < len(book.plan.modes):
        return f"mode {output.x}"
    off, before = book.plan.modes[output.x].nodes_off, book.plan.modes[book.mode].nodes_off
    return None if off & before == before and off != before else f"from mode {book.mode} to {output.x}"


@on(Signal.OUTPUT_ACCEPTED, Signal.PLAYBACK_STARTED)
def first_output_comes_once(book: Book, output: Output) -> str | None:
    """A turn has one first output, and its playback starts once."""
    again = book.turn.output if output.code == Signal.OUTPUT_ACCEPTED else book.turn.playback
    return f"{Signal(output.code).name} twice" if again else None


@on(Signal.PLAYBACK_COMPLETED, Signal.PLAYBACK_CANCELLED)
def playback_ends_once(book: Book, output: Output) -> str | None:
    """Playback ends once, and only after it has started, or before its party has said so."""
    begins = book.basis and output.code == Signal.PLAYBACK_CANCELLED and book.turn.playback == 0
    return None if book.turn.playback == 1 or begins else f"in playback state {book.turn.playback}"


@on(Signal.COMMIT, Signal.ABORT)
def playback_ends_with_its_turn(book: Book, output: Output) -> str | None:
    """A turn whose playback started says how it ended before its terminal."""
    return "playback goes on" if book.turn.playback == 1 else None


@on(Op.APPEND)
def evidence_is_asked_for_once(book: Book, output: Output) -> str | None:
    """The evidence of an active turn is asked for once."""
    if book.turn_state == ACTIVE and output.turn == book.turn.serial:
        return "asked twice" if book.turn.asked_ns >= 0 else None
    return None if output.turn == book.turn.serial else f"evidence of turn {output.turn}"


@on(*(signal for signal in Signal if signal not in (Signal.BARGE_IN, Signal.HEARD)))
def speech_over_an_answer_is_a_barge_in(book: Book, output: Output) -> str | None:
    """When speech begins while a turn is active, BARGE_IN is decided before the turn ends."""
    if book.heard and book.plan.barge_in >= 0 and output.code in (Signal.COMMIT, Signal.ABORT):
        return f"speech was heard in turn {book.heard} without BARGE_IN"
    return None


# ---- after each step


@while_(IN_A_TURN)
def an_end_is_not_ignored(book: Book) -> str | None:
    """A turn for whose end there is a reason does not go on after the step, unless somebody may end a segment first."""
    if book.turn.ends == {CANCELLED} and book.now < book.turn.stopping_ns:
        return None
    if book.turn.ends:
        return f"turn {book.turn.serial} goes on in spite of {sorted(book.turn.ends)}"
    return None


@after_step
def opening_is_decided_at_once(book: Book) -> str | None:
    """A step leaves no turn in Opening or Terminal."""
    return f"state {_STATES[book.turn_state]}" if book.turn_state in (OPENING, TERMINAL) else None


@while_(IN_A_TURN)
def an_active_turn_has_a_deadline(book: Book) -> str | None:
    """No wait without a deadline: while a turn is active, the kernel says when it wants to be called."""
    return "there is no deadline" if book.deadline < 0 else None


@while_(IN_A_TURN)
def every_turn_ends_in_time(book: Book) -> str | None:
    """A turn ends by its total, by its budget without output, and by the deadline of its evidence."""
    turn, plan, now = book.turn, book.plan, book.now
    if now >= turn.opened_ns + plan.turn_total_ns:
        return f"turn {turn.serial}, open since {turn.opened_ns}, is past its total"
    if turn.asked_ns >= 0:
        late = now >= turn.asked_ns + plan.evidence_ns
        return f"turn {turn.serial} waits for evidence since {turn.asked_ns}" if late else None
    if not turn.output and now >= turn.input_end_ns + plan.turn_ns:
        return f"turn {turn.serial}: no output since {turn.input_end_ns}"
    return None


@while_(IN_A_TURN)
def a_soft_cancel_ends(book: Book) -> str | None:
    """A soft cancel is accepted by its deadline, and that is no later than the longest segment allows."""
    turn = book.turn
    if turn.stopping_ns < 0:
        return None
    if turn.stopping_ns > book.now + book.plan.soft_ns:
        return f"it may last until {turn.stopping_ns}"
    return f"it was to be accepted by {turn.stopping_ns}" if book.now >= turn.stopping_ns else None


@on(Signal.CANCEL_PENDING)
def only_soft_nodes_wait(book: Book, output: Output) -> str | None:
    """A cancel is soft only where a node says so, and it waits for its deadline once."""
    if not book.plan.soft_nodes or (output.node >= 0 and not book.plan.soft_nodes >> output.node & 1):
        return "nobody is soft"
    return "twice" if output.node < 0 and book.turn.stopping_ns >= 0 else None


@on(Op.INVOKE, Op.FEED)
def nothing_begins_in_a_soft_cancel(book: Book, output: Output) -> str | None:
    """While a turn waits for the end of a segment, nobody in it gets more to do."""
    if book.turn_state != ACTIVE or book.turn.stopping_ns < 0 or output.turn != book.turn.serial:
        return None
    asked_ns, asked_seq = book.turn.asked_to_stop
    if output.t_ns <= asked_ns and output.seq < asked_seq:
        return None  # it was given before: what a step left in the data lane is drained behind what the next decides
    return f"{book.plan.nodes[output.node].name} was given something"


@on(Op.SEND)
def a_soft_cancel_ends_with_its_word(book: Book, output: Output) -> str | None:
    """Behind the word in which it was cancelled a turn is not heard."""
    turn = book.turn
    if turn.stopping_ns < 0 or (output.node, output.port) not in book.tables.audio_out:
        return None
    if turn.words_until < 0:
        return "nothing was being said"
    over = bool(turn.audio) and turn.audio[-1][1] >= turn.words_until
    return f"sent {output.seq} behind word {turn.words_until}" if over else None


@while_(IN_A_TURN)
def speech_is_a_barge_in(book: Book) -> str | None:
    """Speech that began in a turn's time is a barge-in when somebody listens for it."""
    if book.heard and book.plan.barge_in >= 0:
        return f"speech was heard in turn {book.heard} without BARGE_IN"
    return None


def every_turn_is_recorded(book: Book) -> None:
    """For each turn that closed its evidence was asked for, an aborted one's after its close."""
    for turn in book.closing:
        if turn in book.open_records:
            raise Violation("every_turn_is_recorded", f"turn {turn} closed without a record")


claim(CHECKS, every_turn_is_recorded)
