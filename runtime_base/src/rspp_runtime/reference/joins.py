"""Merges and selects: which of the flows into a node goes next (`docs/kernel.md`, Joins)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Cause, SessionState, Signal
from rspp_runtime.abi.plan import TURN, Join
from rspp_runtime.reference import edges, paths
from rspp_runtime.reference.outputs import decide
from rspp_runtime.reference.state import EdgeState, NodeState, Parcel, State

_SELECTS = ("first", "highest")


def can_move(s: State, node: NodeState, edge: EdgeState) -> bool:
    """Whether the head of this edge is next: because it goes through, or because another flow was chosen."""
    _begin_round(s, node)
    if _is_loser(node, edge):
        return True
    if node.join.chosen < 0:
        found = _next(s, node)
        if found is None or found.plan.id != edge.plan.id:
            return False
    return all(edges.takes_largest(node, out, 1) for out in s.edges_from(node.plan.id, 0))


def sheds(s: State, node: NodeState, edge: EdgeState) -> bool:
    """Whether the edge was not chosen: all that it holds is removed, and that was the step."""
    if not _is_loser(node, edge):
        return False
    edges.remove_all(s, edge, Cause.NOT_SELECTED)
    return True


def move(s: State, node: NodeState, edge: EdgeState, parcel: Parcel) -> None:
    """The item goes on, as one of the node's own."""
    rows, state = _plan(node), node.join
    place = rows.sources.index(edge.plan.id)
    if rows.by in _SELECTS:
        if state.chosen < 0:
            state.chosen = place
            decide(s, Signal.SELECTED, node=node.plan.id, x=edge.plan.id, y=_field(rows, parcel))
        state.last_ns = s.now
    elif rows.by == "round_robin":
        state.place = (place + 1) % len(rows.sources)
    made = Parcel(
        s.next_seq(), parcel.turn, parcel.epoch, parcel.media_ns, parcel.flags, parcel.a, parcel.b, parcel.payload
    )  # fmt: skip
    paths.leaves(s, node.plan.id)
    for out in s.edges_from(node.plan.id, 0):
        edges.push(s, out, made)


def end_input(s: State, node: NodeState, incoming: list[EdgeState]) -> bool:
    """Nothing more comes: what waits need not wait for others. Returns whether that was news."""
    _begin_round(s, node)
    if node.join.over or not any(edge.items for edge in incoming):
        return False
    node.join.over = True
    return True


def wakes_ns(s: State) -> int:
    """When the first join has waited long enough for others; -1 if none waits for a time."""
    if s.state is SessionState.ENDED:
        return -1
    times = [_patience(s, node) for node in s.nodes if node.plan.join and node.plan.join.within_ns]
    return min((ns for ns in times if ns > s.now), default=-1)


def _plan(node: NodeState) -> Join:
    rows = node.plan.join
    assert rows is not None
    return rows


def _is_loser(node: NodeState, edge: EdgeState) -> bool:
    return node.join.chosen >= 0 and _plan(node).sources[node.join.chosen] != edge.plan.id


def _begin_round(s: State, node: NodeState) -> None:
    """A round of a turn-scoped node is its turn; a choice outside of turns holds while its flow goes on."""
    rows, state = _plan(node), node.join
    if node.plan.scope == TURN:
        if state.turn != s.turn.serial:
            state.turn = s.turn.serial
            state.place, state.chosen, state.over = 0, -1, False
    elif state.chosen >= 0 and s.now - state.last_ns > rows.within_ns:
        state.chosen = -1


def _sources(s: State, node: NodeState) -> list[EdgeState]:
    """Its edges in the order in which they count, from the one whose turn it is, without those that are off."""
    sources = _plan(node).sources
    order = sources[node.join.place :] + sources[: node.join.place]
    return [s.edges[edge] for edge in order if not s.edge_off(edge)]


def _next(s: State, node: NodeState) -> EdgeState | None:
    """The flow that goes next; None if there is nothing, or others are waited for."""
    rows, sources = _plan(node), _sources(s, node)
    full = [edge for edge in sources if edge.items]
    if not full or _waits(s, node, sources):
        return None
    if rows.by == "timestamp":
        return min(full, key=_stamp)
    if rows.by == "first":
        return min(full, key=lambda edge: edge.items[0][0])
    if rows.by == "highest":
        return max(full, key=lambda edge: _field(rows, edge.items[0][1]))
    return full[0]


def _waits(s: State, node: NodeState, sources: list[EdgeState]) -> bool:
    """Whether an empty flow could still bring what goes before: any other, or the one whose turn it is."""
    rows = _plan(node)
    asked = [edge for edge in sources if edge.items or rows.waits_for >> edge.plan.id & 1]
    if rows.by == "round_robin":
        asked = asked[:1]
    if not rows.waits_for or node.join.over or all(edge.items for edge in asked):
        return False
    return not rows.within_ns or s.now < _oldest(sources) + rows.within_ns


def _patience(s: State, node: NodeState) -> int:
    """When this join stops waiting; not later than now if it does not wait."""
    sources = _sources(s, node)
    if node.join.chosen >= 0 or not any(edge.items for edge in sources) or not _waits(s, node, sources):
        return -1
    return _oldest(sources) + _plan(node).within_ns


def _oldest(sources: list[EdgeState]) -> int:
    return min(edge.items[0][0] for edge in sources if edge.items)


def _stamp(edge: EdgeState) -> int:
    """The media time of the head; of one without, the time at which it came."""
    entered, parcel = edge.items[0]
    return parcel.media_ns if parcel.media_ns > 0 else entered


def _field(rows: Join, parcel: Parcel) -> int:
    return {"words": parcel.b, "length": len(parcel.payload)}.get(rows.field, 0)
