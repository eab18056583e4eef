"""Flows of the specification: bounds within their ranges, and settings that fit each other and what flows."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import cache

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.ir import ast, spec
from rspp_compiler.ir.bound import Fields, FilledEdge, FilledReaction, Overflow, Valued
from rspp_compiler.ir.context import Context
from rspp_compiler.sema.language.catalog import Setting, Table
from rspp_compiler.sema.language.tables import BLOCK, BUFFER, EDGE, HANDOFF, NS_MAX, SAMPLE, SYNC, WATERMARK
from rspp_compiler.sema.language.units import show_ns
from rspp_compiler.sema.reading.overflow import steps
from rspp_compiler.sema.reading.ranges import Ranges, origins, values

_HANDOFF_FIELDS = {"max_age_ns": "age_ns_max", "min_chars": "chars_min"}
_LANE_OF = {"block": "block", "drop_oldest": "drop", "drop_newest": "drop", "coalesce": "merge", "sample": "sample"}
_MARKS = {
    **{f"{name}_items": setting for name, setting in WATERMARK.by_name.items()},
    **{f"{name}_ns": Setting(name, "duration", 1_000, NS_MAX) for name in WATERMARK.by_name},
}
_NUMBERS: dict[str, Setting] = {
    **BUFFER,
    **{field: one for field, one in EDGE.by_field.items() if one.type == "duration"},
}


class EdgeSpecs:
    """Makes the specs of flows."""

    def __init__(self, ranges: Ranges, ctx: Context) -> None:
        self._ranges = ranges
        self._ctx = ctx

    def edge(self, edge: FilledEdge) -> spec.EdgeSpec:
        bound, fields = edge.bound, edge.fields
        made = values(fields)
        made |= {field: self._number(field, fields[field]) for field in _NUMBERS if field in fields}
        made["overflow"] = self._overflow(fields["overflow"])
        return spec.EdgeSpec(
            span=bound.span,
            origins=origins(fields),
            id=bound.id,
            source=bound.source.node.id,
            source_port=bound.source.port.name,
            target=bound.target.node.id,
            target_port=bound.target.port.name,
            guard=bound.guard,
            otherwise=bound.otherwise,
            opens_turn=bound.opens_turn,
            handoff=self._handoff(edge) if edge.handoff is not None else None,
            watermark=self._watermark(edge, edge.watermark) if edge.watermark is not None else None,
            lanes=self._lanes(edge, edge.lanes) if edge.lanes is not None else None,
            sync=self._sync(edge, edge.sync) if edge.sync is not None else None,
            **made,
        )

    def reaction(self, reaction: FilledReaction, number: int) -> spec.ReactionSpec:
        bound = reaction.bound
        trigger = bound.trigger
        events = [spec.EventSpec(span=event.span, subject=event.subject, event=event.event) for event in bound.events]
        return spec.ReactionSpec(
            span=bound.span,
            id=f"on#{number}",
            events=tuple(events),
            guard=bound.guard,
            verb=bound.verb,
            object=bound.object,
            trigger=spec.TriggerSpec(span=trigger.span, node=trigger.node.id, port=trigger.port.name)
            if trigger
            else None,
            path=tuple(self.edge(edge) for edge in reaction.path),
        )

    def _number(self, field: str, valued: Valued) -> int:
        """What follows from other values is wrong only when they are."""
        if valued.origin.kind == "user":
            if field == "buffer_ns" and not valued.number:
                return 0
            number: int = self._ranges.clamp(_NUMBERS[field], valued)
            return number
        return max(0 if field == "buffer_ns" else 1, valued.number)

    def _overflow(self, valued: Valued) -> tuple[spec.OverflowStep, ...]:
        return tuple(_step(self._within(step, valued)) for step in steps(valued) or (Overflow("drop_oldest"),))

    def _within(self, step: Overflow, valued: Valued) -> Overflow:
        """The step with its figure in its range."""
        if step.strategy == "block":
            return replace(step, block_ns=self._ranges.clamp(BLOCK, Valued(step.block_ns, valued.origin)))
        if step.strategy == "sample":
            return replace(step, keep_percent=self._ranges.clamp(SAMPLE, Valued(step.keep_percent, valued.origin)))
        return step

    # ---- blocks

    def _gone(self, edge: FilledEdge, key: str) -> Fix | None:
        """A fix that removes a setting of the flow."""
        written = _written(edge, key)
        return remove(self._ctx.source(written.span), written.span) if written else None

    def _handoff(self, edge: FilledEdge) -> spec.HandoffSpec | None:
        bound, fields = edge.bound, edge.handoff or {}
        types = bound.source.port.type, bound.target.port.type
        if any(type not in ("text", "any") for type in types):
            other = next(type for type in types if type not in ("text", "any"))
            at = written.span if (written := _written(edge, "handoff")) else bound.span
            help, fix = "remove `handoff`", self._gone(edge, "handoff")
            self._ctx.sink.add("E0311", f"only text is handed off, not {other}", at, help=help, fix=fix)
            return None
        age = fields["age_ns_max"]
        return spec.HandoffSpec(
            span=age.origin.span if age.origin.kind == "user" else bound.span,
            origins=origins(fields),
            **self._ranges.clamped(fields, HANDOFF, _HANDOFF_FIELDS),
        )

    def _watermark(self, edge: FilledEdge, fields: Fields) -> spec.WatermarkSpec | None:
        """Marks of one measure: the low one below the high one, and the high one within the buffer."""
        written = _written(edge, "watermark")
        at = written.span if written else edge.bound.span
        if not any(name.startswith("high") for name in fields):
            if _lacks(written, "high", WATERMARK):
                message, help = "`watermark` needs `high`", "write `watermark = { high = 48 items, low = 16 items }`"
                fix = self._gone(edge, "watermark")
                self._ctx.sink.add("E0310", message, at, help=help, fix=fix)
            return None
        for unit, of_buffer in (("items", "buffer_items"), ("ns", "buffer_ns")):
            self._marks(edge, fields, unit, edge.fields[of_buffer])
        made = {field: self._mark(field, valued) for field, valued in fields.items()}
        return spec.WatermarkSpec(span=at, origins=origins(fields), **made)

    def _mark(self, field: str, valued: Valued) -> int:
        number: int = self._ranges.clamp(_MARKS[field], valued) if valued.origin.kind == "user" else valued.number
        return max(0, number)

    def _marks(self, edge: FilledEdge, fields: Fields, unit: str, holds: Valued) -> None:
        high, low = fields.get(f"high_{unit}"), fields.get(f"low_{unit}")
        fix = self._gone(edge, "watermark")
        if low is not None and high is None:
            message, help = "`low` is measured otherwise than `high`", "give both in items, or both in time"
            self._ctx.sink.add("E0311", message, low.origin.span, help=help, fix=fix)
        if high is None:
            return
        if low is not None and low.number >= high.number:
            message, help = "`low` lies not below `high`", "between the two the producer goes on as it did"
            secondary = [(high.origin.span, "the high mark")]
            self._ctx.sink.add("E0311", message, low.origin.span, secondary=secondary, help=help, fix=fix)
        if holds.number and high.number > holds.number:
            most = f"{holds.number} items" if unit == "items" else show_ns(holds.number)
            message, help = f"the mark is never reached: the flow holds at most {most}", f"write `high = {most}`"
            secondary = [(holds.origin.span, "its bound")]
            fix = Fix(high.origin.span, most)
            self._ctx.sink.add("E0311", message, high.origin.span, secondary=secondary, help=help, fix=fix)

    def _lanes(self, edge: FilledEdge, fields: Fields) -> spec.LanesSpec:
        """What the data lane does is what the overflow order says; another word for it is a contradiction."""
        written = _written(edge, "lanes")
        data = fields.get("data")
        overflow = edge.fields["overflow"]
        does = {_LANE_OF.get(step.strategy, step.strategy) for step in steps(overflow)}
        if data is not None and data.value not in does:
            order = ", ".join(step.strategy for step in steps(overflow))
            message = f"the data lane cannot `{data.value}`: the overflow order of this flow is `{order}`"
            help = "leave `data` out, and write `overflow = …`"
            secondary = [(overflow.origin.span, "this order")]
            fix = self._gone(edge, "lanes")
            self._ctx.sink.add("E0311", message, data.origin.span, secondary=secondary, help=help, fix=fix)
        span = written.span if written else edge.bound.span
        return spec.LanesSpec(span=span, origins=origins(fields), **values(fields))

    def _sync(self, edge: FilledEdge, fields: Fields) -> spec.SyncSpec | None:
        written = _written(edge, "sync")
        at = written.span if written else edge.bound.span
        if "domain" not in fields:
            if _lacks(written, "domain", SYNC):
                message, help = "`sync` needs `domain`", "write `sync = { domain = lips }`, the same on each flow of it"
                self._ctx.sink.add("E0310", message, at, help=help, fix=self._gone(edge, "sync"))
            return None
        return spec.SyncSpec(span=at, origins=origins(fields), **values(fields))


@cache
def _step(step: Overflow) -> spec.OverflowStep:
    return spec.OverflowStep.model_validate(asdict(step))


def _written(edge: FilledEdge, key: str) -> ast.Setting | None:
    return next((one for one in reversed(edge.bound.settings) if one.key.text == key), None)


def _lacks(written: ast.Setting | None, key: str, table: Table) -> bool:
    """Whether a block is whole but for `key`; a misspelt key is a mistake of its own."""
    if written is None or not isinstance(written.value, ast.Settings):
        return False
    keys = [one.key.text for one in written.value.items]
    return key not in keys and all(one in table.names for one in keys)
