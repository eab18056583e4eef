"""Edges that stand or fall together, or mark what is missing (`docs/kernel.md`, Sync domains, Going on together)."""

from __future__ import annotations

from collections.abc import Callable

from rspp_runtime.abi.codes import Cause, Signal
from rspp_runtime.abi.plan import EFFECT
from rspp_runtime.reference.outputs import data_room, decide
from rspp_runtime.reference.state import EdgeState, Parcel, State

Moved = Callable[[State, EdgeState], None]
"""What happens to an edge when items have left (`edges.moved`)."""


def key(edge: EdgeState, parcel: Parcel) -> int:
    """The group of an item on an edge with `sync`."""
    assert edge.plan.sync is not None
    return parcel.media_ns if edge.plan.sync.by == "media" else parcel.seq


def is_atomic(edge: EdgeState) -> bool:
    return edge.plan.sync is not None and edge.plan.sync.policy == "atomic"


def peers(s: State, edge: EdgeState) -> list[EdgeState]:
    """The edges that are on and share what this one loses, itself included, by id."""
    sync = edge.plan.sync
    return [e for e in s.edges if sync and sync.peers >> e.plan.id & 1 and not s.edge_off(e.plan.id)]


def is_together(s: State, edge: EdgeState) -> bool:
    """Whether the edge may only move with others."""
    return is_atomic(edge) and len(peers(s, edge)) > 1


# ---- what is lost


def begins_fallen(s: State, edge: EdgeState, parcel: Parcel) -> bool:
    """Whether a new item is kept out because the rest of its group was lost; one of another group ends that."""
    if is_fallen(s, edge, parcel):
        return True
    edge.fallen = None
    return False


def is_fallen(s: State, edge: EdgeState, parcel: Parcel) -> bool:
    """Whether the rest of an item's group was lost: then it is kept out, which is told."""
    if edge.fallen is None or key(edge, parcel) != edge.fallen:
        return False
    edge.dropped += 1
    decide(s, Signal.DROP_NOTICE, Cause.SYNC_LOSS, node=edge.plan.id, x=parcel.seq, y=parcel.seq)
    return True


def rest_of_group(edge: EdgeState, last: Parcel) -> int:
    """How many items at the head belong to the group of the last one that was removed there."""
    count = 0
    if is_atomic(edge):
        for _, parcel in edge.items:
            if key(edge, parcel) != key(edge, last):
                break
            count += 1
    return count


def take_group(edge: EdgeState, parcel: Parcel) -> int:
    """Removes what waits of the group of an item that is kept out; the first sequence that is lost."""
    first = parcel.seq
    if is_atomic(edge) and (run := _run(edge, key(edge, parcel))):
        first = _cut(edge, *run)[0]
    return first


def lost_head(s: State, edge: EdgeState, gone: list[Parcel], cause: Cause, moved: Moved) -> None:
    """These items were removed from the head, and that is told."""
    keys = {key(edge, parcel) for parcel in gone} if edge.plan.sync else set()
    if not is_atomic(edge):
        _mark(s, edge, cause)
        return
    for peer in peers(s, edge):
        places = [index for index, (_, parcel) in enumerate(peer.items) if key(peer, parcel) in keys]
        if peer is not edge and places:
            _fall(s, peer, 0, places[-1] + 1, moved)
    for peer in peers(s, edge):
        peer.fallen = key(edge, gone[-1])


def lost_new(s: State, edge: EdgeState, parcel: Parcel, cause: Cause, moved: Moved) -> None:
    """This item was kept out, and that is told."""
    if not is_atomic(edge):
        _mark(s, edge, cause)
        return
    for peer in peers(s, edge):
        if peer is not edge and (run := _run(peer, key(edge, parcel))):
            _fall(s, peer, *run, moved)
    for peer in peers(s, edge):
        peer.fallen = key(edge, parcel)


def _run(edge: EdgeState, wanted: int) -> tuple[int, int] | None:
    """Where the items of a group stand: from the first to behind the last."""
    places = [index for index, (_, parcel) in enumerate(edge.items) if key(edge, parcel) == wanted]
    return (places[0], places[-1] + 1) if places else None


def _cut(edge: EdgeState, start: int, end: int) -> tuple[int, int]:
    """Removes the items there; the first and last sequence."""
    gone = [parcel for _, parcel in list(edge.items)[start:end]]
    for _ in gone:
        del edge.items[start]
    edge.bytes -= sum(len(parcel.payload) for parcel in gone)
    edge.dropped += len(gone)
    return gone[0].seq, gone[-1].seq


def _fall(s: State, edge: EdgeState, start: int, end: int, moved: Moved) -> None:
    first, last = _cut(edge, start, end)
    decide(s, Signal.DROP_NOTICE, Cause.SYNC_LOSS, node=edge.plan.id, x=first, y=last)
    moved(s, edge)


def _mark(s: State, edge: EdgeState, cause: Cause) -> None:
    if edge.plan.sync is None:
        return
    s.discontinuities += 1
    decide(s, Signal.DISCONTINUITY, cause, node=edge.plan.id, x=s.discontinuities)
    for peer in peers(s, edge):
        peer.gap = True


# ---- going on together


def goes_alone(edge: EdgeState) -> bool:
    """Whether the group of the head has gone on before."""
    return bool(edge.items) and edge.gone is not None and key(edge, edge.items[0][1]) == edge.gone


def common_key(group: list[EdgeState]) -> int | None:
    """The first key on the lowest edge that every one of them holds."""
    others = [{key(edge, parcel) for _, parcel in edge.items} for edge in group[1:]]
    for _, parcel in group[0].items:
        wanted = key(group[0], parcel)
        if all(wanted in keys for keys in others):
            return wanted
    return None


def part_unmatched(s: State, group: list[EdgeState], wanted: int, moved: Moved) -> bool:
    """Removes what stands before that key; whether there was anything."""
    found = False
    for edge in group:
        before = next(index for index, (_, parcel) in enumerate(edge.items) if key(edge, parcel) == wanted)
        if before:
            _fall(s, edge, 0, before, moved)
            found = True
    return found


def all_can(s: State, group: list[EdgeState], can_move: Callable[[State, EdgeState], bool]) -> bool:
    """Whether each of them can move its head, and the data outputs have room for all."""
    was_full, lacks = s.outputs_full, False
    for edge in group:
        s.outputs_full = False
        if can_move(s, edge):
            continue
        if not s.outputs_full:
            s.outputs_full = was_full
            return False
        lacks = True
    s.outputs_full = was_full
    if lacks:
        s.outputs_full = True
        return False
    return data_room(s, sum(_slots(s, edge) for edge in group))


def give_up(s: State, edge: EdgeState, complete: int, moved: Moved) -> bool:
    """Remove what waits for others that will not come any more: nobody brings them."""
    if not edge.items or not is_together(s, edge):
        return False
    group = peers(s, edge)
    if any(goes_alone(peer) for peer in group) or common_key(group) is not None:
        return False
    if any(not complete >> peer.plan.source & 1 for peer in group):
        return False
    _fall(s, edge, 0, len(edge.items), moved)
    return True


def _slots(s: State, edge: EdgeState) -> int:
    """Data outputs that a move of this edge may need."""
    target = s.nodes[edge.plan.target].plan
    if target.execution == EFFECT:
        return 3 + s.plan.context_items_max
    return 1 if target.kind == "egress" else 0
