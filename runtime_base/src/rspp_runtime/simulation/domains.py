"""Invariants of sync domains (docs/kernel.md: Sync domains, Going on together)."""

from __future__ import annotations

from collections.abc import Iterator

from rspp_runtime.abi.codes import Cause, Flag, Op, Signal
from rspp_runtime.abi.messages import Output
from rspp_runtime.simulation.book import Book
from rspp_runtime.simulation.checks import Checks

CHECKS = Checks()
on, after_step = CHECKS.on, CHECKS.after_step

_MARK = int(Flag.DISCONTINUITY)
_NO_LOSS = (Cause.CANCEL_FLUSH, Cause.COALESCED)


@on(*Signal)
def a_loss_is_marked_at_once(book: Book, output: Output) -> str | None:
    """What an edge of a domain with `drop_with_discontinuity` loses is followed by its DISCONTINUITY, numbered on."""
    expected, book.unmarked = book.unmarked, -1
    if output.code == Signal.DISCONTINUITY:
        book.discontinuities += 1
        if output.node != expected:
            return f"edge {output.node} has lost nothing just now"
        sync = book.plan.edges[output.node].sync
        assert sync is not None
        for edge in range(len(book.gaps)):
            book.gaps[edge] += sync.peers >> edge & 1
        return None if output.x == book.discontinuities else f"number {output.x} after {book.discontinuities - 1}"
    if expected >= 0:
        return f"{book.plan.edges[expected].name} has lost something, and nothing marks it"
    if output.code == Signal.DROP_NOTICE and output.cause not in _NO_LOSS:
        sync = book.plan.edges[output.node].sync
        if sync is not None and sync.policy == "discontinuity":
            book.unmarked = output.node
    return None


@on(Op.FEED, Op.TAP)
def a_mark_follows_a_gap(book: Book, output: Output) -> str | None:
    """Only the first item after a gap has the flag DISCONTINUITY, there and behind labels and joins."""
    call = book.calls.get(output.invocation)
    if not output.y & _MARK or (call is not None and call.attempts and output.seq in book.given.get(call.node, ())):
        return None  # (what is given again is as it was)
    edge = book.edge_of(output.node, output.port, output.seq)
    if edge < 0:
        return None
    book.marked[edge] += 1  # several gaps may have one mark, never the other way round
    is_right = book.marked[edge] <= _marks_max(book, edge)
    return None if is_right else f"{book.plan.edges[edge].name}: nothing is missing before {output.seq}"


def _marks_max(book: Book, edge: int) -> int:
    """How many items of an edge may have been marked: its own gaps, and those from which kernel nodes led a mark on."""
    source = book.plan.nodes[book.plan.edges[edge].source]
    if source.execution != "kernel":
        return book.gaps[edge]
    times = source.emissions_max if source.handler >= 0 else 1  # (what it makes of one item may have its flags)
    return book.gaps[edge] + times * sum(_marks_max(book, before) for before in source.edges_in)


@on(Signal.DROP_NOTICE)
def what_went_on_does_not_fall(book: Book, output: Output) -> str | None:
    """Of an item that several atomic edges carry, either all copies go on or all are dropped."""
    edge = output.node
    if output.cause in _NO_LOSS or not 0 <= edge < len(book.plan.edges) or not book.tables.together[edge]:
        return None
    for seq, _ in book.held[edge]:
        if output.x <= seq <= output.y:
            for other in _copies(book, edge):
                if seq in book.went_on[other]:
                    return f"{book.plan.edges[edge].name} lost {seq}, {book.plan.edges[other].name} delivered it"
                book.fell[other].append(seq)
    return None


@on(Op.FEED, Op.SEND, Op.TAP)
def what_fell_does_not_go_on(book: Book, output: Output) -> str | None:
    """An item of which another copy was dropped is not delivered."""
    edge = book.edge_of(output.node, output.port, output.seq)
    if edge < 0 or not book.tables.together[edge]:
        return None
    book.went_on[edge].append(output.seq)
    if output.seq in book.fell[edge]:
        return f"{book.plan.edges[edge].name} delivered {output.seq}, of which another copy was dropped"
    return None


@after_step
def copies_go_on_in_one_step(book: Book) -> str | None:
    """When one copy of an item has gone on, so have the others, but for the rest of a group of which each has had one.

    (What a tap is shown may be dropped on its way.)
    """
    for edge, went in enumerate(book.went_on):
        if not went or book.edges_off >> edge & 1:
            continue
        for other in _copies(book, edge):
            is_seen = book.plan.nodes[book.plan.edges[other].target].kind != "tap"
            last = (book.went_on[other] or (0,))[-1]
            is_rest = _group(book, edge, went[-1]) == _group(book, edge, last)
            if is_seen and other not in book.hazy and went[-1] > last and not is_rest:
                return f"{book.plan.edges[edge].name} delivered {went[-1]}, {book.plan.edges[other].name} has not"
    return None


def _group(book: Book, edge: int, seq: int) -> tuple[str, int]:
    """The group of an item: by its media time where the domain goes by that and it is known, else its own."""
    sync = book.plan.edges[edge].sync
    is_known = sync is not None and sync.by == "media" and seq in book.media
    return ("media", book.media[seq]) if is_known else ("event", seq)


def _copies(book: Book, edge: int) -> Iterator[int]:
    """Edges that carry the same items, and go on together with this one."""
    plan, sync = book.plan.edges[edge], book.plan.edges[edge].sync
    for other in book.plan.edges:
        is_peer = sync is not None and sync.peers >> other.id & 1 and other.id != edge
        is_copy = (other.source, other.source_port) == (plan.source, plan.source_port)
        if is_peer and is_copy and not book.edges_off >> other.id & 1:
            yield other.id
