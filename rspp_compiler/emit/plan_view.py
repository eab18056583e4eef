"""The plan tables as text: one aligned block a row, defaults left out, units in the names."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

from rspp_compiler.emit.literal import bits, columns, literal, number, text
from rspp_compiler.ir.budgets import PathBudget
from rspp_compiler.ir.layout import Assumption, Edge, Event, Mode, Node, Plan, Pool, Reaction
from rspp_compiler.ir.plan import Frozen

_MASKS = {
    "waits_for": "edges",
    "pushed": "edges",
    "ends_edges": "edges",
    "edges": "edges",
    "nodes": "nodes",
    "nodes_off": "nodes",
    "upstream": "nodes",
    "speech_nodes": "nodes",
    "turn_nodes": "nodes",
    "edges_off": "edges",
    "turn_edges": "edges",
}
_TUPLE_WIDTH = 88  # a longer tuple has one item a line
_IF_USED = ("meters", "turn_cost_microusd", "apology_ns", "paths")
_TABLES = ("nodes", "edges", "pools", "events", "reactions", "modes", "assumptions", "meters", "paths")


def plan_view(frozen: Frozen, source: str) -> dict[str, Any]:
    """What `plan.py.j2` prints. `source` is the file name of the pipeline."""
    plan = frozen.layout.plan
    return {
        "pipeline": plan.pipeline,
        "source": source,
        "nodes": [_row(node, plan, f"{source}:{node.line}  {node.name} : {node.kind}") for node in plan.nodes],
        "edges": [_row(edge, plan, f"{source}:{edge.line}  {edge.name}") for edge in plan.edges],
        "pools": _pools(plan.pools),
        "events": _events(plan.events),
        "reactions": _reactions(plan, source),
        "modes": _modes(plan),
        "assumptions": _assumptions(plan.assumptions),
        "paths": [_row(path, plan, f"{source}:{path.line}  {path.name}") for path in plan.paths],
        "meters": [f"    {_call(meter, plan)}," for meter in plan.meters],
        "scalars": _aligned(_scalars(plan), "    "),
        "imports": _imports(plan),
        "providers": literal(_providers(frozen)),
        "handlers": literal(dict(zip(_python_nodes(plan), frozen.layout.handlers, strict=True))),
        "resolved_plan": literal(frozen.resolved_plan),
    }


def _providers(frozen: Frozen) -> dict[str, tuple[tuple[str, dict[str, Any]], ...]]:
    """Who performs each effect node, in the order in which they are tried."""
    found: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {}
    for one in frozen.providers:
        found[one.node] = (*found.get(one.node, ()), (one.provider, one.options))
    return found


def _row(value: Node | Edge | PathBudget, plan: Plan, banner: str) -> dict[str, Any]:
    """A node, an edge or the budget of a path: its banner and its fields, without those that keep their default."""
    shown: list[tuple[str, str]] = []
    for field in fields(value):
        item = getattr(value, field.name)
        if field.default is MISSING or item != field.default:
            shown.append((field.name, _value(field.name, item, plan)))
    return {"banner": banner, "fields": _aligned(shown, "        ")}


def _value(name: str, item: Any, plan: Plan) -> str:
    if name in _MASKS:
        return bits(item, len(plan.nodes) if _MASKS[name] == "nodes" else len(plan.edges))
    if isinstance(item, bool) or item is None:
        return str(item)
    if isinstance(item, int):
        return number(item)
    if isinstance(item, str):
        return text(item)
    if isinstance(item, tuple):
        parts = [_value("", part, plan) for part in item]
        inside = ", ".join(parts)
        if len(inside) > _TUPLE_WIDTH:
            return "(\n" + "".join(f"            {part},\n" for part in parts) + "        )"
        return f"({inside},)" if len(item) == 1 else f"({inside})"
    return _call(item, plan)


def _call(item: Any, plan: Plan) -> str:
    """`Port("audio", "audio", 640)`: positional, trailing defaults left out."""
    values = [(field.default, getattr(item, field.name)) for field in fields(item)]
    while values and values[-1][0] == values[-1][1]:
        values.pop()
    return f"{type(item).__name__}({', '.join(_value('', value, plan) for _, value in values)})"


def _aligned(pairs: list[tuple[str, str]], indent: str) -> list[str]:
    return [indent + line for line in columns((name, " = ", value + ",") for name, value in pairs)]


def _pools(pools: tuple[Pool, ...]) -> list[str]:
    rows = [("Pool(", text(p.name) + ",", " ", number(p.slot_bytes) + ",", " ", number(p.slots), "),") for p in pools]
    return ["    " + line for line in columns(rows, frozenset({3, 5}))]


def _events(events: tuple[Event, ...]) -> list[str]:
    rows = [
        (
            *("Event(", str(e.id) + ",", " ", text(e.name) + ",", " ", str(e.node) + ",", " "),
            f"{e.port}, {text(e.signal)}" if e.signal else str(e.port),
            "),",
        )
        for e in events
    ]
    return ["    " + line for line in columns(rows, frozenset({1, 5, 7}))]


def _reactions(plan: Plan, source: str) -> list[str]:
    lines: list[str] = []
    for row in plan.reactions:
        lines.append(f"    # {source}:{row.line}  on {plan.events[row.event].name} -> {action_words(row, plan)}")
        action = _call(row.action, plan)
        guard = f", guard={_value('', row.guard, plan)}" if row.guard else ""
        lines.append(f"    Reaction(id={row.id}, event={row.event}, action={action}, line={row.line}{guard}),")
    return lines


def action_words(reaction: Reaction, plan: Plan) -> str:
    """`cancel turn`, `degrade text_only`, `sorry`: as in the source."""
    verb, target = reaction.action.verb, reaction.action.target
    if verb in ("trigger", "show"):
        return plan.nodes[target].name
    if verb in ("degrade", "enter"):
        return f"{verb} {plan.modes[target].name}"
    return verb.replace("_", " ")


def _modes(plan: Plan) -> list[str]:
    rows = [
        (f"Mode(id={m.id}, ", f"name={text(m.name)}, ", *(_mask(plan, m, n) for n in ("nodes_off", "edges_off")), "),")
        for m in plan.modes
    ]
    return ["    " + line for line in columns(rows)]


def _assumptions(assumptions: tuple[Assumption, ...]) -> list[str]:
    rows = [
        ("Assumption(", *(f"{text(cell)}, " for cell in (one.id, one.kind, one.subject)), number(one.limit), "),")
        for one in assumptions
    ]
    return ["    " + line for line in columns(rows, frozenset({4}))]


def _mask(plan: Plan, mode: Mode, name: str) -> str:
    value = f"{name}={_value(name, getattr(mode, name), plan)}"
    return value + ", " if name == "nodes_off" else value


def _scalars(plan: Plan) -> list[tuple[str, str]]:
    """The plan's own fields; the tables are named by their constants."""
    shown: list[tuple[str, str]] = []
    for field in fields(plan):
        if field.name in _IF_USED and not getattr(plan, field.name):
            continue
        value = field.name.upper() if field.name in _TABLES else _value(field.name, getattr(plan, field.name), plan)
        shown.append((field.name, value))
    return shown


