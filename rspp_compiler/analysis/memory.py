"""The memory report: bytes of a session and of many, row by row.

The block of a session comes from the layout, the same figures of which the kernel's constants are made. Its further
parts are what members of a party beyond the first take, and what nodes declare for themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

from rspp_compiler.analysis.shared.words import listed
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.layout import Edge, Plan
from rspp_compiler.ir.memory import (
    EDGE_BYTES,
    HANDLE_BYTES,
    HEADER_BYTES,
    NODE_BYTES,
    TIMER_BYTES,
    TIMERS_EDGE,
    TIMERS_NODE,
    pending_bytes,
    power_of_two,
    word,
)
from rspp_compiler.ir.plan import Layout
from rspp_compiler.ir.proofs.memory import Memory, MemoryPart
from rspp_compiler.ir.spec import NodeSpec

_SHOWN_MAX = 12  # rows; the rest is one


def memory(layout: Layout, sessions: int = 1) -> Memory:
    """What `sessions` take under the policy that takes most."""
    found = [_memory(one, sessions) for one in (layout, *layout.variants)]
    return max(found, key=lambda one: one.session_bytes)


def _memory(layout: Layout, sessions: int) -> Memory:
    graph, plan = layout.analysis.graph, layout.plan
    block = [MemoryPart(row.what, row.count, row.each_bytes) for row in layout.memory]
    parts = (*block, *_members(graph, plan), *_declared(graph))
    untold = tuple(node.id for node in graph.nodes if _is_untold(node.spec))
    return Memory(layout.policy, sessions, plan.memory_bytes, parts, untold)


def _members(graph: Graph, plan: Plan) -> Iterator[MemoryPart]:
    """What each member of a party beyond the first has of its own: nodes of scope `party`, and the edges at them."""
    for party in graph.spec.parties:
        own = {node.id for node in graph.nodes if node.scope == "party" and party.id in node.parties}
        names = {edge.id for edge in graph.edges if own & {edge.source, edge.target}}
        if party.members_max > 1 and own:
            each = len(own) * (NODE_BYTES + TIMERS_NODE * TIMER_BYTES)
            each += sum(_edge_bytes(plan, edge) for edge in plan.edges if edge.name in names)
            origin = party.origin("members_max")
            yield MemoryPart(f"further members of {party.id}", party.members_max - 1, each, origin)


def _edge_bytes(plan: Plan, edge: Edge) -> int:
    """One edge with its ring, its hand-off, and slots for what it can hold."""
    fixed = EDGE_BYTES + TIMERS_EDGE * TIMER_BYTES + power_of_two(edge.items_max) * HANDLE_BYTES
    held = word(pending_bytes(plan, edge)) if edge.handoff else 0
    return fixed + held + edge.items_max * (HEADER_BYTES + word(plan.pools[edge.pool].slot_bytes))


def _declared(graph: Graph) -> Iterator[MemoryPart]:
    members = {party.id: party.members_max for party in graph.spec.parties}
    for node in graph.nodes:
        limit = node.spec.limit
        if limit is not None and limit.memory_bytes:
            number = max((members[id] for id in node.parties), default=1) if node.scope == "party" else 1
            yield MemoryPart(f"declared: {node.id}", number, limit.memory_bytes, limit.origin("memory_bytes"))
        state = node.spec.state
        if state is not None:
            kept = state.turn_bytes + state.session_bytes + state.durable_bytes
            yield MemoryPart(f"state: {node.id}", 1, kept)


def _is_untold(node: NodeSpec) -> bool:
    """Whether the user's own code runs here, and says nothing of what it takes. What is behind gRPC is elsewhere."""
    return node.kind in ("python", "wasm") and (node.limit is None or not node.limit.memory_bytes)


# ---- words


def report(found: Memory) -> str:
    """The report as `rsppc check --sessions N` prints it: the largest rows first, then the sums.

    426152 B a session
    240000 B  56 %  payloads: audio_640 (375 of 640 B)
    …
    1000 sessions: 426.2 MB
    """
    rows = sorted((part for part in found.parts if part.total_bytes), key=lambda part: -part.total_bytes)
    lines = [f"{found.session_bytes} B a session" + (f", under policy `{found.policy}`" if found.policy else "")]
    width = len(str(found.session_bytes))
    for part in rows[:_SHOWN_MAX]:
        share = part.total_bytes * 100 // max(1, found.session_bytes)
        each = f" ({part.number} of {part.each_bytes} B)" if part.number > 1 else ""
        origin = f" ({part.origin})" if part.origin is not None else ""
        lines.append(f"{part.total_bytes:>{width}} B  {share:>3} %  {part.what}{each}{origin}")
    rest = sum(part.total_bytes for part in rows[_SHOWN_MAX:])
    if rest:
        lines.append(f"{rest:>{width}} B  {rest * 100 // found.session_bytes:>3} %  {len(rows) - _SHOWN_MAX} more rows")
    if found.sessions > 1:
        lines.append(f"{found.sessions} sessions: {size(found.total_bytes)}")
    if found.untold:
        lines.append(f"not counted: {listed(found.untold)}, which declare no `limit = {{ memory = … }}`")
    return "\n".join(lines) + "\n"


def size(count: int) -> str:
    """`426.2 MB`: three or four digits, rounded up."""
    for unit, of in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= of:
            tenths = -(-count * 10 // of)
            return f"{tenths // 10}.{tenths % 10} {unit}"
    return f"{count} B"
