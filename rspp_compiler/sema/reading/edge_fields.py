"""The settings of a flow: `{ buffer = [64 items, 200ms], overflow = drop_oldest, handoff = {…}, commit_point }`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.ir import ast
from rspp_compiler.ir.bound import Valued
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.origin import Origin
from rspp_compiler.sema.language.catalog import Setting
from rspp_compiler.sema.language.events import SESSION_FIELDS
from rspp_compiler.sema.language.profile import ProfileTable
from rspp_compiler.sema.language.tables import BUFFER, EDGE, HANDOFF, LANES, NS_MAX, SYNC, WATERMARK
from rspp_compiler.sema.language.units import COUNTS, DURATIONS, SIZES
from rspp_compiler.sema.reading.fields import block_of, latest, read_block, read_one, unknown_key
from rspp_compiler.sema.reading.overflow import read_overflow
from rspp_compiler.sema.reading.values import describe, read, suggest

Values = dict[str, Valued]
_HANDOFF_FIELDS = {"by": "by", "max_age_ns": "age_ns_max", "min_chars": "chars_min"}
_BUFFER_HELP = "write `buffer = [64 items, 200ms, 128kB]`: items, age and size, in any order"
_FAIRNESS = tuple(f"session.{name}" for name in SESSION_FIELDS if name != "mode")  # whose, not in which state


@dataclass(slots=True)
class EdgeSettings:
    """What the user wrote on the arrows of one flow; blocks are None where there is none."""

    fields: Values = field(default_factory=dict)
    handoff: Values | None = None
    watermark: Values | None = None
    lanes: Values | None = None
    sync: Values | None = None


def read_edge(settings: Iterable[ast.Setting], is_text: bool, profile: ProfileTable, ctx: Context) -> EdgeSettings:
    """Reads what stands on one flow. `is_text`: it carries text."""
    found = EdgeSettings()
    for key, setting in latest(settings).items():
        match key:
            case "buffer":
                found.fields |= _buffer(setting, ctx)
            case "overflow":
                if order := read_overflow(setting, is_text, profile, ctx):
                    found.fields["overflow"] = order
            case "handoff":
                found.handoff = {_HANDOFF_FIELDS[name]: one for name, one in read_block(setting, HANDOFF, ctx).items()}
            case "watermark":
                found.watermark = _watermark(setting, ctx)
            case "lanes":
                found.lanes = read_block(setting, LANES, ctx)
            case "sync":
                found.sync = read_block(setting, SYNC, ctx)
            case "fairness":
                found.fields |= _fairness(setting, ctx)
            case _ if (known := EDGE.by_name.get(key)) is not None:
                if value := read_one(known, setting, ctx):
                    found.fields[known.field] = value
            case _:
                unknown_key(setting, EDGE.of, EDGE.names, ctx)
    return found


def _buffer(setting: ast.Setting, ctx: Context) -> Values:
    """`[64 items, 200ms, 128kB]`: the first bound that is reached holds."""
    value = setting.value
    bounds = value.items if isinstance(value, ast.List) else (value,) if value else ()
    fields: Values = {}
    if not bounds:
        fix = Fix(setting.span, f"{setting.key.text} = 64 items")
        ctx.sink.add("E0305", "`buffer` takes a list of bounds", setting.span, help=_BUFFER_HELP, fix=fix)
    for bound in bounds:
        gone = bound.span if isinstance(value, ast.List) and len(bounds) > 1 else setting.span
        fix = remove(ctx.source(gone), gone)
        if isinstance(bound, ast.Number):
            meant = _items(bound.number)
            message, help = f"`{bound.number}` has no unit", f"did you mean `{meant}`?"
            ctx.sink.add("E0303", message, bound.span, help=help, fix=Fix(bound.span, meant))
            continue
        if not isinstance(bound, ast.Quantity):
            message = f"a bound of a buffer is a quantity, not {describe(bound)}"
            ctx.sink.add("E0305", message, bound.span, help=_BUFFER_HELP, fix=fix)
            continue
        name = _measure(bound.unit)
        if not name:
            _not_a_bound(bound, fix, ctx)
        elif name in fields:
            message, help = f"`buffer` bounds the same thing twice: {describe(bound)}", "keep the smaller bound"
            secondary = [(fields[name].origin.span, "already bounded here")]
            ctx.sink.add("E0302", message, bound.span, secondary=secondary, help=help, fix=fix)
        else:
            size = read(BUFFER[name], bound, gone, ctx)
            if size is not None:
                fields[name] = Valued(size, Origin.user(bound.span))
    return fields


def _items(number: str) -> str:
    """A bare number as a whole number of items."""
    return f"{math.ceil(float(number))} items"


def _measure(unit: str) -> str:
    if unit in DURATIONS:
        return "buffer_ns"
    return "buffer_bytes" if unit in SIZES else "buffer_items" if unit == "items" else ""


def _not_a_bound(bound: ast.Quantity, fix: Fix, ctx: Context) -> None:
    what = "is not a bound of a buffer" if bound.unit in COUNTS else "is not a unit that bounds a buffer"
    nearest = suggest(bound.unit, ("items", *DURATIONS, *SIZES))
    meant = f"{bound.number}{' ' if nearest == 'items' else ''}{nearest}" if nearest else ""
    help = f"did you mean `{meant}`?" if meant else _BUFFER_HELP
    fix = Fix(bound.span, meant) if meant else fix
    ctx.sink.add("E0304", f"{describe(bound)} {what}", bound.span, help=help, fix=fix)


def _watermark(setting: ast.Setting, ctx: Context) -> Values | None:
    """`{ high = 48 items, low = 16 items }`, in items, in time, or in both: `high = [48 items, 300ms]`."""
    block = block_of(setting, WATERMARK, ctx)
    if block is None:
        return None
    fields: Values = {}
    for key, mark in latest(block).items():
        if key not in WATERMARK.by_name:
            unknown_key(mark, WATERMARK.of, WATERMARK.names, ctx)
            continue
        parts = mark.value.items if isinstance(mark.value, ast.List) else (mark.value,)
        for part in parts:
            in_time = isinstance(part, ast.Quantity) and part.unit in DURATIONS
            table = Setting(key, "duration", 1_000, NS_MAX) if in_time else WATERMARK.by_name[key]
            if isinstance(part, ast.Number):
                meant = _items(part.number)
                message, help = f"`{key} = {part.number}` has no unit", f"did you mean `{meant}`?"
                ctx.sink.add("E0303", message, part.span, help=help, fix=Fix(part.span, meant))
                continue
            value = read(table, part, mark.span, ctx)
            if value is not None and part is not None:
                fields[f"{key}_ns" if in_time else f"{key}_items"] = Valued(value, Origin.user(part.span))
    return fields


def _fairness(setting: ast.Setting, ctx: Context) -> Values:
    """`session.tenant`: those that share its value share what flows."""
    value = setting.value
    if isinstance(value, ast.Ref) and value.text in _FAIRNESS:
        return {"fairness": Valued(value.text, Origin.user(value.span))}
    near = suggest(value.text, _FAIRNESS) if isinstance(value, ast.Ref | ast.Text) else ""
    meant = near or "session.tenant"
    help = f"did you mean `{near}`?" if near else f"write `fairness = {meant}`"
    at, code = (value.span, "E0312" if isinstance(value, ast.Ref) else "E0305") if value else (setting.span, "E0305")
    message = "`fairness` names a variable of the session"
    fix = Fix(at, meant if value else f"fairness = {meant}")
    ctx.sink.add(code, message, at, notes=(f"there is {', '.join(_FAIRNESS)}",), help=help, fix=fix)
    return {}
