"""Bounded rings, hand-off, shedding, back-pressure (`docs/kernel.md`, Edges)."""

from __future__ import annotations

from dataclasses import replace

from rspp_runtime.abi.codes import Cause, Op, Signal
from rspp_runtime.abi.plan import EFFECT
from rspp_runtime.reference import paths, sync, thinning
from rspp_runtime.reference.guards import passes
from rspp_runtime.reference.outputs import decide, request
from rspp_runtime.reference.state import EdgeState, NodeState, Parcel, State


def has_room(edge: EdgeState, size: int) -> bool:
    """Whether one more item of that size keeps both bounds."""
    return len(edge.items) < edge.plan.items_max and edge.bytes + size <= edge.plan.bytes_max


def would_block(edge: EdgeState, size: int) -> bool:
    """Whether a push must wait: the edge's first answer to being full is `block`, and it is full."""
    plan = edge.plan
    if plan.flow != "signal":
        return not edge.shedding and (edge.credit == 0 or edge.bytes + size > plan.bytes_max)
    if edge.shedding or not plan.overflow or plan.overflow[0].strategy != "block":
        return False
    if plan.handoff is None:
        return not has_room(edge, size)
    return len(edge.items) + 2 > plan.items_max or edge.bytes + len(edge.pending) + size > plan.bytes_max


def offer(s: State, node: int, port: int, size: int, words: int, flags: int) -> bool:
    """Whether the edges of a port that such an item is for can take it now; if not, its node is blocked."""
    full = [e for e in s.edges_from(node, port) if passes(s, e, size, words, flags) and would_block(e, size)]
    if not full:
        return True
    s.nodes[node].blocked = True
    s.stop(s.chunk_timer(node))
    for edge in full:
        if not edge.xoff and edge.plan.flow != "credit":
            edge.xoff = True
            decide(s, Signal.FLOW_XOFF, node=edge.plan.id)
        timer = s.block_timer(edge.plan.id)
        longest_ns = block_ns(edge)
        stands = s.egress.paused and s.is_audio_out(edge.plan)  # nobody is too slow while it is paused
        if longest_ns and timer not in s.timers and not stands:
            s.timers[timer] = s.now + longest_ns
    return False


def push_all(s: State, node: int, port: int, parcel: Parcel) -> None:
    """Push an item to every edge of a port; a turn-scoped edge carries the active turn, others none."""
    for edge in s.edges_from(node, port):
        push(s, edge, replace(parcel, turn=turn_of(s, edge)))


def turn_of(s: State, edge: EdgeState) -> int:
    """The serial of the turn that an item on the edge is of; 0 for none."""
    return s.turn.serial if s.active and edge.plan.scope == "turn" else 0


def push(s: State, edge: EdgeState, parcel: Parcel) -> None:
    """Hand an item to an edge, which may let it pass by, assemble it, keep it, or shed."""
    if not passes(s, edge, len(parcel.payload), parcel.b, parcel.flags):
        return
    paths.pushed(s, edge.plan)
    if edge.plan.handoff is None:
        enqueue(s, edge, parcel)
    else:
        _assemble(s, edge, parcel)


def enqueue(s: State, edge: EdgeState, parcel: Parcel) -> None:
    """Put an item at the tail, shedding by the overflow order if there is no room."""
    expire(s, edge)
    _enqueue(s, edge, parcel)
    thinning.watch(s, edge)


def _enqueue(s: State, edge: EdgeState, parcel: Parcel) -> None:
    size = len(parcel.payload)
    plan = edge.plan
    if plan.sync and sync.begins_fallen(s, edge, parcel):
        return
    first = plan.overflow[0].strategy if plan.overflow else "drop_newest"
    rule = plan.gather.rule if plan.gather else plan.overflow[0].rule if first == "coalesce" else ""
    if rule and thinning.coalesce(s, edge, rule, parcel):
        return
    if first == "sample" and not thinning.keeps(edge, plan.overflow[0].keep_percent):
        _keep_out(s, edge, parcel, Cause.SAMPLED)
        return
    if first == "latest_only" and edge.items:
        _drop_head(s, edge, len(edge.items), Cause.SUPERSEDED)
    elif has_room(edge, size) and (plan.flow == "signal" or edge.credit > 0):
        edge.shedding = False
    for number, step in enumerate(plan.overflow):
        if has_room(edge, size):
            break
        if step.strategy == "sample" and number and not thinning.keeps(edge, step.keep_percent):
            _keep_out(s, edge, parcel, Cause.SAMPLED)
            return
        if step.strategy in ("drop_oldest", "sample"):
            _drop_until_room(s, edge, size)
        elif step.strategy == "latest_only":
            _drop_head(s, edge, len(edge.items), Cause.SUPERSEDED)
        elif step.strategy == "coalesce" and number and thinning.coalesce(s, edge, step.rule, parcel):
            return
        elif step.strategy == "drop_newest":
            break
    if plan.sync and sync.is_fallen(s, edge, parcel):
        return
    if not has_room(edge, size):
        _keep_out(s, edge, parcel, Cause.QUEUE_PRESSURE)
        return
    edge.items.append((s.now, parcel))
    edge.bytes += size
    edge.high = max(edge.high, len(edge.items))
    edge.credit = max(0, edge.credit - 1)
    timer = s.handoff_timer(plan.id)
    if plan.gather and not edge.open and timer not in s.timers:
        s.timers[timer] = s.now + plan.gather.ns


