"""Items from edges into nodes and to the transport (`docs/kernel.md`, Moving an item)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rspp_runtime.abi.codes import Cause, Flag, Op, labelled
from rspp_runtime.abi.messages import Emission, Item, Output
from rspp_runtime.abi.plan import EFFECT, TURN
from rspp_runtime.reference import (
    edges,
    invocations,
    joins,
    letters,
    paths,
    pauses,
    reports,
    spending,
    stopping,
    sync,
    timed,
    tools,
    turns,
)
from rspp_runtime.reference.outputs import data, data_room, telemetry
from rspp_runtime.reference.playout import Played
from rspp_runtime.reference.state import EdgeState, NodeState, Parcel, State


def move_one(s: State) -> bool:
    """Move one item of the lowest edge that can; returns whether there was one."""
    for edge in s.edges:
        if not edge.items:
            continue
        if sync.is_together(s, edge) and not sync.goes_alone(edge):
            if _move_together(s, sync.peers(s, edge)):
                return True
        elif _can_move(s, edge):
            target = s.nodes[edge.plan.target]
            if not _expire(s, edge) and not (target.plan.join and joins.sheds(s, target, edge)):
                _move_head(s, edge)
            return True
    return False


def _expire(s: State, edge: EdgeState) -> bool:
    old = edges.expire(s, edge)
    if old:
        edges.moved(s, edge)
    return old


def _move_head(s: State, edge: EdgeState) -> None:
    parcel = edges.pop(s, edge)
    lives = edge.plan.scope != TURN or (s.active and parcel.turn == s.turn.serial)
    if lives and spending.is_spent(s, s.nodes[edge.plan.target]):
        edges.lose(s, edge, parcel, Cause.BUDGET_EXHAUSTED)
        return
    marks = Flag.DISCONTINUITY if edge.gap else 0
    edge.gap = False
    if lives:
        paths.taken(s, edge.plan)
        _move(s, edge, parcel, marks)


def _move_together(s: State, group: list[EdgeState]) -> bool:
    """Move one item of each edge of a domain, or part from what has lost its group; whether there was anything."""
    wanted = None if any(sync.goes_alone(edge) for edge in group) else sync.common_key(group)
    if wanted is None:
        return False
    if sync.part_unmatched(s, group, wanted, edges.moved):
        return True
    if not sync.all_can(s, group, _can_move):
        return False
    if sum(_expire(s, edge) for edge in group):  # of each of them
        return True
    for edge in group:
        edge.gone = wanted
    for edge in group:
        if edge.items and sync.key(edge, edge.items[0][1]) == wanted:
            _move_head(s, edge)
    return True


def wake_for_egress(s: State) -> int:
    """When pacing lets the next frame go, or the last one ends; -1 if neither is awaited."""
    times = reports.wakes_ns(s)
    if _audio_waits(s):
        times.append(s.egress.cursor_ns - s.plan.lead_ns)
    return min(times, default=-1)


def _audio_waits(s: State) -> bool:
    ahead = s.egress.cursor_ns - s.now > s.plan.lead_ns
    if not ahead or s.egress.paused:
        return False
    return s.egress.unsent > 0 or any(edge.items for edge in s.edges if s.is_audio_out(edge.plan))


def _can_move(s: State, edge: EdgeState) -> bool:
    node = s.nodes[edge.plan.target]
    if edge.plan.gather and not edge.open:
        return False
    if node.plan.kind == "tap":
        return True
    if tools.is_call(s, edge):
        return tools.can_begin(s, node, edge)
    if tools.is_answer(s, edge):
        return tools.can_answer(s, node, edge)
    if node.plan.execution == EFFECT:
        return _can_feed(s, node, edge)
    if node.plan.kind == "egress":
        return _can_send(s, edge)
    if node.plan.join:
        return joins.can_move(s, node, edge)
    if node.plan.pause or node.plan.keys:
        return timed.can_move(s, node)
    if node.plan.label >= 0:
        return all(edges.takes_largest(node, out, 1) for out in edges.outgoing(s, node))
    return _can_call(s, node)


def _can_feed(s: State, node: NodeState, edge: EdgeState) -> bool:
    if spending.is_spent(s, node):
        return True  # nobody takes it any more
    recogniser = node.plan.id == s.plan.recogniser
    if recogniser and s.hearing.finish_pending and edge.items[0][1].seq > s.hearing.finish_seq:
        return False
    if stopping.holds(s, node):
        return False
    if node.has_rest or (node.live is None and node.ending is not None and not recogniser):
        return False
    if node.live is not None and node.inflight >= node.plan.window:
        return False
    return data_room(s, 3 + s.plan.context_items_max)


def _can_send(s: State, edge: EdgeState) -> bool:
    if s.is_audio_out(edge.plan):
        if pauses.holds(s) or (s.turn.stopping and stopping.word_is_over(s)):
            return False
        reports.update_ledger(s)
        if not reports.ledger_has_room(s) or s.egress.cursor_ns - s.now > s.plan.lead_ns:
            return False
    return data_room(s, 1)


def _can_call(s: State, node: NodeState) -> bool:
    most = node.plan.emissions_max
    return all(edges.takes_largest(node, edge, most) for edge in edges.outgoing(s, node))


def _move(s: State, edge: EdgeState, parcel: Parcel, marks: int) -> None:
    node = s.nodes[edge.plan.target]
    port = edge.plan.target_port
    if node.plan.kind == "tap":
        telemetry(
            s,
            edge,
            Output(
                Op.TAP, s.now, parcel.seq, node.plan.id, port, parcel.turn,
                x=parcel.media_ns, y=parcel.flags | marks, payload=parcel.payload,
            ),
        )  # fmt: skip
    elif tools.is_call(s, edge):
        tools.begin(s, node, edge, parcel)
    elif tools.is_answer(s, edge):
        tools.give_answer(s, node, edge, parcel)
    elif node.plan.execution == EFFECT:
        invocations.feed(s, node, port, parcel, marks)
    elif node.plan.kind == "egress":
        _send(s, edge, parcel)
    elif node.plan.join:
        joins.move(s, node, edge, replace(parcel, flags=parcel.flags | marks))
    elif node.plan.pause or node.plan.keys:
        timed.move(s, node, parcel)
    elif node.plan.label >= 0:
        _pass_on(s, node, replace(parcel, flags=labelled(parcel.flags | marks, node.plan.label)))
    else:
        _call(s, node, port, parcel, marks)


def _pass_on(s: State, node: NodeState, parcel: Parcel) -> None:
    """A label lets the item go on as the one that it is, under its own sequence."""
    paths.leaves(s, node.plan.id)
    for out in edges.outgoing(s, node):
        edges.push(s, out, parcel)


def _send(s: State, edge: EdgeState, parcel: Parcel) -> None:
    egress, port = s.egress, edge.plan.target_port
    if not s.is_audio_out(edge.plan):
        data(s, Op.SEND, parcel, node=s.plan.egress, port=port, turn=parcel.turn, y=parcel.b)
        if not s.voice_on:
            room = s.plan.spoken_bytes_max - len(s.turn.spoken)
            s.turn.spoken += parcel.payload[:room]
            s.turn.spoken_words += parcel.b
            egress.heard_words, egress.heard_bytes = s.turn.spoken_words, len(s.turn.spoken)
            turns.first_output(s)
        return
    reports.thin(s)
    egress.cursor_ns = max(egress.cursor_ns, s.now)
    data(s, Op.SEND, parcel, node=s.plan.egress, port=port, turn=parcel.turn, x=egress.cursor_ns, y=parcel.b)
    if not s.turn.audio_sent:
        egress.began_ns = egress.cursor_ns
    egress.cursor_ns += pauses.length_ns(s, parcel)
    egress.ledger.append(Played(egress.cursor_ns, parcel.b, parcel.a, parcel))
    if not s.turn.audio_sent:
        s.turn.audio_sent = s.turn.playing = True
        turns.first_output(s)
        reports.sends_first(s)


def _call(s: State, node: NodeState, port: int, parcel: Parcel, marks: int) -> None:
    handler = s.handlers[node.plan.handler]
    assert handler is not None
    letters.keep(node, port, parcel, anew=True)
    item = Item(
        port, parcel.turn, parcel.seq, parcel.media_ns, parcel.flags | marks, parcel.a, parcel.b, parcel.payload
    )
    emissions = handler(item)
    if emissions is None or not _valid(node, emissions):
        invocations.fail(s, node, Cause.NODE_ERROR)
        return
    for emission in emissions:
        made = Parcel(
            s.next_seq(), parcel.turn, parcel.epoch, parcel.media_ns,
            emission.flags, emission.a, emission.b, emission.payload,
        )  # fmt: skip
        paths.leaves(s, node.plan.id)
        for edge in s.edges_from(node.plan.id, emission.port):
            edges.push(s, edge, made)


def _valid(node: NodeState, emissions: Sequence[Emission]) -> bool:
    ports = node.plan.outputs
    return len(emissions) <= node.plan.emissions_max and all(
        0 <= e.port < len(ports) and len(e.payload) <= ports[e.port].item_bytes_max for e in emissions
    )
