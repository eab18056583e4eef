"""Proposing, opening, finishing and ending a turn (`docs/kernel.md`; CONTRACTS §5)."""

from __future__ import annotations

import hashlib
import json

from rspp_runtime.abi.codes import CancelMode, Cause, Op, Origin, Scope, SessionState, Signal, Turn
from rspp_runtime.abi.messages import Output
from rspp_runtime.abi.plan import EFFECT, TURN
from rspp_runtime.reference import (
    apologies,
    choices,
    edges,
    hearing,
    invocations,
    joins,
    paths,
    pauses,
    reactions,
    reports,
    spending,
    stopping,
    sync,
)
from rspp_runtime.reference.outputs import data_room, decide, request, telemetry
from rspp_runtime.reference.state import (
    ASSISTANT,
    EVIDENCE,
    TOTAL,
    TURN_BUDGET,
    WARNING,
    End,
    Proposal,
    State,
)

_SNAPSHOTS = {
    1: (Signal.DEFER, Cause.SNAPSHOT_STALE),
    2: (Signal.REJECT, Cause.SNAPSHOT_MISSING),
    3: (Signal.REJECT, Cause.SNAPSHOT_INCOMPATIBLE),
}
_BY_THE_USER = (Origin.SPEECH, Origin.TEXT)


def propose(s: State, origin: Origin, epoch: int, trigger: int = -1) -> None:
    """Somebody wants a turn: open it, or remember it while another is in progress."""
    if s.state is not SessionState.RUNNING or s.ending:
        decide(s, Signal.REJECT, Cause.SESSION_NOT_RUNNING)
    elif s.turn.state in (Turn.OPENING, Turn.ACTIVE):
        _defer(s, origin, epoch, trigger)
    else:
        begin(s, origin, epoch, trigger)


def apologise(s: State, say: int, epoch: int) -> None:
    """The last turn has failed: propose one that says so, if that is due."""
    if apologies.is_due(s):
        s.apology_due_ns = s.now + s.plan.apology_ns
        begin(s, Origin.API, epoch, say, apologises_for=s.turn.serial)


def decide_opening(s: State) -> None:
    """Admit, defer or refuse the proposed turn (cases T2 to T5a)."""
    refusal = _refusal(s)
    if refusal is None:
        _open(s)
        return
    signal, cause = refusal
    decide(s, signal, cause, x=s.turn.epoch if signal is Signal.STALE_EPOCH_REJECT else 0)
    s.turn.state = Turn.IDLE
    s.turn.trigger = -1
    if signal is not Signal.DEFER:
        hearing.forget(s)
    _take_deferred(s)


