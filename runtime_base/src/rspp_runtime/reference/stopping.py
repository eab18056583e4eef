"""Soft cancels: who is at work may end the segment that it is at (`docs/kernel.md`, Soft cancels; CONTRACTS §5)."""

from __future__ import annotations

from rspp_runtime.abi.codes import CancelMode, Cause, Scope, Signal
from rspp_runtime.abi.plan import TURN
from rspp_runtime.reference import attempts, edges, invocations, reports, turns
from rspp_runtime.reference.outputs import decide
from rspp_runtime.reference.state import NodeState, State


def begin(s: State) -> bool:
    """Stop all that need not finish anything; returns False if nobody has a segment to end: then the cancel is hard."""
    turn = s.turn
    if s.egress.paused or s.egress.unsent or turn.evidence_asked:
        return False
    voices = any(_is_soft(s, node) and s.voices(node.plan.id) for node in s.nodes)
    speaks = voices and turn.playing and reports.sounds(s)
    working = [node for node in s.turn_effects() if _has_segment(s, node, speaks=speaks)]
    if not working and not speaks:
        return False
    turn.stopping, turn.waiting = True, False
    turn.words_until = reports.word_that_plays(s) if speaks else 0
    for edge in s.edges:
        if edge.plan.scope == TURN and not s.plan.soft_edges >> edge.plan.id & 1:
            edges.flush(s, edge)
    for node in s.turn_effects():
        if node in working:
            _ask(s, node, Cause.NONE)
        else:
            invocations.cancel_all(s, node)
    if not speaks:
        turns.stop_playback(s)
    _pending(s, turn.cancel_cause, -1)
    return True


def cancel_node(s: State, node: NodeState, cause: Cause) -> bool:
    """A cancel of scope node; returns False if the node has no segment to end: then it is hard."""
    if not _is_soft(s, node) or not _is_working(node):
        return False
    if not node.stopping:
        _ask(s, node, cause)
        _pending(s, cause, node.plan.id)
    return True


def holds(s: State, node: NodeState) -> bool:
    """Whether nothing new is given to the node: it, or its turn, is about to stop."""
    return node.stopping or (s.turn.stopping and node.plan.scope == TURN)


def said(s: State, node: NodeState) -> None:
    """An output of the node was taken: of one that is to stop, it was the last. A voice ends its word instead."""
    if node.stopping and not (s.turn.stopping and s.voices(node.plan.id)):
        node.over = True


def step(s: State) -> bool:
    """Stop one node whose segment is over, or accept the turn's cancel when all are; whether there was something."""
    for node in s.nodes:
        if not node.stopping:
            continue
        gone = node.live is None and node.ending is None
        silent = s.turn.stopping and s.voices(node.plan.id) and word_is_over(s)
        if gone or node.over or silent:
            if not gone and node.cancelled_by is not Cause.NONE:
                decide(
                    s, Signal.CANCEL, node.cancelled_by, node=node.plan.id, port=CancelMode.SOFT,
                    x=Scope.NODE, y=node.plan.id,
                )  # fmt: skip
            node.stopping = False
            _stop_timer(s)
            if not gone:
                invocations.cancel_all(s, node)
            return True
    if not (s.active and s.turn.stopping) or any(n.stopping for n in s.turn_effects()):
        return False
    waits = any(
        edge.items for edge in s.edges
        if s.plan.soft_edges >> edge.plan.id & 1 and not (s.is_audio_out(edge.plan) and word_is_over(s))
    )  # fmt: skip
    if waits or (s.turn.playing and reports.sounds(s)):
        return False
    turns.accept_cancel(s)
    return True


def word_is_over(s: State) -> bool:
    """Whether the word that was being spoken has been sent to its end: nothing more of the turn is heard."""
    last = s.egress.ledger[-1].words if s.egress.ledger else s.egress.heard_words
    return last >= s.turn.words_until


def too_long(s: State) -> None:
    """The segment had its time."""
    for node in s.nodes:
        node.over = node.over or node.stopping
    if s.turn.stopping:
        turns.cancel(s, s.turn.cancel_cause)


def forget(s: State) -> None:
    """The turn is over: what is left to stop is the session's."""
    s.turn.stopping = False
    for node in s.turn_effects():
        node.stopping = False
    _stop_timer(s)


def _is_soft(s: State, node: NodeState) -> bool:
    return bool(s.plan.soft_nodes >> node.plan.id & 1)


def _is_working(node: NodeState) -> bool:
    """From its first input on, a node is at a segment."""
    return node.ending is not None or (node.live is not None and node.live.fed_items > 0)


def _has_segment(s: State, node: NodeState, *, speaks: bool) -> bool:
    """A voice has one while its word is being heard."""
    if not _is_soft(s, node):
        return False
    if s.voices(node.plan.id):
        return speaks and (node.live is not None or node.ending is not None)
    return _is_working(node)


def _ask(s: State, node: NodeState, cause: Cause) -> None:
    """The node's next output is its last, and nobody tries again. `cause` is NONE where its turn is cancelled."""
    node.stopping, node.over, node.cancelled_by = True, False, cause
    attempts.let_go(s, node)
    s.stop(s.chunk_timer(node.plan.id))
    if node.plan.id != s.plan.recogniser:
        s.stop(s.first_timer(node.plan.id))


def _pending(s: State, cause: Cause, node: int) -> None:
    """The cancel is asked for; it is accepted by the deadline at the latest."""
    s.timers.setdefault(s.stop_timer, s.now + s.plan.soft_ns)
    decide(s, Signal.CANCEL_PENDING, cause, node=node, x=s.timers[s.stop_timer])


def _stop_timer(s: State) -> None:
    if not s.turn.stopping and not any(node.stopping for node in s.nodes):
        s.stop(s.stop_timer)
