"""The effective pipeline: every value as the language writes it, under the key by which a layer reaches it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rspp_compiler.ir.condition import show as show_condition
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.spec import (
    EdgeSpec,
    FileRef,
    NodeSpec,
    OverflowStep,
    PipelineSpec,
    PortSpec,
    ProviderSpec,
    SecretRef,
    SettingValue,
    SpecModel,
    TextTemplate,
)
from rspp_compiler.sema.apply_profile import LIMITS
from rspp_compiler.sema.language import tables
from rspp_compiler.sema.language.catalog import Setting, Table
from rspp_compiler.sema.language.engines import engine
from rspp_compiler.sema.language.units import show, show_bytes, show_ns

_BUDGET = {
    "turn_ns": "turn", "turn_total_ns": "turn.total", "turn_pause_ns": "turn.pause",
    "turn_apology_ns": "turn.apology", "path_ns": "path", "edge_ns": "edge", "node_ns": "node",
}  # fmt: skip
_HANDOFF = {"by": "by", "max_age_ns": "age_ns_max", "min_chars": "chars_min"}


@dataclass(frozen=True, slots=True)
class Row:
    """One value: `key` as a layer writes it, `value` in the language's notation."""

    key: str
    value: str
    origin: Origin


def effective(spec: PipelineSpec) -> tuple[Row, ...]:
    """Every value of the pipeline, in the order of the source."""
    return tuple(_rows(spec))


def _rows(spec: PipelineSpec) -> Iterator[Row]:
    for name, value in spec.meta.items():
        yield Row(f"meta.{name}", _shown(None, value), spec.origin(f"meta.{name}"))
    for party in spec.parties:
        if party.id:
            yield Row(f"party.{party.id}.max", str(party.members_max), party.origin("members_max"))
    for node in spec.nodes:
        yield from _node(node)
    for edge in spec.edges:
        yield from _edge(edge, edge.id)
    for reaction in spec.reactions:
        for edge in reaction.path:
            yield from _edge(edge, f"{reaction.id}: {edge.id}")
    for mode in spec.modes:
        if mode.off:
            yield Row(f"mode.{mode.id}.off", f"[{', '.join(mode.off)}]", mode.origin("off"))
        for override in mode.overrides:
            kind = next(node.kind for node in spec.nodes if node.id == override.node)
            setting = tables.node_table(kind).by_field[override.field]
            key = f"mode.{mode.id}.{override.node}.{setting.name}"
            yield Row(key, _shown(setting, override.value), override.origin("value"))
    yield from _budget(spec)
    for provider in spec.providers:
        yield from _provider(provider, f"provider.{provider.id}")
    for tool in spec.tools:
        table = tables.TRANSFER if tool.kind == "transfer" else tables.TOOL
        yield from _fields(tool, table, f"tool.{tool.id}", {"to": "implementation"})
    yield Row("record.level", spec.recording.level, spec.recording.origin("level"))
    yield from _fields(spec.recording, tables.RECORD, "record")
    for policy in spec.policies:
        for node in policy.nodes:
            yield from _node(node)
        for provider in policy.providers:
            yield from _provider(provider, f"policy.{policy.id}.provider.{provider.id}")
        if policy.recording:
            yield Row(f"policy.{policy.id}.record.level", policy.recording.level, policy.recording.origin("level"))
    for field, key in LIMITS.items():
        number = getattr(spec.limits, field)
        yield Row(key, _number(field, number), spec.limits.origin(field))


def _budget(spec: PipelineSpec) -> Iterator[Row]:
    budget = spec.budget
    for field, name in _BUDGET.items():
        yield Row(f"budget.{name}", show_ns(getattr(budget, field)), budget.origin(field))
    yield Row("budget.warning", f"{budget.warning_percent}%", budget.origin("warning_percent"))
    for node in spec.nodes:
        if node.execution == "effect":
            yield Row(f"budget.{node.id}", show_ns(node.first_output_ns), node.origin("first_output_ns"))
    for path in budget.paths:
        key = f"budget.{path.source}.{path.source_port} -> {path.target}.{path.target_port}"
        yield Row(key, show_ns(path.ns), path.origin("ns"))
    if budget.cost_microusd:
        yield Row("budget.cost", show(tables.COST, budget.cost_microusd), budget.origin("cost_microusd"))


