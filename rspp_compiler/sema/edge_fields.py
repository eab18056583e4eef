"""The settings of a flow: `{ buffer = [64 items, 200ms], overflow = drop_oldest, handoff = {…}, commit_point }`."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from rspp_compiler.diagnostics import Fix, Sink
from rspp_compiler.ir import ast
from rspp_compiler.ir.bound import Overflow, Valued
from rspp_compiler.ir.origin import Origin
from rspp_compiler.sema.catalog import EDGE_KEYS, EDGE_LATER, STRATEGIES, STRATEGIES_LATER, Setting
from rspp_compiler.sema.fields import distinct, read_fields, unknown_key
from rspp_compiler.sema.unsupported import not_yet
from rspp_compiler.sema.values import COUNTS, DURATIONS, SIZES, describe, listed, read, suggest

_LATENCY = Setting("latency", "duration", 1_000, 60_000_000_000)
_BLOCK = Setting("block", "duration")
_HANDOFF = (Setting("by", "symbol", choices=("sentence",)), Setting("max_age", "duration"))


def read_edge(settings: Iterable[ast.Setting], sink: Sink) -> tuple[dict[str, Valued], dict[str, Valued] | None]:
    """What the user wrote on one arrow: its fields, and those of the hand-off if there is one."""
    fields: dict[str, Valued] = {}
    handoff: dict[str, Valued] | None = None
    for key, setting in distinct(settings, sink).items():
        if key not in EDGE_KEYS:
            unknown_key(setting, "a flow", EDGE_KEYS, EDGE_LATER, sink)
        elif key == "buffer":
            fields |= _buffer(setting, sink)
        elif key == "overflow":
            fields |= _overflow(setting, sink)
        elif key == "handoff":
            handoff = _handoff(setting, sink)
        elif key == "latency":
            fields |= read_fields([setting], [_LATENCY], "a flow", (), sink)
        else:
            flag = read(Setting("commit_point", "flag"), setting.value, setting.key.span, sink)
            if flag is not None:
                fields["commit_point"] = Valued(flag, Origin.user(setting.span))
    return fields, handoff


def _buffer(setting: ast.Setting, sink: Sink) -> dict[str, Valued]:
    """`[64 items, 200ms, 128kB]`: the first bound that is reached holds."""
    value = setting.value
    bounds = value.items if isinstance(value, ast.List) else (value,) if value else ()
    fields: dict[str, Valued] = {}
    help = "write `buffer = [64 items, 200ms, 128kB]`: items, age and size, in any order"
    if not bounds:
        sink.add("E0305", "`buffer` takes a list of bounds", setting.span, help=help)
    for bound in bounds:
        if isinstance(bound, ast.Number):
            message = f"`{bound.number}` has no unit"
            fix = Fix(bound.span, f"{bound.number} items")
            sink.add("E0303", message, bound.span, help=f"did you mean `{bound.number} items`?", fix=fix)
            continue
        if not isinstance(bound, ast.Quantity):
            sink.add("E0305", f"a bound of a buffer is a quantity, not {describe(bound)}", bound.span, help=help)
            continue
        for name, type, units in (
            ("buffer_items", "count", {"items": 1}),
            ("buffer_ns", "duration", DURATIONS),
            ("buffer_bytes", "bytes", SIZES),
        ):
            if bound.unit not in units:
                continue
            if name in fields:
                sink.add("E0302", f"`buffer` bounds the same thing twice: {describe(bound)}", bound.span)
                break
            number = ast.Number(bound.number, bound.span) if type == "count" else bound
            size = read(Setting("buffer", "count" if type == "count" else type), number, bound.span, sink)  # type: ignore[arg-type]
            if size is not None:
                fields[name] = Valued(size, Origin.user(bound.span))
            break
        else:
            what = "is not a bound of a buffer" if bound.unit in COUNTS else "is not a unit that bounds a buffer"
            nearest = suggest(bound.unit, ("items", *DURATIONS, *SIZES))
            hint = f"did you mean `{bound.number} {nearest}`?" if nearest == "items" else help
            sink.add("E0304", f"{describe(bound)} {what}", bound.span, help=hint)
    return fields


def _overflow(setting: ast.Setting, sink: Sink) -> dict[str, Valued]:
    """`drop_oldest`, or an order such as `[block(40ms), latest_only]`."""
    value = setting.value
    written = value.items if isinstance(value, ast.List) else (value,) if value else ()
    steps = [step for part in written if (step := _step(part, sink))]
    if not written:
        help = f"there is {listed(STRATEGIES)}"
        sink.add("E0305", "`overflow` takes a strategy, or a list of them", setting.span, help=help)
    for step, following in itertools.pairwise(steps):
        if step.strategy != "block":
            message = f"`{following.strategy}` can never happen: `{step.strategy}` before it always makes room"
            sink.add("E0311", message, value.span if value else setting.span, help="put `block(…)` first")
            break
    if len(steps) != len(written) or not steps or value is None:
        return {}
    return {"overflow": Valued(tuple(steps), Origin.user(value.span))}


def _step(part: ast.Value, sink: Sink) -> Overflow | None:
    if isinstance(part, ast.Call) and part.name.text == "block":
        wait = read(_BLOCK, part.args[0], part.span, sink) if len(part.args) == 1 else None
        if len(part.args) != 1:
            sink.add("E0305", "`block` takes one duration", part.span, help="write `block(40ms)`")
        return Overflow("block", wait) if isinstance(wait, int) else None
    name = part.name if isinstance(part, ast.Call) else part.parts[0] if isinstance(part, ast.Ref) else None
    if name is None:
        sink.add(
            "E0305", f"a strategy is a name, not {describe(part)}", part.span, help=f"there is {listed(STRATEGIES)}"
        )
        return None
    if name.text == "block":
        message, help = "`block` needs a bound: no wait is without a deadline", "write `block(40ms)`"
        sink.add("E0305", message, part.span, help=help, fix=Fix(part.span, "block(40ms)"))
        return None
    if name.text in STRATEGIES:
        return Overflow(name.text)
    if name.text in STRATEGIES_LATER:
        not_yet("E0906", f"the strategy `{name.text}`", part.span, sink)
        return None
    nearest = suggest(name.text, STRATEGIES)
    help = f"did you mean `{nearest}`?" if nearest else f"there is {listed(STRATEGIES)}"
    fix = Fix(name.span, nearest) if nearest else None
    sink.add("E0307", f"no overflow strategy `{name.text}`", name.span, help=help, fix=fix)
    return None


def _handoff(setting: ast.Setting, sink: Sink) -> dict[str, Valued] | None:
    if not isinstance(setting.value, ast.Settings):
        help = "write `handoff = { by = sentence, max_age = 150ms }`"
        sink.add("E0305", "`handoff` takes a block", setting.value.span if setting.value else setting.span, help=help)
        return None
    later = ("min_chars", "max_revisions", "max_segments", "punctuation")
    return read_fields(setting.value.items, _HANDOFF, "a hand-off", later, sink)
