"""Invariants of credit (docs/kernel.md, Credit)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Signal
from rspp_runtime.abi.messages import Output
from rspp_runtime.abi.plan import Edge
from rspp_runtime.simulation.book import Book
from rspp_runtime.simulation.checks import Checks

CHECKS = Checks()
on, after_step = CHECKS.on, CHECKS.after_step


@on(Signal.CREDIT_GRANT)
def credit_comes_in_lots(book: Book, output: Output) -> str | None:
    """An edge with credit grants at least a quarter of its places, and never more than it has."""
    plan = book.plan.edges[output.node]
    if plan.flow == "signal":
        return f"{plan.name} knows no credit"
    book.granted[output.node] += output.x
    return None if _lot(plan) <= output.x <= plan.items_max else f"{plan.name} grants {output.x} of {plan.items_max}"


@on(Signal.FLOW_XOFF)
def credit_needs_no_signal(book: Book, output: Output) -> str | None:
    """An edge that works by credit alone does not stop its producer by a signal."""
    plan = book.plan.edges[output.node]
    return f"{plan.name} works by credit" if plan.flow == "credit" else None


@after_step
def no_credit_leaks(book: Book) -> str | None:
    """Every place is granted as often as an item has left it: never more often, and at most a lot is owed."""
    if book.ended:
        return None
    for plan in book.plan.edges:
        edge = plan.id
        if plan.flow == "signal" or not book.tracked[edge] or edge in book.hazy or book.edges_off >> edge & 1:
            continue
        left = book.came[edge] - len(book.held[edge])
        if book.granted[edge] > left:
            return f"{plan.name} granted {book.granted[edge]}, and {left} items have left it"
        if _takes_one_each(plan) and left - book.granted[edge] >= _lot(plan):
            return f"{plan.name} granted {book.granted[edge]} when {left} items had left it"
    return None


def _lot(plan: Edge) -> int:
    return max(1, plan.items_max // 4)


def _takes_one_each(plan: Edge) -> bool:
    """Whether each item that is accepted takes one credit: none is accepted without, none is kept out."""
    sheds_in_time = bool(plan.overflow) and plan.overflow[0].block_ns > 0
    thins = any(step.strategy == "sample" for step in plan.overflow) or plan.sync is not None
    return not sheds_in_time and not thins
