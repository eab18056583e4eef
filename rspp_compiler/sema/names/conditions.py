"""Conditions, from names to typed variables: what a guard may read, and that both sides of a comparison fit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from rspp_compiler.diagnostics import Fix
from rspp_compiler.ir import ast
from rspp_compiler.ir import condition as ir
from rspp_compiler.ir.context import Context
from rspp_compiler.sema.language.events import SESSION_FIELDS, TURN_FIELDS, Fields
from rspp_compiler.sema.mending import without_clause
from rspp_compiler.sema.reading.values import COUNTS, DURATIONS, listed, suggest
from rspp_compiler.source import Span

_KINDS = {"text": "a text", "number": "a number", "duration": "a duration", "flag": "a flag", "mode": "a mode"}
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DURATION = re.compile(rf"[0-9]+(\.[0-9]+)?({'|'.join(DURATIONS)})")
_EXAMPLES = {"text": '"…"', "number": "1", "duration": "300ms", "mode": "a mode of this pipeline"}


class Conditions:
    """Binds conditions. `modes` are the names that `session.mode` can have besides `full`."""

    def __init__(self, ctx: Context, modes: Iterable[str]) -> None:
        self._ctx = ctx
        self._modes = ("full", *modes)

    def guard(self, guard: ast.Guard, event: Fields | None, of: str) -> ir.Condition | None:
        """The condition of `when …`. `event` are the fields that `event.` has there, None where there is no event.

        None when it was no good, which has then been reported.
        """
        assert guard.condition is not None
        return self.bind(guard.condition, event, of, guard.span)

    def bind(self, condition: ast.Condition, event: Fields | None, of: str, whole: Span) -> ir.Condition | None:
        return _Binder(self._ctx, self._modes, event, of, whole).condition(condition)


class _Binder:
    """Binds one condition. `of` says what it qualifies, `whole` is what goes if it is no good."""

    def __init__(self, ctx: Context, modes: tuple[str, ...], event: Fields | None, of: str, whole: Span) -> None:
        self._ctx, self._sink, self._modes = ctx, ctx.sink, modes
        self._event, self._of, self._whole = event, of, whole

    def condition(self, written: ast.Condition) -> ir.Condition | None:
        match written:
            case ast.Or() | ast.And():
                left, right = self.condition(written.left), self.condition(written.right)
                op: Literal["and", "or"] = "or" if isinstance(written, ast.Or) else "and"
                return ir.Junction(op=op, left=left, right=right) if left and right else None
            case ast.Not():
                operand = self.condition(written.operand)
                return ir.Negation(operand=operand) if operand else None
            case ast.Compare():
                return self._compare(written)
            case ast.Member():
                return self._member(written)
            case _:
                return self._truth(written)

    # ---- tests

    def _compare(self, written: ast.Compare) -> ir.Condition | None:
        left, right = written.left, written.right
        variables = [self._variable(side) if _is_variable(side) else None for side in (left, right)]
        if any(_is_variable(side) and not found for side, found in zip((left, right), variables, strict=True)):
            return None
        known = variables[0] or variables[1]
        if known is None:
            if self._is_bare(left) or self._is_bare(right):
                return None
            self._sink.add(
                "E0223",
                "both sides are constants: the condition never changes",
                written.span,
                help="compare a field, such as `event.confidence`, or remove the condition",
                fix=self._cut(),
            )
            return None
        if written.operator not in ("==", "!=") and known.type not in ("number", "duration"):
            fix = _around(self._ctx, written, "==")
            message = f"{_KINDS[known.type]} has no order: `{ir.show(known)}` is not less or more than anything"
            self._sink.add("E0224", message, written.span, help="compare it with `==` or `!=`", fix=fix)
            return None
        sides = [found or self._constant(side, known) for side, found in zip((left, right), variables, strict=True)]
        if sides[0] is None or sides[1] is None:
            return None
        if isinstance(sides[0], ir.Variable) and isinstance(sides[1], ir.Variable) and sides[0].type != sides[1].type:
            self._sink.add(
                "E0223",
                f"`{ir.show(sides[0])}` is {_KINDS[sides[0].type]}, and `{ir.show(sides[1])}` {_KINDS[sides[1].type]}",
                written.span,
                help="compare things of one type, or remove the condition",
                fix=self._cut(),
            )
            return None
        return ir.Comparison.model_validate({"operator": written.operator, "left": sides[0], "right": sides[1]})

    def _is_bare(self, side: ast.Value) -> bool:
        """Whether one side is a field without what it belongs to: `digit` for `event.digit`. Reported."""
        if not isinstance(side, ast.Ref):
            return False
        tables = (("event", self._event or {}), ("session", SESSION_FIELDS), ("turn", TURN_FIELDS))
        subject = next((of for of, fields in tables if side.text in fields), "")
        if not subject:
            return False
        help, fix = f"did you mean `{subject}.{side.text}`?", Fix(side.span, f"{subject}.{side.text}")
        message = f"`{side.text}` alone is a constant: the condition never changes"
        self._sink.add("E0223", message, side.span, help=help, fix=fix)
        return True

    def _member(self, written: ast.Member) -> ir.Condition | None:
        if not _is_variable(written.left):
            if self._is_bare(written.left):
                return None
            message, help = "`in` asks for a field on its left", 'write `event.digit in ["1", "2"]`'
            self._sink.add("E0223", message, written.left.span, help=help, fix=self._cut())
            return None
        variable = self._variable(written.left)
        if variable is None:
            return None
        choices = [self._constant(choice, variable) for choice in written.choices.items]
        if not choices:
            message, help = "nothing is in an empty list: the condition is always false", "name what it may be"
            self._sink.add("E0223", message, written.choices.span, help=help, fix=self._cut())
        kept = [choice for choice in choices if choice is not None]
        return ir.Membership(left=variable, choices=tuple(kept)) if kept and len(kept) == len(choices) else None

    def _truth(self, written: ast.Operand) -> ir.Condition | None:
        variable = self._variable(written) if _is_variable(written) else None
        if variable is not None and variable.type == "flag":
            return ir.Truth(variable=variable)
        if variable is not None:
            example = _EXAMPLES[variable.type]
            message = f"`{ir.show(variable)}` is {_KINDS[variable.type]}, not a condition"
            help = f"compare it: `{ir.show(variable)} == {example}`, or remove the condition"
            self._sink.add("E0223", message, written.span, help=help, fix=self._cut())
        elif not _is_variable(written) and not self._is_bare(written):
            message, help = "a constant is not a condition", "compare a field, such as `event.confidence >= 0.6`"
            self._sink.add("E0223", message, written.span, help=help, fix=self._cut())
        return None

    # ---- operands

    def _variable(self, written: ast.Operand) -> ir.Variable | None:
        assert isinstance(written, ast.Ref)
        subject, *rest = (part.text for part in written.parts)
        tables = {"session": SESSION_FIELDS, "turn": TURN_FIELDS} | ({"event": self._event} if self._event else {})
        fields = tables.get(subject)
        name = ".".join(rest)
        if fields is not None and name in fields:
            return ir.Variable(subject=subject, field=name, type=fields[name])
        known = [f"{of}.{field}" for of, table in tables.items() for field in table]
        nearest = suggest(written.text, known) or suggest(name, fields or ())
        nearest = f"{subject}.{nearest}" if nearest and "." not in nearest else nearest
        if subject == "event" and self._event is None:
            message = f"{self._of} is decided when the plan freezes: there is no event yet"
        else:
            message = f"{self._of} has no field `{written.text}`"
        shown = fields or tables.get("event") or SESSION_FIELDS
        prefix = subject if fields else "event" if "event" in tables else "session"
        self._sink.add(
            "E0222",
            message,
            written.span,
            notes=(f"it may read {listed(f'{prefix}.{field}' for field in shown)}",),
            help=f"did you mean `{nearest}`?" if nearest else "read one of these, or remove the condition",
            fix=Fix(written.span, nearest) if nearest else self._cut(),
        )
        return None

    def _constant(self, written: ast.Value, beside: ir.Variable) -> ir.Value | None:
        """A constant of the type of the variable that it is compared with."""
        match written, beside.type:
            case ast.Text(text=text), "text":
                return ir.Value(value=text, shown=json.dumps(text, ensure_ascii=False))
            case ast.Number(number=number), "number":
                exact = Decimal(number)
                whole = exact == exact.to_integral_value()
                return ir.Value(value=int(exact) if whole else float(exact), shown=number)
            case ast.Quantity(number=number, unit=unit), "number" if unit in COUNTS:
                return ir.Value(value=int(number), shown=number)
            case ast.Quantity(number=number, unit=unit), "duration" if unit in DURATIONS:
                return ir.Value(value=int(Decimal(number) * DURATIONS[unit]), shown=f"{number}{unit}")
            case ast.Ref(parts=(word,)), "flag" if word.text in ("true", "false"):
                return ir.Value(value=word.text == "true", shown=word.text)
            case ast.Ref(parts=(word,)), "mode":
                return self._mode(word)
        name = ir.show(beside)
        meant = _meant(written, beside.type)
        if meant:
            help = f"texts stand in quotes: `{meant}`" if beside.type == "text" else f"did you mean `{meant}`?"
        else:
            help = f"compare it with {_EXAMPLES.get(beside.type, '`true` or `false`')}, or remove the condition"
        message = f"`{name}` is {_KINDS[beside.type]}, and it is compared with something else"
        self._sink.add(
            "E0223", message, written.span, help=help, fix=Fix(written.span, meant) if meant else self._cut()
        )
        return None

    def _mode(self, name: ast.Name) -> ir.Value | None:
        if name.text in self._modes:
            return ir.Value(value=name.text, shown=name.text)
        nearest = suggest(name.text, self._modes)
        help = f"did you mean `{nearest}`?" if nearest else f"there is {listed(self._modes)}"
        fix = Fix(name.span, nearest or self._modes[-1])
        self._sink.add("E0207", f"no mode `{name.text}`", name.span, help=help, fix=fix)
        return None

    def _cut(self) -> Fix:
        """The guard goes."""
        return without_clause(self._whole, self._ctx)


def _meant(written: ast.Value, type: str) -> str:
    """The constant as a value of that type, where only quotes or a unit are too many or too few; "" otherwise."""
    match written, type:
        case ast.Ref(text=word), "text":
            return f'"{word}"'
        case ast.Number(number=number), "text":
            return f'"{number}"'
        case ast.Number(number=number), "duration":
            return f"{number}ms"
        case ast.Text(text=text), "number" if _NUMBER.fullmatch(text):
            return text
        case ast.Text(text=text), "duration" if _DURATION.fullmatch(text):
            return text
        case ast.Text(text="true" | "false" as word), "flag":
            return word
    return ""


def _is_variable(written: ast.Value) -> bool:
    return isinstance(written, ast.Ref) and len(written.parts) > 1


def _around(ctx: Context, written: ast.Compare, operator: str) -> Fix:
    """Another operator between the same two sides."""
    source = ctx.source(written.span)
    start = source.offset(written.left.span.end_line, written.left.span.end_column)
    end = source.offset(written.right.span.line, written.right.span.column)
    return Fix(source.span(start, end), f" {operator} ")
