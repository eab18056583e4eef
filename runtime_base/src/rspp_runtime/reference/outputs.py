"""Decisions and requests, in three lanes, and the one fence (`docs/kernel.md`, drain)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Cause, Op, Signal
from rspp_runtime.abi.messages import Output
from rspp_runtime.abi.plan import TURN
from rspp_runtime.reference import events
from rspp_runtime.reference.state import EdgeState, Parcel, State

VOID = 0
"""A data output that was taken back: it keeps its slot until the next drain, which passes over it."""


def decide(
    s: State,
    signal: Signal,
    cause: Cause = Cause.NONE,
    *,
    node: int = -1,
    port: int = 0,
    invocation: int = 0,
    x: int = 0,
    y: int = 0,
    payload: bytes = b"",
) -> None:
    """Emit a decision of the turn in progress (turn 0 outside turns)."""
    turn = s.turn.serial if s.active or signal in _OF_THE_TURN else 0
    decision = Output(Op.DECISION, s.now, s.next_seq(), node, port, turn, invocation, signal, cause, x, y, payload)
    s.control_out.append(decision)
    events.notice(s, decision)


_OF_THE_TURN = frozenset({Signal.COMMIT, Signal.ABORT, Signal.CLOSE})


def request(s: State, op: Op, *, node: int = -1, turn: int = 0, invocation: int = 0, x: int = 0) -> None:
    """Emit a control output that is no decision; it carries the sequence of the last thing that happened."""
    s.control_out.append(Output(op, s.now, s.seq, node, 0, turn, invocation, 0, 0, x))


def data(
    s: State,
    op: Op,
    parcel: Parcel | None,
    *,
    node: int,
    port: int = 0,
    turn: int = 0,
    invocation: int = 0,
    x: int = 0,
    y: int = 0,
    payload: bytes = b"",
) -> None:
    """Emit a data output; `parcel` is the item that it carries, if any."""
    seq = parcel.seq if parcel else s.seq
    epoch = parcel.epoch if parcel else s.epoch
    content = parcel.payload if parcel else payload
    s.data_out.append((Output(op, s.now, seq, node, port, turn, invocation, 0, 0, x, y, content), epoch))


def data_room(s: State, slots: int) -> bool:
    """Whether that many data outputs fit; remembers that something had to wait if not."""
    if len(s.data_out) + slots <= s.plan.data_out_max:
        return True
    s.outputs_full = True
    return False


def telemetry(s: State, edge: EdgeState, output: Output) -> None:
    """Emit a telemetry output of an edge; there is no promise that it arrives, least of all under pressure."""
    if 2 * len(s.telemetry_out) >= s.plan.telemetry_out_max:
        if edge.plan.telemetry == "drop":
            return
        if edge.plan.telemetry == "sample":
            edge.skipped = not edge.skipped
            if edge.skipped:
                return
    if len(s.telemetry_out) < s.plan.telemetry_out_max:
        s.telemetry_out.append(output)


def control_room(s: State) -> bool:
    """Whether the control outputs have room for whatever one step may emit."""
    return s.plan.control_out_max - len(s.control_out) >= s.plan.control_step_max


def fence(s: State, output: Output, epoch: int) -> bool:
    """The egress fence: may this leave? Nothing reaches a transport without passing here."""
    if s.turn.stopping and not s.turn.words_until and output.port == s.audio_port:
        return False  # the voice was cancelled, and its turn is not over yet
    return s.active and output.turn == s.turn.serial and epoch == s.epoch and not s.revoked


def drain(s: State) -> list[Output]:
    """All outputs: control, then data through the fence, then telemetry."""
    taken = list(s.control_out)
    s.control_out.clear()
    while s.data_out:
        output, epoch = s.data_out.popleft()
        if output.op == VOID:
            continue
        if output.op == Op.SEND:
            if fence(s, output, epoch):
                taken.append(output)
            else:
                taken.append(_refuse(s, output))
        elif _wanted(s, output):
            taken.append(output)
    if s.leaving:
        s.leaving = False
        taken += [Output(Op.CONTEXT, s.now, s.seq, x=role, payload=text) for role, text in s.context]
    taken.extend(s.telemetry_out)
    s.telemetry_out.clear()
    return taken


def _refuse(s: State, output: Output) -> Output:
    s.refused_outputs += 1
    return Output(
        Op.DECISION, s.now, s.next_seq(), output.node, output.port, output.turn, 0,
        Signal.LATE_AFTER_CANCEL, Cause.CANCELLED, len(output.payload), 1,
    )  # fmt: skip


def _wanted(s: State, output: Output) -> bool:
    """Whether an invocation still wants its start, input or end."""
    node = s.nodes[output.node]
    if node.plan.scope == TURN and not (s.active and output.turn == s.turn.serial):
        return False
    return node.find(output.invocation) is not None
