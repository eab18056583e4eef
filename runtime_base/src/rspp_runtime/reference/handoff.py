"""Leases: the authority rotates, is revoked, or another process goes on (`docs/kernel.md`, Handing over; F7, F8)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Cause, Control, Result, SessionState, Signal, Turn
from rspp_runtime.abi.messages import Inbound
from rspp_runtime.reference import edges, gateway, hearing, invocations, turns
from rspp_runtime.reference.outputs import decide
from rspp_runtime.reference.state import TOOL, USER, CircuitBreaker, End, Speech, State

KNOWN, BLANK = 1, 2
"""`State.handed_over`: whether the new holder knows what was said."""

LEASES = (Control.LEASE_ROTATED, Control.LEASE_REVOKED, Control.HANDOFF)


TURNS_MAX, COUNT_MAX = 1 << 31, 1 << 53
"""What an earlier holder may have had: turns; sequences and invocations."""


def leave(s: State) -> None:
    """What is known is told, for whoever cannot execute the log: the conversation by the next drain."""
    decide(s, Signal.LEFT, x=s.turns, y=s.invocations)
    s.leaving = True


def follow(s: State, event: Inbound) -> Result:
    """What an earlier holder has left, for a session that has not begun."""
    if s.state is not SessionState.CREATED:
        return gateway.reject(s, Cause.SNAPSHOT_STALE)
    if event.port == Control.RECALL:
        if not USER <= event.a <= TOOL:
            return gateway.reject(s, Cause.UNKNOWN_PORT)
        if len(event.payload) > s.plan.context_bytes_max or not s.plan.context_items_max:
            return gateway.reject(s, Cause.OVERSIZED)
        s.next_seq()
        turns.remember(s, event.a, event.payload)
        return Result.ACCEPTED
    if not (
        s.turns <= event.a <= TURNS_MAX
        and s.seq <= event.b <= COUNT_MAX
        and s.invocations <= event.invocation <= COUNT_MAX
    ):
        return gateway.reject(s, Cause.SNAPSHOT_STALE)
    s.turns = s.turn.serial = event.a
    s.seq = event.b
    s.invocations = event.invocation
    s.next_seq()
    return Result.ACCEPTED


def lease(s: State, code: Control, event: Inbound) -> None:
    """Who may decide has changed."""
    if code is Control.LEASE_REVOKED:
        s.revoked = True
    elif event.a <= s.epoch:
        return
    elif code is Control.LEASE_ROTATED:
        s.epoch = event.a
        decide(s, Signal.LEASE_ROTATED, x=s.epoch)
    else:
        if s.state is not SessionState.ENDED:
            _begin(s, event.a, blank=event.b != 0)
        return
    if s.active:
        s.turn.ends.add(End.AUTHORITY)


def _begin(s: State, epoch: int, *, blank: bool) -> None:
    """It has the authority from here on."""
    decide(s, Signal.MIGRATION_START, x=s.epoch)
    s.epoch = epoch
    s.revoked = False
    decide(s, Signal.LEASE_ROTATED, x=epoch)
    if s.state is SessionState.RUNNING:
        s.state = SessionState.DEGRADED
    s.deferred = None
    s.handed_over = BLANK if blank else KNOWN


def step(s: State) -> None:
    """End what was open, then forget what only the old process could have gone on with."""
    if s.active:
        s.turn.ends.add(End.AUTHORITY)
        turns.resolve_ends(s)
    elif s.turn.state is Turn.OPENING:
        turns.decide_opening(s)
    else:
        _take_over(s)


def _take_over(s: State) -> None:
    s.hearing.finish_pending = False
    hearing.forget(s)
    for node in s.nodes:
        invocations.cancel_all(s, node)
        if node.plan.pause:
            s.stop(s.first_timer(node.plan.id))
        node.failures = 0
        node.circuits = [CircuitBreaker() for _ in node.circuits]
    for edge in s.edges:
        edges.flush(s, edge)
    s.speech = Speech(quiet_ns=s.now)
    s.snapshot = s.bindings_off = 0
    if s.handed_over == BLANK:
        s.context.clear()
        s.turn.context_count = 0
    s.handed_over = 0
    decide(s, Signal.SESSION_HANDOFF, x=s.epoch, y=s.turn.serial)
    decide(s, Signal.MIGRATION_FINISH, x=s.epoch)
