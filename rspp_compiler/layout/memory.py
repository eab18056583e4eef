"""The memory of a session, to the byte: `memory_bytes(plan)`, and `memory_table(plan)` row by row.

The arithmetic is in `ir.memory`, because the kernel's constants (`emit`) come from the same figures.
"""

from __future__ import annotations

from rspp_compiler.diagnostics import Fix
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import GraphEdge
from rspp_compiler.ir.layout import Plan, Pool
from rspp_compiler.ir.memory import Block, memory_bytes, memory_table, word
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.plan import Layout

__all__ = ["Block", "is_addressable", "memory_bytes", "memory_table"]

ADDRESSABLE_BYTES = 2**32
"""The payloads of a session: a header keeps the place of its own as 32 bits."""


def is_addressable(layout: Layout, ctx: Context) -> bool:
    """Whether every payload has a place that a header can name; E0605 shows the pool that takes most, and a way out."""
    plan = layout.plan
    total = sum(_bytes(pool) for pool in plan.pools)
    if total <= ADDRESSABLE_BYTES:
        return True
    largest = max(plan.pools, key=_bytes)
    rows = [f"{_bytes(pool):>12} B  {pool.name}: {pool.slots} of {word(pool.slot_bytes)} B" for pool in plan.pools]
    origin, label, less = _way_out(layout, largest, total - ADDRESSABLE_BYTES)
    ctx.sink.add(
        "E0605",
        f"a session would hold {total} B of payloads, and its kernel can address {ADDRESSABLE_BYTES} B",
        origin.span,
        label=label,
        notes=["\n".join(["the payloads, by pool:", *sorted(rows, reverse=True), f"{total:>12} B  in all"])],
        help=f"hold fewer items, or smaller ones: `{less}` here",
        fix=Fix(origin.span, less),
    )
    return False


def _way_out(layout: Layout, pool: Pool, excess: int) -> tuple[Origin, str, str]:
    """The number of the user's that takes most room in a pool, what it means, and what would be little enough: items
    of a flow, or else the size of one.
    """
    graph, slot = layout.analysis.graph, word(pool.slot_bytes)
    edges = sorted(_edges(layout, pool), key=lambda edge: -edge.spec.buffer_items)
    for edge in edges:
        origin = edge.spec.origin("buffer_items")
        if origin.kind == "user":
            items = max(1, edge.spec.buffer_items - -(-excess // slot))
            return origin, f"room for {edge.spec.buffer_items} items of {pool.slot_bytes} B", f"{items} items"
    port = graph.source_port(edges[0]) or graph.target_port(edges[0])
    assert port is not None  # a flow has ports
    size = max(1, pool.slot_bytes - -(-excess // pool.slots))
    return port.origin("item_bytes_max"), f"{pool.slots} slots of this size", f"{size}B"


def _bytes(pool: Pool) -> int:
    return pool.slots * word(pool.slot_bytes)


def _edges(layout: Layout, pool: Pool) -> list[GraphEdge]:
    """The edges whose items lie in a pool."""
    plan: Plan = layout.plan
    names = {edge.name for edge in plan.edges if plan.pools[edge.pool] == pool}
    return [edge for edge in layout.analysis.graph.edges if edge.id in names]
