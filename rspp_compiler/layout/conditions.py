"""Conditions as the kernel runs them: integers compared with integers, in postfix order."""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from fractions import Fraction

from rspp_compiler.ir.condition import (
    Comparison,
    Condition,
    Junction,
    Membership,
    Negation,
    Operand,
    Truth,
    Value,
    Variable,
)
from rspp_compiler.ir.layout import Check
from rspp_compiler.ir.memory import ATTRIBUTES

ORIGINS = ("speech", "text", "dtmf", "greeting", "timer", "tool_result", "api")
"""The texts of `turn.origin`, by the runtime's `Origin`; a test holds them equal."""

ANYWHERE = {
    **{("session", name): name for name in ("mode", *ATTRIBUTES)},
    ("turn", "number"): "turn",
    ("turn", "origin"): "origin",
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_NEVER = Check("never")
_LIMIT = 1 << 62  # beyond what any field can be


def text_id(text: str) -> int:
    """The number that stands for a text, as in the runtime's `codes.text_id`; a test holds them equal."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 2 if text else 0


def session_guard(condition: Condition | None, modes: dict[str, int]) -> tuple[Check, ...]:
    """A condition that asks of the session only. Empty where it always holds."""
    return tuple(_OfSession(modes).condition(condition)) if condition else ()


class Lowering(ABC):
    """Lowers a condition. What a field is called, and which numbers stand for its texts, a subclass knows."""

    def __init__(self, modes: dict[str, int]) -> None:
        self._modes = modes

    def condition(self, condition: Condition) -> Iterator[Check]:
        match condition:
            case Truth(variable=variable):
                yield Check("==", name, 1) if (name := self.field(variable)) else _NEVER
            case Negation(operand=operand):
                yield from self.condition(operand)
                yield Check("not")
            case Junction(op=op, left=left, right=right):
                yield from self.condition(left)
                yield from self.condition(right)
                yield Check(op)
            case Membership(left=left, choices=choices):
                for number, choice in enumerate(choices):
                    yield from self._compare(left, "==", choice)
                    yield from [Check("or")] if number else []
            case Comparison(operator=operator, left=left, right=right):
                yield from self._comparison(operator, left, right)

    def _comparison(self, operator: str, left: Operand, right: Operand) -> Iterator[Check]:
        if isinstance(left, Variable):
            if isinstance(right, Variable):
                one, two = self.field(left), self.field(right)
                yield Check(operator, one, 0, two) if one and two else _NEVER
            else:
                yield from self._compare(left, operator, right)
            return
        assert isinstance(right, Variable)  # resolve refused two constants
        yield from self._compare(right, _MIRRORED[operator], left)

    @abstractmethod
    def field(self, variable: Variable) -> str:
        """The kernel's name for a field; "" for one that it does not have, which `target` refuses."""

    def _numbers(self, field: str, text: str) -> tuple[int, ...] | None:
        """The numbers that stand for a text; None of a field that is a number itself."""
        if field == "mode":
            return (self._modes[text],) if text in self._modes else ()
        if field == "origin":
            return (ORIGINS.index(text),) if text in ORIGINS else ()
        return (text_id(text),) if field in ATTRIBUTES else None

    def _exact(self, variable: Variable, value: Fraction) -> Fraction:
        """A constant in the kernel's unit."""
        return value

    def _compare(self, variable: Variable, operator: str, constant: Value) -> Iterator[Check]:
        field, value = self.field(variable), constant.value
        if not field:
            yield _NEVER
            return
        numbers = self._numbers(field, str(value))
        if numbers is None:
            exact = Fraction(int(value) if isinstance(value, bool) else value)
            yield _integral(operator, field, self._exact(variable, exact))
        elif not numbers:
            yield _unequal(operator, field)
        else:
            for count, number in enumerate(numbers):  # one text, several numbers: any of them, or none
                yield Check(operator, field, number)
                yield from [Check("or" if operator == "==" else "and")] if count else []


class _OfSession(Lowering):
    """Lowers what is decided when a plan freezes."""

    def field(self, variable: Variable) -> str:
        return ANYWHERE.get((variable.subject, variable.field), "")


def _unequal(operator: str, field: str) -> Check:
    """A comparison with what the field never is: only `!=` holds, and only where there is a field."""
    return Check("==", field, 0, field) if operator == "!=" else _NEVER


def _integral(operator: str, field: str, value: Fraction) -> Check:
    """The same comparison of an integer with an integer."""
    below = math.floor(value)
    if operator in ("==", "!="):
        if value.denominator != 1 or abs(value) > _LIMIT:
            return _unequal(operator, field)
        return Check(operator, field, below)
    if value.denominator != 1:
        operator = "<=" if operator in ("<", "<=") else ">"
    return Check(operator, field, max(-_LIMIT, min(_LIMIT, below)))
