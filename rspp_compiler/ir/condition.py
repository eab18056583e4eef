"""A checked condition: typed, total, free of side effects. Comparing a missing field is false.

A condition reads variables only: fields of the event or item it guards (`event.confidence`), of the session
(`session.tenant`), of the turn (`turn.number`). Quantities are in base units, as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_FROZEN = ConfigDict(frozen=True, extra="forbid")
Constant = bool | int | float | str
VariableType = Literal["text", "number", "duration", "flag", "mode"]


class Variable(BaseModel):
    """`event.confidence`. `subject` is event, session or turn; durations are nanoseconds."""

    model_config = _FROZEN
    op: Literal["variable"] = "variable"
    subject: str
    field: str
    type: VariableType


class Value(BaseModel):
    """A constant, in base units; `shown` is how it was written."""

    model_config = _FROZEN
    op: Literal["value"] = "value"
    value: Constant
    shown: str


class Comparison(BaseModel):
    """`==` `!=` `<` `<=` `>` `>=` between a variable and a constant, or two variables."""

    model_config = _FROZEN
    op: Literal["compare"] = "compare"
    operator: Literal["==", "!=", "<", "<=", ">", ">="]
    left: Operand
    right: Operand


class Membership(BaseModel):
    """`event.digit in ["*", "9"]`."""

    model_config = _FROZEN
    op: Literal["in"] = "in"
    left: Variable
    choices: tuple[Value, ...]


class Truth(BaseModel):
    """A flag by itself: `event.final`."""

    model_config = _FROZEN
    op: Literal["truth"] = "truth"
    variable: Variable


class Junction(BaseModel):
    """`and`, `or`."""

    model_config = _FROZEN
    op: Literal["and", "or"]
    left: Condition
    right: Condition


class Negation(BaseModel):
    model_config = _FROZEN
    op: Literal["not"] = "not"
    operand: Condition


Operand = Annotated[Variable | Value, Field(discriminator="op")]
Condition = Annotated[Comparison | Membership | Truth | Junction | Negation, Field(discriminator="op")]

for _model in (Comparison, Membership, Truth, Junction, Negation):
    _model.model_rebuild()


def show(condition: Condition | Operand) -> str:
    """The condition in its canonical form; equal conditions have equal texts."""
    match condition:
        case Variable(subject=subject, field=field):
            return f"{subject}.{field}"
        case Value(shown=shown):
            return shown
        case Comparison(operator=operator, left=left, right=right):
            return f"{show(left)} {operator} {show(right)}"
        case Membership(left=left, choices=choices):
            return f"{show(left)} in [{', '.join(show(choice) for choice in choices)}]"
        case Truth(variable=variable):
            return show(variable)
        case Junction(op=op, left=left, right=right):
            inner = [f"({show(side)})" if op == "and" and side.op == "or" else show(side) for side in (left, right)]
            return f" {op} ".join(inner)
        case Negation(operand=operand):
            return f"not ({show(operand)})" if operand.op in ("and", "or") else f"not {show(operand)}"


def variables(condition: Condition) -> tuple[Variable, ...]:
    """The fields that a condition reads, each once."""
    return tuple({(one.subject, one.field): one for one in _read(condition)}.values())


def _read(condition: Condition) -> Iterator[Variable]:
    match condition:
        case Truth(variable=variable):
            yield variable
        case Negation(operand=operand):
            yield from _read(operand)
        case Junction(left=left, right=right):
            yield from _read(left)
            yield from _read(right)
        case Membership(left=left):
            yield left
        case Comparison(left=left, right=right):
            yield from (side for side in (left, right) if isinstance(side, Variable))


def texts_of(field: str, condition: Condition) -> Iterator[str]:
    """What `event.FIELD` is compared with, in the order in which it is written."""
    match condition:
        case Negation(operand=operand):
            yield from texts_of(field, operand)
        case Junction(left=left, right=right):
            yield from texts_of(field, left)
            yield from texts_of(field, right)
        case Membership(left=left, choices=choices) if (left.subject, left.field) == ("event", field):
            yield from (str(choice.value) for choice in choices)
        case Comparison(left=left, right=right):
            sides = (left, right)
            if any(isinstance(one, Variable) and (one.subject, one.field) == ("event", field) for one in sides):
                yield from (str(one.value) for one in sides if isinstance(one, Value))
