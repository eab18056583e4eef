"""Texts of a JSON document that are in the language's own notation: names, flows' ends, kinds, conditions, values.

They become AST whose spans lie in the document, exact to the character.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Sequence

from rspp_compiler.diagnostics import Diagnostic, Edit, Fix, Sink
from rspp_compiler.diagnostics.fixes import apply
from rspp_compiler.ir import ast
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.json_form import NAME, REF
from rspp_compiler.source import Source, Span
from rspp_compiler.syntax.json.tree import Text
from rspp_compiler.syntax.lower import lower_tree
from rspp_compiler.syntax.parse import Parsed, parse
from rspp_compiler.syntax.tables import tables

_NAME = re.compile(NAME)
_REF = re.compile(REF)
_SHOWN_MAX = 60  # characters
_CALL = re.compile(rf"{NAME}\(.*\)", re.DOTALL)
# What a text stands in when the parser reads it.
_VALUE = ("tool x : x { v = ", " }")
_EXAMPLES = {
    "condition": "event.words >= 2",
    "kind": "tts",
    "type": "audio(16kHz, mono)",
    "value": "block(40ms)",
}
_CONDITION = ("policy x when ", " { }")


def is_notation(text: str) -> bool:
    """Whether a text would be read as something else than a text."""
    return any(pattern.fullmatch(text) for pattern in (_REF, _quantity(), _CALL))


class Notation:
    """Reads the texts of one document; what cannot be read is E0125."""

    def __init__(self, source: Source, sink: Sink) -> None:
        self._source = source
        self._sink = sink

    # ---- names

    def name(self, text: Text) -> ast.Name:
        return ast.Name(text.text, self.span(text))

    def ref(self, text: Text) -> ast.Ref:
        return self._ref(text, 0, len(text.text))

    def key(self, text: Text) -> ast.Key:
        refs = tuple(self._ref(text, *found.span()) for found in _REF.finditer(text.text))
        return ast.Key(refs, self.span(text))

    def action(self, text: Text) -> ast.Action:
        verb, _, object = text.text.partition(" ")
        name = ast.Name(verb, self._span(text, 0, len(verb)))
        return ast.Action(name, self._ref(text, len(verb) + 1, len(verb) + 1 + len(object)), self.span(text))

    def _ref(self, text: Text, start: int, end: int) -> ast.Ref:
        parts = [ast.Name(part[0], self._span(text, *part.span())) for part in _NAME.finditer(text.text, start, end)]
        return ast.Ref(tuple(parts), self._span(text, start, end))

    # ---- what the grammar reads

    def kind(self, text: Text, what: str) -> ast.Ref | ast.Call | None:
        """A kind or type: one name, or a name with something in parentheses."""
        if _NAME.fullmatch(text.text):
            return self.ref(text)
        value = self.any_value(text, what)
        if value is None or isinstance(value, ast.Call):
            return value
        self._report(text, what, None, self._source, _VALUE)
        return None

    def condition(self, text: Text) -> ast.Condition | None:
        match self._read(text, _CONDITION, "condition"):
            case ast.Policy(condition=condition, rules=()):
                return condition
        return None

    def any_value(self, text: Text, what: str = "value") -> ast.Value | None:
        """Whatever may stand behind a `=`."""
        match self._read(text, _VALUE, what):
            case ast.Tool(settings=ast.Settings(items=(ast.Setting(value=value),))):
                return value
        return None

    def plain_value(self, text: Text) -> ast.Value | None:
        """A quantity, a symbol or a call; None for a text that is none of them."""
        written = text.text
        if _REF.fullmatch(written):
            return self.ref(text)
        if quantity := _quantity().fullmatch(written):
            digits = quantity[1]
            return ast.Quantity(digits, written[len(digits) :].strip(), self.span(text))
        return Notation(self._source, Sink()).any_value(text) if _CALL.fullmatch(written) else None

    def _read(self, text: Text, around: tuple[str, str], what: str) -> ast.Item | None:
        """The only item of a file that has the text in it; None, and a finding, if the text breaks out of its place."""
        head, tail = around
        plain = Source("text", f"{head}{text.text}{tail}")
        scratch = Context()
        parsed = parse((plain,), scratch)
        if parsed and not scratch.sink.has_errors:
            lower_tree(parsed[0], scratch)
        found = next(iter(scratch.sink.diagnostics), None)
        if not parsed or found:
            self._report(text, what, found, plain, around)
            return None
        inner = _Inner(plain.name, plain.text, self._source, text, len(head))
        items = lower_tree(Parsed(inner, parsed[0].tree, parsed[0].lost), scratch).items
        if len(items) == 1 and (not isinstance(items[0], ast.Tool) or _has_one_setting(items[0])):
            return items[0]
        self._report(text, what, None, plain, around)
        return None

    def _report(self, text: Text, what: str, found: Diagnostic | None, plain: Source, around: tuple[str, str]) -> None:
        """E0125, where the parser found something to be wrong; its fix only if that makes the text readable."""
        at, label, help, fix = self.span(text), "", f"write a {what}, such as `{_EXAMPLES[what]}`", None
        if found:
            head = len(around[0])
            start, end = (max(0, offset - head) for offset in _range(plain, found.primary))
            if start < len(text.text):
                at = self._span(text, start, min(max(end, start + 1), len(text.text)))
                label = found.message.partition(": expected")[0]  # what it expects may be of the text around
            else:
                label = "it ends too early"
            if found.fix and _is_mended(plain, found.fix, around):
                help, fix = found.help, self._translated(text, found.fix, plain, head)
        shown = text.text if len(text.text) <= _SHOWN_MAX else f"{text.text[:_SHOWN_MAX]}…"
        self._sink.add("E0125", f"`{shown}` is no {what}", at, label=label, help=help, fix=fix)

    def _translated(self, text: Text, fix: Fix, plain: Source, head: int) -> Fix:
        """A fix of the text, as one of the document."""
        edits: list[Edit] = []
        for edit in fix.edits:
            start, end = (offset - head for offset in _range(plain, edit.span))
            edits.append(Edit(self._span(text, start, end), json.dumps(edit.replacement, ensure_ascii=False)[1:-1]))
        return Fix(edits[0].span, edits[0].replacement, tuple(edits[1:]))

    # ---- places

    def span(self, text: Text) -> Span:
        """What is between the quotes."""
        return self._source.span(*text.inner)

    def _span(self, text: Text, start: int, end: int) -> Span:
        offsets = text.offsets
        return self._source.span(offsets[start], offsets[end])


class _Inner(Source):
    """A text of the document with something around it that makes it a file; its places are those in the document."""

    __slots__ = ("_head", "_offsets", "_outer")
    _head: int
    _offsets: Sequence[int]
    _outer: Source

    def __init__(self, name: str, text: str, outer: Source, inside: Text, head: int) -> None:
        super().__init__(name, text)
        object.__setattr__(self, "_outer", outer)
        object.__setattr__(self, "_offsets", inside.offsets)
        object.__setattr__(self, "_head", head)

    def span(self, start: int, end: int) -> Span:
        last = len(self._offsets) - 1
        first, behind = (min(max(offset - self._head, 0), last) for offset in (start, end))
        return self._outer.span(self._offsets[first], self._offsets[behind])


def _range(source: Source, span: Span) -> tuple[int, int]:
    return source.offset(span.line, span.column), source.offset(span.end_line, span.end_column)


def _is_mended(plain: Source, fix: Fix, around: tuple[str, str]) -> bool:
    """Whether a text can be read after a fix, and what is around it stayed the same."""
    text, (head, tail) = apply(plain.text, [fix]), around
    scratch = Context()
    parsed = parse((Source("text", text),), scratch)
    is_same = text.startswith(head) and text.endswith(tail) and text != plain.text
    return is_same and parsed is not None and not scratch.sink.has_errors


def _has_one_setting(tool: ast.Tool) -> bool:
    return tool.settings is not None and len(tool.settings.items) == 1 and tool.settings.items[0].value is not None


@functools.cache
def _quantity() -> re.Pattern[str]:
    """The grammar's own token, the number in a group."""
    (pattern,) = (pattern for name, pattern in tables().terminals if name == "QUANTITY")
    return re.compile(rf"(?=(-?\d+(?:\.\d+)?))(?:{pattern})")
