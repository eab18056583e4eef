"""lower: tree → AST. One method for each rule of the grammar, of the rule's name."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

from lark import Token, Tree

from rspp_compiler.ir import ast
from rspp_compiler.ir.context import Context
from rspp_compiler.source import Source, Span
from rspp_compiler.syntax.parse import Parsed

_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "$": "$"}
_CONDITIONS = ("or", "and", "not", "compare", "member", "ref", "text", "quantity", "number", "list")


def lower(parsed: tuple[Parsed, ...], ctx: Context) -> ast.Program:
    """`pipeline hello { … }` becomes `Pipeline(Name("hello"), None, (…))`."""
    files = tuple(_Lower(one.source, ctx).file(one.tree) for one in parsed)
    return ast.Program(files, frozenset().union(*(one.lost for one in parsed)))


class _Lower:
    def __init__(self, source: Source, ctx: Context) -> None:
        self._source = source
        self._ctx = ctx

    def file(self, tree: Tree[Token]) -> ast.File:
        items = tuple(self.lower(child) for child in tree.children if isinstance(child, Tree))
        return ast.File(PurePath(self._source.name).name, items, self._source.span(0, len(self._source.text)))

    def lower(self, tree: Tree[Token]) -> Any:
        method = f"{tree.data}_" if keyword.iskeyword(tree.data) else tree.data
        return getattr(self, method)(tree)

    # ---- helpers

    def span(self, part: Tree[Token] | Token) -> Span:
        if isinstance(part, Token):
            return self._source.span(part.start_pos or 0, part.end_pos or 0)
        if part.meta.empty:
            return self._source.span(0, 0)
        return self._source.span(part.meta.start_pos, part.meta.end_pos)

    def token(self, tree: Tree[Token], index: int = 0) -> ast.Name:
        tokens = [child for child in tree.children if isinstance(child, Token) and child.type == "NAME"]
        return ast.Name(str(tokens[index]), self.span(tokens[index]))

    def all(self, tree: Tree[Token], *rules: str) -> tuple[Any, ...]:
        return tuple(self.lower(c) for c in tree.children if isinstance(c, Tree) and c.data in rules)

    def first(self, tree: Tree[Token], *rules: str) -> Any:
        return next(iter(self.all(tree, *rules)), None)

    # ---- top level

    def import_(self, tree: Tree[Token]) -> ast.Import:
        names = tuple(
            ast.Name(str(c), self.span(c)) for c in tree.children if isinstance(c, Token) and c.type == "NAME"
        )
        path = next(c for c in tree.children if isinstance(c, Token) and c.type == "STRING")
        return ast.Import(names, self._text(path), self.first(tree, "version"), self.span(tree))

    def pipeline(self, tree: Tree[Token]) -> ast.Pipeline:
        return ast.Pipeline(self.token(tree), self.first(tree, "version"), self._lines(tree), self.span(tree))

    def module(self, tree: Tree[Token]) -> ast.Module:
        version, signature = self.first(tree, "version"), self.first(tree, "signature")
        return ast.Module(self.token(tree), version, signature, self._lines(tree), self.span(tree))

    def _lines(self, tree: Tree[Token]) -> tuple[ast.Line, ...]:
        rules = ("profile", "meta", "node", "party", "mode", "budget", "record", "flow", "reaction")
        return self.all(tree, *rules)

    def tool(self, tree: Tree[Token]) -> ast.Tool:
        signature, kind = self.first(tree, "signature"), self.first(tree, "kind")
        return ast.Tool(self.token(tree), signature, kind, self.first(tree, "settings"), self.span(tree))

    def provider(self, tree: Tree[Token]) -> ast.Provider:
        offers = self.all(tree, "use", "setting")
        return ast.Provider(self.token(tree), self.first(tree, "kind"), offers, self.span(tree))

    def policy(self, tree: Tree[Token]) -> ast.Policy:
        condition = self.first_condition(tree)
        rules = self.all(tree, "node", "insert", "provider", "record")
        return ast.Policy(self.token(tree), condition, rules, self.span(tree))

    def use(self, tree: Tree[Token]) -> ast.Use:
        guard, settings = self.first(tree, "when", "otherwise"), self.first(tree, "settings")
        return ast.Use(self.token(tree), guard, settings, self.span(tree))

    def insert(self, tree: Tree[Token]) -> ast.Insert:
        return ast.Insert(self.token(tree), self.first(tree, "ref"), self.span(tree))

    def version(self, tree: Tree[Token]) -> ast.Text:
        return self._text(_only_token(tree.children))

    # ---- inside a pipeline

    def profile(self, tree: Tree[Token]) -> ast.Profile:
        return ast.Profile(str(_only_token(tree.children)), self.span(tree))

    def meta(self, tree: Tree[Token]) -> ast.Meta:
        return ast.Meta(self.first(tree, "settings"), self.span(tree))

    def node(self, tree: Tree[Token]) -> ast.Node:
        signature, kind = self.first(tree, "signature"), self.first(tree, "kind")
        return ast.Node(self.token(tree), signature, kind, self.first(tree, "settings"), self.span(tree))

    def party(self, tree: Tree[Token]) -> ast.Party:
        return ast.Party(self.token(tree), self.first(tree, "settings"), self.span(tree))

    def mode(self, tree: Tree[Token]) -> ast.Mode:
        return ast.Mode(self.token(tree), self.first(tree, "settings"), self.span(tree))

    def budget(self, tree: Tree[Token]) -> ast.Budget:
        return ast.Budget(self.first(tree, "settings"), self.span(tree))

    def record(self, tree: Tree[Token]) -> ast.Record:
        return ast.Record(self.token(tree), self.first(tree, "settings"), self.span(tree))

    def flow(self, tree: Tree[Token]) -> ast.Flow:
        return ast.Flow(self.first(tree, "ref"), self.all(tree, "hop"), self.span(tree))

    def hop(self, tree: Tree[Token]) -> ast.Hop:
        arrow = next(child for child in tree.children if isinstance(child, Token) and child.type == "ARROW")
        guard, settings = self.first(tree, "when", "otherwise"), self.first(tree, "settings")
        return ast.Hop(self.span(arrow), self.first(tree, "ref"), guard, settings, self.span(tree))

    def reaction(self, tree: Tree[Token]) -> ast.Reaction:
        events, guard = self.all(tree, "ref"), self.first(tree, "when", "otherwise")
        return ast.Reaction(events, guard, self.all(tree, "hop"), self.first(tree, "action"), self.span(tree))

    def action(self, tree: Tree[Token]) -> ast.Action:
        return ast.Action(self.token(tree), self.first(tree, "ref"), self.span(tree))

    def when(self, tree: Tree[Token]) -> ast.Guard:
        return ast.Guard(self.first_condition(tree), self.span(tree))

    def otherwise(self, tree: Tree[Token]) -> ast.Guard:
        return ast.Guard(None, self.span(tree))

    def first_condition(self, tree: Tree[Token]) -> ast.Condition:
        condition: ast.Condition = self._operands(tree)[0]
        return condition

    # ---- conditions

    def or_(self, tree: Tree[Token]) -> ast.Or:
        left, right = self._operands(tree)
        return ast.Or(left, right, self.span(tree))

    def and_(self, tree: Tree[Token]) -> ast.And:
        left, right = self._operands(tree)
        return ast.And(left, right, self.span(tree))

    def not_(self, tree: Tree[Token]) -> ast.Not:
        return ast.Not(self._operands(tree)[0], self.span(tree))

    def compare(self, tree: Tree[Token]) -> ast.Compare:
        left, right = self._operands(tree)
        operator = next(child for child in tree.children if isinstance(child, Token) and child.type == "COMPARE")
        return ast.Compare(left, str(operator), right, self.span(tree))

    def member(self, tree: Tree[Token]) -> ast.Member:
        left, choices = self._operands(tree)
        return ast.Member(left, choices, self.span(tree))

    def _operands(self, tree: Tree[Token]) -> tuple[Any, ...]:
        return self.all(tree, *_CONDITIONS)

    # ---- kinds, types, settings, values

    def kind(self, tree: Tree[Token]) -> ast.Ref | ast.Call:
        call: ast.Call | None = self.first(tree, "call")
        return call or ast.Ref((self.token(tree),), self.span(tree))

    type = kind

    def ref(self, tree: Tree[Token]) -> ast.Ref:
        parts = tuple(ast.Name(str(child), self.span(child)) for child in tree.children if isinstance(child, Token))
        return ast.Ref(parts, self.span(tree))

    def signature(self, tree: Tree[Token]) -> ast.Signature:
        return ast.Signature(self.first(tree, "inputs"), self.first(tree, "outputs") or (), self.span(tree))

    def inputs(self, tree: Tree[Token]) -> tuple[ast.Param, ...]:
        return self.all(tree, "param")

    outputs = inputs

    def param(self, tree: Tree[Token]) -> ast.Param:
        return ast.Param(self.token(tree), self.first(tree, "type"), self.span(tree))

    def settings(self, tree: Tree[Token]) -> ast.Settings:
        return ast.Settings(self.all(tree, "setting"), self.span(tree))

    def setting(self, tree: Tree[Token]) -> ast.Setting:
        key, *value = (self.lower(child) for child in tree.children if isinstance(child, Tree))
        return ast.Setting(key, value[0] if value else None, self.span(tree))

    def key(self, tree: Tree[Token]) -> ast.Key:
        return ast.Key(self.all(tree, "ref"), self.span(tree))

    def call(self, tree: Tree[Token]) -> ast.Call:
        args = tuple(self.lower(child) for child in tree.children if isinstance(child, Tree))
        return ast.Call(self.token(tree), args, self.span(tree))

    def list(self, tree: Tree[Token]) -> ast.List:
        return ast.List(tuple(self.lower(c) for c in tree.children if isinstance(c, Tree)), self.span(tree))

    def quantity(self, tree: Tree[Token]) -> ast.Quantity:
        written = str(_only_token(tree.children))
        number = re.match(r"-?\d+(?:\.\d+)?", written)
        digits = number[0] if number else ""
        return ast.Quantity(digits, written[len(digits) :].strip(), self.span(tree))

    def number(self, tree: Tree[Token]) -> ast.Number:
        return ast.Number(str(_only_token(tree.children)), self.span(tree))

    def text(self, tree: Tree[Token]) -> ast.Text:
        return self._text(_only_token(tree.children))

    def _text(self, token: Token) -> ast.Text:
        """Escapes resolved; a long text loses the indentation that all its lines share, and its outer line ends."""
        written = str(token)
        quotes = 3 if written.startswith('"""') else 1
        body = written[quotes:-quotes].replace("\r\n", "\n")
        if quotes == 3:
            lines = body.split("\n")
            indent = min((len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()), default=0)
            body = "\n".join([lines[0], *(line[indent:] for line in lines[1:])]).strip()

        def resolve(escape: re.Match[str]) -> str:
            if escape[1] not in _ESCAPES:
                known = " ".join(f"\\{letter}" for letter in _ESCAPES)
                message, help = f"unknown escape `{escape[0]}`", f"there are {known}"
                self._ctx.sink.add("E0114", message, self.span(token), help=help)
            return _ESCAPES.get(escape[1], escape[1])

        return ast.Text(re.sub(r"\\([\s\S])", resolve, body), self.span(token))


def _only_token(children: Iterable[Token | Tree[Token]]) -> Token:
    return next(child for child in children if isinstance(child, Token))
