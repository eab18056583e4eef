"""Guards of flows as the kernel runs them: integers compared with integers, in postfix order.

A guard reads headers only. What the runtime stamps on an item is its size, its words and whether it is final; the rest
of what the language knows (`confidence`, `language`, …) is stamped by nobody yet, and `unstamped` names it.
"""

from __future__ import annotations

import math
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
    variables,
)
from rspp_compiler.ir.graph import Graph, GraphEdge
from rspp_compiler.ir.layout import Check
from rspp_compiler.ir.types import AudioType, PortType

SECOND_NS = 1_000_000_000
ORIGINS = ("speech", "text", "dtmf", "greeting", "timer", "tool_result", "api")
"""The texts of `turn.origin`, by the runtime's `Origin`; a test holds them equal."""

_FIELDS = {
    ("event", "length"): "length",
    ("event", "words"): "words",
    ("event", "final"): "final",
    ("event", "duration"): "length",
    ("session", "mode"): "mode",
    ("turn", "number"): "turn",
    ("turn", "origin"): "origin",
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_NEVER = Check("never")
_LIMIT = 1 << 62  # beyond what any field can be


def guard(graph: Graph, edge: GraphEdge, modes: dict[str, int]) -> tuple[Check, ...]:
    """The guard of an edge; that of `otherwise` is that no sibling's holds. Empty where every item passes."""
    spec = edge.spec
    if not spec.otherwise:
        return tuple(_Lowering(graph, edge, modes).condition(spec.guard)) if spec.guard else ()
    steps: list[Check] = []
    for number, sibling in enumerate(_guarded_siblings(graph, edge)):
        assert sibling.spec.guard is not None
        steps += _Lowering(graph, sibling, modes).condition(sibling.spec.guard)
        steps += [Check("or")] if number else []
    return (*steps, Check("not")) if steps else ()


def unstamped(graph: Graph, edge: GraphEdge) -> tuple[str, ...]:
    """The fields that the guard of an edge reads, or with `otherwise` those of its siblings, and nobody stamps yet."""
    edges = _guarded_siblings(graph, edge) if edge.spec.otherwise else [edge]
    found: list[str] = []
    for one in edges:
        port = graph.source_port(one)
        for variable in variables(one.spec.guard) if one.spec.guard else ():
            name = f"{variable.subject}.{variable.field}"
            coded = variable.field == "duration" and _bytes_per_second(port.type if port else None) is None
            if ((variable.subject, variable.field) not in _FIELDS or coded) and name not in found:
                found.append(name)
    return tuple(found)


def _guarded_siblings(graph: Graph, edge: GraphEdge) -> list[GraphEdge]:
    return [one for one in graph.out_of(edge.source, edge.source_port) if one.spec.guard is not None]


def _bytes_per_second(type: PortType | None) -> int | None:
    """Of audio whose length is its size; None for what is coded."""
    return type.bytes_per_second if isinstance(type, AudioType) and type.encoding != "opus" else None


class _Lowering:
    """Lowers the guard of one edge."""

    def __init__(self, graph: Graph, edge: GraphEdge, modes: dict[str, int]) -> None:
        port = graph.source_port(edge)
        self._modes = modes
        self._bytes_per_second = _bytes_per_second(port.type if port else None) or 0

    def condition(self, condition: Condition) -> Iterator[Check]:
        match condition:
            case Truth(variable=variable):
                yield Check("==", self._field(variable), 1)
            case Negation(operand=operand):
                yield from self.condition(operand)
                yield Check("not")
            case Junction(op=op, left=left, right=right):
                yield from self.condition(left)
                yield from self.condition(right)
                yield Check(op)
            case Membership(left=left, choices=choices):
                for number, choice in enumerate(choices):
                    yield self._compare(left, "==", choice)
                    yield from [Check("or")] if number else []
            case Comparison(operator=operator, left=left, right=right):
                yield self._comparison(operator, left, right)

    def _comparison(self, operator: str, left: Operand, right: Operand) -> Check:
        if isinstance(left, Variable):
            if isinstance(right, Variable):
                return Check(operator, self._field(left), 0, self._field(right))
            return self._compare(left, operator, right)
        assert isinstance(right, Variable)  # resolve refused two constants
        return self._compare(right, _MIRRORED[operator], left)

    def _field(self, variable: Variable) -> str:
        """The kernel's name for a field; `never` follows from one that it does not have, and `target` refuses it."""
        return _FIELDS.get((variable.subject, variable.field), "")

    def _compare(self, variable: Variable, operator: str, constant: Value) -> Check:
        field, value = self._field(variable), constant.value
        if not field:
            return _NEVER
        if field == "mode" or field == "origin":
            number = self._modes.get(str(value)) if field == "mode" else _origin(str(value))
            return Check(operator, field, number) if number is not None else _unequal(operator, field)
        exact = Fraction(int(value) if isinstance(value, bool) else value)
        if variable.field == "duration":
            exact = exact * self._bytes_per_second / SECOND_NS
        return _integral(operator, field, exact)


def _origin(text: str) -> int | None:
    return ORIGINS.index(text) if text in ORIGINS else None


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
