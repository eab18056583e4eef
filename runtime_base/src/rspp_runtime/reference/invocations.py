"""Starting, cancelling and failing of effect nodes (`docs/kernel.md`)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Cause, Op, Signal
from rspp_runtime.abi.plan import EFFECT, SESSION, TURN
from rspp_runtime.reference import hearing, reactions
from rspp_runtime.reference.outputs import data, decide, request
from rspp_runtime.reference.state import End, Invocation, NodeState, Parcel, State

SUCCESS, TIMEOUT = 0, 1
"""The outcome classes that the kernel tells apart (`rspp_runtime.providers.contract.Outcome`)."""

FAILURES_MAX = 3
"""A session-scoped effect that fails this often ends the session: it would fail for ever."""


def start(s: State, node: NodeState) -> Invocation:
    """Ask for a new invocation of a node; a model gets the conversation as it was when the turn opened."""
    s.invocations += 1
    turn = s.turn.serial if node.plan.scope == TURN else 0
    call = Invocation(s.invocations, turn)
    if s.voices(node.plan.id):
        call.base_bytes, call.base_words = len(s.turn.spoken), s.turn.spoken_words
    node.live = call
    node.inflight = 0
    data(s, Op.INVOKE, None, node=node.plan.id, turn=turn, invocation=call.id)
    if node.plan.kind == "llm":
        for role, text in list(s.context)[: s.turn.context_count]:
            data(s, Op.CONTEXT, None, node=node.plan.id, turn=turn, invocation=call.id, x=role, payload=text)
    reactions.raise_event(s, node.plan.event_started)
    return call


def feed(s: State, node: NodeState, port: int, parcel: Parcel) -> None:
    """Hand one item to the node's invocation, starting one if none takes input."""
    call = node.live or start(s, node)
    identity = node.plan.id
    data(
        s, Op.FEED, parcel, node=identity, port=port, turn=call.turn, invocation=call.id,
        x=parcel.media_ns, y=parcel.flags,
    )  # fmt: skip
    first = call.fed_items == 0
    call.fed_items += 1
    node.inflight += 1
    if s.voices(identity):
        room = s.plan.spoken_bytes_max - len(s.turn.spoken)
        stored = min(room, len(parcel.payload))
        s.turn.spoken += parcel.payload[:stored]
        s.turn.spoken_words += parcel.b
        if call.answered and not node.blocked:
            s.timers[s.chunk_timer(identity)] = s.now + node.plan.chunk_ns
    call.fed_bytes += len(parcel.payload)
    call.fed_words += parcel.b
    if first and identity != s.plan.recogniser and node.plan.first_output_ns:
        s.timers[s.first_timer(identity)] = s.now + node.plan.first_output_ns


def finish(s: State, node: NodeState) -> None:
    """Tell the live invocation that it has all its input."""
    call = node.live
    assert call is not None
    data(s, Op.FINISH, None, node=node.plan.id, turn=call.turn, invocation=call.id)
    node.ending, node.live = call, None
    node.inflight = 0


def cancel(s: State, node: NodeState, call: Invocation) -> None:
    """Stop an invocation within the grace; whatever it still emits is late."""
    identity = node.plan.id
    if node.cancelling:
        request(s, Op.FORCE, node=identity, invocation=node.cancelling)
    deadline = s.now + s.plan.grace_ns
    request(s, Op.CANCEL, node=identity, turn=call.turn, invocation=call.id, x=deadline)
    node.cancelling = call.id
    s.timers[s.grace_timer(identity)] = deadline
    forget(s, node, call)
    node.inflight = 0


def cancel_all(s: State, node: NodeState) -> None:
    """Cancel the ending invocation of a node, then the live one; what the recogniser was at counts as heard."""
    for call in (node.ending, node.live):
        if call is not None:
            cancel(s, node, call)
    if node.plan.id == s.plan.recogniser:
        hearing.heard(s)


def forget(s: State, node: NodeState, call: Invocation) -> None:
    """Empty the slot of an invocation that ended; timers stop with the last one, but for what a recogniser owes."""
    if node.live is call:
        node.live = None
        node.inflight = 0
    else:
        node.ending = None
    if node.live is None and node.ending is None:
        s.stop(s.chunk_timer(node.plan.id))
        if node.plan.id != s.plan.recogniser:
            s.stop(s.first_timer(node.plan.id))


def timed_out(s: State, node: NodeState) -> None:
    """A deadline of the node passed: cancel what it was doing, and fail."""
    call = node.ending or node.live
    for doomed in (node.ending, node.live):
        if doomed is not None:
            cancel(s, node, doomed)
    fail(s, node, Cause.NODE_TIMEOUT, TIMEOUT, call.id if call else 0)


def fail(s: State, node: NodeState, cause: Cause, outcome: int = 0, invocation: int = 0) -> None:
    """A node failed: react as the pipeline says, or end the turn that needed it."""
    identity = node.plan.id
    effect = node.plan.execution == EFFECT
    if effect:
        decide(s, Signal.PROVIDER_ERROR, cause, node=identity, invocation=invocation, x=outcome)
    event = node.plan.event_timeout if cause is Cause.NODE_TIMEOUT else node.plan.event_error
    handled = reactions.raise_event(s, event, cause)
    needed = node.plan.scope == TURN
    if identity == s.plan.recogniser:
        needed = s.turn.waiting
        if cause is Cause.NODE_TIMEOUT:
            s.hearing.finish_pending = False
        hearing.lost(s)
    if not handled and needed and s.active:
        s.turn.ends.add(End.ERROR)
        by_provider = effect and cause is Cause.NODE_ERROR
        s.turn.end_cause = Cause.PROVIDER_FAILURE if by_provider else Cause.NODE_TIMEOUT_OR_FAILURE
    if effect and node.plan.scope == SESSION and identity != s.plan.recogniser:
        node.failures += 1
        if node.failures >= FAILURES_MAX:
            s.ending = True
