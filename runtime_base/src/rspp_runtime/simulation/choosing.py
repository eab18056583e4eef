"""What can be known from outside of edges that choose, thin out and gather (docs/kernel.md: Guard, Sample, Gather)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Attribute, Flag
from rspp_runtime.abi.messages import Inbound
from rspp_runtime.abi.plan import Check, Edge, Plan

OF_THE_TURN = ("turn", "origin")


def can_be_followed(plan: Plan, edge: Edge) -> bool:
    """Whether the guard reads only what is known (the words of a voice's item become absolute inside of the kernel),
    and what goes on is told as long as there is room.
    """
    if edge.telemetry != "best_effort_drop":
        return False
    is_voice = plan.speech_nodes >> edge.source & 1
    return not (is_voice and any("words" in (check.field, check.other) for check in edge.guard))


MISSING = frozenset(attribute.name.lower() for attribute in Attribute)


def passes(guard: tuple[Check, ...], event: Inbound, mode: int, serial: int, origin: int) -> bool:
    """Whether an item is one for an edge with that guard; `serial` is 0 while no turn is Active."""
    stack: list[bool] = []
    for check in guard:
        if check.op == "not":
            stack[-1] = not stack[-1]
        elif check.op in ("and", "or"):
            last = stack.pop()
            stack[-1] = stack[-1] and last if check.op == "and" else stack[-1] or last
        elif check.op == "never" or {check.field, check.other} & MISSING:
            stack.append(False)  # nothing is known of a session that is played
        elif not serial and (check.field in OF_THE_TURN or check.other in OF_THE_TURN):
            stack.append(False)
        else:
            known = {
                "length": len(event.payload), "words": event.b, "final": event.flags & Flag.FINAL,
                "mode": mode, "turn": serial, "origin": origin,
            }  # fmt: skip
            left, right = known[check.field], known[check.other] if check.other else check.value
            equal, less = left == right, left < right
            stack.append({"==": equal, "!=": not equal, "<": less, "<=": less or equal, ">": not (less or equal),
                          ">=": not less}[check.op])  # fmt: skip
    return not stack or stack[0]


def share_kept(edge: Edge) -> int:
    """Percent of the items that an edge keeps of all that it is offered; 0 if it does not thin them out always."""
    first = edge.overflow[0] if edge.overflow else None
    thins = first is not None and first.strategy == "sample" and edge.gather is None and edge.sync is None
    return first.keep_percent if first is not None and thins else 0


def ample(edge: Edge) -> int:
    """Up to so many items wait when a producer that was stopped is started again."""
    most = edge.items_max - edge.items_max // 4
    mark = edge.watermark
    return min(most, mark.low_items) if mark is not None and mark.high_items else most
