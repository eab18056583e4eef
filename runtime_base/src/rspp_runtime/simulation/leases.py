"""Invariants of a session that another process goes on with (docs/kernel.md, Handing over; CONTRACTS §13, F8)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Op, Signal
from rspp_runtime.abi.messages import Output
from rspp_runtime.abi.plan import EFFECT
from rspp_runtime.simulation.book import Book
from rspp_runtime.simulation.checks import Checks
from rspp_runtime.simulation.pages import ACTIVE, OPENING

CHECKS = Checks()
on, after_step = CHECKS.on, CHECKS.after_step


@on(Signal.MIGRATION_START)
def a_migration_names_the_holder_before(book: Book, output: Output) -> str | None:
    """A migration begins at the epoch that the session had, and none begins in another."""
    if book.handing:
        return "one begins in another"
    return None if output.x == book.epoch else f"from epoch {output.x}, the session was at {book.epoch}"


@on(Signal.SESSION_HANDOFF, Signal.MIGRATION_FINISH)
def a_handoff_is_of_a_migration(book: Book, output: Output) -> str | None:
    """A session is handed over in a migration, at its new epoch, when its turn has ended."""
    if not book.handing or output.x != book.epoch:
        return f"at epoch {output.x}, the session is at {book.epoch}"
    return "a turn is open" if book.turn_state in (OPENING, ACTIVE) else None


@on(Signal.SESSION_HANDOFF)
def a_handoff_goes_on_with_the_same_session(book: Book, output: Output) -> str | None:
    """The serials of its turns go on behind the last one."""
    return None if output.y == book.turn.serial else f"turn {output.y}, the last was {book.turn.serial}"


@on(Signal.SESSION_HANDOFF)
def nothing_hot_is_handed_over(book: Book, output: Output) -> str | None:
    """No invocation lives and no item waits that was the old process'."""
    live = [call.id for call in book.calls.values() if call.node not in book.excused]  # others may have ended
    if live:
        return f"invocation {min(live)} goes on"
    for edge in book.plan.edges:
        sure = book.tracked[edge.id] and edge.id not in book.hazy and book.plan.nodes[edge.target].execution == EFFECT
        if sure and book.held[edge.id]:
            return f"{edge.name} holds {len(book.held[edge.id])} items"
    return None


@on(Signal.TURN_OPEN, Signal.TURN_OPEN_PROPOSED, Signal.CONNECTED)
def nothing_begins_while_it_is_handed_over(book: Book, output: Output) -> str | None:
    """Between its beginning and its end a migration only ends and forgets."""
    return f"{Signal(output.code).name} in a migration" if book.handing else None


@on(Op.CONTEXT)
def what_was_not_kept_is_forgotten(book: Book, output: Output) -> str | None:
    """The first turn after a handoff to a holder that does not know what was said has no conversation."""
    return "the new holder does not know it" if book.turn.serial == book.blank_turn else None


@after_step
def a_migration_is_whole(book: Book) -> str | None:
    """A migration that began has ended when the step is over."""
    return "it has not ended" if book.handing else None
