"""Invariants of dead letters (docs/kernel.md, Dead letters)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Cause, Follow, Op, Signal
from rspp_runtime.abi.messages import Output
from rspp_runtime.simulation.book import Book
from rspp_runtime.simulation.checks import Checks, claim
from rspp_runtime.simulation.violation import Violation

CHECKS = Checks()
on = CHECKS.on


@on(Op.INVOKE)
def a_call_is_given_anew(book: Book, output: Output) -> str | None:
    """What a call of a node is given is put down; another attempt goes on with the same."""
    given = book.lost.given.get(output.node)
    if given is not None:
        given.begin(output.invocation, is_again=output.y > 0)
    return None


@on(Op.FEED)
def what_is_given_is_put_down(book: Book, output: Output) -> str | None:
    """Each item once, though several attempts may get it."""
    given = book.lost.given.get(output.node)
    if given is not None and output.seq not in given.now:
        given.now.append(output.seq)
    return None


@on(Signal.PROVIDER_ERROR)
def a_failure_is_put_down(book: Book, output: Output) -> str | None:
    """An invocation that was seen to have an item, and failed for good, owes its letter."""
    lost, given = book.lost, book.lost.given.get(output.node)
    if given is None or output.y != Follow.NONE or (output.node, output.cause) not in lost.always:
        return None
    if given.now and given.invocation == output.invocation:
        lost.owed[output.node] = output.invocation
    return None


@on(Op.DEAD_LETTER)
def a_dead_letter_is_of_a_failure(book: Book, output: Output) -> str | None:
    """It names a node, a failure and a tap that some reaction joins, and an item that this node is not done with."""
    lost, node = book.lost, output.code
    if (node, output.cause, output.node) not in lost.ways:
        return f"no reaction shows {Cause(output.cause).name.lower()} of node {node} to node {output.node}"
    given = lost.given.get(node)
    if given is not None and output.seq in given.past:
        return f"{book.plan.nodes[node].name} is shown to have failed with {output.seq}, and was done with it"
    lost.shown.append((node, output.seq))
    return None


def a_failure_is_shown(book: Book, *, is_full: bool) -> None:
    """What a node failed with is shown before the next input, unless the telemetry outputs were full."""
    lost = book.lost
    if not is_full:
        by_handlers = [(node, seq) for node, seq in lost.refused if (node, int(Cause.NODE_ERROR)) in lost.always]
        missing = [one for one in by_handlers if one not in lost.shown]
        if missing:
            node, seq = missing[0]
            raise Violation("a_failure_is_shown", f"{book.plan.nodes[node].name} failed with {seq}")
        for node, invocation in lost.owed.items():
            if not any(one == node for one, _ in lost.shown):
                raise Violation("a_failure_is_shown", f"{book.plan.nodes[node].name} failed, invocation {invocation}")
    for given in lost.given.values():
        given.settle()
    lost.refused.clear()
    lost.owed.clear()
    lost.shown.clear()


claim(CHECKS, a_failure_is_shown)
