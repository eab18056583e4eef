"""The overflow order of a flow: `[block(40ms), drop_oldest]`, `coalesce(latest_partial)`, `sample(25%)`."""

from __future__ import annotations

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import both, remove
from rspp_compiler.ir import ast
from rspp_compiler.ir.bound import Overflow, Valued
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.origin import Origin
from rspp_compiler.sema.language.catalog import STRATEGIES
from rspp_compiler.sema.language.profile import ProfileTable
from rspp_compiler.sema.language.tables import BLOCK, COALESCE, SAMPLE
from rspp_compiler.sema.reading.values import describe, listed, read, suggest, written
from rspp_compiler.source import Span

# These always make room: nothing behind them can ever happen.
_MAKES_ROOM = ("drop_oldest", "drop_newest", "latest_only", "sample")


def steps(valued: Valued) -> tuple[Overflow, ...]:
    """The steps of the field `overflow`."""
    return tuple(step for step in valued.value if isinstance(step, Overflow)) if isinstance(valued.value, tuple) else ()


def read_overflow(setting: ast.Setting, is_text: bool, profile: ProfileTable, ctx: Context) -> Valued | None:
    """The order as written; None when it was no good, which has then been reported.

    A `coalesce` at the end joins where it can; where it cannot, the oldest goes.
    """
    reader = _Reader(setting, is_text, profile, ctx)
    value = setting.value
    parts = value.items if isinstance(value, ast.List) else (value,) if value else ()
    if not parts:
        help, fix = f"there is {listed(STRATEGIES)}", Fix(setting.span, f"{setting.key.text} = drop_oldest")
        ctx.sink.add("E0305", "`overflow` takes a strategy, or a list of them", setting.span, help=help, fix=fix)
        return None
    read = [reader.step(part, alone=len(parts) == 1) for part in parts]
    order = [step for step in read if step is not None]
    if len(order) < len(read) or value is None:
        return None
    spans = [part.span for part in parts]
    kept = reader.possible(order, spans)
    if kept[-1].strategy == "coalesce":
        kept.append(Overflow("drop_oldest"))
    return Valued(tuple(kept), Origin.user(value.span))


