"""lower: tree → AST, bottom up. One method for each rule of the grammar, of the rule's name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any, TypeVar, get_args

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.ir import ast
from rspp_compiler.ir.context import Context
from rspp_compiler.source import Source, Span
from rspp_compiler.syntax.findings import FOUND_MAX
from rspp_compiler.syntax.parse import Parsed, is_json
from rspp_compiler.syntax.tree import Token, Tree

_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "$": "$"}
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_ESCAPE = re.compile(r"\\([\s\S])")
_LINE = get_args(ast.Line)

Part = TypeVar("Part")
Parts = list[Any]  # what the children of a rule became: AST, a tuple of it, or a token that is no name


def lower(parsed: tuple[Parsed, ...], ctx: Context) -> ast.Program | None:
    """`pipeline hello { … }` becomes `Pipeline(Name("hello"), None, (…))`; None for a bundle without its pipeline."""
    if any(is_json(one.source.name) for one in parsed):
        from rspp_compiler.syntax.json.lower import lower_documents

        return lower_documents(parsed, ctx)
    return ast.Program(tuple(lower_tree(one, ctx) for one in parsed), frozenset().union(*(one.lost for one in parsed)))


def lower_tree(parsed: Parsed, ctx: Context) -> ast.File:
    """One file, by the tree of the grammar's rules."""
    assert isinstance(parsed.tree, Tree)
    return _Lower(parsed.source, ctx).file(parsed.tree)


def _all(parts: Parts, kinds: type[Part] | tuple[type[Part], ...]) -> tuple[Part, ...]:
    return tuple(part for part in parts if isinstance(part, kinds))


def _one(parts: Parts, kind: type[Part]) -> Part | None:
    for part in parts:
        if isinstance(part, kind):
            return part
    return None