def expire(s: State, edge: EdgeState) -> bool:
    """Shed what has waited longer than the edge's age bound; returns whether anything had."""
    age = edge.plan.age_ns_max
    old = 0
    if age:
        for entered, _ in edge.items:
            if s.now - entered <= age:
                break
            old += 1
    if old:
        _drop_head(s, edge, old, Cause.QUEUE_AGE)
    return old > 0


def pop(s: State, edge: EdgeState) -> Parcel:
    """Take the head; taking is progress, so a producer that is waiting may wait on."""
    _, parcel = edge.items.popleft()
    edge.bytes -= len(parcel.payload)
    timer = s.block_timer(edge.plan.id)
    if timer in s.timers:
        s.timers[timer] = s.now + block_ns(edge)
    moved(s, edge)
    return parcel


def lose(s: State, edge: EdgeState, parcel: Parcel, cause: Cause) -> None:
    """An item that left the edge reaches nobody."""
    edge.dropped += 1
    decide(s, Signal.DROP_NOTICE, cause, node=edge.plan.id, x=parcel.seq, y=parcel.seq)


def moved(s: State, edge: EdgeState) -> None:
    """Items have left: an edge that gathers begins anew once it is empty, and the low mark may be reached."""
    if edge.plan.gather and not edge.items:
        edge.open = False
        s.stop(s.handoff_timer(edge.plan.id))
    thinning.watch(s, edge)


def takes_largest(node: NodeState, edge: EdgeState, count: int) -> bool:
    """Whether an edge of a node has room for that many of the largest items; for a hand-off, and what is pending."""
    largest = _largest(edge, node)
    slots = len(edge.items) + count + (1 if edge.plan.handoff else 0)
    return slots <= edge.plan.items_max and edge.bytes + len(edge.pending) + count * largest <= edge.plan.bytes_max


def remove_all(s: State, edge: EdgeState, cause: Cause) -> None:
    """Shed everything that waits."""
    _drop_head(s, edge, len(edge.items), cause)
    moved(s, edge)


def release(s: State, edge: EdgeState) -> None:
    """Hand over all pending text of a hand-off as one item."""
    _release(s, edge, len(edge.pending))


def flush(s: State, edge: EdgeState) -> None:
    """Empty an edge, because its turn ended or its mode leaves it out."""
    if edge.items:
        first, last = edge.items[0][1].seq, edge.items[-1][1].seq
        decide(s, Signal.DROP_NOTICE, Cause.CANCEL_FLUSH, node=edge.plan.id, x=first, y=last)
        s.flushed_items += len(edge.items)
    edge.items.clear()
    edge.bytes = 0
    edge.pending.clear()
    edge.pending_first = None
    edge.pending_words = 0
    edge.shedding = False
    edge.open = False
    edge.fallen, edge.gap = None, False
    s.stop(s.handoff_timer(edge.plan.id), s.block_timer(edge.plan.id))
    thinning.watch(s, edge)


