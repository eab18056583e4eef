"""Rates and buffers: what comes how often, in which numbers it balances, and how much each edge must hold for it.

    gate (a : audio(16kHz, mono, s16le, 20ms)) -> …, fed with frames of 30 ms: in 60 ms two items come and three go

The balance equations of synchronous dataflow, solved exactly for everything that goes by one clock. From them follow
the smallest buffers: of a single edge in closed form, of ways that run beside each other by executing a round.
"""

from __future__ import annotations

from collections.abc import Iterator

from rspp_compiler.analysis.flow.buffers import Minimum
from rspp_compiler.analysis.flow.network import Network
from rspp_compiler.analysis.flow.report_rates import report_buffer, report_call, report_join, report_oversupply
from rspp_compiler.analysis.flow.streams import Streams, is_plain, waits_within
from rspp_compiler.analysis.flow.traffic import Traffic, traffic
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge
from rspp_compiler.ir.proofs.rates import Balance, Buffer, Need, Rates, StreamRate


def rates(graph: Graph, ctx: Context, moving: Traffic | None = None) -> Rates:
    """Every stream, balance and buffer; E0510 to E0514, and E0526, for what does not balance and what holds too
    little.

    `moving` is the traffic of the graph, where it is known already.
    """
    moving = moving or traffic(graph)
    found = moving.streams
    least = {id: one for clock in moving.clocks.values() for id, one in clock.minima.items()}
    waiting = _waiting(graph, found)
    buffers = []
    for edge in graph.edges:
        window = _window(graph, found, edge) if edge.target in waiting else 0
        row = _buffer(edge, least[edge.id], window)
        buffers.append(row)
        report_buffer(graph, found, edge, least[edge.id], row, ctx)
    for join in found.joins.values():
        report_join(graph, found, join, ctx)
    for node in graph.nodes:
        report_call(graph, found, node, ctx)
    for edge in graph.edges:
        report_oversupply(graph, found, edge, ctx)
    return Rates(
        tuple(_stream_rows(found)),
        tuple(_balance(clock.network) for clock in moving.clocks.values()),
        tuple(buffers),
        moving.assumptions,
    )


def _stream_rows(found: Streams) -> Iterator[StreamRate]:
    named = [(f"{node}.{port}", stream) for (node, port), stream in found.made.items()]
    named += [(id, stream) for id, stream in found.arriving.items() if stream.clock.at == id]
    for name, stream in named:
        clock = stream.clock
        is_fixed = clock.kind == "real_time"
        yield StreamRate(name, clock.id, is_fixed, stream.ceiling, stream.frame_ns, f"`{clock.at}` {clock.because}")


def _balance(network: Network) -> Balance:
    named = [f"{actor.subject}.{actor.port}" if actor.port else actor.subject for actor in network.actors]
    return Balance(network.clock.id, network.round_ns, tuple(zip(named, network.times, strict=True)))


# ---- buffers


def _buffer(edge: GraphEdge, one: Minimum, window: int) -> Buffer:
    held = one.held
    need: Need = "item"
    count = 1
    needs: tuple[tuple[Need, int], ...] = (("frames", one.ends), ("loop", one.least), ("window", window))
    for name, items in needs:
        if items > count:
            need, count = name, items
    if held.usable < count <= held.items:
        need = "step"
    return Buffer(edge.id, held.items, held.bound, count + held.slack, need, one.is_exact, held.origin)


def _waiting(graph: Graph, found: Streams) -> frozenset[str]:
    """Nodes that let items wait, for a time, for what comes by another clock."""
    return frozenset(
        node.id
        for node in graph.nodes
        if waits_within(node)
        and len({found.arriving[edge.id].clock.id for edge in graph.into(node.id) if is_plain(edge)}) > 1
    )


def _window(graph: Graph, found: Streams, edge: GraphEdge) -> int:
    """Items of a stream that comes as time passes, while a node waits: those of the whole wait, and one that comes as
    it ends. 0 of a stream that does not come by itself.
    """
    stream, within = found.arriving[edge.id], graph.node(edge.target).spec.settings.get("within_ns")
    if stream.clock.kind != "real_time" or not stream.frame_ns or not isinstance(within, int):
        return 0
    return within // stream.frame_ns + 1