def _imports(plan: Plan) -> str:
    """Names of the table classes that this plan uses, sorted."""
    used = {"Assumption", "Edge", "Event", "Mode", "Node", "Plan", "Pool", "Port", "Reaction"}
    used |= {"Action"} if plan.reactions else set()
    used |= {"Hook"} if any(node.hooks for node in plan.nodes) else set()
    used |= {"State"} if any(node.state for node in plan.nodes) else set()
    used |= {"Overflow"} if any(edge.overflow for edge in plan.edges) else set()
    used |= {"Check"} if plan.policies or any(n.attempts and n.attempts.guards for n in plan.nodes) else set()
    used |= {"Check"} if any(one.guard for one in plan.edges) or any(one.guard for one in plan.reactions) else set()
    used |= {"Gather"} if any(edge.gather for edge in plan.edges) else set()
    used |= {"Sync"} if any(edge.sync for edge in plan.edges) else set()
    used |= {"Watermark"} if any(edge.watermark for edge in plan.edges) else set()
    used |= {"Join"} if any(node.join for node in plan.nodes) else set()
    used |= {"Clock"} if any(node.clock for node in plan.nodes) else set()
    used |= {"Pause"} if any(node.pause for node in plan.nodes) else set()
    used |= {"Keys"} if any(node.keys for node in plan.nodes) else set()
    used |= {"Tool"} if any(node.tool for node in plan.nodes) else set()
    tried = [node.attempts for node in plan.nodes if node.attempts]
    used |= {"Attempts"} if tried else set()
    used |= {"Policy"} if plan.policies else set()
    used |= {"Circuit"} if any(one.circuit for one in tried) else set()
    used |= {"PathBudget"} if plan.paths else set()
    used |= {"Meter"} if plan.meters else set()
    used |= {"Price"} if any(meter.prices for meter in plan.meters) else set()
    used |= {"Handoff"} if any(edge.handoff for edge in plan.edges) else set()
    return ", ".join(sorted(used))


def _python_nodes(plan: Plan) -> list[str]:
    return [node.name for node in plan.nodes if node.handler >= 0]
