"""What a reaction has from its event: who proposes a turn, why one has failed; and the events of keys and buttons."""

from __future__ import annotations

from rspp_compiler.emit.kernel_names import Names
from rspp_compiler.ir.layout import EFFECT, Plan


def origin(plan: Plan, event: int) -> str:
    """Who proposes a turn by a reaction to the event."""
    row = plan.events[event]
    if row.name == "session.connected":
        return "ORIGIN_GREETING"
    if row.node >= 0 and plan.nodes[row.node].clock:
        return "ORIGIN_TIMER"
    return "ORIGIN_DTMF" if row.node == plan.ingress and row.name.endswith(".dtmf") else "ORIGIN_API"


def reason(plan: Plan, event: int, cause: str) -> str:
    """Why a turn that is aborted for the event has failed."""
    node = plan.events[event].node
    by_provider = cause == "CAUSE_NODE_ERROR" and node >= 0 and plan.nodes[node].execution == EFFECT
    return "CAUSE_PROVIDER_FAILURE" if by_provider else "CAUSE_NODE_TIMEOUT_OR_FAILURE"


def pressed(plan: Plan, names: Names, what: str) -> str:
    """The constant of an event of ingress."""
    found = (one.id for one in plan.events if one.node == plan.ingress and one.name.endswith(f".{what}"))
    return names.event(next(found, -1))
