"""Starting, cancelling and failing of effect nodes (`docs/kernel.md`)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Cause, Follow, Op, Signal
from rspp_runtime.abi.plan import EFFECT, SESSION, TURN
from rspp_runtime.reference import attempts, circuits, events, hearing, letters, reactions, spending, tools, turns
from rspp_runtime.reference.outputs import data, data_room, decide, request
from rspp_runtime.reference.state import End, Invocation, NodeState, Parcel, State

SUCCESS, TIMEOUT, BLOCKED, INFRASTRUCTURE_FAILURE, CANCELLED = 0, 1, 3, 4, 5
"""The outcome classes that the kernel tells apart (`rspp_runtime.providers.contract.Outcome`)."""

FAILURES_MAX = 3
"""A session-scoped effect that fails this often ends the session: it would fail for ever."""


def start(s: State, node: NodeState) -> Invocation | None:
    """Ask for a new invocation of a node, at the first provider that may be tried; None if none may."""
    low = circuits.offered(s, node)
    candidate = circuits.choose(s, node, low)
    if candidate < 0:
        fail(s, node, Cause.NODE_ERROR, INFRASTRUCTURE_FAILURE, said=Cause.CIRCUIT_OPEN)
        return None
    if not spending.may_begin(s, node, candidate):
        return None
    call = _invocation(s, node, candidate)
    if s.voices(node.plan.id):
        call.base_bytes, call.base_words = len(s.turn.spoken), s.turn.spoken_words
        s.turn.spoke |= 1 << node.plan.id
    attempts.begin(s, node, call)
    if candidate != low:
        decide(
            s, Signal.PROVIDER_SWITCH, Cause.CIRCUIT_OPEN, node=node.plan.id, invocation=call.id, x=low, y=candidate
        )  # fmt: skip
    _ask(s, node, call, 0)
    reactions.raise_event(s, node.plan.event_started, attempts=1)
    return call


def _start_again(s: State, node: NodeState) -> Invocation:
    """Ask for another attempt; nothing begins that had not begun, so nobody is told."""
    spending.tries_again(s, node, node.candidate)
    call = _invocation(s, node, node.candidate)
    call.base_bytes, call.base_words = node.base_bytes, node.base_words
    node.kept, node.again = call.id, False
    _ask(s, node, call, node.made - 1)
    return call


def _invocation(s: State, node: NodeState, candidate: int) -> Invocation:
    s.invocations += 1
    call = Invocation(s.invocations, s.turn.serial if node.plan.scope == TURN else 0, candidate, began_ns=s.now)
    node.live = call
    node.inflight = 0
    circuits.begins(s, node, call)
    return call


def _ask(s: State, node: NodeState, call: Invocation, made: int) -> None:
    """A model gets the conversation as it was when the turn opened."""
    identity = node.plan.id
    data(s, Op.INVOKE, None, node=identity, turn=call.turn, invocation=call.id, x=call.candidate, y=made)
    if node.plan.kind == "llm":
        for role, text in list(s.context)[: s.turn.context_count]:
            data(s, Op.CONTEXT, None, node=identity, turn=call.turn, invocation=call.id, x=role, payload=text)


def feed(s: State, node: NodeState, port: int, parcel: Parcel, marks: int = 0) -> None:
    """Hand one item to the node's invocation, starting one if none takes input; `marks` are flags of this way only."""
    letters.keep(node, port, parcel, anew=node.live is None)
    call = node.live or start(s, node)
    if call is None or node.live is not call:
        return  # none may begin, or a reaction to its start has cancelled it
    if s.voices(node.plan.id):
        room = s.plan.spoken_bytes_max - len(s.turn.spoken)
        s.turn.spoken += parcel.payload[: min(room, len(parcel.payload))]
        s.turn.spoken_words += parcel.b
    _give(s, node, call, port, parcel, marks)
    attempts.retain(s, node, call, port, parcel)


def feed_again(s: State) -> bool:
    """Give one retained item of the lowest node that can take it to its next attempt; whether there was one."""
    for node in s.nodes:
        waits = node.backing_off or (node.live is not None and node.inflight >= node.plan.window)
        if node.has_rest and not waits and data_room(s, 3 + s.plan.context_items_max):
            call = node.live or _start_again(s, node)
            _give(s, node, call, *attempts.give(node))
            return True
    return False


