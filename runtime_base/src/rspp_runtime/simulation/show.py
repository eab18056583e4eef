"""Inputs, outputs and actions on one line each: names for numbers, sizes for payloads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rspp_runtime.abi.codes import Cause, Control, In, Op, Result, Signal
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.abi.plan import Plan

MS = 1_000_000


def name_of(enumeration: Any, number: int) -> str:
    """The name of a number, or the number."""
    try:
        return str(enumeration(number).name)
    except ValueError:
        return str(number)


def show_input(event: Inbound, plan: Plan | None = None) -> str:
    """`CHUNK voice.audio invocation=4 640B`."""
    parts = [name_of(In, event.op)]
    if event.op == In.CONTROL:
        parts.append(name_of(Control, event.port))
    elif plan is not None and 0 <= event.node < len(plan.nodes):
        node = plan.nodes[event.node]
        port = event.op in (In.MEDIA, In.CHUNK) and 0 <= event.port < len(node.outputs)
        parts.append(f"{node.name}.{node.outputs[event.port].name}" if port else node.name)
    else:
        parts.append(f"node={event.node} port={event.port}")
    if event.op in (In.CHUNK, In.DONE, In.CREDIT, In.USAGE):
        parts.append(f"invocation={event.invocation}")
    parts += [f"{key}={value}" for key, value in (("a", event.a), ("b", event.b)) if value]
    parts.append(f"epoch={event.epoch}")
    if event.payload:
        parts.append(f"{len(event.payload)}B")
    return " ".join(parts)


def show_output(output: Output, plan: Plan | None = None) -> str:
    """`ABORT turn=3 seq=81 cause=CANCELLED`."""
    decision = output.op == Op.DECISION
    parts = [name_of(Signal, output.code) if decision else name_of(Op, output.op)]
    if output.node >= 0:
        edges = decision and output.code in (Signal.DROP_NOTICE, Signal.FLOW_XOFF, Signal.FLOW_XON)
        known = plan.edges if edges and plan else plan.nodes if plan else ()
        parts.append(known[output.node].name if output.node < len(known) else f"node={output.node}")
    for key in ("turn", "invocation", "port", "x", "y", "seq"):
        value = getattr(output, key)
        if value or key == "seq":
            parts.append(f"{key}={value}")
    if output.cause:
        parts.append(f"cause={name_of(Cause, output.cause)}")
    if output.payload:
        parts.append(f"{len(output.payload)}B")
    return " ".join(parts)


def show_action(action: Any, plan: Plan | None = None) -> str:
    """A line of a trace."""
    kind, now, what = action
    others = ("", "advance", "drain", f"CRASH, a new session at epoch {what}", "CRASH, and the session is built again")
    text = others[kind] or f"ingest {show_input(what, plan)}"
    return f"{now / MS:12.3f} ms  {text}"


def difference(one: Sequence[Any], other: Sequence[Any]) -> str:
    """The first place in which two answers differ."""
    for index in range(max(len(one), len(other))):
        pair = [_shown(answers[index]) if index < len(answers) else "nothing" for answers in (one, other)]
        if index >= len(one) or index >= len(other) or one[index] != other[index]:
            return f"at {index}, the compiled kernel: {pair[0]}; the twin: {pair[1]}"
    return "no difference"


def _shown(value: Any) -> str:
    if isinstance(value, Output):
        return f"{show_output(value)} t={value.t_ns}"
    return name_of(Result, value) if value in (0, 1, 2) else str(value)
