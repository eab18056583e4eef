"""Invariants of budgets of paths (docs/kernel.md, Paths)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Signal
from rspp_runtime.abi.lookup import PATHS
from rspp_runtime.abi.messages import Output
from rspp_runtime.simulation.book import Book
from rspp_runtime.simulation.checks import IN_A_TURN, Checks

CHECKS = Checks()
on, while_ = CHECKS.on, CHECKS.while_


@on(Signal.BUDGET_EXHAUSTED, Signal.BUDGET_WARNING)
def a_path_is_not_blamed_too_early(book: Book, output: Output) -> str | None:
    """The budget of a path, and its warning, are told no earlier than its time from when it may have begun."""
    if output.y > PATHS:
        return None
    path, turn = book.plan.paths[PATHS - output.y], book.turn
    due = turn.input_end_ns if path.from_input_end else turn.opened_ns
    due += path.limit_ns if output.code == Signal.BUDGET_EXHAUSTED else path.warning_ns
    return None if output.t_ns >= due else f"{path.name} at {output.t_ns}, due at {due}"


@on(Signal.BUDGET_EXHAUSTED, Signal.BUDGET_WARNING)
def a_path_in_time_is_not_blamed(book: Book, output: Output) -> str | None:
    """Of a path that something has left at its end, nothing more is told in that turn; and it ends only once."""
    if output.y > PATHS:
        return None
    path, late = book.plan.paths[PATHS - output.y], book.late
    if path.id in late.kept and late.turn == output.turn:
        return f"{path.name}, which was left in time"
    again = output.code == Signal.BUDGET_EXHAUSTED and output.y in book.turn.budgets
    return f"{path.name} a second time" if again else None


@while_(IN_A_TURN)
def a_path_ends_in_time(book: Book) -> str | None:
    """A path that has begun, and that nothing has left yet while it is at work, does not pass its limit unnoticed."""
    turn, late = book.turn, book.late
    if not late.begun or late.turn != turn.serial or turn.asked_ns >= 0:
        return None
    for id, (ns, _) in late.begun.items():
        path = book.plan.paths[id]
        is_told = id in late.left or PATHS - id in turn.budgets or not path.modes >> book.mode & 1
        if not is_told and book.now >= ns + path.limit_ns:
            return f"{path.name} runs since {ns}"
    return None
