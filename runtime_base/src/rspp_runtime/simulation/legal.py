"""Which decisions may fall in which state of a turn, in a plan (docs/kernel.md): every pair that a run should visit.

It is computed from the tables: a signal counts only where the plan has what can cause it, and outside of turns only
if a part that works outside of turns has. Both sides are kept honest: a decision outside of the set is a violation,
and a run says which pairs of the set it did not reach.
"""

from __future__ import annotations

from collections.abc import Iterable

from rspp_runtime.abi.codes import Signal
from rspp_runtime.abi.plan import EFFECT, TURN, Edge, Node, Plan
from rspp_runtime.simulation.pages import ACTIVE, CLOSED, IDLE, OPENING, TERMINAL

ANY = (IDLE, OPENING, ACTIVE, CLOSED)
RESTING = (IDLE, ACTIVE, CLOSED)  # a step that comes to its end leaves no turn in Opening

_ALWAYS: dict[Signal, tuple[int, ...]] = {
    Signal.TURN_OPEN_PROPOSED: (IDLE, CLOSED),
    Signal.TURN_OPEN: (OPENING,),
    Signal.COMMIT: (ACTIVE,),
    Signal.ABORT: (ACTIVE,),
    Signal.CLOSE: (TERMINAL,),
    Signal.CANCEL: ANY,  # of the session
    Signal.BUDGET_EXHAUSTED: (ACTIVE,),
    Signal.LEASE_ROTATED: ANY,
    Signal.MIGRATION_START: ANY,
    Signal.SESSION_HANDOFF: (IDLE, CLOSED),
    Signal.MIGRATION_FINISH: (IDLE, CLOSED),
    Signal.REJECT: ANY,
    Signal.DEFER: (OPENING, ACTIVE),
    Signal.STALE_EPOCH_REJECT: ANY,
    Signal.DEAUTHORIZED_DRAIN: (OPENING, ACTIVE),
    Signal.CONNECTED: ANY,
    Signal.DISCONNECTED: ANY,
    Signal.ENDED: (IDLE, CLOSED),
}


