"""Nodes of the specification: required settings, settings that contradict each other, bounds of tunables."""

from __future__ import annotations

import re
from typing import Any

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import line_before, line_behind, remove, setting_in
from rspp_compiler.diagnostics.statements import braces, without_setting
from rspp_compiler.ir import spec
from rspp_compiler.ir.bound import BoundNode, Fields, FilledNode, FilledPort
from rspp_compiler.ir.context import Context
from rspp_compiler.sema.language.catalog import Setting
from rspp_compiler.sema.language.kinds import KINDS
from rspp_compiler.sema.language.tables import BUDGET, HOOKS_TABLE, LIMIT_TABLE, NS_MAX, STATE_TABLE, node_table
from rspp_compiler.sema.language.units import show
from rspp_compiler.sema.reading.ranges import Ranges, origins, values
from rspp_compiler.source import Source, Span

_WORK = Setting("work", "duration", 1_000, NS_MAX)
_GOES_ON = re.compile(r"\s*(?:->|(?:when|otherwise|and|or)\b)")
_STAYS_OPEN = re.compile(r"->\s*(?:#.*)?$")
_HEAD = re.compile(r"(?:pipeline|module)\b[^{}\n]*\{")
# What a kind needs: one of these settings; a sample of it; and why, where that is not plain.
DEMANDING: dict[str, tuple[tuple[tuple[str, ...], str, str], ...]] = {
    "say": ((("text",), 'text = "Hello."', ""),),
    "play": ((("file",), 'file = file("sound.wav")', ""),),
    "label": ((("value",), "value = 1", ""),),
    "redact": ((("classes",), "classes = [PII]", ""),),
    "timer": ((("after", "every"), "after = 30s", ": a time"),),
    "collect": ((("digits", "until"), 'until = "#"', ": nothing else tells that it is complete"),),
}


