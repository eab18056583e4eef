"""Throughput: the bottleneck loop of everything that goes by one clock, by the maximum cycle ratio.

    node gate : wasm("gate.wasm") { work = 25ms }      one frame comes every 20 ms: it falls behind for ever

Audio must be worked on as fast as it is heard: a round of a clock that counts time may not take longer than the audio
in it lasts. A loop is slow because a node is, or because an edge beside slow nodes holds too little to wait for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from rspp_compiler.analysis.flow.loops import Passage, Slowest, can_be_unrolled, slowest
from rspp_compiler.analysis.flow.network import Network, slots_of
from rspp_compiler.analysis.flow.report_throughput import report_kernel, report_loop, report_node
from rspp_compiler.analysis.flow.sdf import Channel
from rspp_compiler.analysis.flow.traffic import Traffic, traffic
from rspp_compiler.analysis.latency.figures import assume
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.proofs.throughput import ClockThroughput, Loop, LoopStep, NodeUse, Throughput

S = 1_000_000_000


def throughput(graph: Graph, ctx: Context, moving: Traffic | None = None) -> Throughput:
    """Every clock and node; E0523 to E0525 for what cannot keep up with the audio that comes.

    `moving` is the traffic of the graph, where it is known already.
    """
    moving = moving or traffic(graph)
    nets = [clock.network for clock in moving.clocks.values()]
    uses = tuple(_uses(graph, nets))
    slow = {use.node for use in uses if use.utilisation > 1}
    for use in uses:
        if use.node in slow:
            report_node(graph, use, ctx)
    clocks = []
    for clock in moving.clocks.values():
        network = clock.network
        is_known = clock.can_go_on and can_be_unrolled(network)
        loop = slowest(network) if is_known else None
        clocks.append(_clock(graph, network, loop, is_known))
        works = {actor.subject for actor in network.actors}
        if loop is not None and network.round_ns and loop.round_ns > network.round_ns and not works & slow:
            raises = [
                (edge, steps) for at, steps in _raises(network, loop) if (edge := network.links[at].edge) is not None
            ]
            report_loop(graph, moving.streams, clocks[-1], raises, ctx)
    kernel = sum((use.utilisation for use in uses if use.in_kernel), Fraction())
    if kernel > 1 and not any(use.in_kernel and use.node in slow for use in uses):
        report_kernel(graph, [use for use in uses if use.in_kernel], kernel, ctx)
    works_on = (assume("work", use.node, use.work_ns, use.origin) for use in uses)
    assumptions = (*moving.assumptions, *works_on)
    return Throughput(tuple(clocks), tuple(sorted(uses, key=lambda use: -use.utilisation)), kernel, assumptions)


def _uses(graph: Graph, nets: Sequence[Network]) -> Iterator[NodeUse]:
    """How busy each node is that works on audio, while audio comes, all its inputs together."""
    firings: dict[str, Fraction] = {}
    for network in nets:
        if network.clock.kind != "items":
            for actor in network.actors:
                if actor.work_ns:
                    firings[actor.subject] = firings.get(actor.subject, Fraction()) + actor.rate
    for node in graph.nodes:
        if node.id in firings:
            spec, rate = node.spec, firings[node.id]
            slots = slots_of(node)
            busy = rate * spec.work_ns / slots
            in_kernel = node.execution == "kernel"
            yield NodeUse(node.id, spec.work_ns, slots, rate * S, busy, in_kernel, spec.origin("work_ns"))


def _clock(graph: Graph, network: Network, loop: Slowest | None, is_known: bool) -> ClockThroughput:
    takes = loop.round_ns if loop is not None else Fraction()
    bottleneck = _loop(graph, network, loop) if loop is not None else None
    return ClockThroughput(network.clock.id, network.round_ns, takes, bottleneck, is_known)


def _loop(graph: Graph, network: Network, loop: Slowest) -> Loop:
    steps = tuple(step for passage in loop.passages if (step := _step(graph, network, passage)) is not None)
    ns, rounds = (sum(part) for part in zip(*((one.ns, one.rounds) for one in loop.passages), strict=True))
    return Loop(steps, ns, rounds)


def _step(graph: Graph, network: Network, passage: Passage) -> LoopStep | None:
    """A passage in words; None for one that neither takes time nor lets anything run ahead."""
    actor = network.actors[passage.actor]
    node = graph.find(actor.subject)
    if passage.kind == "slots" and node is not None:
        what = f"work, {actor.slots} at a time"
        return LoopStep(node.id, what, passage.ns, passage.rounds, node.spec.origin("work_ns"))
    if passage.kind == "room":
        link = network.links[passage.channel]
        if link.edge is not None and link.held is not None:
            return LoopStep(link.edge.id, "room on the flow", 0, link.held.items, link.held.origin)
        if node is not None:
            limit = node.spec.limit
            origin = limit.origin("concurrency") if limit else Origin.derived(node.spec.span, "one at a time")
            return LoopStep(node.id, "items in hand", 0, passage.rounds, origin)
    if passage.kind == "work" and passage.ns and node is not None:
        return LoopStep(node.id, "work", passage.ns, passage.rounds, node.spec.origin("work_ns"))
    return None


def _raises(network: Network, loop: Slowest | None) -> Iterator[tuple[int, int]]:
    """Room, in usable items by channel, with which every loop is fast enough. One edge where that is enough, and then
    no more than it takes.
    """
    channels: list[Channel] = list(network.channels)
    raised: dict[int, int] = {}
    while loop is not None and loop.round_ns > network.round_ns:
        at = next((one.channel for one in loop.passages if one.kind == "room" and _is_edge(network, one.channel)), None)
        if at is None:
            return
        ns, rounds = sum(one.ns for one in loop.passages), sum(one.rounds for one in loop.passages)
        more = -(-ns // network.round_ns) - rounds
        gives = channels[at].produce * network.times[channels[at].source]
        step = network.links[at].step
        raised[at] = -(-((channels[at].room or 0) + int(more) * gives) // step)
        channels[at] = replace(channels[at], room=raised[at] * step)
        loop = slowest(network, channels)
    for at, steps in raised.items():
        yield at, _least(network, channels, at, steps) if len(raised) == 1 else steps


def _least(network: Network, channels: list[Channel], at: int, enough: int) -> int:
    step = network.links[at].step
    low, high = (network.channels[at].room or 0) // step, enough
    while high - low > 1:
        middle = (low + high) // 2
        tried = [*channels]
        tried[at] = replace(channels[at], room=middle * step)
        loop = slowest(network, tried)
        low, high = (middle, high) if loop is not None and loop.round_ns > network.round_ns else (low, middle)
    return high


def _is_edge(network: Network, at: int) -> bool:
    return network.links[at].kind == "edge"
