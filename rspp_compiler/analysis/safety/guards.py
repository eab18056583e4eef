"""Whether two guards can hold at once: decided by trying every value that could make a difference.

A condition only compares fields with constants and with one another. So it is enough to try, for each field, the
constants that it may be compared with, values between and beyond them, and a field that is missing, of which no
comparison holds.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from math import prod
from typing import Any

from rspp_compiler.ir.condition import (
    Comparison,
    Condition,
    Constant,
    Junction,
    Membership,
    Negation,
    Operand,
    Truth,
    Value,
    variables,
)

Known = Mapping[tuple[str, str], Constant | Fraction | None]
"""The value of each field; None where it is missing."""

_TRIES_MAX = 20_000
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def can_both_hold(one: Condition | None, other: Condition | None) -> bool:
    """Whether some values make both true; None always holds. True as well where there are too many values to try."""
    conditions = [condition for condition in (one, other) if condition is not None]
    choices = _choices(conditions)
    if prod(len(values) for values in choices.values()) > _TRIES_MAX:
        return True
    return any(
        all(holds(condition, dict(zip(choices, values, strict=True))) for condition in conditions)
        for values in itertools.product(*choices.values())
    )


def holds(condition: Condition, known: Known) -> bool:
    """The truth of a condition: total, since comparing a missing field is false."""
    match condition:
        case Truth(variable=variable):
            return _value(variable, known) is True
        case Negation(operand=operand):
            return not holds(operand, known)
        case Junction(op="and", left=left, right=right):
            return holds(left, known) and holds(right, known)
        case Junction(left=left, right=right):
            return holds(left, known) or holds(right, known)
        case Membership(left=left, choices=choices):
            return _value(left, known) in [choice.value for choice in choices]
        case Comparison(operator=sign, left=left, right=right):
            values = _value(left, known), _value(right, known)
            return None not in values and _COMPARE[sign](*values)


def _value(operand: Operand, known: Known) -> Constant | Fraction | None:
    if isinstance(operand, Value):
        return operand.value
    return known[operand.subject, operand.field]


def _choices(conditions: list[Condition]) -> dict[tuple[str, str], list[Constant | Fraction | None]]:
    """For each field that the conditions read, the values to try.

    Fields that are compared with one another may stand in any order between two constants, so there are as many values
    between as there are fields.
    """
    types = {(one.subject, one.field): one.type for condition in conditions for one in variables(condition)}
    constants = {value for condition in conditions for value in _constants(condition)}
    numbers = sorted({Fraction(value) for value in constants if not isinstance(value, bool | str)})
    texts: list[Constant | Fraction | None] = [*sorted(value for value in constants if isinstance(value, str))]
    texts += [f"{'|'.join(str(text) for text in texts)}#{place}" for place in range(len(types))]
    spread = _spread(numbers, len(types))
    by_type: dict[str, list[Constant | Fraction | None]] = {"flag": [True, False]}
    by_type |= {"number": spread, "duration": spread, "text": texts, "mode": texts}
    return {variable: [*by_type[type], None] for variable, type in types.items()}


def _spread(numbers: list[Fraction], between: int) -> list[Constant | Fraction | None]:
    """The numbers, and so many more before, between and behind them."""
    if not numbers:
        return [Fraction(place) for place in range(between)]
    found: list[Constant | Fraction | None] = [numbers[0] - 1 - place for place in range(between)]
    for low, high in itertools.pairwise(numbers):
        found += [low, *(low + (high - low) * Fraction(place, between + 1) for place in range(1, between + 1))]
    return [*found, numbers[-1], *(numbers[-1] + 1 + place for place in range(between))]


def _constants(condition: Condition) -> Iterator[Constant]:
    match condition:
        case Negation(operand=operand):
            yield from _constants(operand)
        case Junction(left=left, right=right):
            yield from _constants(left)
            yield from _constants(right)
        case Membership(choices=choices):
            yield from (choice.value for choice in choices)
        case Comparison(left=left, right=right):
            yield from (side.value for side in (left, right) if isinstance(side, Value))
