"""Flows, their bounds and their order."""

from __future__ import annotations

from collections.abc import Iterator

from rspp_compiler.compat.compare import Compared, compare
from rspp_compiler.compat.rule import Difference, Version, rule
from rspp_compiler.ir.graph import GraphEdge
from rspp_compiler.ir.spec import EdgeSpec


def _edges(old: Version, new: Version) -> Compared[GraphEdge]:
    return compare(old.analysis.graph.edges, new.analysis.graph.edges, lambda edge: edge.id)


def _kept(old: Version, new: Version) -> Iterator[tuple[EdgeSpec, EdgeSpec]]:
    for before, after in _edges(old, new).kept:
        yield before.spec, after.spec


@rule("FLOW_REMOVED", "PLAN", "Something no longer gets where it went.", breaks=False, is_boundary=True)
def flow_removed(old: Version, new: Version) -> Iterator[Difference]:
    for edge in _edges(old, new).removed:
        yield Difference(f"the flow {edge.id} is gone", edge.spec.span)


@rule("FLOW_ADDED", "PLAN", "Something gets where it did not go.", breaks=False, is_boundary=True)
def flow_added(old: Version, new: Version) -> Iterator[Difference]:
    for edge in _edges(old, new).added:
        yield Difference(f"the flow {edge.id} is new", None, edge.spec.span)


@rule("GUARD_CHANGED", "PLAN", "Other items take this way.", breaks=False, is_boundary=True)
def guard_changed(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in _kept(old, new):
        ways = [edge.passes or "always" for edge in (before, after)]
        if ways[0] != ways[1]:
            yield Difference(f"{after.id}: passed {ways[0]}, now {ways[1]}", before.span, after.span)


@rule("BUFFER_CHANGED", "PLAN", "More or less can wait, and so what is shed changes.", breaks=False, is_boundary=True)
def buffer_changed(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in _kept(old, new):
        bounds = [(edge.buffer_items, edge.buffer_ns // 1_000_000, edge.buffer_bytes) for edge in (before, after)]
        if bounds[0] != bounds[1]:
            was, now = (f"{items} items, {ms} ms, {size} bytes" for items, ms, size in bounds)
            yield Difference(f"{after.id} held {was}; now {now}", before.span, after.span)


@rule("OVERFLOW_CHANGED", "PLAN", "Under pressure something else is lost.", breaks=False, is_boundary=True)
def overflow_changed(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in _kept(old, new):
        if before.overflow != after.overflow:
            was, now = (", then ".join(step.strategy for step in edge.overflow) for edge in (before, after))
            yield Difference(f"{after.id} answered pressure with {was}; now {now}", before.span, after.span)


@rule("COMMIT_POINT_MOVED", "PLAN", "What can still be taken back changes.", breaks=False, is_boundary=True)
def commit_point_moved(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in _kept(old, new):
        if before.commit_point != after.commit_point:
            word = "is now" if after.commit_point else "is no longer"
            yield Difference(f"{after.id} {word} a commit point", before.span, after.span)


@rule("MERGE_ORDER_CHANGED", "PLAN", "Items come in another order.", breaks=False, is_boundary=True)
def merge_order_changed(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in compare(old.spec.nodes, new.spec.nodes, lambda node: node.id).kept:
        for key in ("order", "priority", "by", "field"):
            values = before.settings.get(key), after.settings.get(key)
            if before.kind == after.kind and before.kind in ("merge", "select") and values[0] != values[1]:
                yield Difference(f"`{after.id}`: `{key}` was {values[0]} and is {values[1]}", before.span, after.span)
