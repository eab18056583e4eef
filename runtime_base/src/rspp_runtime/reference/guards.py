"""Which items an edge takes (`docs/kernel.md`, Guards): headers are compared, never a payload."""

from __future__ import annotations

import operator
from collections.abc import Callable

from rspp_runtime.abi.codes import Flag
from rspp_runtime.reference.state import EdgeState, State

_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def passes(s: State, edge: EdgeState, size: int, words: int, flags: int) -> bool:
    """Whether an item of that size, with these words and flags, is one for this edge."""
    truths: list[bool] = []
    for check in edge.plan.guard:
        if check.op == "not":
            truths.append(not truths.pop())
        elif check.op in ("and", "or"):
            right, left = truths.pop(), truths.pop()
            truths.append(left and right if check.op == "and" else left or right)
        elif check.op == "never":
            truths.append(False)
        else:
            one = _field(s, check.field, size, words, flags)
            two = _field(s, check.other, size, words, flags) if check.other else check.value
            truths.append(one is not None and two is not None and _COMPARE[check.op](one, two))
    return truths.pop() if truths else True


def _field(s: State, name: str, size: int, words: int, flags: int) -> int | None:
    """A field's value; None where it is missing."""
    if name == "length":
        return size
    if name == "words":
        return words
    if name == "final":
        return int(bool(flags & Flag.FINAL))
    if name == "mode":
        return s.mode
    if not s.active:
        return None
    return s.turn.serial if name == "turn" else int(s.turn.origin)
