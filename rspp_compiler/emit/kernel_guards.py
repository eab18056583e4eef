"""The guard of an edge as an expression of the compiled kernel."""

from __future__ import annotations

import textwrap

from rspp_compiler.ir.layout import Check

_FIELDS = {
    "length": "size",
    "words": "words",
    "final": "((flags & FLAG_FINAL) != 0)",
    "mode": "core.mode",
    "turn": "core.turn.serial",
    "origin": "core.turn.proposal.origin",
}
_OF_THE_TURN = frozenset({"turn", "origin"})
_WIDTH = 100


def guard_lines(guard: tuple[Check, ...]) -> list[str]:
    """The condition over `core`, `size`, `words` and `flags`, in lines of a readable width; none without a guard."""
    stack: list[str] = []
    for check in guard:
        if check.op == "not":
            stack.append(f"not {stack.pop()}")
        elif check.op in ("and", "or"):
            right, left = stack.pop(), stack.pop()
            stack.append(f"({left} {check.op} {right})")
        else:
            stack.append(_comparison(check))
    if not stack:
        return []
    return textwrap.wrap(stack.pop(), _WIDTH, break_long_words=False, break_on_hyphens=False)


def _comparison(check: Check) -> str:
    if check.op == "never":
        return "False"
    right = _FIELDS[check.other] if check.other else str(check.value)
    compared = f"{_FIELDS[check.field]} {check.op} {right}"
    if _OF_THE_TURN & {check.field, check.other}:
        compared = f"core.turn.state == TURN_ACTIVE and {compared}"
    return f"({compared})"