def _give(s: State, node: NodeState, call: Invocation, port: int, parcel: Parcel, marks: int = 0) -> None:
    identity = node.plan.id
    data(
        s, Op.FEED, parcel, node=identity, port=port, turn=call.turn, invocation=call.id,
        x=parcel.media_ns, y=parcel.flags | marks,
    )  # fmt: skip
    first = call.fed_items == 0
    call.fed_items += 1
    node.inflight += 1
    if s.voices(identity) and call.answered and not node.blocked:
        s.timers[s.chunk_timer(identity)] = s.now + node.plan.chunk_ns
    call.fed_bytes += len(parcel.payload)
    call.fed_words += parcel.b
    if node.answers_each:
        if s.first_timer(identity) not in s.timers:
            s.timers[s.first_timer(identity)] = s.now + node.plan.first_output_ns
    elif first and identity != s.plan.recogniser:
        deadline = attempts.deadline(s, node)
        if node.plan.speakable_ns:
            node.speak_due_ns = s.now + node.plan.speakable_ns
            deadline = min(deadline, node.speak_due_ns)
        if deadline != attempts.NEVER:
            s.timers[s.first_timer(identity)] = deadline


def finish(s: State, node: NodeState) -> None:
    """Tell the live invocation that it has all its input."""
    call = node.live
    assert call is not None
    data(s, Op.FINISH, None, node=node.plan.id, turn=call.turn, invocation=call.id)
    end_input(s, node)


def end_input(s: State, node: NodeState) -> None:
    """The live invocation has all the input that it gets: a voice owes the rest of its audio."""
    node.ending, node.live = node.live, None
    node.inflight = 0
    if s.voices(node.plan.id) and node.plan.chunk_ns and not node.blocked:
        s.timers[s.chunk_timer(node.plan.id)] = s.now + node.plan.chunk_ns


def cancel(s: State, node: NodeState, call: Invocation) -> None:
    """Stop an invocation within the grace; whatever it still emits is late, and nobody tries again."""
    if call is node.live or node.kept == call.id:
        attempts.let_go(s, node)
    circuits.cancelled(node, call)
    _stop(s, node, call)
    tools.over(s, node, call, CANCELLED)


def _stop(s: State, node: NodeState, call: Invocation) -> None:
    identity = node.plan.id
    if node.cancelling:
        request(s, Op.FORCE, node=identity, invocation=node.cancelling)
    deadline = s.now + s.plan.grace_ns
    if node.plan.tool and node.plan.tool.soft:
        deadline = max(deadline, s.timers.get(s.first_timer(identity), 0))  # it runs to its end
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
    attempts.let_go(s, node)
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
        tools.gone(s, node)
        node.speak_due_ns = 0
        if not node.backing_off:
            s.stop(s.chunk_timer(node.plan.id))
        if node.plan.id != s.plan.recogniser:
            s.stop(s.first_timer(node.plan.id))


def timed_out(s: State, node: NodeState, *, exhausted: bool = False) -> None:
    """A deadline of the node passed, perhaps that of its budget: cancel what it was doing, and fail."""
    call, was_ending = node.ending or node.live, node.ending is not None
    for doomed in (node.ending, node.live):
        if doomed is not None:
            if doomed is not call:
                circuits.cancelled(node, doomed)
            _stop(s, node, doomed)
            tools.over(s, node, doomed, TIMEOUT)
    if call is None or node.kept != call.id:
        attempts.let_go(s, node)
    fail(s, node, Cause.NODE_TIMEOUT, TIMEOUT, call, retryable=True, was_ending=was_ending, exhausted=exhausted)


def ended(s: State, node: NodeState, call: Invocation, outcome: int, *, retryable: bool) -> None:
    """The provider says that an invocation has ended."""
    was_live, was_ending = call is node.live, call is node.ending
    forget(s, node, call)
    tools.over(s, node, call, outcome)
    if was_live and node.kept != call.id:
        attempts.let_go(s, node)
    if outcome != SUCCESS:
        fail(s, node, Cause.NODE_ERROR, outcome, call, retryable=retryable, was_ending=was_ending)
        return
    if node.kept == call.id:
        attempts.let_go(s, node)
    circuits.works(s, node, call)
    if node.plan.id == s.plan.recogniser:
        hearing.heard(s)
    reactions.raise_event(
        s, node.plan.event_done, attempts=events.attempts(node), elapsed_ns=s.now - call.began_ns
    )  # fmt: skip


