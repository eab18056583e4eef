"""Pools: slots for payloads, one pool for each type and size of item.

An item is copied once into a slot, and every edge that carries it refers to that slot; edges of one port therefore
share a pool. Enough slots are laid out that taking one cannot fail.
"""

from __future__ import annotations

from collections.abc import Iterable

from rspp_compiler.ir.graph import Graph, GraphEdge
from rspp_compiler.ir.layout import Pool
from rspp_compiler.layout.attempts import retain_items
from rspp_compiler.layout.letters import letters
from rspp_compiler.layout.tables import item_bytes_max

# Items that lie in neither a ring nor an output: the one being offered or made, the one just taken from a ring and on
# its way to an output, the piece that a hand-off has just put together, and the one that the step before it shed.
IN_TRANSIT = 4
JOINED = 1  # what `concat` has just made of an item that waits and a new one


def pools(
    graph: Graph, data_out_max: int, telemetry_out_max: int, ledger_max: int
) -> tuple[tuple[Pool, ...], dict[str, int]]:
    """The pools, smallest items first, and for each edge's name the index of its pool.

    The most items in use at one time are those in the rings of the pool's edges, those that wait in the outputs which
    such edges lead to, those that are retained for another attempt, those that are shown if their node fails, those
    that were sent and may be paused, and those in transit.
    """
    members: dict[tuple[int, str], list[GraphEdge]] = {}
    for edge in graph.edges:
        port = graph.source_port(edge)
        assert port is not None  # resolve bound it
        members.setdefault((item_bytes_max(graph, edge), port.type.name), []).append(edge)
    table: list[Pool] = []
    pool_of: dict[str, int] = {}
    for (size, kind), edges in sorted(members.items(), key=lambda entry: entry[0]):
        slots = sum(edge.spec.buffer_items for edge in edges) + IN_TRANSIT
        slots += sum(retain_items(graph, graph.node(id)) for id in sorted({edge.target for edge in edges}))
        slots += data_out_max if _leads_to(graph, edges, ("effect", "boundary")) else 0
        held = [letters(graph, graph.node(id)) for id in sorted({edge.target for edge in edges})]
        slots += sum(held)
        slots += telemetry_out_max if any(held) or any(graph.node(edge.target).kind == "tap" for edge in edges) else 0
        slots += ledger_max if pauses(graph) and _leads_to(graph, edges, ("boundary",)) else 0
        slots += JOINED if any(_joins(edge) for edge in edges) else 0
        pool_of |= {edge.id: len(table) for edge in edges}
        table.append(Pool(f"{kind}_{size}", size, slots))
    return tuple(table), pool_of


def pauses(graph: Graph) -> bool:
    """Whether a reaction pauses playback: what was sent is kept until it has been heard."""
    return any(reaction.verb == "pause" for reaction in graph.spec.reactions)


def _joins(edge: GraphEdge) -> bool:
    return edge.spec.coalesce_ns > 0 or any(step.rule == "concat" for step in edge.spec.overflow)


def _leads_to(graph: Graph, edges: Iterable[GraphEdge], executions: tuple[str, ...]) -> bool:
    return any(graph.node(edge.target).execution in executions for edge in edges)