class NodeSpecs:
    """Makes the specs of nodes."""

    def __init__(self, ranges: Ranges, ctx: Context) -> None:
        self._ranges = ranges
        self._ctx = ctx

    def node(self, node: FilledNode) -> spec.NodeSpec:
        bound, kind = node.bound, KINDS[node.bound.kind]
        table = node_table(bound.kind)
        settings = self._ranges.checked(node.settings, table) if node.settings else {}
        if bound.kind in DEMANDING and all(one.key.text in table.names for one in bound.settings):
            self._missing(node)
        if node.settings:
            self._contradictions(node)
        fields = {name: valued for name, valued in node.fields.items() if name != "scope"}
        numbers = self._numbers(node)
        place = fields["place"].text if "place" in fields else "kernel"
        assert bound.scope is not None  # resolve looked at what reaches it
        return spec.NodeSpec(
            span=bound.span,
            origins={**origins(node.fields), **origins(settings, "settings.")},
            id=bound.id,
            kind=bound.kind,
            execution="kernel" if kind.has_signature and place == "kernel" else bound.execution,
            scope=bound.scope,
            party=bound.party,
            inputs=tuple(_port(port) for port in node.inputs),
            outputs=tuple(_port(port) for port in node.outputs),
            events=bound.events,
            settings=values(settings),
            implementation=bound.implementation,
            limit=self._limit(node),
            hooks=self._hooks(node),
            state=self._state(node),
            tunable=self._tunable(node, settings),
            implicit=bound.implicit,
            **{"first_output_ns": 0, "chunk_ns": 0, **values(fields), **numbers},
        )

    def _numbers(self, node: FilledNode) -> dict[str, Any]:
        """Durations of the node itself, within their ranges."""
        found: dict[str, Any] = {}
        for field, table in (("first_output_ns", BUDGET), ("work_ns", _WORK)):
            if (value := node.fields.get(field)) is not None and value.origin.kind == "user":
                name = node.bound.id if field == "first_output_ns" else table.name
                found[field] = self._ranges.clamp(Setting(name, table.type, table.min, table.max), value)
        if "chunk_ns" in node.fields:
            found["chunk_ns"] = max(1, node.fields["chunk_ns"].number)
        return found

    # ---- settings

    def _missing(self, node: FilledNode) -> None:
        """E0310: what the kind cannot do without. What was written and could not be read is not missing."""
        bound, written = node.bound, {one.key.text for one in node.bound.settings}
        for names, sample, why in DEMANDING[bound.kind]:
            if written & set(names):
                continue
            what = " or ".join(f"`{name}`" for name in names)
            help = f"write `node {bound.id} : {bound.kind} {{ {sample} }}`"
            fix = self._added(bound, sample)
            self._ctx.sink.add("E0310", f"`{bound.id}` needs {what}{why}", bound.span, help=help, fix=fix)

    def _added(self, node: BoundNode, setting: str) -> Fix:
        """A fix that adds a setting to the node."""
        source = self._ctx.source(node.span)
        if node.implicit:
            return _declared(source, node.span, f"node {node.kind} {{ {setting} }}")
        own = [written.span for written in node.settings if node.span.holds(written.span)]
        if own:
            return line_behind(source, own[-1], setting)
        return setting_in(source, node.span, braces(source, node.span), setting)

    def _contradictions(self, node: FilledNode) -> None:
        """E0311: settings of one kind that do not go together."""
        settings, kind = node.settings, node.bound.kind
        if kind == "endpointer" and settings["min_ns"].number > settings["max_ns"].number:
            self._clash(node, "max", "`max` is less than `min`: the end could come before it may")
        if kind == "timer" and "after_ns" in settings and "every_ns" in settings:
            self._clash(node, "after", "a timer goes off once, or again and again: not both")
        if kind == "merge" and settings["order"].value == "priority" and "priority" not in settings:
            message, help = (
                "`order = priority` needs to know whose",
                "write `priority = [first, second]`, the first goes first",
            )
            at = settings["order"].origin.span
            self._ctx.sink.add("E0310", message, at, help=help, fix=Fix(at, "timestamp"))

    def _clash(self, node: FilledNode, key: str, message: str) -> None:
        written = next((one for one in reversed(node.bound.settings) if one.key.text == key), node.bound.settings[0])
        fix = remove(self._ctx.source(written.span), written.span)
        self._ctx.sink.add("E0311", message, written.span, help=f"remove `{written.key.text}`", fix=fix)

    # ---- blocks

    def _limit(self, node: FilledNode) -> spec.LimitSpec | None:
        if not node.limit:
            return None
        numbers = self._ranges.clamped(node.limit, LIMIT_TABLE)
        return spec.LimitSpec(span=node.bound.span, origins=origins(node.limit), **numbers)

    def _hooks(self, node: FilledNode) -> tuple[spec.HookSpec, ...]:
        if not node.hooks:
            return ()
        numbers = self._ranges.clamped(node.hooks, HOOKS_TABLE)
        return tuple(
            spec.HookSpec.model_validate(
                {
                    "span": node.hooks[setting.field].origin.span,
                    "origins": {"timeout_ns": node.hooks[setting.field].origin},
                    "name": name,
                    "timeout_ns": numbers[setting.field],
                }
            )
            for name, setting in HOOKS_TABLE.by_name.items()
            if setting.field in node.hooks
        )

    def _state(self, node: FilledNode) -> spec.StateSpec | None:
        """Nothing of a turn is kept where there is none (E0311)."""
        turn = node.state.get("turn_bytes")
        if turn is not None and node.bound.scope != "turn":
            self._ctx.sink.add(
                "E0311",
                f"`{node.bound.id}` belongs to the session: it has no turn to forget something with",
                turn.origin.span,
                help="keep it in `session`, as long as the process has the session, or in `durable`",
                fix=without_setting(self._ctx.source(turn.origin.span), turn.origin.span),
            )
        if not node.state:
            return None
        numbers = self._ranges.clamped(node.state, STATE_TABLE)
        return spec.StateSpec(span=node.bound.span, origins=origins(node.state), **numbers)

    def _tunable(self, node: FilledNode, settings: Fields) -> tuple[spec.TunableSpec, ...]:
        """What may be changed; its value as compiled lies within its own bounds (E0311)."""
        by_field = node_table(node.bound.kind).by_field
        found = []
        for field, low, high, span in node.tunable:
            value = settings[field].value if field in settings else None
            if isinstance(value, int | float) and low is not None and high is not None and not low <= value <= high:
                setting, at = by_field[field], settings[field].origin
                nearest = show(setting, min(max(value, low), high))
                self._ctx.sink.add(
                    "E0311",
                    f"`{setting.name} = {show(setting, value)}` lies outside of its own tunable bounds",
                    span,
                    secondary=[(at.span, "the value as compiled")],
                    help=f"widen the bounds, or write `{setting.name} = {nearest}`",
                    fix=Fix(at.span, nearest) if at.kind == "user" else Fix(span, setting.name),
                )
            found.append(spec.TunableSpec(span=span, field=field, low=low, high=high))
        return tuple(found)


def _declared(source: Source, at: Span, node: str) -> Fix:
    """A declaration before the line whose flow names the node at `at`; lines may go on over several."""
    number = at.line
    while number > 1 and (_GOES_ON.match(source.line(number)) or _STAYS_OPEN.search(source.line(number - 1))):
        number -= 1
    line = source.line_span(number)
    start = source.offset(line.line, line.column)
    head = _HEAD.match(source.text, start)
    if head and head.end() <= source.offset(at.line, at.column):  # `pipeline x { a -> say }`
        return Fix(source.span(head.end(), head.end()), f" {node},")
    return line_before(source, line, node)


def _port(port: FilledPort) -> spec.PortSpec:
    size = port.item_bytes_max
    return spec.PortSpec(
        span=port.bound.span,
        origins={"item_bytes_max": size.origin} | ({"item_ns": port.frame.origin} if port.frame else {}),
        name=port.bound.name,
        type=port.type,
        item_bytes_max=max(1, size.number),
        item_ns=port.item_ns,
        main=port.bound.main,
    )
