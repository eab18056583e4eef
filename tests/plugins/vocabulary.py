"""All that can be said in the language, computed from its tables and its grammar, and what of it a program says.

Both sides name a construct alike: `vad.threshold`, `redact.action = hash`, `flow.overflow = sample`, `session.stall`,
`cancel NODE`, `event.words`, `300ms`-like values by their unit, rules of the grammar by their name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from rspp_compiler.ir import ast
from rspp_compiler.ir.ast import Program
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.symbols import Mention
from rspp_compiler.ir.types import ENCODINGS
from rspp_compiler.sema.index import index
from rspp_compiler.sema.language import events, tables
from rspp_compiler.sema.language.catalog import (
    ACTIONS,
    CLASSES,
    LEVELS,
    PROFILES,
    SECRET_SCHEMES,
    STRATEGIES,
    Setting,
    Table,
)
from rspp_compiler.sema.language.engines import ENGINES
from rspp_compiler.sema.language.kinds import BLOCKS, BOUNDARIES, EVERY_NODE, KINDS, NODE_KINDS, events_of
from rspp_compiler.sema.language.units import COUNTS, EVERY_UNIT
from rspp_compiler.sema.names.signatures import PORT_TYPES
from rspp_compiler.source import Source
from rspp_compiler.syntax.parse import parse
from rspp_compiler.syntax.scan import scan
from rspp_compiler.syntax.tables import tables as grammar
from rspp_compiler.syntax.tree import Tree

_TOOL_KINDS = ("python", "grpc", "wasm", "transfer")
_PARAMETERS = ("text", "number", "flag")
_VALUES = {
    "a text": ast.Text, "a number": ast.Number, "a quantity": ast.Quantity, "a symbol": ast.Ref, "a call": ast.Call,
    "a list": ast.List, "a block": ast.Settings, "a flag": type(None),
}  # fmt: skip
_FLOW_BLOCKS = {
    "handoff": tables.HANDOFF, "watermark": tables.WATERMARK, "lanes": tables.LANES, "sync": tables.SYNC,
}  # fmt: skip
_PROVIDER_BLOCKS = {
    "timeout": tables.TIMEOUTS, "retry": tables.RETRY, "circuit": tables.CIRCUIT, "cap": tables.CAP,
}  # fmt: skip

# ---- what can be said


def the_language() -> dict[str, set[str]]:
    """Every construct, by what it is."""
    return {
        "rules of the grammar": {rule.name for rule in grammar().rules if not rule.name.startswith("_")},
        "tokens": ({name for name, _ in grammar().terminals} | set(grammar().keywords.values()))
        - set(grammar().ignored),
        "kinds": {*NODE_KINDS, *_TOOL_KINDS, *(kind for kind in KINDS if kind not in BOUNDARIES)},
        "ports": {f"{kind.name}.{port.name}" for kind in KINDS.values() for port in (*kind.inputs, *kind.outputs)},
        "settings of kinds": set(_of_kinds()),
        "settings of flows": set(_of_flows()),
        "settings of providers": set(_of_providers()),
        "other settings": set(_others()),
        "events": set(_events()),
        "verbs": {f"{verb} {object}" for verb, objects in ACTIONS.items() for object in objects},
        "fields": set(_fields()),
        "operators": {"==", "!=", "<", "<=", ">", ">=", "in", "and", "or", "not", "a flag"},
        "values": set(_VALUES) | set(EVERY_UNIT) | set(COUNTS) | {"a negative number", "a fraction", "${…}", "file(…)"},
        "secrets": {f"{scheme}://" for scheme in SECRET_SCHEMES},
        "types": {*PORT_TYPES, *ENCODINGS, *CLASSES, *_PARAMETERS, "mono", "stereo", "a size", "a length"},
        "words": {*LEVELS, *PROFILES},
        "engines": {f"{kind} {name}" for kind, name in ENGINES},
    }


def _of_table(prefix: str, settings: Iterable[Setting]) -> Iterator[str]:
    for setting in settings:
        yield f"{prefix}.{setting.name}"
        yield from (f"{prefix}.{setting.name} = {choice}" for choice in setting.choices)


def _of_kinds() -> Iterator[str]:
    for kind in NODE_KINDS:
        yield from _of_table(kind, (one for one in KINDS[kind].settings if one.name != "class"))
    yield from (f"node.class = {name}" for name in CLASSES)  # means the same wherever it stands
    yield from _of_table("node", EVERY_NODE)
    yield from (f"node.{block}" for block in BLOCKS)
    yield from _of_table("node.limit", tables.LIMIT_TABLE.settings)
    yield from _of_table("node.hooks", tables.HOOKS_TABLE.settings)
    yield from _of_table("node.state", tables.STATE_TABLE.settings)
    yield "node.tunable within bounds"


def _of_flows() -> Iterator[str]:
    yield from _of_table("flow", tables.EDGE.settings)
    yield from (f"flow.{block}" for block in tables.EDGE.blocks)
    for name, table in _FLOW_BLOCKS.items():
        yield from _of_table(f"flow.{name}", table.settings)
    yield from (f"flow.overflow = {strategy}" for strategy in STRATEGIES)
    yield from (f"flow.overflow = {rule}" for rule in tables.COALESCE.choices)


def _of_providers() -> Iterator[str]:
    yield from _of_table("provider", tables.PROVIDER.settings)
    for name, table in _PROVIDER_BLOCKS.items():
        yield f"provider.{name}"
        yield from _of_table(f"provider.{name}", table.settings)
    yield from _of_table("use.price", tables.PRICE.settings)
    yield from _of_table("use", (tables.ACCEPT,))
    for engine in ENGINES.values():
        yield from _of_table(engine.name, engine.settings)


def _others() -> Iterator[str]:
    parts: tuple[tuple[str, Table], ...] = (
        ("party", tables.PARTY), ("record", tables.RECORD), ("tool", tables.TOOL), ("tool", tables.TRANSFER),
    )  # fmt: skip
    for name, table in parts:
        yield from _of_table(name, table.settings)
    yield from ("budget.turn", "budget.turn.total", "budget.cost", "budget of a node", "budget of a path")
    yield from ("mode.off", "setting of a mode", "setting of a module's node")


def _events() -> Iterator[str]:
    for kind in (*BOUNDARIES, *NODE_KINDS):
        own = KINDS[kind].events
        yield from (f"{kind}.{event}" for event in own)
        yield from (f"a node's {event}" for event in events_of(KINDS[kind]) if event not in own)
    yield from (f"session.{event}" for event in events.SESSION_EVENTS)
    yield from (f"turn.{event}" for event in events.TURN_EVENTS)
    yield from (f"a tool's {event}" for event in events.TOOL_EVENTS)


def _fields() -> Iterator[str]:
    yield from (f"session.{name}" for name in events.SESSION_FIELDS)
    yield from (f"turn.{name}" for name in events.TURN_FIELDS)
    for table in (*events.ITEM_FIELDS.values(), *events.EVENT_FIELDS.values(), events.DEFAULT_FIELDS):
        yield from (f"event.{name}" for name in table)


# ---- what a program says


class Said:
    """Gathers what programs say, under the headings of `the_language`."""

    def __init__(self) -> None:
        self.found: dict[str, set[str]] = {heading: set() for heading in the_language()}

    def text(self, text: str) -> None:
        """The rules and tokens that a file is made of."""
        trees = parse((Source("example.rspp", text),), Context())
        assert trees is not None
        waiting: list[Any] = [trees[0].tree]
        while waiting:
            part = waiting.pop()
            if isinstance(part, Tree):
                self.found["rules of the grammar"].add(part.rule)
                waiting += part.children
        self.found["tokens"] |= set(_tokens(text))

    def program(self, program: Program) -> None:
        """What its names mean, its values and its conditions."""
        for mention in index(program).mentions:
            self._mention(mention)
        for part in parts(program):
            self._part(part)

    def graph(self, graph: Graph) -> None:
        """What the compiler put in."""
        self.found["kinds"] |= {graph.node(id).kind for id in graph.converters}
        for edge in graph.edges:
            ends = ((edge.source, edge.source_port), (edge.target, edge.target_port))
            self.found["ports"] |= {f"{graph.node(node).kind}.{port}" for node, port in ends}
        triggered = [one.trigger for one in graph.spec.reactions if one.trigger]
        self.found["ports"] |= {f"{graph.node(one.node).kind}.{one.port}" for one in triggered}

    def _mention(self, mention: Mention) -> None:
        kind = mention.owner.kind if mention.owner else ""
        match mention.sort:
            case "kind":
                self.found["kinds"].add(mention.name)
            case "engine":
                self.found["engines"].add(f"{mention.of} {mention.name}")
            case "port":
                self.found["ports"].add(f"{kind or mention.of}.{mention.name}")
            case "event":
                self.found["events"] |= set(_event_words(mention, kind))
            case "field":
                self.found["fields"].add(f"{mention.of}.{mention.name}")
            case "level" | "profile":
                self.found["words"].add(mention.name)
            case "type":
                self.found["types"].add(mention.name)
            case "setting" | "choice":
                self._setting(mention, kind)
            case "node" if mention.of == "budget":
                self.found["other settings"].add("budget of a node")
            case _:
                pass

    def _setting(self, mention: Mention, kind: str) -> None:
        value = f" = {mention.name}" if mention.sort == "choice" else ""
        of, *engine = mention.of.split(" ")
        said = f"{mention.path}{value}"
        if of == "node":
            self.found["settings of kinds"] |= {f"{kind}.{said}", f"node.{said}"}
        elif of == "flow":
            self.found["settings of flows"].add(f"flow.{said}")
        elif of == "use":
            self.found["settings of providers"] |= {f"{engine[1]}.{said}", f"use.{said}"}
        elif of == "provider":
            self.found["settings of providers"].add(f"provider.{said}")
        else:
            self.found["other settings"].add(f"{of}.{said}")

    def _part(self, part: Any) -> None:
        values, operators, types = (self.found[heading] for heading in ("values", "operators", "types"))
        match part:
            case ast.Setting(value=value):
                values |= {name for name, form in _VALUES.items() if isinstance(value, form)}
                if len(part.key.refs) > 1:
                    self.found["other settings"].add("budget of a path")
            case ast.Quantity():
                values |= {part.unit, *(["a negative number"] if part.number.startswith("-") else [])}
            case ast.Number() if "." in part.number:
                values.add("a fraction")
            case ast.Text():
                values |= {"${…}"} if "${" in part.text else set()
            case ast.Call(name=ast.Name(text="file")):
                values.add("file(…)")
            case ast.Call(name=ast.Name(text="secret"), args=(ast.Text(text=text),)):
                self.found["secrets"].add(text.partition("://")[0] + "://")
            case ast.Compare():
                operators.add(part.operator)
            case ast.Member() | ast.And() | ast.Or() | ast.Not():
                operators.add({"member": "in"}.get(name := type(part).__name__.lower(), name))
                operators |= {"a flag"} if isinstance(getattr(part, "right", None), ast.Ref) else set()
            case ast.Guard(condition=ast.Ref()):
                operators.add("a flag")
            case ast.Action():
                object = part.object.text
                takes = ACTIONS[part.verb.text]
                sort = object if object in takes else next(word for word in takes if word.isupper())
                self.found["verbs"].add(f"{part.verb.text} {sort}")
            case ast.Mode():
                dotted = any(len(one.key.refs[0].parts) > 1 for one in part.settings.items)
                self.found["other settings"] |= {"setting of a mode"} if dotted else set()
            case ast.Node() if part.settings and any(len(one.key.refs[0].parts) > 1 for one in part.settings.items):
                self.found["other settings"].add("setting of a module's node")
            case ast.Param(type=ast.Call(args=args)):
                types |= {arg.text for arg in args if isinstance(arg, ast.Ref)}
                units = [EVERY_UNIT.get(arg.unit) for arg in args if isinstance(arg, ast.Quantity)]
                types |= {word for of, word in (("bytes", "a size"), ("duration", "a length")) if of in units}
        if isinstance(part, ast.Setting) and part.key.text == "tunable":
            bounded = isinstance(part.value, ast.List) and any(isinstance(one, ast.Call) for one in part.value.items)
            self.found["settings of kinds"] |= {"node.tunable within bounds"} if bounded else set()


def _event_words(mention: Mention, kind: str) -> Iterator[str]:
    subject = kind or mention.of
    if mention.owner is not None and mention.owner.sort == "tool":
        yield f"a tool's {mention.name}"
    else:
        yield f"{subject}.{mention.name}"
        yield f"a node's {mention.name}"


def _tokens(text: str) -> Iterator[str]:
    yield from (token.kind for token in scan(text))


def parts(value: Any) -> Iterator[Any]:
    """Every part of an AST, itself first."""
    yield value
    if isinstance(value, tuple):
        for item in value:
            yield from parts(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from parts(getattr(value, field.name))