def plan_hash(s: State) -> bytes:
    """The identity of the frozen plan: the build's template and what this turn adds."""
    turn: dict[str, object] = {
        "authority_epoch": s.epoch,
        "mode": s.plan.modes[s.mode].name,
    }
    if choices.has_choices(s):
        turn["policy"] = s.plan.policies[s.policy - 1].name if s.policy else ""
        turn["provider_bindings"] = choices.bindings(s)
    turn["turn_id"] = f"{s.session_id}/{s.turn.serial}"
    added = json.dumps(turn, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(b"rspp.plan.v1\0" + s.plan.template_hash.encode() + added.encode()).digest()


def cancel(s: State, cause: Cause) -> None:
    """Somebody wants the turn to end; the first one's reason is on record."""
    if s.active and not (s.turn.exempt and cause is Cause.BARGE_IN):
        if End.CANCEL not in s.turn.ends and not s.turn.stopping:
            s.turn.cancel_cause = cause
        s.turn.ends.add(End.CANCEL)


def fail(s: State, cause: Cause) -> None:
    """The turn cannot go on."""
    if s.active:
        s.turn.ends.add(End.ERROR)
        s.turn.end_cause = cause


def resolve_ends(s: State) -> None:
    """Of all reasons to end that fell into one scheduling window, the strongest wins."""
    ends = sorted(s.turn.ends)
    s.turn.ends.clear()
    if not s.active:
        return
    if ends[0] is End.AUTHORITY:
        decide(s, Signal.DEAUTHORIZED_DRAIN, Cause.AUTHORITY_LOSS)
        abort(s, Cause.AUTHORITY_LOSS)
    elif ends[0] is End.CANCEL or s.turn.stopping:
        alone = ends == [End.CANCEL]  # else there is no time, or nobody, for the rest of a segment
        if s.turn.stopping or not alone or not stopping.begin(s):
            accept_cancel(s)
    elif ends[0] is End.BUDGET:
        abort(s, Cause.BUDGET_EXHAUSTED)
    elif ends[0] is End.ERROR:
        abort(s, s.turn.end_cause)
    else:
        abort(s, Cause.TRANSPORT_DISCONNECT_OR_STALL)


def accept_cancel(s: State) -> None:
    """The cancel is accepted (case T7): at once, or at the end of a segment."""
    mode = CancelMode.SOFT if s.turn.stopping else CancelMode.HARD
    decide(s, Signal.CANCEL, s.turn.cancel_cause, port=mode, x=Scope.TURN)
    abort(s, Cause.CANCELLED)


def stop_playback(s: State) -> None:
    """The transport forgets what has not been played; what was heard stays heard."""
    reports.settle(s)
    if s.turn.audio_sent and reports.sounds(s):
        request(s, Op.FLUSH, node=s.plan.egress, turn=s.turn.serial)
        s.egress.cursor_ns = min(s.egress.cursor_ns, s.now)
        pauses.forget(s)
    if s.turn.playing:
        reports.decide_heard(s, Signal.PLAYBACK_CANCELLED)
        s.turn.playing = False


def abort(s: State, cause: Cause) -> None:
    """End the turn without its answer: nothing of it may leave any more (cases T7 to T10)."""
    _stop_work(s)
    stop_playback(s)
    apologies.aborts(s, cause)
    decide(s, Signal.ABORT, cause)
    s.turn.state = Turn.TERMINAL
    _close(s, append=True)


def commit(s: State) -> None:
    """The answer is complete, played and on record (case T6). What came too late to be heard is stopped."""
    _stop_work(s)
    apologies.committed(s)
    decide(s, Signal.COMMIT)
    s.turn.state = Turn.TERMINAL
    _close(s, append=False)


def _stop_work(s: State) -> None:
    for edge in s.edges:
        if edge.plan.scope == TURN:
            edges.flush(s, edge)
    for node in s.turn_effects():
        invocations.cancel_all(s, node)


def end_session(s: State) -> None:
    """Nothing is in progress any more: stop hearing, and be done."""
    for node in s.nodes:
        invocations.cancel_all(s, node)
    decide(s, Signal.ENDED)
    s.state = SessionState.ENDED
    s.ending = False
    s.deferred = None
    s.hearing.finish_pending = False
    hearing.forget(s)
    grace = {s.grace_timer(node.plan.id) for node in s.nodes}
    s.stop(*(slot for slot in list(s.timers) if slot not in grace))


def finishing(s: State) -> bool:
    """Do the first thing that brings the active turn nearer its end; returns whether there was one."""
    if s.turn.waiting or s.turn.stopping:
        return False
    complete = 0
    for identity in s.plan.stages:
        node = s.nodes[identity]
        if s.node_off(identity):
            complete |= 1 << identity
            continue
        if node.plan.upstream & ~complete:
            continue
        incoming = [s.edges[e] for e in node.plan.edges_in if not s.edge_off(e)]
        for edge in incoming:
            if edge.pending:
                edges.release(s, edge)
                return True
            if edge.plan.gather and edge.items and not edge.open:
                edge.open = True
                return True
            if edge.plan.sync and sync.give_up(s, edge, complete, edges.moved):
                return True
        if node.plan.join and joins.end_input(s, node, incoming):
            return True
        if node.has_rest or any(edge.items for edge in incoming):
            continue
        if node.live is not None and data_room(s, 1):
            invocations.finish(s, node)
            return True
        if node.live is None and node.ending is None:
            complete |= 1 << identity
    all_complete = all(complete >> identity & 1 for identity in s.plan.stages)
    empty = not any(edge.items or edge.pending for edge in s.edges if edge.plan.scope == TURN)
    played = not s.turn.playing or not (reports.sounds(s) or s.egress.unsent)
    if not (all_complete and empty and played) or s.turn.evidence_asked:
        return False
    reports.settle(s)
    if s.turn.playing:
        reports.completed(s)
        s.turn.playing = False
    pauses.forget(s)
    request(s, Op.APPEND, turn=s.turn.serial)
    s.turn.evidence_asked = True
    s.timers[EVIDENCE] = s.now + s.plan.evidence_ns
    s.stop(TURN_BUDGET, WARNING)
    paths.forget(s)
    return True


def first_output(s: State) -> None:
    """The turn's first output passed: its budget is kept."""
    if not s.turn.output_seen:
        s.turn.output_seen = True
        decide(s, Signal.OUTPUT_ACCEPTED)
        s.stop(TURN_BUDGET, WARNING)


def remember(s: State, role: int, text: bytes) -> None:
    """Add a message to the conversation; the oldest ones make room."""
    text = text[: s.plan.context_bytes_max]
    context = s.context
    while len(context) >= s.plan.context_items_max or sum(len(t) for _, t in context) + len(text) > (
        s.plan.context_bytes_max
    ):
        context.popleft()
        s.turn.context_count = max(0, s.turn.context_count - 1)
    context.append((role, text))


def _refusal(s: State) -> tuple[Signal, Cause] | None:
    if s.revoked:
        return Signal.DEAUTHORIZED_DRAIN, Cause.AUTHORITY_LOSS
    if s.turn.epoch != s.epoch:
        return Signal.STALE_EPOCH_REJECT, Cause.AUTHORITY_EPOCH_MISMATCH
    if s.state is not SessionState.RUNNING or s.ending:
        return Signal.REJECT, Cause.SESSION_NOT_RUNNING
    if s.snapshot in _SNAPSHOTS:
        return _SNAPSHOTS[s.snapshot]
    if any(n.plan.execution == EFFECT and s.bindings_off >> n.plan.id & 1 for n in s.nodes):
        return Signal.REJECT, Cause.PLAN_NOT_FREEZABLE
    choices.freeze(s)
    if not choices.is_possible(s):
        return Signal.REJECT, Cause.PLAN_NOT_FREEZABLE
    return None


def begin(s: State, origin: Origin, epoch: int, trigger: int, *, apologises_for: int = 0) -> None:
    """A turn is proposed, and nothing is in its way."""
    decide(s, Signal.TURN_OPEN_PROPOSED, x=origin, y=apologises_for)
    s.turn.state = Turn.OPENING
    s.turn.origin = origin
    s.turn.input_end_ns = s.now
    s.turn.epoch = epoch
    s.turn.trigger = trigger
    s.turn.is_apology = apologises_for > 0


def _defer(s: State, origin: Origin, epoch: int, trigger: int) -> None:
    earlier = s.deferred
    if earlier is None:
        s.deferred = Proposal(origin, epoch, trigger)
        decide(s, Signal.DEFER, Cause.TURN_ACTIVE)
        return
    if trigger < 0:
        trigger = earlier.trigger
    elif earlier.origin in _BY_THE_USER:
        origin = earlier.origin
    s.deferred = Proposal(origin, epoch, trigger)


def _take_deferred(s: State) -> None:
    if s.deferred is not None and not s.ending and s.state is SessionState.RUNNING:
        proposal, s.deferred = s.deferred, None
        begin(s, proposal.origin, proposal.epoch, proposal.trigger)


def _open(s: State) -> None:
    turn = s.turn
    s.turns += 1
    turn.serial += 1
    turn.state = Turn.ACTIVE
    s.mode = s.entered
    turn.context_count = len(s.context)
    turn.output_seen = turn.playing = turn.started = turn.audio_sent = turn.evidence_asked = turn.waiting = False
    turn.end_cause = turn.cancel_cause = Cause.NONE
    turn.exempt = False
    for node in s.nodes:
        node.calls = 0
    turn.spoken.clear()
    turn.spoken_words = turn.spoke = 0
    s.egress.heard_words = s.egress.heard_bytes = 0
    s.egress.reported_ns = -1
    pauses.forget(s)
    first, last = s.hearing.first_seq, s.hearing.last_seq
    decide(s, Signal.TURN_OPEN, port=s.policy, x=first if 0 < first < last else last, y=last, payload=plan_hash(s))
    s.timers[TURN_BUDGET] = turn.input_end_ns + s.plan.turn_ns
    s.timers[WARNING] = turn.input_end_ns + s.plan.turn_warning_ns
    s.timers[TOTAL] = s.now + s.plan.turn_total_ns
    trigger, turn.trigger = turn.trigger, -1
    if trigger >= 0:
        reactions.say(s, trigger)
        if turn.origin not in _BY_THE_USER:
            return
    if turn.origin is not Origin.TEXT and hearing.pending(s):
        turn.waiting = True
        paths.waits(s)
    else:
        hearing.release(s)


def _close(s: State, *, append: bool) -> None:
    turn = s.turn
    decide(s, Signal.CLOSE)
    said = bytes(turn.spoken[: s.egress.heard_bytes])
    if said:
        remember(s, ASSISTANT, said)
    for edge in s.edges:
        telemetry(
            s, edge, Output(Op.METRIC, s.now, s.seq, turn=turn.serial, code=edge.plan.id, x=edge.high, y=edge.dropped)
        )
    if append:
        request(s, Op.APPEND, turn=turn.serial)
    pauses.forget(s)
    stopping.forget(s)
    turn.state = Turn.CLOSED
    turn.waiting = False
    turn.ends.clear()
    s.mode = s.entered
    spending.turn_closed(s)
    s.stop(TURN_BUDGET, WARNING, TOTAL, EVIDENCE)
    paths.forget(s)
    _take_deferred(s)
