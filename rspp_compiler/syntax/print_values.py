"""Values, conditions, settings and signatures to parts of a document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rspp_compiler.ir import ast
from rspp_compiler.source import Span
from rspp_compiler.syntax.document import Bracket, Item, Joint, Part, Stop
from rspp_compiler.syntax.written import Looks

# What a line is broken at, first to last: `->`; `when` and `otherwise`; `and` and `or`.
ARROWS, GUARDS, TESTS = 1, 2, 3

_CLOSERS = {"{": "}", "(": ")", "[": "]", "": ""}
_APART = ("pipeline", "module", "policy")  # each stands alone, even beside another of its sort


class Values:
    """What may stand within a line. Every method gives parts, to be put behind others."""

    def __init__(self, looks: Looks) -> None:
        self.looks = looks

    def joint(self, level: int, before: Span, indent: int = 1, stop: Stop | None = None) -> Joint:
        return Joint(level, indent, self.looks.start(before), stop)

    def bracket(self, opener: str, items: list[Item], at: list[Span], end: int, *, is_body: bool = False) -> Bracket:
        """Brackets around items that stand at these spans; `end` is the offset of the closer."""
        before = ""
        for item, span in zip(items, at, strict=True):
            item.start, item.end = self.looks.start(span), self.looks.end(span)
            item.blank_before = self.looks.blank_before(span, item.sort != before or item.sort in _APART)
            before = item.sort
        return Bracket(opener, _CLOSERS[opener], items, end, self.looks.is_spread(at, is_body))

    # ---- values

    def value(self, value: ast.Value) -> list[Part]:
        match value:
            case ast.Text() | ast.Quantity() | ast.Number():
                return [self.looks.literal(value)]
            case ast.Ref():
                return [value.text]
            case ast.Call():
                return self.call(value)
            case ast.List():
                return [self._values("[", value.items, value.span)]
            case ast.Settings():
                return [self.settings(value)]

    def call(self, value: ast.Call) -> list[Part]:
        arguments = self._values("(", value.args, value.span)
        arguments.is_plain = len(value.args) == 1 and not isinstance(value.args[0], ast.List | ast.Settings | ast.Call)
        return [value.name.text, arguments]

    def _values(self, opener: str, values: Sequence[ast.Value], at: Span) -> Bracket:
        items = [Item(self.value(value), sort="value") for value in values]
        return self.bracket(opener, items, [value.span for value in values], self.looks.end(at) - 1)

    def settings(self, settings: ast.Settings) -> Bracket:
        items = [self.setting(setting) for setting in settings.items]
        return self.bracket("{", items, [setting.span for setting in settings.items], self.looks.end(settings.span) - 1)

    def setting(self, setting: ast.Setting) -> Item:
        first, *others = setting.key.refs
        parts: list[Part] = [first.text]
        for ref in others:
            parts += [self.joint(ARROWS, ref.span), f"-> {ref.text}"]
        if setting.value is not None:
            parts += [Stop(0), "= ", *self.value(setting.value)]
        return Item(parts, sort="setting")

    # ---- kinds and signatures

    def kind(self, kind: ast.Ref | ast.Call | None) -> list[Part]:
        """` : kind` without the blank before it; nothing where the name is the kind."""
        return [": ", *self.value(kind)] if kind else []

    def signature(self, signature: ast.Signature | None) -> list[Part]:
        if signature is None:
            return []
        parts: list[Part] = [self._params(signature.inputs, self.looks.closer(signature.span))]
        if signature.outputs:
            parts += [" -> ", self._params(signature.outputs, self.looks.end(signature.span) - 1)]
        return parts

    def _params(self, params: tuple[ast.Param, ...], end: int) -> Bracket:
        items = [Item([param.name.text, Stop(0), *self.kind(param.type)], sort="param") for param in params]
        return self.bracket("(", items, [param.span for param in params], end)

    # ---- conditions

    def guard(self, guard: ast.Guard | None, indent: int = 1, stop: Stop | None = None) -> list[Part]:
        """`when …` or `otherwise`, with the blank before it, where the line may be broken."""
        if guard is None:
            return []
        joint = self.joint(GUARDS, guard.span, indent, stop)
        return [joint, "otherwise"] if guard.condition is None else [joint, *self.when(guard.condition, indent)]

    def when(self, condition: ast.Condition, indent: int = 1) -> list[Part]:
        return ["when ", *self._condition(condition, indent)]

    def _condition(self, condition: ast.Condition, indent: int) -> list[Part]:
        """With the parentheses that it needs, and no others."""
        match condition:
            case ast.Or(left, right):
                return self._both(left, "or", right, (ast.Or,), indent)
            case ast.And(left, right):
                return self._both(left, "and", right, (ast.Or, ast.And), indent)
            case ast.Not(operand):
                return ["not ", *self._grouped(operand, (ast.Or, ast.And), indent)]
            case ast.Compare(left, operator, right):
                return [*self.value(left), f" {operator} ", *self.value(right)]
            case ast.Member(left, choices):
                return [*self.value(left), " in ", *self.value(choices)]
            case _:
                return self.value(condition)

    def _both(
        self, left: ast.Condition, word: str, right: ast.Condition, grouped: tuple[type, ...], indent: int
    ) -> list[Part]:
        """Both sides of `and` or `or`, which bind to the left: the right side is grouped if it is of the same kind."""
        of_left = self._grouped(left, () if word == "or" else (ast.Or,), indent)
        of_right = self._grouped(right, grouped, indent)
        return [*of_left, self.joint(TESTS, right.span, indent), f"{word} ", *of_right]

    def _grouped(self, condition: ast.Condition, grouped: Iterable[type], indent: int) -> list[Part]:
        if not isinstance(condition, tuple(grouped)):
            return self._condition(condition, indent)
        return ["(", *self._condition(condition, indent + 1), ")"]
