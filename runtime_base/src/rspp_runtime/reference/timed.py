"""Timers, end-pointers and collectors of keys (`docs/kernel.md`, Clocks and keys)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Cause, Flag, Origin, Turn
from rspp_runtime.reference import edges, hearing, reactions, turns
from rspp_runtime.reference.state import NodeState, Parcel, State

KEYS_MAX = 64


def fired(s: State, node: NodeState) -> None:
    """The time of a timer, an end-pointer or a collector has come."""
    plan = node.plan
    if plan.clock:
        if plan.clock.every_ns:
            s.timers[s.first_timer(plan.id)] = s.now + plan.clock.every_ns
        reactions.raise_event(s, plan.event_own)
    elif plan.pause:
        if plan.event_own >= 0 and plan.event_own == s.plan.turn_owner:
            hearing.end_utterance(s, s.seq, Origin.SPEECH, s.epoch)
        reactions.raise_event(s, plan.event_own)
    elif plan.keys and plan.keys.until < 0 and plan.keys.digits >= KEYS_MAX:
        _complete(s, node)
    else:
        node.keys.clear()
        reactions.raise_event(s, plan.event_timeout, Cause.NODE_TIMEOUT)


def can_move(s: State, node: NodeState) -> bool:
    """Whether it can take an item; a collector that has a text waits until its turn has taken that."""
    if not node.plan.keys:
        return True
    if node.keys_ready:
        if _is_proposed(s, node.plan.id):
            return False
        _forget(node)
    return node.plan.keys.opens or all(edges.takes_largest(node, e, 1) for e in s.edges_from(node.plan.id, 0))


def move(s: State, node: NodeState, parcel: Parcel) -> None:
    """An end-pointer hears what was recognised; a collector gets a key."""
    if node.plan.pause:
        if parcel.payload and not hearing.pending(s):
            done = parcel.a > 0 and len(parcel.payload) - parcel.a <= 1
            wait_ns = node.plan.pause.min_ns if done else node.plan.pause.max_ns
            s.timers[s.first_timer(node.plan.id)] = s.now + wait_ns
        return
    _press(s, node, parcel)


def say(s: State, node: NodeState) -> None:
    """What was pressed goes to the collector's edges."""
    text = bytes(node.keys)
    _forget(node)
    seq = s.next_seq()
    edges.push_all(s, node.plan.id, 0, Parcel(seq, s.turn.serial, s.epoch, 0, Flag.FINAL, 0, 1, text))


def _press(s: State, node: NodeState, parcel: Parcel) -> None:
    """One item is one key: its first byte. Which one decides nothing, but that it is the one that ends (`a`)."""
    keys = node.plan.keys
    assert keys is not None
    ends = parcel.a > 0 and parcel.a == keys.until
    if not ends:
        node.keys += parcel.payload[:1]
    if (ends and node.keys) or len(node.keys) >= keys.digits:
        s.hearing.last_seq = parcel.seq if keys.opens else s.hearing.last_seq
        _complete(s, node)
    elif node.keys and keys.timeout_ns:
        s.timers[s.first_timer(node.plan.id)] = s.now + keys.timeout_ns


def _complete(s: State, node: NodeState) -> None:
    s.stop(s.first_timer(node.plan.id))
    assert node.plan.keys is not None
    if not node.plan.keys.opens:
        say(s, node)
        return
    node.keys_ready = True
    turns.propose(s, Origin.DTMF, s.epoch, trigger=node.plan.id)


def _forget(node: NodeState) -> None:
    node.keys.clear()
    node.keys_ready = False


def _is_proposed(s: State, identity: int) -> bool:
    opening = s.turn.state is Turn.OPENING and s.turn.trigger == identity
    return opening or (s.deferred is not None and s.deferred.trigger == identity)