def fail(
    s: State,
    node: NodeState,
    cause: Cause,
    outcome: int = 0,
    call: Invocation | None = None,
    *,
    said: Cause | None = None,
    retryable: bool = False,
    was_ending: bool = False,
    exhausted: bool = False,
) -> None:
    """A node failed: try again if that can be, else react as the pipeline says, or end the turn that needed it.

    `said` is the reason on record where it is another than `cause`, by which reactions go.
    """
    effect = node.plan.execution == EFFECT
    if effect and _tried_again(s, node, said or cause, outcome, call, retryable=retryable, was_ending=was_ending):
        return
    fields = {
        "outcome": outcome,
        "retryable": retryable,
        "attempts": events.attempts(node) if call else 0,
        "elapsed_ns": s.now - call.began_ns if call else 0,
    }
    _broken(s, node, cause, fields, End.ERROR, exhausted=exhausted)


def overspent(s: State, node: NodeState, invocation: int) -> None:
    """A cap left the node nothing at all: it has failed, and another attempt would fare no better."""
    decide(
        s, Signal.PROVIDER_ERROR, Cause.BUDGET_EXHAUSTED, node=node.plan.id, invocation=invocation, x=BLOCKED,
    )  # fmt: skip
    _broken(s, node, Cause.NODE_ERROR, {"outcome": BLOCKED}, End.BUDGET)


def _broken(
    s: State, node: NodeState, cause: Cause, fields: dict[str, int], end: End, *, exhausted: bool = False
) -> None:
    """No attempt follows: what the pipeline says, or the end of a turn that needed it."""
    identity = node.plan.id
    effect = node.plan.execution == EFFECT
    event = node.plan.event_timeout if cause is Cause.NODE_TIMEOUT else node.plan.event_error
    handled = exhausted and reactions.raise_event(
        s, node.plan.event_exhausted, Cause.BUDGET_EXHAUSTED, **fields
    )  # fmt: skip
    handled = reactions.raise_event(s, event, cause, **fields) or handled
    needed = node.plan.scope == TURN and not node.plan.tool
    if identity == s.plan.recogniser:
        needed = s.turn.waiting
        if cause is Cause.NODE_TIMEOUT:
            s.hearing.finish_pending = False
        hearing.lost(s)
    if not handled and needed:
        by_provider = effect and cause is Cause.NODE_ERROR
        if end is End.ERROR:
            turns.fail(s, Cause.PROVIDER_FAILURE if by_provider else Cause.NODE_TIMEOUT_OR_FAILURE)
        elif s.active:
            s.turn.ends.add(end)
    if effect and node.plan.scope == SESSION and identity != s.plan.recogniser and not node.plan.tool:
        node.failures += 1
        if node.failures >= FAILURES_MAX:
            s.ending = True


def _tried_again(
    s: State,
    node: NodeState,
    cause: Cause,
    outcome: int,
    call: Invocation | None,
    *,
    retryable: bool,
    was_ending: bool,
) -> bool:
    """Put the failure of an attempt on record; returns whether another attempt follows."""
    identity, before = node.plan.id, call.candidate if call else 0  # which of its providers
    opens = call is not None and circuits.count(s, node, call, outcome)
    follow = Follow.NONE
    if call is not None:
        follow = attempts.follow(s, node, call, retryable=retryable, was_ending=was_ending)
        if node.kept == call.id:
            attempts.let_go(s, node)
    invocation = call.id if call else 0
    decide(
        s, Signal.PROVIDER_ERROR, cause, node=identity, port=before, invocation=invocation, x=outcome, y=follow
    )  # fmt: skip
    if call is not None and opens:
        circuits.opened(s, node, call, cause)
    if follow is Follow.PROVIDER_SWITCH:
        decide(s, Signal.PROVIDER_SWITCH, cause, node=identity, invocation=invocation, x=before, y=node.candidate)
    return follow is not Follow.NONE
