"""The memory of a session, to the byte: `memory_bytes(plan)`, and `memory_table(plan)` row by row.

The arithmetic is in `ir.memory`, because the kernel's constants (`emit`) come from the same figures.
"""

from __future__ import annotations

from rspp_compiler.diagnostics import Fix
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import GraphEdge
from rspp_compiler.ir.layout import Plan, Pool
from rspp_compiler.ir.memory import Block, memory_bytes, memory_table, word
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
    edges = sorted(_edges(layout, largest), key=lambda edge: -edge.spec.buffer_items)
    edge, excess = edges[0], total - ADDRESSABLE_BYTES
    slot = word(largest.slot_bytes)
    items = max(1, edge.spec.buffer_items - -(-excess // slot))
    origin = edge.spec.origin("buffer_items")
    rows = [f"{_bytes(pool):>12} B  {pool.name}: {pool.slots} of {word(pool.slot_bytes)} B" for pool in plan.pools]
    ctx.sink.add(
        "E0605",
        f"a session would hold {total} B of payloads, and its kernel can address {ADDRESSABLE_BYTES} B",
        origin.span,
        label=f"room for {edge.spec.buffer_items} items of {largest.slot_bytes} B",
        notes=["\n".join(["the payloads, by pool:", *sorted(rows, reverse=True), f"{total:>12} B  in all"])],
        help=f"hold fewer items here, `{items} items`, or make them smaller",
        fix=Fix(origin.span, f"{items} items"),
    )
    return False


def _bytes(pool: Pool) -> int:
    return pool.slots * word(pool.slot_bytes)


def _edges(layout: Layout, pool: Pool) -> list[GraphEdge]:
    """The edges whose items lie in a pool."""
    plan: Plan = layout.plan
    names = {edge.name for edge in plan.edges if plan.pools[edge.pool] == pool}
    return [edge for edge in layout.analysis.graph.edges if edge.id in names]
