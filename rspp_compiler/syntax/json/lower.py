"""lower: JSON documents → AST. One method for each form of `ir/json_form.py`; every span lies in the document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import PurePath
from typing import TypeVar

from rspp_compiler.ir import ast
from rspp_compiler.ir.bundle_form import BUNDLE, POLICY
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.json_form import SPEC, TEXT_KEYS
from rspp_compiler.source import Span
from rspp_compiler.syntax.json.check import declared
from rspp_compiler.syntax.json.notation import Notation
from rspp_compiler.syntax.json.tree import Array, Document, Member, Node, Number, Object, Text, Word, is_null
from rspp_compiler.syntax.lower import lower_tree
from rspp_compiler.syntax.parse import Parsed

_DIGITS_MAX = 30
# Words that begin another line than a flow.
_BEGINS_A_LINE = ("profile", "meta", "node", "party", "mode", "budget", "record", "on")

_T = TypeVar("_T")


class _UnreadError(Exception):
    """Something cannot be read, which was reported: what it stands in is left out."""


def lower_documents(parsed: tuple[Parsed, ...], ctx: Context) -> ast.Program | None:
    """The program of several files, some of them JSON; None for a bundle whose pipeline cannot be read."""
    lost = {name for one in parsed for name in one.lost}
    files = tuple(lower_file(one, ctx, lost) for one in parsed)
    forms = [one.tree.form for one in parsed if isinstance(one.tree, Document)]
    if BUNDLE in forms:
        from rspp_compiler.syntax.json.bundle import assemble

        return assemble(parsed, files, frozenset(lost), ctx)
    is_beside = len(forms) == len(parsed) and SPEC not in forms
    return ast.Program(files, frozenset(lost), is_beside=is_beside)


def lower_file(parsed: Parsed, ctx: Context, lost: set[str]) -> ast.File:
    """One file; `lost` receives the names that what cannot be read would have declared.

    A profile, a rollout and a bundle have nothing that an AST could hold.
    """
    if not isinstance(parsed.tree, Document):
        return lower_tree(parsed, ctx)
    document = parsed.tree
    items = _Lower(document, ctx, lost).items()
    source = document.source
    return ast.File(PurePath(source.name).name, items, source.span(0, len(source.text)))


class _Lower:
    def __init__(self, document: Document, ctx: Context, lost: set[str]) -> None:
        self._lost = lost
        self._document = document
        self._source = document.source
        self._sink = ctx.sink
        self._notation = Notation(document.source, ctx.sink)

    def items(self) -> tuple[ast.Item, ...]:
        root = self._document.root
        if self._document.form == POLICY:
            try:
                return (self._policy(root),)
            except _UnreadError:
                return ()
        if self._document.form != SPEC:
            return ()
        name = self._text(root, "spec_id")
        pipeline = [] if name is None else [self._pipeline(root, name)]
        return (
            *self._each(root, "imports", self._import),
            *self._each(root, "modules", self._module),
            *self._each(root, "tools", self._tool),
            *pipeline,
            *self._each(root, "providers", self._provider),
            *self._each(root, "policies", self._policy),
        )

    # ---- helpers

    def _span(self, node: Node) -> Span:
        return self._source.span(node.start, node.end)

    def _member(self, of: Object, key: str) -> Span:
        """From the key to the end of its value."""
        member = of.member(key)
        assert member is not None
        return self._source.span(member.key.start, member.value.end)

    def _text(self, of: Object, key: str) -> Text | None:
        node = self._document.get(of, key)
        return node if isinstance(node, Text) else None

    def _needed(self, of: Object, key: str) -> Text:
        """A field that the schema demands."""
        node = self._text(of, key)
        assert node is not None, key
        return node

    def _name(self, of: Object, key: str) -> ast.Name:
        return self._notation.name(self._needed(of, key))

    def _ref(self, of: Object, key: str) -> ast.Ref:
        return self._notation.ref(self._needed(of, key))

    def _quoted(self, of: Object, key: str) -> ast.Text | None:
        node = self._text(of, key)
        return ast.Text(node.text, self._span(node)) if node else None

    def _list(self, of: Object, key: str) -> list[Node]:
        node = self._document.get(of, key)
        return [item for item in node.items if not self._document.is_unusable(item)] if isinstance(node, Array) else []

    def _objects(self, of: Object, key: str) -> list[Object]:
        return [item for item in self._list(of, key) if isinstance(item, Object)]

    def _each(self, of: Object, key: str, make: Callable[[Object], _T]) -> tuple[_T, ...]:
        """What a list's elements become, without those that cannot be read."""
        found = []
        for item in self._objects(of, key):
            try:
                found.append(make(item))
            except _UnreadError:
                self._lost |= declared(key, item)
        return tuple(found)

    # ---- top level

    def _pipeline(self, root: Object, name: Text) -> ast.Pipeline:
        version = self._quoted(root, "pipeline_version")
        return ast.Pipeline(self._notation.name(name), version, self._body(root), self._span(root))

    def _import(self, of: Object) -> ast.Import:
        names = tuple(self._notation.name(name) for name in self._list(of, "names") if isinstance(name, Text))
        path = self._needed(of, "from")
        version = self._quoted(of, "version")
        return ast.Import(names, ast.Text(path.text, self._span(path)), version, self._span(of))

    def _module(self, of: Object) -> ast.Module:
        version = self._quoted(of, "module_version")
        signature = self._signature(of)
        assert signature is not None
        return ast.Module(self._name(of, "module_id"), version, signature, self._body(of), self._span(of))

    def _tool(self, of: Object) -> ast.Tool:
        kind = self._kind(of)
        assert kind is not None
        return ast.Tool(self._name(of, "tool_id"), self._signature(of), kind, self._settings(of), self._span(of))

    def _provider(self, of: Object) -> ast.Provider:
        settings = self._settings(of)
        uses: tuple[ast.Use | ast.Setting, ...] = self._each(of, "candidates", self._use)
        offers = uses + (settings.items if settings else ())
        return ast.Provider(self._name(of, "provider_id"), self._kind(of), offers, self._span(of))

    def _use(self, of: Object) -> ast.Use:
        return ast.Use(self._name(of, "provider"), self._guard(of), self._settings(of), self._span(of))

    def _policy(self, of: Object) -> ast.Policy:
        condition = self._condition(self._needed(of, "when"))
        rules: tuple[ast.Node | ast.Insert | ast.Provider | ast.Record, ...] = (
            *self._each(of, "nodes", self._node),
            *self._each(of, "inserts", self._insert),
            *self._each(of, "providers", self._provider),
            *self._record(of),
        )
        return ast.Policy(self._name(of, "policy_id"), condition, rules, self._span(of))

    def _insert(self, of: Object) -> ast.Insert:
        return ast.Insert(self._name(of, "node_id"), self._ref(of, "before"), self._span(of))

    # ---- inside a pipeline

    def _body(self, of: Object) -> tuple[ast.Line, ...]:
        """Every line, sort by sort."""
        return (
            *self._profile(of),
            *(ast.Meta(block, self._member(of, "meta")) for block in self._block(of, "meta", is_textual=True)),
            *self._record(of),
            *self._each(of, "parties", self._party),
            *self._each(of, "nodes", self._node),
            *self._each(of, "edges", self._flow),
            *self._each(of, "reactions", self._reaction),
            *self._each(of, "modes", self._mode),
            *(ast.Budget(block, self._member(of, "budget")) for block in self._block(of, "budget", is_textual=False)),
        )

    def _profile(self, of: Object) -> Iterator[ast.Profile]:
        if profile := self._text(of, "execution_profile"):
            yield ast.Profile(profile.text, self._notation.span(profile))

    def _record(self, of: Object) -> Iterator[ast.Record]:
        record = self._document.get(of, "record")
        if isinstance(record, Object):
            level = self._name(record, "recording_level")
            yield ast.Record(level, self._settings(record), self._member(of, "record"))

    def _party(self, of: Object) -> ast.Party:
        return ast.Party(self._name(of, "party_id"), self._settings(of), self._span(of))

    def _mode(self, of: Object) -> ast.Mode:
        settings = self._settings(of) or ast.Settings((), self._span(of))
        return ast.Mode(self._name(of, "mode_id"), settings, self._span(of))

    def _node(self, of: Object) -> ast.Node:
        return ast.Node(
            self._name(of, "node_id"), self._signature(of), self._kind(of), self._settings(of), self._span(of)
        )

    def _flow(self, of: Object) -> ast.Flow:
        start = self._ref(of, "from")
        if start.text in _BEGINS_A_LINE:
            help = "call it otherwise: such a word begins a line of its own"
            self._sink.add("E0201", f"`{start.text}` is a reserved word", start.span, help=help)
            raise _UnreadError
        hops = (self._hop(of), *(self._hop(item) for item in self._objects(of, "then")))
        return ast.Flow(start, hops, self._span(of))

    def _hop(self, of: Object) -> ast.Hop:
        to = of.member("to")
        assert to is not None
        return ast.Hop(self._span(to.key), self._ref(of, "to"), self._guard(of), self._settings(of), self._span(of))

    def _reaction(self, of: Object) -> ast.Reaction:
        events = tuple(self._notation.ref(event) for event in self._list(of, "on") if isinstance(event, Text))
        hops = tuple(self._hop(item) for item in self._objects(of, "path"))
        action = self._text(of, "action")
        done = self._notation.action(action) if action else None
        return ast.Reaction(events, self._guard(of), hops, done, self._span(of))

    # ---- parts of lines

    def _kind(self, of: Object) -> ast.Ref | ast.Call | None:
        written, runs = self._text(of, "kind"), self._text(of, "implementation")
        if written is None:
            return None
        kind = self._notation.kind(written, "kind")
        if kind is None:
            raise _UnreadError
        if runs is None:
            return kind
        name = kind.name if isinstance(kind, ast.Call) else kind.parts[0]
        return ast.Call(name, (ast.Text(runs.text, self._span(runs)),), self._span(written))

    def _signature(self, of: Object) -> ast.Signature | None:
        inputs, outputs = (tuple(self._port(one) for one in self._objects(of, key)) for key in ("inputs", "outputs"))
        members = [member for key in ("inputs", "outputs") if (member := of.member(key)) and not is_null(member.value)]
        if not members:
            return None
        span = self._source.span(members[0].key.start, members[-1].value.end)
        return ast.Signature(inputs, outputs, span)

    def _port(self, of: Object) -> ast.Param:
        type = self._notation.kind(self._needed(of, "type"), "type")
        if type is None:
            raise _UnreadError
        return ast.Param(self._name(of, "name"), type, self._span(of))

    def _guard(self, of: Object) -> ast.Guard | None:
        if when := self._text(of, "when"):
            return ast.Guard(self._condition(when), self._member(of, "when"))
        return ast.Guard(None, self._member(of, "otherwise")) if self._document.get(of, "otherwise") else None

    def _condition(self, text: Text) -> ast.Condition:
        condition = self._notation.condition(text)
        if condition is None:
            raise _UnreadError
        return condition

    # ---- settings

    def _settings(self, of: Object) -> ast.Settings | None:
        return next(self._block(of, "settings"), None)

    def _block(self, of: Object, key: str, *, is_textual: bool | None = None) -> Iterator[ast.Settings]:
        block = self._document.get(of, key)
        if isinstance(block, Object):
            yield self._of_block(block, is_textual)

    def _of_block(self, block: Object, is_textual: bool | None) -> ast.Settings:
        """`is_textual` says for the whole block whether its texts are texts; else each key says so."""
        members = (one for one in block.members if not is_null(one.value) and not self._document.is_unusable(one.value))
        found = (self._setting(member, is_textual) for member in members)
        return ast.Settings(tuple(one for one in found if one), self._span(block))

    def _setting(self, member: Member, is_textual: bool | None) -> ast.Setting | None:
        key = self._notation.key(member.key)
        span = self._source.span(member.key.start, member.value.end)
        if isinstance(member.value, Word) and member.value.value is True:
            return ast.Setting(key, None, span)
        takes_text = key.refs[-1].parts[-1].text in TEXT_KEYS if is_textual is None else is_textual
        value = self._value(member.value, takes_text, is_textual)
        return ast.Setting(key, value, span) if value else None

    def _value(self, node: Node, takes_text: bool, is_textual: bool | None) -> ast.Value | None:
        """The value; None, and a finding, if it says that it is in the language's notation, and is not."""
        match node:
            case Text():
                plain = None if takes_text else self._notation.plain_value(node)
                return plain or ast.Text(node.text, self._span(node))
            case Number(written=written):
                return ast.Number(_plain_number(written), self._span(node))
            case Word(value=bool(value)):
                return ast.Ref((ast.Name(str(value).lower(), self._span(node)),), self._span(node))
            case Array(items=items):
                values = (self._value(item, takes_text, is_textual) for item in items if not is_null(item))
                return ast.List(tuple(value for value in values if value), self._span(node))
            case Object(members=(Member(key=Text(text=tag), value=inner),)):
                return self._tagged(tag, inner, node, is_textual)
            case Object():
                return self._of_block(node, is_textual)
        raise TypeError(node)

    def _tagged(self, tag: str, inner: Node, node: Object, is_textual: bool | None) -> ast.Value | None:
        """An object with one key, which says what it is; any other is a block of one setting."""
        match tag, inner:
            case "text", Text(text=text):
                return ast.Text(text, self._span(inner))
            case "value", Text():
                return self._notation.any_value(inner)
            case "file" | "secret", Text(text=text):
                name = ast.Name(tag, self._span(node.members[0].key))
                return ast.Call(name, (ast.Text(text, self._span(inner)),), self._span(node))
            case "settings", Object():
                return self._of_block(inner, is_textual)
        return self._of_block(node, is_textual)


def _plain_number(written: str) -> str:
    """Without an exponent, which the language does not have."""
    if "e" not in written.lower():
        return written
    number = Decimal(written)
    return f"{number:f}" if abs(number.adjusted()) <= _DIGITS_MAX else written