# ---- nodes and flows


def _node(node: NodeSpec) -> Iterator[Row]:
    table, id = tables.node_table(node.kind), node.id
    for setting in table.settings:
        if setting.field in node.settings:
            value = node.settings[setting.field]
            yield Row(f"{id}.{setting.name}", _shown(setting, value), node.origin(f"settings.{setting.field}"))
    if node.execution == "boundary":
        yield from _ports(node)
        return
    yield Row(f"{id}.scope", node.scope, node.origin("scope"))
    if node.provider:
        yield Row(f"{id}.provider", node.provider, node.origin("provider"))
    if node.tools:
        yield Row(f"{id}.tools", f"[{', '.join(node.tools)}]", node.origin("tools"))
    yield Row(f"{id}.place", node.place, node.origin("place"))
    yield Row(f"{id}.cancel", node.cancel, node.origin("cancel"))
    yield Row(f"{id}.work", show_ns(node.work_ns), node.origin("work_ns"))
    if node.chunk_ns:
        yield Row(f"{id}.chunk", show_ns(node.chunk_ns), node.origin("chunk_ns"))
    if node.window_items:
        yield Row(f"{id}.window", f"{node.window_items} items", node.origin("window_items"))
    if node.emissions_max:
        yield Row(f"{id}.emissions", f"{node.emissions_max} items", node.origin("emissions_max"))
    if node.limit:
        yield from _fields(node.limit, tables.LIMIT_TABLE, f"{id}.limit")
    if node.state:
        yield from _fields(node.state, tables.STATE_TABLE, f"{id}.state")
    for hook in node.hooks:
        yield Row(f"{id}.hooks.{hook.name}", show_ns(hook.timeout_ns), hook.origin("timeout_ns"))
    for tunable in node.tunable:
        setting = table.by_field[tunable.field]
        bounds = "" if tunable.low is None or tunable.high is None else _bounds(setting, tunable.low, tunable.high)
        yield Row(f"{id}.tunable", setting.name + bounds, Origin.user(tunable.span))
    yield from _ports(node)


def _bounds(setting: Setting, low: float, high: float) -> str:
    return f"({show(setting, low)}, {show(setting, high)})"


def _ports(node: NodeSpec) -> Iterator[Row]:
    for port in (*node.inputs, *node.outputs):
        yield Row(f"port {node.id}.{port.name}", _port(port), port.origin("item_bytes_max"))


def _port(port: PortSpec) -> str:
    """`text, at most 4096B`."""
    return f"{port.type}, at most {show_bytes(port.item_bytes_max)}"


