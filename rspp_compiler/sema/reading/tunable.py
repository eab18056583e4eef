"""`tunable = [voice, rate(100, 140)]`: what a tenant or a session may change of a node, and within which bounds."""

from __future__ import annotations

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.ir import ast
from rspp_compiler.ir.context import Context
from rspp_compiler.sema.language.catalog import Setting, Table
from rspp_compiler.sema.language.tables import tunable_table
from rspp_compiler.sema.language.units import UNITS
from rspp_compiler.sema.reading.values import describe, example, listed, read, show, suggest
from rspp_compiler.source import Span

Tunable = tuple[str, float | None, float | None, Span]
_NUMBERS = (*UNITS, "count", "number")


def read_tunable(written: ast.Setting, kind: str, ctx: Context) -> tuple[Tunable, ...]:
    """Each setting that may be changed, with its least and greatest value in base units (None: no number)."""
    value = written.value
    parts = value.items if isinstance(value, ast.List) else (value,) if value else ()
    table = tunable_table(kind)
    if not parts:
        help, fix = f"write `tunable = [{_some(table)}]`", remove(ctx.source(written.span), written.span)
        ctx.sink.add("E0305", "`tunable` takes a list of settings", written.span, help=help, fix=fix)
    found: dict[str, Tunable] = {}
    for part in parts:
        gone = part.span if len(parts) > 1 else written.span
        tunable = _one(part, table, gone, ctx)
        if tunable and tunable[0] in found:
            message, fix = f"{describe(part)} is tunable twice", remove(ctx.source(gone), gone)
            secondary, help = [(found[tunable[0]][3], "the first")], "keep one of them"
            ctx.sink.add("E0302", message, part.span, secondary=secondary, help=help, fix=fix)
        elif tunable:
            found[tunable[0]] = tunable
    return tuple(found.values())


def _some(table: Table) -> str:
    return next(iter(table.by_name), "…")


def _one(part: ast.Value, table: Table, gone: Span, ctx: Context) -> Tunable | None:
    name = part.name if isinstance(part, ast.Call) else part.parts[0] if isinstance(part, ast.Ref) else None
    removal = remove(ctx.source(gone), gone)
    if name is None or (isinstance(part, ast.Ref) and len(part.parts) > 1):
        message, help = f"a tunable setting is named, not {describe(part)}", "write `tunable = [voice, rate(100, 140)]`"
        ctx.sink.add("E0305", message, part.span, help=help, fix=removal)
        return None
    setting = table.by_name.get(name.text)
    if setting is None:
        nearest = suggest(name.text, table.names)
        help = f"did you mean `{nearest}`?" if nearest else "remove it: only what no proof rests on can be tunable"
        fix = Fix(name.span, nearest) if nearest else removal
        notes = (f"{table.of} has {listed(table.names)}",)
        message = f"{table.of} has no `{name.text}` that can be tuned"
        ctx.sink.add("E0301", message, name.span, notes=notes, help=help, fix=fix)
        return None
    is_number = setting.type in _NUMBERS
    if not isinstance(part, ast.Call):
        return (setting.field, *((setting.min, setting.max) if is_number else (None, None)), part.span)
    if not is_number or len(part.args) != 2:
        low, high = (
            show(setting, bound) if bound is not None else example(setting) for bound in (setting.min, setting.max)
        )
        meant = f"{name.text}({low}, {high})" if is_number else name.text
        what = "takes two bounds, the least and the greatest value" if is_number else "is no number: it has no bounds"
        ctx.sink.add("E0305", f"`{name.text}` {what}", part.span, help=f"write `{meant}`", fix=Fix(part.span, meant))
        return None
    return _bounded(setting, part, ctx)


def _bounded(setting: Setting, part: ast.Call, ctx: Context) -> Tunable | None:
    """`rate(100, 140)`: both bounds within what the setting can be at all, the lower one first."""
    values = [read(setting, arg, arg.span, ctx) for arg in part.args]
    low, high = (value if isinstance(value, int | float) else None for value in values)
    if low is None or high is None:
        return None
    if low > high:
        first, second = (show(setting, value) for value in (high, low))
        meant = f"{setting.name}({first}, {second})"
        message, help = f"the bounds of `{setting.name}` are the wrong way round", f"write `{meant}`"
        ctx.sink.add("E0311", message, part.span, help=help, fix=Fix(part.span, meant))
        return None
    good = True
    for arg, value in zip(part.args, (low, high), strict=True):
        nearest = min(max(value, setting.min or value), setting.max if setting.max is not None else value)
        if nearest != value:
            message = f"`{setting.name}` can never be {show(setting, value)}"
            label = f"it lies between {show(setting, setting.min or 0)} and {show(setting, setting.max or value)}"
            fix = Fix(arg.span, show(setting, nearest))
            ctx.sink.add("E0306", message, arg.span, label=label, help=f"write `{fix.replacement}`", fix=fix)
            good = False
    return (setting.field, low, high, part.span) if good else None