class _Reader:
    def __init__(self, setting: ast.Setting, is_text: bool, profile: ProfileTable, ctx: Context) -> None:
        self._setting = setting
        self._is_text = is_text
        self._profile = profile
        self._ctx = ctx

    def possible(self, order: list[Overflow], spans: list[Span]) -> list[Overflow]:
        """The steps that can happen; the first that cannot is reported (E0311)."""
        seen: dict[str, Span] = {}
        for at, step in enumerate(order):
            before = order[at - 1] if at else None
            if before and before.strategy in _MAKES_ROOM:
                message = f"`{step.strategy}` can never happen: `{before.strategy}` before it always makes room"
                self._never(step, message, spans[at - 1], spans[at])
                return order[:at]
            if step.strategy in seen:
                self._contradiction(
                    f"`{step.strategy}` stands in this order twice", spans[at], "once is enough", seen[step.strategy]
                )
                return order[:at]
            seen[step.strategy] = spans[at]
        return order

    def _never(self, step: Overflow, message: str, before: Span, at: Span) -> None:
        """A step behind one that always makes room: waiting can still come first, for the rest there is no place."""
        if step.strategy != "block":
            self._contradiction(message, at, "remove it", before)
            return
        fix = both(Fix(before, written(at, self._ctx)), Fix(at, written(before, self._ctx)))
        secondary, help = [(before, "this comes first")], "put `block(…)` first"
        self._ctx.sink.add("E0311", message, at, secondary=secondary, help=help, fix=fix)

    def _contradiction(self, message: str, at: Span, help: str, first: Span) -> None:
        fix = remove(self._ctx.source(at), at)
        self._ctx.sink.add("E0311", message, at, secondary=[(first, "this comes first")], help=help, fix=fix)

    def step(self, part: ast.Value, *, alone: bool) -> Overflow | None:
        """One step, such as `block(40ms)`."""
        name = part.name if isinstance(part, ast.Call) else part.parts[0] if isinstance(part, ast.Ref) else None
        if name is None:
            self._no_name(part, alone=alone)
            return None
        args = part.args if isinstance(part, ast.Call) else None
        match name.text:
            case "block":
                return self._block(part, args)
            case "coalesce":
                return self._coalesce(part, args)
            case "sample":
                return self._sample(part, args)
            case _ if name.text not in STRATEGIES:
                self._unknown(name, part, alone=alone)
                return None
            case _ if args is not None:
                message, help = f"`{name.text}` takes nothing in brackets", f"write `{name.text}`"
                self._ctx.sink.add("E0305", message, part.span, help=help, fix=Fix(part.span, name.text))
                return None
            case _:
                return Overflow(name.text)

    def _gone(self, part: ast.Value, *, alone: bool) -> Fix:
        """A fix that removes a step; with the last of them, the setting."""
        span = self._setting.span if alone else part.span
        return remove(self._ctx.source(span), span)

    def _no_name(self, part: ast.Value, *, alone: bool) -> None:
        message, help = f"a strategy is a name, not {describe(part)}", f"there is {listed(STRATEGIES)}"
        meant = part.text if isinstance(part, ast.Text) and part.text in STRATEGIES else ""
        fix = Fix(part.span, meant) if meant else self._gone(part, alone=alone)
        self._ctx.sink.add("E0305", message, part.span, help=help, fix=fix)

    def _unknown(self, name: ast.Name, part: ast.Value, *, alone: bool) -> None:
        nearest = suggest(name.text, STRATEGIES)
        help = f"did you mean `{nearest}`?" if nearest else f"there is {listed(STRATEGIES)}"
        fix = Fix(name.span, nearest) if nearest else self._gone(part, alone=alone)
        self._ctx.sink.add("E0307", f"no overflow strategy `{name.text}`", name.span, help=help, fix=fix)

    def _block(self, part: ast.Value, args: tuple[ast.Value, ...] | None) -> Overflow | None:
        fix = Fix(part.span, "block(40ms)")
        if args is None:
            message = "`block` needs a bound: no wait is without a deadline"
            self._ctx.sink.add("E0305", message, part.span, help="write `block(40ms)`", fix=fix)
        elif len(args) != 1:
            message, help = "`block` takes one duration", "write `block(40ms)`"
            self._ctx.sink.add("E0305", message, part.span, help=help, fix=fix)
        elif isinstance(wait := read(BLOCK, args[0], args[0].span, self._ctx), int):
            return Overflow("block", wait)
        return None

    def _coalesce(self, part: ast.Value, args: tuple[ast.Value, ...] | None) -> Overflow | None:
        """`coalesce(concat)`; alone, it keeps the latest partial of a text and joins everything else."""
        if not args:
            return Overflow("coalesce", rule="latest_partial" if self._is_text else "concat")
        rule = read(COALESCE, args[0], args[0].span, self._ctx)
        if len(args) > 1:
            message, help = "`coalesce` takes one rule", f"there is {listed(COALESCE.choices)}"
            fix = Fix(part.span, "coalesce(concat)")
            self._ctx.sink.add("E0305", message, part.span, help=help, fix=fix)
            return None
        if rule == "latest_partial" and not self._is_text:
            message, help = "only texts have partials: `latest_partial` has nothing to keep", "join them with `concat`"
            self._ctx.sink.add("E0311", message, part.span, help=help, fix=Fix(args[0].span, "concat"))
            return None
        return Overflow("coalesce", rule=str(rule)) if rule else None

    def _sample(self, part: ast.Value, args: tuple[ast.Value, ...] | None) -> Overflow | None:
        """`sample(25%)`; alone, as much as the profile says."""
        if not args:
            return Overflow("sample", keep_percent=self._profile.get("overflow.sample").number)
        if len(args) > 1:
            message, help = "`sample` takes one percentage", "write `sample(25%)`"
            self._ctx.sink.add("E0305", message, part.span, help=help, fix=Fix(part.span, "sample(25%)"))
            return None
        keep = read(SAMPLE, args[0], args[0].span, self._ctx)
        return Overflow("sample", keep_percent=keep) if isinstance(keep, int) else None
