"""AST to text in any layout that the grammar allows, by chance, with comments strewn over it.

Independent of the formatter, which is tested with it: nothing here knows how a file should look.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from rspp_compiler.ir import ast

_COMMENTS = ("# why", "#", "#tight", '# a "quote', "# { [ (", "# -> when", "# é 日 👋  ", "# " + "long " * 30)
_GOES_ON = ("when", "otherwise", "and", "or")

Put = Callable[[], None]


@dataclass(frozen=True)
class Written:
    """A text, what it says, and its comments in order."""

    text: str
    file: ast.File
    comments: tuple[str, ...]


def write(file: ast.File, chance: Random, *, may_break: bool = True) -> Written:
    """The file as a text without syntax errors. Unless it `may_break`, each line of a body is one line of the text."""
    writer = _Lines(chance, may_break)
    writer.file(file)
    comments = tuple(word.rstrip() for word in writer.out if isinstance(word, _Comment))
    return Written("".join(writer.out), file, comments)


class _Comment(str):
    """Told from the words by its class."""


class _Layout:
    """What stands between the words. `_wild` says how odd this text looks."""

    def __init__(self, chance: Random, may_break: bool) -> None:
        self.out: list[str] = []
        self._chance = chance
        self._wild = chance.choice([0.0, 0.5, 1.0])
        self._may_break = may_break

    def is_by(self, probability: float) -> bool:
        return self._chance.random() < probability * self._wild

    def breaks_by(self, probability: float) -> bool:
        return self._may_break and self.is_by(probability)

    def put(self, *words: str) -> None:
        self.out += words

    def blank(self) -> None:
        self.put(self._chance.choice([" ", "   ", "\t", " \t"]) if self.is_by(0.3) else " ")

    def glue(self) -> None:
        """Where a blank is usual, but not needed."""
        if not self.is_by(0.3):
            self.blank()

    def comment(self) -> None:
        self.put(_Comment(self._chance.choice(_COMMENTS)))

    def newline(self) -> None:
        """The end of a line, perhaps with a comment; perhaps blank lines and lines of comments after it."""
        if self.breaks_by(0.3):
            self.glue()
            self.comment()
        self.put("\n")
        while self.breaks_by(0.3):
            self.glue()
            if self.breaks_by(0.7):
                self.comment()
            self.put("\n")
        self.put(" " * self._chance.choice([0, 2, 2, 4, 7]))

    def fold(self) -> None:
        """Before `->`, `when`, `otherwise`, `and` and `or`: a line may go on in the next."""
        self.newline() if self.breaks_by(0.2) else self.blank()

    def arrow(self) -> None:
        """`->`, which may begin a line as well as end one."""
        self.glue() if self.is_by(0.5) else self.fold()
        self.put("->")
        self.newline() if self.breaks_by(0.1) else self.glue()

    def separator(self, must_be_comma: bool = False) -> None:
        if must_be_comma or not self.breaks_by(0.6):
            self.put(",")
            self.newline() if self.breaks_by(0.3) else self.glue()
        else:
            self.newline()

    def between(self, opener: str, items: Sequence[Put], closer: str, lines: bool = False) -> None:
        """Items in brackets; `lines` if each has one of its own unless the text is an odd one."""
        self.put(opener)
        self.newline() if lines or self.breaks_by(0.4) else self.glue()
        for index, item in enumerate(items):
            if index:
                self._separate(item, lines)
            else:
                item()
        if items and self.is_by(0.4):
            self.separator()
        else:
            self.newline() if lines or self.breaks_by(0.4) else self.glue()
        self.put(closer)

    def _separate(self, item: Put, lines: bool) -> None:
        """A separator and an item, whose first word is looked at before: a few begin a line only behind a comma."""
        before, self.out = self.out, []
        item()
        text, self.out = self.out, before
        if lines and text[0] not in _GOES_ON and not self.breaks_by(0.2):
            self.newline()
        else:
            self.separator(text[0] in _GOES_ON)
        self.out += text


class _Values(_Layout):
    """What stands within a line."""

    def ref(self, ref: ast.Ref) -> None:
        first, *others = ref.parts
        self.put(first.text)
        for part in others:
            self.put(" . " if self.is_by(0.05) else ".", part.text)

    def text(self, text: ast.Text) -> None:
        """Between one quote or, where that says the same, three."""
        body = text.text.replace("\\", r"\\").replace('"', r"\"")
        if text.text and text.text == text.text.strip() and self.breaks_by(0.5):
            indent = " " * self._chance.choice([0, 3, 8])
            self.put('"""\n', *(f"{indent}{line}\n" for line in body.split("\n")), f'{indent}"""')
        else:
            self.put('"', body.replace("\n", r"\n").replace("\t", r"\t"), '"')

    def value(self, value: ast.Value) -> None:
        match value:
            case ast.Ref():
                self.ref(value)
            case ast.Text():
                self.text(value)
            case ast.Number():
                self.put(value.number)
            case ast.Quantity():
                is_counted = value.unit in ("items", "chars", "tokens", "words")
                self.put(f"{value.number}{' ' if is_counted else ''}{value.unit}")
            case ast.Call():
                self.put(value.name.text)
                self.between("(", [partial(self.value, argument) for argument in value.args], ")")
            case ast.List():
                self.between("[", [partial(self.value, item) for item in value.items], "]")
            case ast.Settings():
                self.settings(value)

    def settings(self, settings: ast.Settings) -> None:
        self.between("{", [partial(self.setting, setting) for setting in settings.items], "}")

    def setting(self, setting: ast.Setting) -> None:
        first, *others = setting.key.refs
        self.ref(first)
        for ref in others:
            self.arrow()
            self.ref(ref)
        if setting.value is not None:
            self.sign("=")
            self.value(setting.value)

    def sign(self, sign: str) -> None:
        self.glue()
        self.put(sign)
        self.glue()

    def kind(self, kind: ast.Ref | ast.Call | None) -> None:
        if kind is not None:
            self.sign(":")
            self.value(kind)

    def signature(self, signature: ast.Signature | None) -> None:
        if signature is None:
            return
        self.blank()
        self._params(signature.inputs)
        if signature.outputs or self.is_by(0.2):
            self.arrow()
            self._params(signature.outputs)

    def _params(self, params: Sequence[ast.Param]) -> None:
        self.between("(", [partial(self._param, param) for param in params], ")")

    def _param(self, param: ast.Param) -> None:
        self.put(param.name.text)
        self.kind(param.type)

    def guard(self, guard: ast.Guard | None) -> None:
        if guard is not None:
            self.fold()
            self.when(guard.condition) if guard.condition is not None else self.put("otherwise")

    def when(self, condition: ast.Condition) -> None:
        self.put("when")
        self.blank()
        self.condition(condition, 0)

    def condition(self, condition: ast.Condition, binds: int) -> None:
        """In parentheses where what is around it binds more tightly; sometimes for nothing."""
        strength = {ast.Or: 1, ast.And: 2, ast.Not: 3}.get(type(condition), 4)
        grouped = strength < binds or self.is_by(0.1)
        if grouped:
            self.put("(")
        match condition:
            case ast.Or(left, right) | ast.And(left, right):
                self.condition(left, strength)
                self.fold()
                self.put("or" if strength == 1 else "and")
                self.blank()
                self.condition(right, strength + 1)
            case ast.Not(operand):
                self.put("not")
                self.blank()
                self.condition(operand, strength)
            case ast.Compare(left, operator, right):
                self.value(left)
                self.sign(operator)
                self.value(right)
            case ast.Member(left, choices):
                self.value(left)
                self.blank()
                self.put("in")
                self.glue()
                self.value(choices)
            case _:
                self.value(condition)
        if grouped:
            self.put(")")


class _Lines(_Values):
    """What begins a line."""

    def file(self, file: ast.File) -> None:
        if self.breaks_by(0.5):
            self.newline()
        for index, item in enumerate(file.items):
            if index:
                self.newline()
            self.line(item)
        self.newline()
        if self.breaks_by(0.3):
            self.comment()

    def line(self, node: ast.Item | ast.Line | ast.Use | ast.Insert | ast.Setting) -> None:
        match node:
            case ast.Setting():
                self.setting(node)
                return
            case ast.Flow():
                self.ref(node.start)
                self._path(node.hops)
                return
        self.put("on" if isinstance(node, ast.Reaction) else type(node).__name__.lower())
        if not isinstance(node, ast.Meta | ast.Budget):
            self.blank()
        match node:
            case ast.Import():
                self._import(node)
            case ast.Pipeline() | ast.Module():
                self.put(node.name.text)
                self._version(node.version)
                if isinstance(node, ast.Module):
                    self.signature(node.signature)
                self._body(node.lines)
            case ast.Policy():
                self.put(node.name.text)
                self.fold()
                self.when(node.condition)
                self._body(node.rules)
            case ast.Provider():
                self.put(node.name.text)
                self.kind(node.kind)
                self._body(node.offers)
            case ast.Tool() | ast.Node():
                self.put(node.name.text)
                self.signature(node.signature)
                self.kind(node.kind)
                self._maybe(node.settings)
            case ast.Use():
                self.put(node.name.text)
                self.guard(node.guard)
                self._maybe(node.settings)
            case ast.Insert():
                self.put(node.name.text)
                self.blank()
                self.put("before")
                self.blank()
                self.ref(node.before)
            case ast.Profile():
                self.put(node.name)
            case ast.Meta() | ast.Budget():
                self._maybe(node.settings)
            case ast.Party() | ast.Mode():
                self.put(node.name.text)
                self._maybe(node.settings)
            case ast.Record():
                self.put(node.level.text)
                self._maybe(node.settings)
            case ast.Reaction():
                self._reaction(node)

    def _body(self, nodes: Sequence[ast.Line | ast.Use | ast.Insert | ast.Setting | ast.Provider]) -> None:
        self.glue()
        self.between("{", [partial(self.line, node) for node in nodes], "}", lines=True)

    def _maybe(self, settings: ast.Settings | None) -> None:
        if settings is not None:
            self.glue()
            self.settings(settings)

    def _import(self, node: ast.Import) -> None:
        first, *others = node.names
        self.put(first.text)
        for name in others:
            self.separator(must_be_comma=True)
            self.put(name.text)
        self.blank()
        self.put("from")
        self.blank()
        self._string(node.path)
        self._version(node.version)

    def _version(self, version: ast.Text | None) -> None:
        if version is not None:
            self.blank()
            self.put("version")
            self.blank()
            self._string(version)

    def _string(self, text: ast.Text) -> None:
        """Where the grammar has no room for a text between three quotes."""
        body = text.text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n").replace("\t", r"\t")
        self.put('"', body, '"')

    def _path(self, hops: Sequence[ast.Hop]) -> None:
        for hop in hops:
            self.arrow()
            self.ref(hop.ref)
            self.guard(hop.guard)
            self._maybe(hop.settings)

    def _reaction(self, node: ast.Reaction) -> None:
        for index, event in enumerate(node.events):
            if index:
                self.fold()
                self.put("or")
                self.blank()
            self.ref(event)
        self.guard(node.guard)
        self._path(node.hops)
        if node.action is not None:
            self.arrow()
            self.put(node.action.verb.text)
            self.blank()
            self.ref(node.action.object)
