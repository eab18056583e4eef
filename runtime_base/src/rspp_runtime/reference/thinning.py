"""Sampling, joining and marks of an edge (`docs/kernel.md`, Edges)."""

from __future__ import annotations

from dataclasses import replace

from rspp_runtime.abi.codes import Cause, Flag, Signal
from rspp_runtime.reference.outputs import decide
from rspp_runtime.reference.state import EdgeState, Parcel, State


def keeps(edge: EdgeState, percent: int) -> bool:
    """Whether the next item is one that a sample keeps."""
    edge.sampled += percent
    if edge.sampled >= 100:
        edge.sampled -= 100
        return True
    return False


def coalesce(s: State, edge: EdgeState, rule: str, parcel: Parcel) -> bool:
    """Join a new item with what waits; returns whether that was all, or the item has still to be put there."""
    if rule == "concat":
        return _concat(s, edge, parcel)
    gone: list[Parcel] = []
    while edge.items and not edge.items[-1][1].flags & Flag.FINAL:
        gone.append(edge.items.pop()[1])
    if gone:
        edge.bytes -= sum(len(partial.payload) for partial in gone)
        _tell(s, edge, gone[-1].seq, gone[0].seq, parcel.seq, len(gone))
    return False


def watch(s: State, edge: EdgeState) -> None:
    """Tell when the high mark is reached, and when the low one is: each once a crossing."""
    mark = edge.plan.watermark
    if mark is None:
        return
    count = len(edge.items)
    age = s.now - edge.items[0][0] if edge.items else 0
    if edge.above:
        crossed = (not mark.high_items or count <= mark.low_items) and (not mark.high_ns or age <= mark.low_ns)
    else:
        crossed = bool((mark.high_items and count >= mark.high_items) or (mark.high_ns and age >= mark.high_ns))
    if crossed:
        edge.above = not edge.above
        decide(s, Signal.WATERMARK, Cause.QUEUE_PRESSURE, node=edge.plan.id, x=int(edge.above), y=count)


def _concat(s: State, edge: EdgeState, parcel: Parcel) -> bool:
    if not edge.items:
        return False
    entered, last = edge.items[-1]
    port = s.nodes[edge.plan.source].plan.outputs[edge.plan.source_port]
    size = len(parcel.payload)
    if len(last.payload) + size > port.item_bytes_max or edge.bytes + size > edge.plan.bytes_max:
        return False
    a, b = parcel.a, parcel.b
    if port.type == "text":
        a, b = (len(last.payload) + a if a > 0 else last.a), last.b + b
    edge.items[-1] = entered, replace(last, flags=parcel.flags, a=a, b=b, payload=last.payload + parcel.payload)
    edge.bytes += size
    _tell(s, edge, parcel.seq, parcel.seq, last.seq, 1)
    return True


def _tell(s: State, edge: EdgeState, first: int, last: int, into: int, count: int) -> None:
    edge.merged += count
    decide(s, Signal.DROP_NOTICE, Cause.COALESCED, node=edge.plan.id, invocation=into, x=first, y=last)
