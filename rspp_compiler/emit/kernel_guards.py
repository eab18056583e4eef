"""The guard of an edge or of a reaction as an expression of the compiled kernel."""

from __future__ import annotations

import textwrap

from rspp_compiler.ir import memory
from rspp_compiler.ir.layout import Check

_FIELDS = {
    "length": "size",
    "words": "words",
    "final": "((flags & FLAG_FINAL) != 0)",
    "label": "((flags >> LABEL_SHIFT) & LABEL_MAX)",
    "mode": "core.mode",
    "turn": "core.turn.serial",
    "origin": "core.turn.proposal.origin",
    "cause": "core.happened.cause",
    "outcome": "core.happened.outcome",
    "retryable": "core.happened.retryable",
    "provider": "core.happened.provider",
    "path": "core.happened.provider",  # of a budget
    "attempts": "core.happened.attempts",
    "elapsed": "core.happened.elapsed_ns",
    "heard": "core.happened.heard",
    "spoken": "core.speech.words",
    "speech": "(core.now_ns - core.speech.onset_ns)",
    "failures": "core.apologies.failures",
    "idles": "core.speech.idles",
    "idle": "(core.now_ns - core.speech.quiet_ns)",
}
_ATTRIBUTES = {name: f"core.attributes[ATTRIBUTE_{name.upper()}]" for name in memory.ATTRIBUTES}
_FIELDS |= _ATTRIBUTES
_IS_THERE = {
    **{name: f"{place} != 0" for name, place in _ATTRIBUTES.items()},
    "turn": "core.turn.state == TURN_ACTIVE",
    "origin": "core.turn.state == TURN_ACTIVE",
    "cause": "core.happened.cause != 0",
    "outcome": "core.happened.outcome != 0",
    "provider": "core.happened.provider >= 0",
    "path": "core.happened.provider >= 0",
    "spoken": "core.speech.speaking",
    "speech": "core.speech.speaking",
}
# Of an event that a decision raised, the turn is that of the decision.
_DECIDED = {"turn": "core.happened.turn", "origin": "core.happened.origin"}
_IS_DECIDED = {"turn": "core.happened.turn != 0", "origin": "core.happened.turn != 0"}
_WIDTH = 100


def guard_lines(guard: tuple[Check, ...], *, decided: bool = False, unless: str = "") -> list[str]:
    """The condition over `core`, and of an edge's over `size`, `words` and `flags`, in lines of a readable width.

    None without a guard. `decided`: of a reaction to an event that a decision raised. `unless` must not hold either.
    """
    stack: list[str] = []
    for check in guard:
        if check.op == "not":
            stack.append(f"not {stack.pop()}")
        elif check.op in ("and", "or"):
            right, left = stack.pop(), stack.pop()
            stack.append(f"({left} {check.op} {right})")
        else:
            stack.append(_comparison(check, decided))
    if unless:
        stack = [f"not {unless} and {stack.pop()}" if stack else f"not {unless}"]
    if not stack:
        return []
    return textwrap.wrap(stack.pop(), _WIDTH, break_long_words=False, break_on_hyphens=False)


def _number(value: int) -> str:
    """As Cython takes it for a C number."""
    return f"{value}LL" if abs(value) >= 1 << 31 else str(value)


def _comparison(check: Check, decided: bool) -> str:
    if check.op == "never":
        return "False"
    fields = _FIELDS | _DECIDED if decided else _FIELDS
    there = _IS_THERE | _IS_DECIDED if decided else _IS_THERE
    right = fields[check.other] if check.other else _number(check.value)
    conditions = dict.fromkeys(there[name] for name in (check.field, check.other) if name in there)
    return f"({' and '.join([*conditions, f'{fields[check.field]} {check.op} {right}'])})"
