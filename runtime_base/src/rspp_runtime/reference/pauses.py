"""Pausing playback, and going on where it stopped (`docs/kernel.md`, Pausing; CONTRACTS §9)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Cause, Op, Signal
from rspp_runtime.reference import edges, reports, turns
from rspp_runtime.reference.outputs import VOID, data, data_room, request
from rspp_runtime.reference.state import EdgeState, Parcel, State

SECOND_NS = 1_000_000_000


def pause(s: State, cause: Cause) -> None:
    """Play nothing more, and keep it: the user may have interrupted, or may not."""
    egress = s.egress
    if not s.active or s.turn.evidence_asked or s.turn.stopping or egress.paused:
        return
    if s.turn.exempt and cause is Cause.BARGE_IN:
        return
    reports.settle(s)
    egress.paused, egress.pause_cause = True, cause
    if reports.sounds(s):
        sent = len(egress.ledger) - egress.unsent  # the rest waits since the last pause, whatever its time was
        ahead = sum(entry.end_ns > s.now for entry in list(egress.ledger)[:sent])
        egress.unsent += ahead
        if ahead:  # else what plays on is of a turn that has ended, or only the party still plays
            _take_back(s)
        request(s, Op.FLUSH, node=s.plan.egress, turn=s.turn.serial)
        egress.cursor_ns = min(egress.cursor_ns, s.now)
    for edge in _audio_edges(s):
        s.stop(s.block_timer(edge.plan.id))
    s.timers[s.pause_timer] = s.now + s.plan.pause_ns
    reports.decide_heard(s, Signal.PLAYBACK_PAUSED, cause)


def resume(s: State, cause: Cause) -> None:
    """It was no interruption: go on with the first frame that was not played to its end."""
    egress = s.egress
    if not egress.paused:
        return
    reports.update_ledger(s)
    egress.paused = False
    if egress.reported_ns >= 0 and egress.reported_at_ns >= s.timers[s.pause_timer] - s.plan.pause_ns:
        egress.unsent = len(egress.ledger)  # the party has said where it stopped
    s.stop(s.pause_timer)
    for edge in _audio_edges(s):
        if edge.xoff and edges.block_ns(edge):
            s.timers[s.block_timer(edge.plan.id)] = s.now + edges.block_ns(edge)
    reports.decide_heard(s, Signal.PLAYBACK_RESUMED, cause)


def too_long(s: State) -> None:
    """Nobody has resumed it: it was an interruption."""
    if s.egress.paused:
        turns.cancel(s, s.egress.pause_cause)


def holds(s: State) -> bool:
    """Whether frames from the edges have to wait, for the end of a pause or for those that are sent again."""
    return s.egress.paused or s.egress.unsent > 0


def send_again(s: State) -> bool:
    """Send the first frame that was taken back; returns whether there was one that can go."""
    egress = s.egress
    if egress.paused or not egress.unsent or egress.cursor_ns - s.now > s.plan.lead_ns or not data_room(s, 1):
        return False
    entry = egress.ledger[len(egress.ledger) - egress.unsent]
    egress.unsent -= 1
    egress.cursor_ns = max(egress.cursor_ns, s.now)
    data(
        s, Op.SEND, entry.frame, node=s.plan.egress, port=s.audio_port, turn=entry.frame.turn,
        x=egress.cursor_ns, y=entry.frame.b,
    )  # fmt: skip
    egress.cursor_ns += length_ns(s, entry.frame)
    entry.end_ns = egress.cursor_ns
    return True


def forget(s: State) -> None:
    """Nothing is paused, nothing has to be heard: the turn is over, or begins."""
    s.egress.paused = False
    s.egress.unsent = 0
    s.egress.ledger.clear()
    s.stop(s.pause_timer)


def length_ns(s: State, frame: Parcel) -> int:
    """How long a frame plays."""
    return len(frame.payload) * SECOND_NS // s.plan.audio_bytes_per_second


def _take_back(s: State) -> None:
    """What was sent, not played, and not even drained does not leave."""
    entry = s.egress.ledger[len(s.egress.ledger) - s.egress.unsent]
    first_ns = entry.end_ns - length_ns(s, entry.frame)
    port = s.audio_port
    for index, (output, epoch) in enumerate(s.data_out):
        if output.op == Op.SEND and output.port == port and output.x >= first_ns:
            s.data_out[index] = output._replace(op=VOID), epoch


def _audio_edges(s: State) -> list[EdgeState]:
    return [edge for edge in s.edges if s.is_audio_out(edge.plan)]