def grant(s: State) -> None:
    """Let producers know of places that became free, a quarter of the edge at a time."""
    for edge in s.edges:
        plan = edge.plan
        owed = plan.items_max - len(edge.items) - edge.credit
        if plan.flow != "signal" and not s.edge_off(plan.id) and owed >= max(1, plan.items_max // 4):
            edge.credit += owed
            decide(s, Signal.CREDIT_GRANT, node=plan.id, x=owed)


def resume(s: State) -> None:
    """Tell blocked producers whose edges have room again to go on."""
    for node in s.nodes:
        if not node.blocked or any(_holds_back(edge, _largest(edge, node)) for edge in outgoing(s, node)):
            continue
        node.blocked = False
        for edge in outgoing(s, node):
            if edge.xoff:
                edge.xoff = False
                decide(s, Signal.FLOW_XON, node=edge.plan.id)
            s.stop(s.block_timer(edge.plan.id))
        call = node.live or node.ending
        request(s, Op.RESUME, node=node.plan.id, invocation=call.id if call else 0)
        recogniser = node.plan.id == s.plan.recogniser
        due = node.plan.chunk_ns and not recogniser and not node.open
        if node.plan.execution == EFFECT and call and call.answered and due:
            s.timers[s.chunk_timer(node.plan.id)] = s.now + node.plan.chunk_ns


def _holds_back(edge: EdgeState, largest: int) -> bool:
    """Whether a producer must wait on: no room, or an edge that was full and has not drained to its low mark yet."""
    mark = edge.plan.watermark
    low = mark.low_items if mark and mark.high_items else edge.plan.items_max - edge.plan.items_max // 4
    return would_block(edge, largest) or (edge.xoff and not edge.shedding and len(edge.items) > low)


def block_ns(edge: EdgeState) -> int:
    """How long a producer is held back without progress; 0 if as long as it takes."""
    return edge.plan.overflow[0].block_ns if edge.plan.overflow else 0


def outgoing(s: State, node: NodeState) -> list[EdgeState]:
    """The edges behind a node that are on."""
    return [e for e in s.edges if e.plan.source == node.plan.id and not s.edge_off(e.plan.id)]


def _largest(edge: EdgeState, node: NodeState) -> int:
    return node.plan.outputs[edge.plan.source_port].item_bytes_max


def _drop_head(s: State, edge: EdgeState, count: int, cause: Cause) -> None:
    gone = [edge.items.popleft()[1] for _ in range(count)]
    if gone:
        gone += [edge.items.popleft()[1] for _ in range(sync.rest_of_group(edge, gone[-1]))]
        edge.bytes -= sum(len(parcel.payload) for parcel in gone)
        edge.dropped += len(gone)
        decide(s, Signal.DROP_NOTICE, cause, node=edge.plan.id, x=gone[0].seq, y=gone[-1].seq)
        sync.lost_head(s, edge, gone, cause, moved)


def _keep_out(s: State, edge: EdgeState, parcel: Parcel, cause: Cause) -> None:
    first = sync.take_group(edge, parcel)
    edge.dropped += 1
    decide(s, Signal.DROP_NOTICE, cause, node=edge.plan.id, x=first, y=parcel.seq)
    sync.lost_new(s, edge, parcel, cause, moved)


def _drop_until_room(s: State, edge: EdgeState, size: int) -> None:
    free, waiting, count = edge.plan.bytes_max - edge.bytes, len(edge.items), 0
    for _, parcel in edge.items:
        if waiting < edge.plan.items_max and free >= size:
            break
        free += len(parcel.payload)
        waiting -= 1
        count += 1
    _drop_head(s, edge, count, Cause.QUEUE_PRESSURE)


def _assemble(s: State, edge: EdgeState, parcel: Parcel) -> None:
    handoff = edge.plan.handoff
    assert handoff is not None
    if len(edge.pending) + len(parcel.payload) > handoff.bytes_max:
        release(s, edge)
    before = len(edge.pending)
    if not before:
        edge.pending_first = parcel
    edge.pending += parcel.payload
    edge.pending_words += parcel.b
    until = min(before + parcel.a, len(edge.pending)) if parcel.a > 0 else 0
    ends = until >= max(1, handoff.bytes_min)
    if ends:
        _release(s, edge, until)
        if edge.pending:
            edge.pending_first = parcel
    timer = s.handoff_timer(edge.plan.id)
    if not edge.pending:
        s.stop(timer)
    elif not before or ends:
        s.timers[timer] = s.now + handoff.age_ns_max


def _release(s: State, edge: EdgeState, count: int) -> None:
    first = edge.pending_first
    if first is None or not count:
        return
    piece = bytes(edge.pending[:count])
    words = edge.pending_words
    del edge.pending[:count]
    edge.pending_words = 0
    if not edge.pending:
        edge.pending_first = None
        s.stop(s.handoff_timer(edge.plan.id))
    enqueue(s, edge, replace(first, flags=0, a=0, b=words, payload=piece))
