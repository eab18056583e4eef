"""Liveness: no join that a filter can starve, no circle of waiting without an item or room on it.

    ingress.audio -> lines                             the fork
    ingress.audio -> ears -> lines                     the filter
    node lines : merge { order = round_robin }         the join: while nobody speaks it waits, and then so does the fork

All that goes by one clock is a marked graph: edges are places with items, and the room on them is another place, which
leads back. It can go on for ever exactly when a round of it can be completed.
"""

from __future__ import annotations

from collections.abc import Iterator

from rspp_compiler.analysis.flow.capacity import items
from rspp_compiler.analysis.flow.circles import Circle
from rspp_compiler.analysis.flow.forks import Fork, fork, shedding
from rspp_compiler.analysis.flow.network import synchronised
from rspp_compiler.analysis.flow.report_liveness import (
    report_circle,
    report_credit,
    report_shedding,
    report_starved,
    report_sync,
)
from rspp_compiler.analysis.flow.report_rates import is_of_flow_control
from rspp_compiler.analysis.flow.streams import Streams
from rspp_compiler.analysis.flow.traffic import Moving, Traffic, traffic
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge
from rspp_compiler.ir.proofs.liveness import JoinWait, LiveClock, Liveness, LiveProof, Standstill, Wait


def liveness(graph: Graph, ctx: Context, moving: Traffic | None = None) -> Liveness:
    """Why everything can go on for ever; E0515 to E0522 for what can stop.

    `moving` is the traffic of the graph, where it is known already.
    """
    moving = moving or traffic(graph)
    found = moving.streams
    return Liveness(
        tuple(_clock(clock) for clock in moving.clocks.values()),
        tuple(JoinWait(one.node, tuple(edge.id for edge in one.edges), one.takes) for one in found.joins.values()),
        (
            *_starved(graph, found, ctx),
            *_unsynchronised(graph, found, ctx),
            *_circles(graph, moving, ctx),
            *_without_credit(graph, moving, ctx),
        ),
        moving.assumptions,
    )


def _clock(moving: Moving) -> LiveClock:
    network, proof = moving.network, _proof(moving)
    return LiveClock(network.clock.id, proof, sum(network.times), network.round_ns)


def _proof(moving: Moving) -> LiveProof:
    if len(moving.network.channels) < len(moving.network.actors):
        return "tree"
    if not moving.network.may_stand_still:
        return "marked"
    return "long" if moving.is_too_long else "executed"


def _starved(graph: Graph, found: Streams, ctx: Context) -> Iterator[Standstill]:
    """Joins that wait for what a filter may keep from them."""
    for join in found.joins.values():
        parted = fork(graph, found, join.edges)
        if parted is not None:
            yield _starvation(join.node, parted)
            report_starved(graph, found, join, parted, ctx)
            continue
        pair = shedding(graph, found, join.edges)
        if pair is not None:
            lossy, patient = pair
            yield Standstill(
                "shed",
                join.node,
                (
                    Wait(join.node, lossy.target, f"an item that `{lossy.id}` has shed", lossy.spec.span),
                    _full(patient, join.node),
                ),
            )
            report_shedding(graph, join, lossy, patient, ctx)


def _starvation(join: str, parted: Fork) -> Standstill:
    """The join waits for the branch that may be empty, and the fork for the join."""
    last = parted.empty.last
    first = Wait(join, last.source, f"an item on `{last.id}`", last.spec.span)
    if parted.node is None or not parted.empty.filters:
        return Standstill("silence", join, (first,))
    subject, because = parted.empty.filters[0]
    through = Wait(subject, parted.node, f"it {because}", last.spec.span)
    return Standstill("filter", join, (first, through, _full(parted.full.edges[0], join)))


def _full(edge: GraphEdge, join: str) -> Wait:
    return Wait(edge.source, join, f"room on `{edge.id}`, which holds {items(edge.spec.buffer_items)}", edge.spec.span)


def _unsynchronised(graph: Graph, found: Streams, ctx: Context) -> Iterator[Standstill]:
    """Sync domains whose items do not come by one clock: each waits for another that may never come."""
    for domain, edges in synchronised(graph).items():
        parted = fork(graph, found, edges)
        if parted is not None:
            empty, full = parted.empty.last, parted.full.last
            why = f"the item of `{empty.id}` that belongs to it in `{domain}`"
            yield Standstill("sync", domain, (Wait(full.id, empty.id, why, full.spec.span),))
            report_sync(graph, domain, edges, parted, ctx)


def _circles(graph: Graph, moving: Traffic, ctx: Context) -> Iterator[Standstill]:
    for clock in moving.clocks.values():
        for circle in clock.circles:
            yield _of_circle(circle)
            report_circle(graph, moving.streams, circle, ctx)


def _of_circle(circle: Circle) -> Standstill:
    return Standstill("sync" if circle.is_sync else "loop", circle.waits[0].who, circle.waits)


def _without_credit(graph: Graph, moving: Traffic, ctx: Context) -> Iterator[Standstill]:
    """Edges whose producer is never let go on, although its consumer waits for it."""
    for clock in moving.clocks.values():
        for _, edge, held in clock.network.edges():
            one = clock.minima[edge.id]
            if one.serves_ends or not is_of_flow_control(edge, held):
                continue
            what = "credit" if edge.spec.flow != "signal" else "to be let go on"
            yield Standstill(
                "credit",
                edge.id,
                (
                    Wait(edge.target, edge.source, f"more than the {items(held.items)} on `{edge.id}`", edge.spec.span),
                    Wait(edge.source, edge.target, f"{what}, which comes when items are taken", held.origin.span),
                ),
            )
            report_credit(graph, moving.streams, edge, one, ctx)
