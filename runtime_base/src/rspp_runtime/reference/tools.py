"""Calls of tools: the way there, the run, and the way back (`docs/kernel.md`, Tools)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Cause, Flag, Op, Result, Signal
from rspp_runtime.abi.messages import Inbound
from rspp_runtime.abi.plan import Port
from rspp_runtime.reference import attempts, circuits, edges, invocations, paths, stopping, turns
from rspp_runtime.reference.callers import Caller
from rspp_runtime.reference.outputs import data, data_room, decide
from rspp_runtime.reference.state import TOOL, EdgeState, Invocation, NodeState, Parcel, State


def is_call(s: State, edge: EdgeState) -> bool:
    """Whether calls go along the edge."""
    return s.nodes[edge.plan.target].plan.tool is not None


def is_answer(s: State, edge: EdgeState) -> bool:
    """Whether answers come back along the edge."""
    return s.nodes[edge.plan.source].plan.tool is not None


def is_late(s: State, node: NodeState, call: Invocation, port: Port) -> bool:
    """Whether what was said is out of place: a call of a model that stops, or a second answer to one call."""
    return stopping.holds(s, node) if port.type == "call" else node.plan.tool is not None and call.answered


def called(s: State, node: NodeState, call: Invocation, event: Inbound) -> Result:
    """A model wants to call: the call waits before its tool, or is one too many."""
    edge = s.edges_from(node.plan.id, event.port)
    full = not edge or not edges.has_room(edge[0], len(event.payload))
    if node.calls >= node.plan.calls_max or full:
        decide(
            s, Signal.REJECT, Cause.TOO_MANY_CALLS,
            node=node.plan.id, port=event.port, invocation=call.id, x=node.calls,
        )  # fmt: skip
        return Result.REFUSED
    seq = s.next_seq()
    turn = edges.turn_of(s, edge[0])
    edges.push(s, edge[0], Parcel(seq, turn, s.epoch, call.id, event.flags, event.a, 0, event.payload))
    node.calls += 1
    node.open += 1
    s.stop(s.chunk_timer(node.plan.id))
    attempts.answered(node, call)
    circuits.works(s, node, call)
    return Result.ACCEPTED


def can_begin(s: State, node: NodeState, edge: EdgeState) -> bool:
    """Whether the call at the head can begin, or is nobody's any more."""
    if _is_orphan(s, edge, edge.items[0][1]):
        return True
    busy = node.live is not None or node.ending is not None or node.cancelling
    if busy or stopping.holds(s, node):
        return False
    return data_room(s, 3 + s.plan.context_items_max)


def _is_orphan(s: State, edge: EdgeState, parcel: Parcel) -> bool:
    """Whether the model's invocation that made a call is gone; a reaction waits for nothing."""
    model = s.nodes[edge.plan.source]
    return model.plan.calls_max > 0 and model.find(parcel.media_ns) is None


def begin(s: State, node: NodeState, edge: EdgeState, parcel: Parcel) -> None:
    """Run one call."""
    model = s.nodes[edge.plan.source]
    if _is_orphan(s, edge, parcel):
        edges.lose(s, edge, parcel, Cause.CALLER_GONE)
        return
    assert node.plan.tool is not None
    by_model = model.plan.calls_max > 0
    node.caller = Caller(model.plan.id, parcel.media_ns, parcel.a) if by_model else None
    if node.plan.tool.filler and by_model:
        _hold(s, model)
    invocations.feed(s, node, 0, parcel)
    if node.live is not None:
        invocations.finish(s, node)


def said(s: State, node: NodeState, call: Invocation, event: Inbound) -> Result:
    """A tool answers: whoever called is given it."""
    seq = s.next_seq()
    call.answered = True
    caller = node.caller
    if caller is not None and s.nodes[caller.node].find(caller.invocation) is not None:
        _answer(s, node, caller, seq, event.flags, event.payload)
    return Result.ACCEPTED


def over(s: State, node: NodeState, call: Invocation, outcome: int) -> None:
    """An invocation of a tool is gone: who still waits for its answer is told so."""
    caller, node.caller = node.caller, None
    if caller is None or call.answered or s.nodes[caller.node].find(caller.invocation) is None:
        return
    _answer(s, node, caller, s.next_seq(), Flag.FAILED | outcome << 8, b"")


def _answer(s: State, node: NodeState, caller: Caller, seq: int, flags: int, payload: bytes) -> None:
    for edge in s.edges_from(node.plan.id, 0):
        if edge.plan.target == caller.node:
            turn = edges.turn_of(s, edge)
            edges.push(s, edge, Parcel(seq, turn, s.epoch, caller.invocation, flags, caller.number, 0, payload))


def can_answer(s: State, node: NodeState, edge: EdgeState) -> bool:
    """Whether the answer at the head can be given, or is nobody's any more."""
    if node.find(edge.items[0][1].media_ns) is None:
        return True
    if stopping.holds(s, node):
        return False
    if s.data_out:  # what it is told of the conversation must not move on before it was told
        s.outputs_full = True
    return not s.data_out


def give_answer(s: State, node: NodeState, edge: EdgeState, parcel: Parcel) -> None:
    """Hand an answer to the invocation that waits for it; its deadlines run again."""
    identity, tool = node.plan.id, s.nodes[edge.plan.source].plan.tool
    call = node.find(parcel.media_ns)
    if call is None:
        edges.lose(s, edge, parcel, Cause.CALLER_GONE)
        return
    data(
        s, Op.FEED, parcel, node=identity, port=edge.plan.target_port, turn=call.turn, invocation=call.id,
        x=parcel.a, y=parcel.flags,
    )  # fmt: skip
    node.open -= 1
    if parcel.payload and not parcel.flags & Flag.FAILED:
        turns.remember(s, TOOL, parcel.payload)
    if tool is not None and tool.filler:
        _let_run(s, node)
    if not node.open and s.first_timer(identity) not in s.timers and node.plan.chunk_ns:
        s.timers[s.chunk_timer(identity)] = s.now + node.plan.chunk_ns


def _hold(s: State, model: NodeState) -> None:
    """Something is said while the tool runs: the model's deadlines wait."""
    model.filled += 1
    if model.filled == 1:
        model.held_ns = s.now
        model.held_first = s.timers.pop(s.first_timer(model.plan.id), 0)
        model.held_speak = model.speak_due_ns


def _let_run(s: State, model: NodeState) -> None:
    model.filled -= 1
    if model.filled:
        return
    waited = s.now - model.held_ns
    paths.go_on(s, model.plan.id, model.held_ns)
    if model.held_first:
        s.timers[s.first_timer(model.plan.id)] = model.held_first + waited
        model.speak_due_ns = model.held_speak + waited if model.held_speak else 0
        if model.due_ns != attempts.NEVER:
            model.due_ns += waited


def gone(s: State, node: NodeState) -> None:
    """A model's invocation is gone, and its calls with it."""
    if node.filled:
        paths.go_on(s, node.plan.id, node.held_ns)
    node.open = node.filled = 0
