"""Budgets of paths: from what enters one to what leaves it at its end (`docs/kernel.md`, Paths)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Cause, Signal
from rspp_runtime.abi.lookup import PATHS
from rspp_runtime.abi.plan import Edge
from rspp_runtime.reference import reactions
from rspp_runtime.reference.budgets import PathState, Progress
from rspp_runtime.reference.outputs import decide
from rspp_runtime.reference.state import End, State


def waits(s: State) -> None:
    """The turn opened, and waits for its utterance: paths through the recogniser have begun."""
    for path in s.paths:
        if path.plan.hears:
            _begin(s, path)


def pushed(s: State, edge: Edge) -> None:
    """An item goes to the edge."""
    for path in s.paths:
        if path.plan.pushed >> edge.id & 1:
            _begin(s, path)


def taken(s: State, edge: Edge) -> None:
    """An item goes from the edge into its node."""
    for path in s.paths:
        if path.plan.ends_edges >> edge.id & 1:
            _end(s, path)


def leaves(s: State, node: int) -> None:
    """There is an output of the node."""
    for path in s.paths:
        if path.plan.ends_node == node and node != s.plan.recogniser:
            _end(s, path)


def heard(s: State) -> None:
    """The turn does not wait for its utterance any more."""
    for path in s.paths:
        if path.plan.ends_node >= 0 and path.plan.ends_node == s.plan.recogniser:
            _end(s, path)


def forget(s: State) -> None:
    """The turn has nothing more to say: none has begun."""
    for path in s.paths:
        path.progress = Progress.NOT_BEGUN
        s.stop(_slot(s, path))


def go_on(s: State, model: int, held_ns: int) -> None:
    """Something was said since then while tools of a model ran: paths through it have so much longer."""
    for path in s.paths:
        if path.plan.nodes >> model & 1 and path.progress in (Progress.BEGUN, Progress.WARNED):
            path.began_ns += s.now - max(held_ns, path.began_ns)
            ns = path.plan.warning_ns if path.progress is Progress.BEGUN else path.plan.limit_ns
            s.timers[_slot(s, path)] = path.began_ns + ns


def fired(s: State, identity: int) -> None:
    """The warning or the limit of a path has come. Where nothing is on the way any more, it has not begun after all."""
    path = s.paths[identity]
    if not _leads(s, path) or not _is_on_the_way(s, path):
        path.progress = Progress.NOT_BEGUN
        return
    if any(node.filled and path.plan.nodes >> node.plan.id & 1 for node in s.nodes):
        return  # its time stands still: see `go_on`
    if path.progress is Progress.BEGUN:
        decide(s, Signal.BUDGET_WARNING, Cause.BUDGET_EXHAUSTED, y=PATHS - identity)
        path.progress = Progress.WARNED
        s.timers[_slot(s, path)] = path.began_ns + path.plan.limit_ns
        return
    decide(s, Signal.BUDGET_EXHAUSTED, Cause.BUDGET_EXHAUSTED, y=PATHS - identity)
    path.progress = Progress.OVER
    if not reactions.raise_event(s, s.event_named("turn.budget_exhausted"), Cause.BUDGET_EXHAUSTED, path=identity):
        s.turn.ends.add(End.BUDGET)


def _slot(s: State, path: PathState) -> int:
    """Its timer, behind all others."""
    return s.stop_timer + 1 + path.plan.id


def _begin(s: State, path: PathState) -> None:
    if path.progress is Progress.NOT_BEGUN and s.active and not s.turn.evidence_asked and _leads(s, path):
        path.progress = Progress.BEGUN
        path.began_ns = s.turn.input_end_ns if path.plan.from_input_end else s.now
        s.timers[_slot(s, path)] = path.began_ns + path.plan.warning_ns


def _end(s: State, path: PathState) -> None:
    if path.progress in (Progress.BEGUN, Progress.WARNED):
        path.progress = Progress.OVER
        s.stop(_slot(s, path))


def _leads(s: State, path: PathState) -> bool:
    """Whether the present mode has the way."""
    return bool(path.plan.modes >> s.mode & 1)


def _is_on_the_way(s: State, path: PathState) -> bool:
    """Whether something of the turn could still come out at its end."""
    if path.plan.hears and s.turn.waiting:
        return True
    edges = (edge for edge in s.edges if path.plan.edges >> edge.plan.id & 1)
    nodes = (node for node in s.nodes if path.plan.nodes >> node.plan.id & 1)
    return any(edge.items or edge.pending for edge in edges) or any(
        node.live or node.ending or node.again or node.has_rest for node in nodes
    )