class _Lower:
    def __init__(self, source: Source, ctx: Context) -> None:
        self._source = source
        self._ctx = ctx
        self._span = source.span(0, 0)
        self._start = self._end = 0  # of the last span: `a` is a name, a reference and a key at once
        rules = (name for name in vars(_Lower) if not name.startswith("_"))
        self._rules = {name.removesuffix("_"): getattr(self, name) for name in rules}

    def file(self, tree: Tree) -> ast.File:
        items = tuple(self._lower(child) for child in tree.children)
        return ast.File(PurePath(self._source.name).name, items, self._source.span(0, len(self._source.text)))

    # ---- helpers

    def _lower(self, tree: Tree | Token) -> Any:
        if isinstance(tree, Token):
            return ast.Name(tree.text, self._at(tree)) if tree.kind == "NAME" else tree
        return self._rules[tree.rule]([self._lower(child) for child in tree.children], self._at(tree))

    def _at(self, part: Tree | Token) -> Span:
        start, end = part.start, part.end
        if start != self._start or end != self._end:
            self._start, self._end, self._span = start, end, self._source.span(start, end)
        return self._span

    # ---- top level

    def import_(self, parts: Parts, span: Span) -> ast.Import:
        *names, path = (part for part in parts if not isinstance(part, ast.Text))
        return ast.Import(tuple(names), self._text(path), _one(parts, ast.Text), span)

    def pipeline(self, parts: Parts, span: Span) -> ast.Pipeline:
        return ast.Pipeline(parts[0], _one(parts, ast.Text), _all(parts, _LINE), span)

    def module(self, parts: Parts, span: Span) -> ast.Module:
        (signature,) = _all(parts, ast.Signature)
        return ast.Module(parts[0], _one(parts, ast.Text), signature, _all(parts, _LINE), span)

    def tool(self, parts: Parts, span: Span) -> ast.Tool:
        kind = next(part for part in parts if isinstance(part, ast.Ref | ast.Call))
        return ast.Tool(parts[0], _one(parts, ast.Signature), kind, _one(parts, ast.Settings), span)

    def provider(self, parts: Parts, span: Span) -> ast.Provider:
        kind = _one(parts, ast.Ref) or _one(parts, ast.Call)
        self._distinct(_all(parts, ast.Setting))
        return ast.Provider(parts[0], kind, _all(parts, (ast.Use, ast.Setting)), span)

    def policy(self, parts: Parts, span: Span) -> ast.Policy:
        name, condition, *rules = parts
        return ast.Policy(name, condition, tuple(rules), span)

    def use(self, parts: Parts, span: Span) -> ast.Use:
        return ast.Use(parts[0], _one(parts, ast.Guard), _one(parts, ast.Settings), span)

    def insert(self, parts: Parts, span: Span) -> ast.Insert:
        return ast.Insert(parts[0], parts[1], span)

    def version(self, parts: Parts, _span: Span) -> ast.Text:
        return self._text(parts[0])

    # ---- inside a pipeline

    def profile(self, parts: Parts, span: Span) -> ast.Profile:
        return ast.Profile(parts[0].text, span)

    def meta(self, parts: Parts, span: Span) -> ast.Meta:
        return ast.Meta(parts[0], span)

    def node(self, parts: Parts, span: Span) -> ast.Node:
        kind = _one(parts, ast.Ref) or _one(parts, ast.Call)
        return ast.Node(parts[0], _one(parts, ast.Signature), kind, _one(parts, ast.Settings), span)

    def party(self, parts: Parts, span: Span) -> ast.Party:
        return ast.Party(parts[0], _one(parts, ast.Settings), span)

    def mode(self, parts: Parts, span: Span) -> ast.Mode:
        return ast.Mode(parts[0], parts[1], span)

    def budget(self, parts: Parts, span: Span) -> ast.Budget:
        return ast.Budget(parts[0], span)

    def record(self, parts: Parts, span: Span) -> ast.Record:
        return ast.Record(parts[0], _one(parts, ast.Settings), span)

    def flow(self, parts: Parts, span: Span) -> ast.Flow:
        return ast.Flow(parts[0], tuple(parts[1:]), span)

    def hop(self, parts: Parts, span: Span) -> ast.Hop:
        arrow, ref = parts[:2]
        return ast.Hop(self._at(arrow), ref, _one(parts, ast.Guard), _one(parts, ast.Settings), span)

    def reaction(self, parts: Parts, span: Span) -> ast.Reaction:
        events, hops = _all(parts, ast.Ref), _all(parts, ast.Hop)
        return ast.Reaction(events, _one(parts, ast.Guard), hops, _one(parts, ast.Action), span)

    def action(self, parts: Parts, span: Span) -> ast.Action:
        return ast.Action(parts[0], parts[1], span)

    def when(self, parts: Parts, span: Span) -> ast.Guard:
        return ast.Guard(parts[0], span)

    def otherwise(self, _parts: Parts, span: Span) -> ast.Guard:
        return ast.Guard(None, span)

    # ---- conditions

    def or_(self, parts: Parts, span: Span) -> ast.Or:
        return ast.Or(parts[0], parts[1], span)

    def and_(self, parts: Parts, span: Span) -> ast.And:
        return ast.And(parts[0], parts[1], span)

    def not_(self, parts: Parts, span: Span) -> ast.Not:
        return ast.Not(parts[0], span)

    def compare(self, parts: Parts, span: Span) -> ast.Compare:
        left, operator, right = parts
        return ast.Compare(left, operator.text, right, span)

    def member(self, parts: Parts, span: Span) -> ast.Member:
        return ast.Member(parts[0], parts[1], span)

    # ---- kinds, types, settings, values

    def kind(self, parts: Parts, span: Span) -> ast.Ref | ast.Call:
        (kind,) = parts
        return kind if isinstance(kind, ast.Call) else ast.Ref((kind,), span)

    type = kind

    def ref(self, parts: Parts, span: Span) -> ast.Ref:
        return ast.Ref(tuple(parts), span)

    def signature(self, parts: Parts, span: Span) -> ast.Signature:
        inputs, *outputs = (part for part in parts if not isinstance(part, Token))  # an arrow stands between them
        return ast.Signature(inputs, outputs[0] if outputs else (), span)

    def inputs(self, parts: Parts, _span: Span) -> tuple[ast.Param, ...]:
        return tuple(parts)

    outputs = inputs

    def param(self, parts: Parts, span: Span) -> ast.Param:
        return ast.Param(parts[0], parts[1], span)

    def settings(self, parts: Parts, span: Span) -> ast.Settings:
        self._distinct(parts)
        return ast.Settings(tuple(parts), span)

    def _distinct(self, settings: Iterable[ast.Setting]) -> None:
        """E0302: within one block a key stands once; blocks further outside override it silently."""
        first: dict[str, ast.Setting] = {}
        doubles = 0
        for setting in settings:
            known = first.setdefault(setting.key.text, setting)
            if known is not setting:
                doubles += 1
                self._ctx.sink.add(
                    "E0302",
                    f"`{setting.key.text}` is given twice",
                    setting.key.span,
                    secondary=[(known.key.span, "first given here")],
                    help="keep one of them",
                    fix=remove(self._source, setting.span) if doubles <= FOUND_MAX else None,  # each looks at its line
                )

    def setting(self, parts: Parts, span: Span) -> ast.Setting:
        return ast.Setting(parts[0], parts[1] if len(parts) > 1 else None, span)

    def key(self, parts: Parts, span: Span) -> ast.Key:
        return ast.Key(_all(parts, ast.Ref), span)

    def call(self, parts: Parts, span: Span) -> ast.Call:
        return ast.Call(parts[0], tuple(parts[1:]), span)

    def list(self, parts: Parts, span: Span) -> ast.List:
        return ast.List(tuple(parts), span)

    def quantity(self, parts: Parts, span: Span) -> ast.Quantity:
        written = parts[0].text
        number = _NUMBER.match(written)
        digits = number[0] if number else ""
        return ast.Quantity(digits, written[len(digits) :].strip(), span)

    def number(self, parts: Parts, span: Span) -> ast.Number:
        return ast.Number(parts[0].text, span)

    def text(self, parts: Parts, _span: Span) -> ast.Text:
        return self._text(parts[0])

    def _text(self, token: Token) -> ast.Text:
        """Escapes resolved; a long text loses the indentation that all its lines share, and its outer line ends."""
        quotes = 3 if token.text.startswith('"""') else 1
        body = token.text[quotes:-quotes].replace("\r\n", "\n")
        if quotes == 3:
            lines = body.split("\n")
            indent = min((len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()), default=0)
            body = "\n".join([lines[0], *(line[indent:] for line in lines[1:])]).strip()
        if "\\" in body:
            self._check_escapes(token)
            body = _ESCAPE.sub(lambda escape: _ESCAPES.get(escape[1], escape[1]), body)
        return ast.Text(body, self._at(token))

    def _check_escapes(self, token: Token) -> None:
        for escape in _ESCAPE.finditer(token.text):
            if escape[1] not in _ESCAPES:
                at = self._source.span(token.start + escape.start(), token.start + escape.end())
                known = " ".join(f"\\{letter}" for letter in _ESCAPES)
                fix = Fix(at, f"\\{escape[0]}")
                self._ctx.sink.add("E0114", f"unknown escape `{escape[0]}`", at, help=f"there are {known}", fix=fix)
