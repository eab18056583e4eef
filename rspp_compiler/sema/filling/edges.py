"""Flows: bounds, overflow orders, latency, hand-off; as written, from the profile, or from one another."""

from __future__ import annotations

from collections.abc import Mapping

from rspp_compiler.ir.bound import BoundEdge, Fields, FilledEdge, Overflow, Valued
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.spec import Scope
from rspp_compiler.sema.filling.ports import Ports
from rspp_compiler.sema.language.profile import ProfileTable
from rspp_compiler.sema.language.tables import LANES, SYNC
from rspp_compiler.sema.language.units import show_ns
from rspp_compiler.sema.reading.edge_fields import EdgeSettings, read_edge
from rspp_compiler.sema.reading.fields import with_defaults
from rspp_compiler.sema.reading.overflow import steps

Values = dict[str, Valued]


class Edges:
    """Fills flows. `budget` is what the profile or the user gives to any one edge."""

    def __init__(self, profile: ProfileTable, ports: Ports, budget: Valued, ctx: Context) -> None:
        self._profile = profile
        self._ports = ports
        self._budget = budget
        self._ctx = ctx
        self._tables: dict[tuple[str, bool], Values] = {}

    def fill(self, edge: BoundEdge) -> FilledEdge:
        """Every field of one flow."""
        # What a merge hands on is what it is given: here the other end tells.
        types = (edge.source.port.type, edge.target.port.type)
        is_audio = types[types[0] == "any"] == "audio"
        written = EdgeSettings()
        if edge.settings:
            written = read_edge(edge.settings, edge.source.port.type in ("text", "any"), self._profile, self._ctx)
        user = written.fields
        scope = edge.scope
        if edge.target.node.kind == "egress" and edge.target.port.name == "audio":
            fields = {**self._egress_audio(edge), **user}
        else:
            fields = {**self._defaults(scope, is_audio), **user}
            self._follow(fields, user)
        handoff = self._handoff(edge, written.handoff)
        if "buffer_bytes" not in fields:
            fields["buffer_bytes"] = self._bytes(edge, fields["buffer_items"], handoff)
        if "latency_ns" not in fields:
            fields["latency_ns"] = self._latency(fields["buffer_ns"], scope)
        fields.setdefault("flow", self._profile.get("flow.mode"))
        reason = "a turn begins here" if edge.opens_turn else f"what flows here belongs to the {scope}"
        fields["scope"] = Valued(scope, Origin.derived(edge.span, reason))
        return FilledEdge(
            bound=edge,
            fields=fields,
            handoff=handoff,
            watermark=_with_low(written.watermark, self._profile.get("watermark.low")),
            lanes=self._completed(written.lanes, "lanes"),
            sync=self._completed(written.sync, "sync"),
        )

    def _defaults(self, scope: Scope, is_audio: bool) -> Values:
        fields = self._tables.get((scope, is_audio))
        if fields is None:
            table = self._profile.section(f"edge.{scope}.{'audio' if is_audio else 'text'}")
            order = [Overflow("block", table["block"].number)] if "block" in table else []
            order.append(Overflow(table["overflow"].text))
            fields = self._tables[scope, is_audio] = {
                "buffer_items": table["items"],
                "buffer_ns": table.get("age") or Valued(0, table["items"].origin),
                "overflow": Valued(tuple(order), table["overflow"].origin),
            }
        return fields

    def _follow(self, fields: Values, user: Mapping[str, Valued]) -> None:
        """What follows from an overflow order, where the buffer is not written."""
        overflow = fields["overflow"]
        order = steps(overflow)
        if "buffer_items" not in user and order[0].strategy == "latest_only":
            fields["buffer_items"] = Valued(1, Origin.derived(overflow.origin.span, "`latest_only` keeps one item"))
        if "buffer_ns" not in user and all(step.strategy == "block" for step in order):
            fields["buffer_ns"] = Valued(0, overflow.origin)  # what only blocks sheds nothing for its age

    def _egress_audio(self, edge: BoundEdge) -> Values:
        """The edge into `egress.audio` holds a fixed time of audio and blocks: it never sheds what will be heard."""
        hold, stall = self._profile.get("egress.hold"), self._profile.get("egress.stall")
        length = self._ports.fill(edge.source.port).item_ns or self._profile.get("audio.frame").number
        reason = f"{show_ns(hold.number)} of audio in items of {show_ns(length)}"
        items = Valued(-(-hold.number // length), Origin.derived(hold.origin.span, reason))
        overflow = Valued((Overflow("block", stall.number),), stall.origin)
        return {"buffer_items": items, "buffer_ns": Valued(0, stall.origin), "overflow": overflow}

    def _bytes(self, edge: BoundEdge, items: Valued, handoff: Fields | None) -> Valued:
        largest = self._ports.item_bytes(edge.source.port)
        if handoff:
            largest = max(largest, handoff["bytes_max"].number)
        reason = f"{items.number} items of at most {largest} bytes"
        return Valued(items.number * largest, Origin.derived(items.origin.span, reason))

    def _latency(self, age: Valued, scope: Scope) -> Valued:
        if scope == "session" and age.number:
            reason = f"nothing waits longer than {show_ns(age.number)}"
            return Valued(age.number, Origin.derived(age.origin.span, reason))
        return self._budget

    def _handoff(self, edge: BoundEdge, written: Values | None) -> Fields | None:
        """What the user wrote, completed; words on their way from a model to a voice are held by sentence anyway."""
        source, target = edge.source, edge.target
        speaks = source.node.kind == "llm" and source.port.name == "delta" and target.node.kind == "tts"
        if written is None and not speaks:
            return None
        written = written or {}
        return {
            "by": written.get("by") or self._profile.get("handoff.by"),
            "age_ns_max": written.get("age_ns_max") or self._profile.get("handoff.age"),
            "bytes_max": self._profile.get("handoff.size"),
            "chars_min": written.get("chars_min") or self._profile.get("handoff.chars"),
        }

    def _completed(self, written: Values | None, name: str) -> Fields | None:
        if written is None:
            return None
        return with_defaults(written, LANES if name == "lanes" else SYNC, self._profile.section(name))


def _with_low(written: Values | None, share: Valued) -> Fields | None:
    """A mark with nothing below it: where `low` is not written, it is a share of `high`."""
    if written is None:
        return None
    fields = dict(written)
    for unit in ("items", "ns"):
        high = fields.get(f"high_{unit}")
        if high and f"low_{unit}" not in fields:
            reason = f"{share.number}% of `high`"
            fields[f"low_{unit}"] = Valued(high.number * share.number // 100, Origin.derived(high.origin.span, reason))
    return fields
