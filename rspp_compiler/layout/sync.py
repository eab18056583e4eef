"""Sync domains: which edges share what they lose, and what makes items one group.

An item's group by `sync_id` is its media time, which a node in the kernel passes on to what it makes of it; text has no
media time, and goes by its sequence as with `event_id`. Edges that share a loss across the plan are those of one domain
with the same policy.
"""

from __future__ import annotations

from collections.abc import Iterator

from rspp_compiler.ir.graph import Graph, GraphEdge
from rspp_compiler.ir.layout import Sync
from rspp_compiler.ir.spec import SyncSpec

_POLICIES = {"atomic_drop": "atomic", "drop_with_discontinuity": "discontinuity"}


def sync(graph: Graph, edge: GraphEdge, ids: dict[str, int]) -> Sync | None:
    """The edge's row; None for one that drops without regard to others. `ids` are those of the edges by name."""
    spec = edge.spec.sync
    if spec is None or spec.drop not in _POLICIES:
        return None
    peers = sum(1 << ids[one.id] for one in sharers(graph, edge))
    return Sync(spec.domain, _POLICIES[spec.drop], group_key(graph, edge), peers)


def sharers(graph: Graph, edge: GraphEdge) -> tuple[GraphEdge, ...]:
    """The edges that share what this one loses, itself included, in the order of the source."""
    spec = edge.spec.sync
    assert spec is not None
    if spec.scope == "edge_local":
        return (edge,)
    return tuple(one for one in graph.edges if one.spec.sync and _shares(one.spec.sync, spec))


def group_key(graph: Graph, edge: GraphEdge) -> str:
    """What makes items of this edge one group: `media`, or `event`."""
    spec, port = edge.spec.sync, graph.source_port(edge)
    return "media" if spec and spec.group == "sync_id" and port and port.type.name != "text" else "event"


def together(graph: Graph) -> Iterator[tuple[GraphEdge, ...]]:
    """Each set of several edges of which one item each moves, or none does."""
    seen: set[str] = set()
    for edge in graph.edges:
        spec = edge.spec.sync
        if spec is None or spec.drop != "atomic_drop" or spec.scope != "plan_wide" or spec.domain in seen:
            continue
        seen.add(spec.domain)
        group = sharers(graph, edge)
        if len(group) > 1:
            yield group


def _shares(one: SyncSpec, other: SyncSpec) -> bool:
    return one.scope == "plan_wide" and (one.domain, one.drop) == (other.domain, other.drop)
