"""Another attempt after a failure: the same provider again, or the next one (`docs/kernel.md`, Attempts).

What an invocation was fed is retained until its first output, so that whoever tries next gets all of it.
"""

from __future__ import annotations

from rspp_runtime.abi.codes import Follow
from rspp_runtime.reference import circuits, spending
from rspp_runtime.reference.state import Invocation, NodeState, Parcel, State

NEVER = 2**63 - 1


def begin(s: State, node: NodeState, call: Invocation) -> None:
    """A first attempt: from now on the input of this invocation is retained, and of no other."""
    if node.plan.attempts is not None:
        let_go(s, node)
        node.kept, node.candidate, node.tries, node.made, node.due_ns = call.id, call.candidate, 1, 1, NEVER
        node.base_bytes, node.base_words = call.base_bytes, call.base_words


def retain(s: State, node: NodeState, call: Invocation, port: int, parcel: Parcel) -> None:
    """Keep an item that was fed for the first time; if one does not fit, none is kept any more."""
    attempts = node.plan.attempts
    if attempts is None or node.kept != call.id:
        return
    if len(node.retained) >= attempts.retain_items:
        let_go(s, node)
    else:
        node.retained.append((port, parcel))
        node.given += 1


def give(node: NodeState) -> tuple[int, Parcel]:
    """The next of the retained items, for the present attempt."""
    if node.kept:
        node.given += 1
        return node.retained[node.given - 1]
    return node.retained.popleft()


def answered(node: NodeState, call: Invocation) -> None:
    """Its first output was taken: nobody else will need what it was given."""
    if node.kept == call.id:
        node.kept = 0
        for _ in range(node.given):
            node.retained.popleft()
        node.given = 0


def let_go(s: State, node: NodeState) -> None:
    """Nothing is retained any more, and no attempt is due."""
    if node.again and node.plan.id != s.plan.recogniser:
        s.stop(s.first_timer(node.plan.id))
    if node.backing_off:
        s.stop(s.chunk_timer(node.plan.id))
    node.retained.clear()
    node.given = node.kept = 0
    node.again = node.backing_off = False


def deadline(s: State, node: NodeState) -> int:
    """When the attempt that begins must have its first output; the budget begins with the first attempt. Or NEVER."""
    attempts, budget_ns = node.plan.attempts, node.plan.first_output_ns
    if attempts is None:
        return s.now + budget_ns if budget_ns else NEVER
    if node.due_ns == NEVER and budget_ns:
        node.due_ns = s.now + budget_ns
    return min(node.due_ns, s.now + attempts.first_chunk_ns) if attempts.first_chunk_ns else node.due_ns


def budget_is_over(s: State, node: NodeState) -> bool:
    """Whether the deadline that passed is that of the node, and not only of one attempt."""
    return node.plan.attempts is None or node.plan.id == s.plan.recogniser or s.now >= node.due_ns


def follow(s: State, node: NodeState, call: Invocation, *, retryable: bool, was_ending: bool) -> Follow:
    """What follows the failure of an attempt; if another one does, it is due from now on."""
    attempts, identity = node.plan.attempts, node.plan.id
    if attempts is None or node.kept != call.id or not node.retained:
        return Follow.NONE
    recogniser = identity == s.plan.recogniser
    due = s.timers.get(s.first_timer(identity), NEVER) if recogniser else node.due_ns
    found, wait_ns = Follow.RETRY, attempts.backoff_ns << (node.tries - 1)
    in_time = s.now + wait_ns < due
    allowed = circuits.allows(s, node, node.candidate) and spending.may_try_again(s, node, node.candidate)
    if retryable and node.tries < attempts.times and in_time and allowed:
        node.tries += 1
    else:
        found, wait_ns = Follow.PROVIDER_SWITCH, 0
        candidate = circuits.choose(s, node, node.candidate + 1)
        if candidate < 0 or s.now >= due or not spending.may_try_again(s, node, candidate):
            return Follow.NONE
        node.candidate, node.tries = candidate, 1
    node.made += 1
    node.given = node.kept = 0
    node.again = True
    if recogniser:
        s.hearing.finish_pending = s.hearing.finish_pending or was_ending
    elif due != NEVER:
        s.timers[s.first_timer(identity)] = due
    if wait_ns:
        node.backing_off = True
        s.timers[s.chunk_timer(identity)] = s.now + wait_ns
    return found