def legal(plan: Plan) -> frozenset[tuple[int, int]]:
    """Pairs (turn state, signal) of the signals that are `counted`."""
    pairs = {(state, int(signal)) for signal, states in _ALWAYS.items() for state in states}

    def add(signal: Signal, states: Iterable[int]) -> None:
        pairs.update((state, int(signal)) for state in states)

    effects = [node for node in plan.nodes if node.execution == EFFECT]
    verbs = {reaction.action.verb for reaction in plan.reactions}
    add(Signal.BUDGET_WARNING, (ACTIVE,) if plan.turn_warning_ns else ())
    add(Signal.BUDGET_EXHAUSTED, _of_nodes([node for node in effects if node.first_output_ns or node.chunk_ns], ANY))
    metered = [node for node in effects if node.meter >= 0]
    add(Signal.BUDGET_EXHAUSTED, _of_nodes(metered, ANY))
    add(Signal.DROP_NOTICE, _of_edges([plan.edges[edge] for node in metered for edge in node.edges_in], ANY))
    add(Signal.PROVIDER_ERROR, _of_nodes(effects, ANY))
    add(Signal.LATE_AFTER_CANCEL, ANY if effects else ())
    add(Signal.DEGRADE, (ACTIVE,) if "degrade" in verbs else ())
    failures = {event for node in plan.nodes for event in (node.event_error, node.event_timeout, node.event_exhausted)}
    falls_back = any(r.action.verb == "trigger" and r.event in failures for r in plan.reactions)
    add(Signal.FALLBACK, (ACTIVE,) if falls_back else ())
    add(Signal.DROP_NOTICE, (ACTIVE,) if plan.turn_edges else ())  # a flush
    handed = [edge for edge in plan.edges if edge.scope != TURN and edge.source >= 0]
    add(Signal.DROP_NOTICE, (IDLE, CLOSED) if handed else ())  # … of a session that is handed over
    add(Signal.DROP_NOTICE, _of_edges([edge for edge in plan.edges if _sheds(edge)], ANY))
    stops = [edge for edge in plan.edges if edge.overflow and edge.overflow[0].strategy == "block"]
    stops = [edge for edge in stops if plan.nodes[edge.source].execution != "kernel"]
    add(Signal.FLOW_XOFF, _of_edges(stops, ANY))
    add(Signal.FLOW_XON, RESTING if stops else ())  # of a turn's producer that its close finds stopped, too
    add(Signal.WATERMARK, _of_edges([edge for edge in plan.edges if edge.watermark], ANY))
    add(Signal.PROVIDER_SWITCH, _of_nodes([n for n in effects if n.attempts and len(n.attempts.providers) > 1], ANY))
    add(Signal.CIRCUIT_EVENT, _of_nodes([n for n in effects if n.attempts and n.attempts.circuit], ANY))
    if plan.egress >= 0:
        add(Signal.OUTPUT_ACCEPTED, (ACTIVE,))
        if any(plan.nodes[edge.target].inputs[edge.target_port].name == "audio"
               for edge in plan.edges if edge.target == plan.egress):  # fmt: skip
            for signal in (Signal.PLAYBACK_STARTED, Signal.PLAYBACK_COMPLETED, Signal.PLAYBACK_CANCELLED):
                add(signal, (ACTIVE,))
    for signal in (Signal.PLAYBACK_PAUSED, Signal.PLAYBACK_RESUMED):
        add(signal, (ACTIVE,) if plan.pause_ns else ())
    add(Signal.CANCEL_PENDING, (ACTIVE,) if plan.soft_nodes & plan.turn_nodes else ())
    add(Signal.CANCEL_PENDING, ANY if plan.soft_nodes & ~plan.turn_nodes else ())
    if plan.speech_start >= 0:
        add(Signal.HEARD, ANY)
        add(Signal.BARGE_IN, (ACTIVE,) if plan.barge_in >= 0 else ())
    return frozenset(pairs)


COUNTED = frozenset(map(int, _ALWAYS)) | frozenset(
    int(signal)
    for signal in (
        Signal.BUDGET_WARNING, Signal.PROVIDER_ERROR, Signal.LATE_AFTER_CANCEL, Signal.DEGRADE, Signal.FALLBACK,
        Signal.DROP_NOTICE, Signal.FLOW_XOFF, Signal.FLOW_XON, Signal.WATERMARK, Signal.PROVIDER_SWITCH,
        Signal.CIRCUIT_EVENT, Signal.OUTPUT_ACCEPTED, Signal.PLAYBACK_STARTED, Signal.PLAYBACK_COMPLETED,
        Signal.PLAYBACK_CANCELLED, Signal.HEARD, Signal.BARGE_IN, Signal.PLAYBACK_PAUSED, Signal.PLAYBACK_RESUMED,
        Signal.CANCEL_PENDING,
    )
)  # fmt: skip
"""Signals that this page knows; of the others nothing is said."""


def _of_nodes(nodes: Iterable[Node], states: Iterable[int]) -> Iterable[int]:
    """Those of a turn only in an Active one."""
    return _in(any(node.scope != TURN for node in nodes), bool(list(nodes)), states)


def _of_edges(edges: Iterable[Edge], states: Iterable[int]) -> Iterable[int]:
    return _in(any(edge.scope != TURN for edge in edges), bool(list(edges)), states)


def _in(outside: bool, some: bool, states: Iterable[int]) -> Iterable[int]:
    return states if outside else (ACTIVE,) if some else ()


def _sheds(edge: Edge) -> bool:
    """Whether it can lose or join items other than by a flush."""
    return bool(edge.age_ns_max or edge.gather or any(step.strategy != "block" for step in edge.overflow))
