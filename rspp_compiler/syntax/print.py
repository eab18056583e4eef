"""AST to text, in the one style of the language. `print_file` is for programs that were never written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from rspp_compiler.ir import ast
from rspp_compiler.syntax.columns import render
from rspp_compiler.syntax.document import Bracket, Item, Part, Stop
from rspp_compiler.syntax.lines import lines
from rspp_compiler.syntax.print_values import ARROWS, GUARDS, TESTS, Values
from rspp_compiler.syntax.written import Anew

_BRACE_STRETCH = 6
_FLOW_BRACE = Stop(1, stretch=12, ragged=True)

Written = ast.Item | ast.Line | ast.Use | ast.Setting | ast.Insert


def print_file(file: ast.File) -> str:
    """The text of a file. Reading it gives the same AST, but for the spans."""
    return render(lines(Printer(Anew()).file(file)))


class Printer(Values):
    """AST to document: an item for everything that begins a line."""

    def file(self, file: ast.File) -> Bracket:
        items = [self._line(node) for node in file.items]
        document = self.bracket("", items, [node.span for node in file.items], self.looks.end(file.span) + 1)
        document.is_spread = True
        return document

    def _body(self, of: ast.Item, nodes: Sequence[Written]) -> Bracket:
        items = [self._line(node) for node in nodes]
        return self.bracket("{", items, [node.span for node in nodes], self.looks.end(of.span) - 1, is_body=True)

    def _line(self, node: Written) -> Item:
        match node:
            case ast.Import() | ast.Pipeline() | ast.Module() | ast.Policy():
                return Item(self._top_level(node), sort=type(node).__name__.lower())
            case ast.Tool():
                return self._declaration("tool", node.name.text, self._made_by(node), node.settings)
            case ast.Provider():
                return self._declaration("provider", node.name.text, self.kind(node.kind), self._offers(node))
            case ast.Use():
                return Item(self._use(node), sort="use")
            case ast.Insert():
                return self._declaration("insert", node.name.text, [f"before {node.before.text}"], None)
            case ast.Setting():
                return self.setting(node)
            case ast.Profile():
                return self._declaration("profile", node.name, [], None, sort="setup")
            case ast.Meta():
                return self._declaration("meta", "", [], node.settings, sort="setup")
            case ast.Budget():
                return self._declaration("budget", "", [], node.settings, sort="setup")
            case ast.Party():
                return self._declaration("party", node.name.text, [], node.settings, sort="setup")
            case ast.Mode():
                return self._declaration("mode", node.name.text, [], node.settings, sort="setup")
            case ast.Record():
                return self._declaration("record", node.level.text, [], node.settings, sort="setup")
            case ast.Node():
                return self._declaration("node", node.name.text, self._made_by(node), node.settings)
            case ast.Flow():
                return Item([node.start.text, *self._path(node.hops)], sort="flow")
            case ast.Reaction():
                return Item(self._reaction(node), sort="reaction")
            case _:
                assert_never(node)

    # ---- top level

    def _top_level(self, node: ast.Import | ast.Pipeline | ast.Module | ast.Policy) -> list[Part]:
        match node:
            case ast.Import():
                return self._import(node)
            case ast.Pipeline():
                body = self._body(node, node.lines)
                body.is_spread = bool(node.lines)
                return ["pipeline ", node.name.text, *self._version(node.version), " ", body]
            case ast.Module():
                body = self._body(node, node.lines)
                body.is_spread |= len(node.lines) > 1
                signature = self.signature(node.signature)
                return ["module ", node.name.text, *self._version(node.version), " ", *signature, " ", body]
            case ast.Policy():
                body = self._body(node, node.rules)
                body.is_spread |= len(node.rules) > 1
                for rule in body.items:
                    rule.sort = "rule"
                condition = [self.joint(GUARDS, node.condition.span), *self.when(node.condition)]
                return ["policy ", node.name.text, *condition, " ", body]

    def _import(self, node: ast.Import) -> list[Part]:
        first, *others = node.names
        parts: list[Part] = ["import", Stop(0), first.text]
        for name in others:
            parts += [",", self.joint(ARROWS, name.span), name.text]
        path = self.looks.literal(node.path, is_short=True)
        return [*parts, Stop(1, "import"), f"from {path}", *self._version(node.version)]

    def _version(self, version: ast.Text | None) -> list[Part]:
        return [" version ", self.looks.literal(version, is_short=True)] if version else []

    def _offers(self, node: ast.Provider) -> Bracket:
        offers = self._body(node, node.offers)
        offers.through = any(isinstance(offer, ast.Use) for offer in node.offers)
        return offers

    def _use(self, node: ast.Use) -> list[Part]:
        parts: list[Part] = ["use", Stop(0), node.name.text, *self.guard(node.guard, stop=Stop(1, "use"))]
        if node.settings:
            stop = Stop(2, "use", _BRACE_STRETCH) if node.guard else Stop(1, "use")
            parts += [stop, self.settings(node.settings)]
        return parts

    # ---- declarations

    def _declaration(
        self, word: str, name: str, made_by: list[Part], braces: ast.Settings | Bracket | None, sort: str = ""
    ) -> Item:
        """`word name : kind { … }`. The words share a column with those of other declarations, the rest by word."""
        parts: list[Part] = [word]
        stops = iter([Stop(0), Stop(1, word), Stop(2, word, _BRACE_STRETCH)])
        if name:
            parts += [next(stops), name]
        if made_by:
            parts += [next(stops), *made_by]
        if braces is not None:
            parts += [next(stops), braces if isinstance(braces, Bracket) else self.settings(braces)]
        return Item(parts, sort=sort or word)

    def _made_by(self, node: ast.Node | ast.Tool) -> list[Part]:
        """`(a : text) -> (b : text) : kind`, as far as it is there."""
        signature, kind = self.signature(node.signature), self.kind(node.kind)
        return [*signature, " ", *kind] if signature and kind else signature or kind

    # ---- flows and reactions

    def _path(self, hops: Sequence[ast.Hop]) -> list[Part]:
        """`-> a -> b { … }`, with the blank before it."""
        parts: list[Part] = []
        for hop in hops:
            parts.append(self.joint(ARROWS, hop.ref.span, stop=Stop(0) if not parts else None))
            parts += [f"-> {hop.ref.text}", *self.guard(hop.guard, indent=2)]
            if hop.settings:
                parts += [_FLOW_BRACE if hop is hops[-1] else " ", self.settings(hop.settings)]
        return parts

    def _reaction(self, node: ast.Reaction) -> list[Part]:
        first, *others = node.events
        parts: list[Part] = [f"on {first.text}"]
        for event in others:
            parts += [self.joint(TESTS, event.span), f"or {event.text}"]
        parts += self.guard(node.guard)
        if node.action is None:
            return [*parts, *self._path(node.hops)]
        action = f"-> {node.action.verb.text} {node.action.object.text}"
        return [*parts, self.joint(ARROWS, node.action.span, stop=Stop(0)), action]
