"""AST to JSON: the inverse of `lower`. Lines keep their order within a sort, and sorts have the order of the schema."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from rspp_compiler.diagnostics import Sink
from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.ir import ast
from rspp_compiler.ir.json_form import SPEC, TEXT_KEYS, graph_ref, modality_of
from rspp_compiler.source import Source
from rspp_compiler.syntax.document import Item
from rspp_compiler.syntax.json.notation import is_notation
from rspp_compiler.syntax.json.print import Raw, print_value
from rspp_compiler.syntax.json.variables import escaped_variables
from rspp_compiler.syntax.print_values import Values
from rspp_compiler.syntax.written import Anew, Literal

TAGS = ("text", "value", "file", "secret", "settings")  # an object with one of them alone says what it is
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
_SINGLE: tuple[tuple[type[Any], str], ...] = (
    (ast.Profile, "profile"),
    (ast.Meta, "meta"),
    (ast.Record, "record"),
    (ast.Budget, "budget"),
)

Data = dict[str, Any]
_T = TypeVar("_T")


def to_document(file: ast.File, sources: dict[str, Source], sink: Sink) -> Data | None:
    """The document of a program; None, and findings E0129, if it says what no document can."""
    pipelines = _of(ast.Pipeline, file.items)
    surplus: list[tuple[str, Any]] = [("pipeline", one) for one in pipelines[1:]]
    bodies: list[ast.Pipeline | ast.Module] = [*pipelines[:1], *_of(ast.Module, file.items)]
    for body in bodies:
        for sort, word in _SINGLE:
            surplus += [(f"`{word}` line", line) for line in _of(sort, body.lines)[1:]]
    for policy in _of(ast.Policy, file.items):
        surplus += [("`record` line", line) for line in _of(ast.Record, policy.rules)[1:]]
    for what, line in surplus:
        help, fix = "put everything into one", remove(sources[line.span.file], line.span)
        sink.add("E0129", f"a second {what} has no place in a JSON document", line.span, help=help, fix=fix)
    return None if surplus else _Writer(sources).document(file)


def value_text(value: ast.Value, key: str) -> str:
    """One value as it stands in a document behind `key`."""
    return print_value(_Writer({}).value(value, key in TEXT_KEYS))


class _OneLine(Anew):
    def literal(self, value: Literal, is_short: bool = False) -> str:
        return super().literal(value, is_short=True)


class _Writer:
    def __init__(self, sources: dict[str, Source]) -> None:
        self._sources = sources
        self._values = Values(_OneLine())

    # ---- top level

    def document(self, file: ast.File) -> Data:
        found: Data = {"schema_version": SPEC}
        items = file.items
        for pipeline in _of(ast.Pipeline, items)[:1]:
            version = pipeline.version.text if pipeline.version else None
            found["spec_id"] = pipeline.name.text
            if version is not None:
                found["pipeline_version"] = version
            found["graph_definition_ref"] = graph_ref(pipeline.name.text, version)
            found |= self._body(pipeline.lines, is_pipeline=True)
        found = self._listed(found, "imports", [self._import(one) for one in _of(ast.Import, items)])
        found = self._listed(found, "modules", [self._module(one) for one in _of(ast.Module, items)])
        found = self._listed(found, "tools", [self._tool(one) for one in _of(ast.Tool, items)])
        found = self._listed(found, "providers", [self._provider(one) for one in _of(ast.Provider, items)])
        return self._listed(found, "policies", [self._policy(one) for one in _of(ast.Policy, items)])

    def _listed(self, found: Data, key: str, items: list[Data]) -> Data:
        return found | {key: items} if items else found

    def _import(self, item: ast.Import) -> Data:
        names = [name.text for name in item.names]
        version = {"version": item.version.text} if item.version else {}
        return {"names": names, "from": item.path.text, **version}

    def _module(self, item: ast.Module) -> Data:
        version = {"module_version": item.version.text} if item.version else {}
        ports = self._signature(item.signature)
        return {"module_id": item.name.text, **version, **ports, **self._body(item.lines)}

    def _tool(self, item: ast.Tool) -> Data:
        made_by = {**self._kind(item.kind), **self._signature(item.signature)}
        return {"tool_id": item.name.text, **made_by, **self._braces(item.settings)}

    def _provider(self, item: ast.Provider) -> Data:
        found: Data = {"provider_id": item.name.text}
        if item.kind:
            found["kind"] = self._flat(self._values.value(item.kind))
        found["candidates"] = [
            {"provider": use.name.text, **self._guard(use.guard), **self._braces(use.settings)}
            for use in _of(ast.Use, item.offers)
        ]
        settings = _of(ast.Setting, item.offers)
        return found | ({"settings": self._settings(settings)} if settings else {})

    def _policy(self, item: ast.Policy) -> Data:
        found: Data = {"policy_id": item.name.text, "when": self._condition(item.condition)}
        found = self._listed(found, "nodes", [self._node(one) for one in _of(ast.Node, item.rules)])
        inserts = [{"node_id": one.name.text, "before": one.before.text} for one in _of(ast.Insert, item.rules)]
        found = self._listed(found, "inserts", inserts)
        found = self._listed(found, "providers", [self._provider(one) for one in _of(ast.Provider, item.rules)])
        for record in _of(ast.Record, item.rules):
            found["record"] = self._record(record)
        return found

    # ---- inside a pipeline

    def _body(self, lines: Sequence[ast.Line], *, is_pipeline: bool = False) -> Data:
        """Every sort that there is, in the order of the schema; of a pipeline always its nodes and edges."""
        found: Data = {}
        for profile in _of(ast.Profile, lines):
            found["execution_profile"] = profile.name
        for meta in _of(ast.Meta, lines):
            found["meta"] = self._settings(meta.settings.items, True)
        for record in _of(ast.Record, lines):
            found["record"] = self._record(record)
        parties = [{"party_id": one.name.text, **self._braces(one.settings)} for one in _of(ast.Party, lines)]
        found = self._listed(found, "parties", parties)
        if is_pipeline:
            found |= {"nodes": [], "edges": []}
        found = self._listed(found, "nodes", [self._node(one) for one in _of(ast.Node, lines)])
        found = self._listed(found, "edges", [self._flow(one) for one in _of(ast.Flow, lines)])
        found = self._listed(found, "reactions", [self._reaction(one) for one in _of(ast.Reaction, lines)])
        modes = [{"mode_id": one.name.text, **self._braces(one.settings)} for one in _of(ast.Mode, lines)]
        found = self._listed(found, "modes", modes)
        for budget in _of(ast.Budget, lines):
            found["budget"] = self._settings(budget.settings.items, False)
        return found

    def _node(self, node: ast.Node) -> Data:
        kind = self._kind(node.kind) if node.kind else {}
        modality = modality_of(kind.get("kind", node.name.text))
        found = {"node_id": node.name.text, **kind, **({"modality": modality} if modality != "external" else {})}
        return {**found, **self._signature(node.signature), **self._braces(node.settings)}

    def _record(self, record: ast.Record) -> Data:
        return {"recording_level": record.level.text, **self._braces(record.settings)}

    def _flow(self, flow: ast.Flow) -> Data:
        first, *others = flow.hops
        found = {"from": flow.start.text, **self._hop(first)}
        return found | ({"then": [self._hop(hop) for hop in others]} if others else {})

    def _hop(self, hop: ast.Hop) -> Data:
        return {"to": hop.ref.text, **self._guard(hop.guard), **self._braces(hop.settings)}

    def _reaction(self, reaction: ast.Reaction) -> Data:
        found = {"on": [event.text for event in reaction.events], **self._guard(reaction.guard)}
        if reaction.action:
            return found | {"action": f"{reaction.action.verb.text} {reaction.action.object.text}"}
        return found | {"path": [self._hop(hop) for hop in reaction.hops]}

    # ---- parts of lines

    def _kind(self, kind: ast.Ref | ast.Call) -> Data:
        match kind:
            case ast.Call(name=name, args=(ast.Text(text=implementation),)):
                return {"kind": name.text, "implementation": implementation}
        return {"kind": self._flat(self._values.value(kind))}

    def _signature(self, signature: ast.Signature | None) -> Data:
        if signature is None:
            return {}
        inputs, outputs = (
            [{"name": param.name.text, "type": self._flat(self._values.value(param.type))} for param in params]
            for params in (signature.inputs, signature.outputs)
        )
        return {"inputs": inputs} | ({"outputs": outputs} if outputs else {})

    def _guard(self, guard: ast.Guard | None) -> Data:
        if guard is None:
            return {}
        return {"otherwise": True} if guard.condition is None else {"when": self._condition(guard.condition)}

    def _condition(self, condition: ast.Condition) -> str:
        return self._flat(self._values.when(condition)).removeprefix("when ")

    def _flat(self, parts: list[Any]) -> str:
        text = Item(parts).flat
        assert text is not None, "nothing in it was spread"
        return text

    # ---- settings

    def _braces(self, settings: ast.Settings | None) -> Data:
        return {} if settings is None else {"settings": self._settings(settings.items)}

    def _settings(self, settings: Iterable[ast.Setting], is_textual: bool | None = None) -> Data:
        """`is_textual` says for a whole block whether its texts are texts; else each key says so."""
        return {one.key.text: self._setting(one, is_textual) for one in settings}

    def _setting(self, setting: ast.Setting, is_textual: bool | None) -> Any:
        if is_textual is None:
            is_textual = setting.key.refs[-1].parts[-1].text in TEXT_KEYS
            return True if setting.value is None else self.value(setting.value, is_textual)
        return True if setting.value is None else self.value(setting.value, is_textual, is_whole_block=True)

    def value(self, value: ast.Value, is_textual: bool, *, is_whole_block: bool = False) -> Any:
        match value:
            case ast.Text():
                return self._text(value, is_textual)
            case ast.Number(number=number) if _NUMBER.fullmatch(number):
                return Raw(number)
            case ast.Number(number=number):
                return {"value": number}
            case ast.Ref(parts=(ast.Name(text="false"),)):
                return False
            case ast.List(items=items):
                return [self.value(item, is_textual, is_whole_block=is_whole_block) for item in items]
            case ast.Settings(items=items):
                block = self._settings(items, is_textual if is_whole_block else None)
                return {"settings": block} if len(block) == 1 and next(iter(block)) in TAGS else block
            case ast.Call(name=ast.Name(text="file" | "secret" as word), args=(ast.Text(text=text),)):
                return {word: text}
        written = self._flat(self._values.value(value))
        return {"value": written} if is_textual else written

    def _text(self, value: ast.Text, is_textual: bool) -> Any:
        """A `${` that is no variable is written so that it stays none."""
        source = self._sources.get(value.span.file)
        plain = escaped_variables(value, source) if source else value.text
        return plain if is_textual or not is_notation(value.text) else {"text": plain}


def _of(sort: type[_T], lines: Iterable[object]) -> list[_T]:
    return list(_all(sort, lines))


def _all(sort: type[_T], lines: Iterable[object]) -> Iterator[_T]:
    return (line for line in lines if isinstance(line, sort))