def _edge(edge: EdgeSpec, key: str) -> Iterator[Row]:
    if edge.guard:
        yield Row(f"{key}.when", show_condition(edge.guard), Origin.user(edge.span))
    yield Row(f"{key}.scope", edge.scope, edge.origin("scope"))
    yield Row(f"{key}.buffer", f"{edge.buffer_items} items", edge.origin("buffer_items"))
    if edge.buffer_ns:
        yield Row(f"{key}.buffer", show_ns(edge.buffer_ns), edge.origin("buffer_ns"))
    yield Row(f"{key}.buffer", show_bytes(edge.buffer_bytes), edge.origin("buffer_bytes"))
    steps = ", ".join(_step(step) for step in edge.overflow)
    yield Row(f"{key}.overflow", f"[{steps}]" if len(edge.overflow) > 1 else steps, edge.origin("overflow"))
    yield Row(f"{key}.latency", show_ns(edge.latency_ns), edge.origin("latency_ns"))
    yield Row(f"{key}.flow", edge.flow, edge.origin("flow"))
    if edge.coalesce_ns:
        yield Row(f"{key}.coalesce", show_ns(edge.coalesce_ns), edge.origin("coalesce_ns"))
    if edge.fairness:
        yield Row(f"{key}.fairness", edge.fairness, edge.origin("fairness"))
    if edge.commit_point:
        yield Row(f"{key}.commit_point", "true", edge.origin("commit_point"))
    if edge.handoff:
        yield from _fields(edge.handoff, tables.HANDOFF, f"{key}.handoff", _HANDOFF)
        yield Row(f"{key}.handoff.size", show_bytes(edge.handoff.bytes_max), edge.handoff.origin("bytes_max"))
    if edge.watermark:
        for mark in ("high", "low"):
            for field, unit in ((f"{mark}_items", " items"), (f"{mark}_ns", "")):
                if number := getattr(edge.watermark, field):
                    shown = f"{number}{unit}" if unit else show_ns(number)
                    yield Row(f"{key}.watermark.{mark}", shown, edge.watermark.origin(field))
    if edge.lanes:
        yield from _fields(edge.lanes, tables.LANES, f"{key}.lanes")
    if edge.sync:
        yield from _fields(edge.sync, tables.SYNC, f"{key}.sync")


def _step(step: OverflowStep) -> str:
    match step.strategy:
        case "block":
            return f"block({show_ns(step.block_ns)})"
        case "coalesce":
            return f"coalesce({step.rule})"
        case "sample":
            return f"sample({step.keep_percent}%)"
        case other:
            return other


# ---- providers


def _provider(provider: ProviderSpec, key: str) -> Iterator[Row]:
    for candidate in provider.candidates:
        of = engine(provider.kind, candidate.name)
        table = tables.use_table(of) if of else tables.PROVIDER
        under = f"{key}.use.{candidate.name}"
        if candidate.guard:
            yield Row(f"{under}.when", show_condition(candidate.guard), Origin.user(candidate.span))
        for field, value in candidate.settings.items():
            setting = table.by_field.get(field)
            name = setting.name if setting else field
            yield Row(f"{under}.{name}", _shown(setting, value), candidate.origin(f"settings.{field}"))
        yield Row(f"{under}.accept", f"[{', '.join(candidate.accept)}]", candidate.origin("accept"))
        if candidate.price:
            yield from _fields(candidate.price, tables.PRICE, f"{under}.price")
    yield from _fields(provider, tables.TIMEOUTS, f"{key}.timeout")
    yield from _fields(provider.retry, tables.RETRY, f"{key}.retry")
    if provider.circuit:
        yield from _fields(provider.circuit, tables.CIRCUIT, f"{key}.circuit")
    if provider.cap:
        yield from _fields(provider.cap, tables.CAP, f"{key}.cap")


# ---- values


def _fields(model: SpecModel, table: Table, key: str, renamed: Mapping[str, str] | None = None) -> Iterator[Row]:
    """The settings of a block; those that say nothing (0, an empty text) are left out, unless somebody wrote them."""
    for setting in table.settings:
        field = (renamed or {}).get(setting.field, setting.field)
        value = getattr(model, field)
        if value not in (0, "") or field in model.origins:
            yield Row(f"{key}.{setting.name}", _shown(setting, value), model.origin(field))


def _number(field: str, number: int) -> str:
    if field.endswith("_ns"):
        return show_ns(number)
    return show_bytes(number) if "_bytes" in field else f"{number} items"


def _shown(setting: Setting | None, value: SettingValue) -> str:
    """A value as the language writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return show(setting, value) if setting else str(value)
        case SecretRef(secret=secret):
            return f"secret({_quoted(secret)})"
        case FileRef(file=file):
            return f"file({_quoted(file)})"
        case TextTemplate(template=template):
            return _quoted(template).replace("\\\\$", "\\$")
        case tuple():
            quoted = setting is None or setting.type == "texts"
            return f"[{', '.join(_quoted(one) if quoted else one for one in value)}]"
        case _:
            is_word = setting is not None and setting.type in ("symbol", "name")
            return value if is_word else _quoted(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
