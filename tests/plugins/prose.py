"""Any value of the compiler as text that people review: short records on one line, alike records as a table.

What says nothing is left out: None, empty texts and lists, false, and what a field has by default. Durations have their
unit, and the fields of a spec what they came from: `min_silence: 300ms (profile:44)`, `turn: 2s (28:19)`.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import PurePath
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from rspp_compiler.ir import ast, condition, layout, types
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.proofs.assumptions import Assumption
from rspp_compiler.ir.spec import EventSpec, OverflowStep, SpecModel, TriggerSpec
from rspp_compiler.sema.language.units import COUNTS, show_ns
from rspp_compiler.source import Span

WIDTH = 120
WIDTH_OF_TABLES = 160
_PLAIN = re.compile(r"[^\s,\[\]{}:\"'](?:[^\n,\[\]{}\"]*[^\s,\[\]{}:\"])?")
_DURATION = re.compile(r"(?:^|_)ns(?:_|$)")
_NOTHING: tuple[object, ...] = (None, "", (), [], {}, False)
_TYPES = (types.AudioType, types.TextType, types.EventType, types.BytesType, types.AnyType)
_CONDITIONS = (condition.Comparison, condition.Membership, condition.Truth, condition.Junction, condition.Negation)


@dataclass
class Record:
    """Named parts, perhaps with a word before them."""

    fields: dict[str, Tree]
    label: str = ""


Tree = str | list["Tree"] | Record


@dataclass(frozen=True)
class Reader:
    """Turns values into trees of texts. Places in `file` go without its name; fields of `without` are left out."""

    file: str
    without: Sequence[str] = ()

    def tree(self, value: Any, name: str = "") -> Tree:
        if isinstance(value, bool | str) or value is None:
            return _text(value)
        if isinstance(value, int | Fraction) and _DURATION.search(name):
            return show_ns(int(value)) if value == int(value) else f"{value / 1_000_000}ms"
        if isinstance(value, Mapping):
            return Record({str(key): self.tree(item, str(key)) for key, item in value.items()})
        if isinstance(value, list | tuple):
            return [self.tree(item, name) for item in value]
        if isinstance(value, set | frozenset):
            return [self.tree(item) for item in sorted(value)]
        return self._object(value)

    def _object(self, value: Any) -> Tree:
        match value:
            case Span():
                return self._place(value)
            case Origin(kind="derived"):
                return value.reason
            case Origin():
                return self._place(value.span)
            case ast.Name() | ast.Ref() | ast.Key():
                return f"{value.text} @{self._place(value.span)}"
            case ast.Text():
                return f"{json.dumps(value.text, ensure_ascii=False)} @{self._place(value.span)}"
            case ast.Number():
                return f"{value.number} @{self._place(value.span)}"
            case ast.Quantity():
                blank = " " if value.unit in COUNTS else ""
                return f"{value.number}{blank}{value.unit} @{self._place(value.span)}"
            case ast.Link():
                return f"{value.name.text} @{self._place(value.name.span)} lies in {PurePath(value.target).name}"
            case ast.Call():
                args = ", ".join(inline(self.tree(arg)) for arg in value.args)
                return f"{value.name.text}({args}) @{self._place(value.span)}"
            case ast.List():
                return [self.tree(item) for item in value.items]
            case ast.Settings():
                parts = {f"{one.key.text} @{self._place(one.key.span)}": one.value for one in value.items}
                return Record({key: "(flag)" if item is None else self.tree(item) for key, item in parts.items()})
            case OverflowStep() | layout.Overflow():
                return _step(value)
            case layout.Port():
                return f"{value.name} {value.type} {value.item_bytes_max}"
            case layout.Action():
                return value.verb if value.target < 0 else f"{value.verb} {value.target}"
            case EventSpec():
                return str(value)
            case Assumption():
                return Record({"id": value.id, "text": value.text, "origin": self.tree(value.origin)})
            case TriggerSpec():
                return f"{value.node}.{value.port}"
            case _ if isinstance(value, _TYPES):
                return str(value)
            case _ if isinstance(value, _CONDITIONS):
                return condition.show(value)
            case BaseModel() | _ if isinstance(value, BaseModel) or dataclasses.is_dataclass(value):
                return self._record(value)
            case _:
                return str(value)

    def _record(self, value: Any) -> Record:
        origins = value.origins if isinstance(value, SpecModel) else {}
        fields: dict[str, Tree] = {}
        for name, part in self._parts(value):
            shown = self.tree(part, name)
            if name == "settings" and isinstance(shown, Record) and isinstance(value, SpecModel):
                parts = ((key, self._with(item, origins.get(f"settings.{key}"))) for key, item in shown.fields.items())
                shown.fields = {key.removesuffix("_ns"): item for key, item in parts}
            fields[name.removesuffix("_ns") or name] = self._with(shown, origins.get(name))
        span = getattr(value, "span", None)
        label = type(value).__name__.lower() if type(value).__module__ == ast.__name__ else ""
        if isinstance(span, Span) and (label or isinstance(value, SpecModel)):
            label = f"{label} @{self._place(span)}".strip()
        return Record(fields, label)

    def _parts(self, value: Any) -> Iterator[tuple[str, Any]]:
        """The fields that say something."""
        for name, default in _fields(value):
            part = getattr(value, name)
            says_nothing = any(
                part is nothing or (part == nothing and type(part) is type(nothing)) for nothing in _NOTHING
            )
            if name in ("span", "origins") and (name == "origins" or hasattr(value, "span")):
                continue
            if not says_nothing and name not in self.without and not (part == default and type(part) is type(default)):
                yield name, part

    def _with(self, shown: Tree, origin: Origin | None) -> Tree:
        if origin is None:
            return shown
        return f"{inline(shown)} ({self.tree(origin)})"

    def _place(self, span: Span) -> str:
        if span.file.startswith("execution_profile/"):
            return f"profile:{span.line}"
        return str(span).removeprefix(f"{self.file}:")


def _fields(value: Any) -> Iterator[tuple[str, object]]:
    """Every field that is dumped, with its default."""
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield name, None if field.default is PydanticUndefined else field.default
    else:
        for one in dataclasses.fields(value):
            if one.metadata.get("dump", True):
                yield one.name, None if one.default is dataclasses.MISSING else one.default


def _step(step: OverflowStep | layout.Overflow) -> str:
    """A step of an overflow order as the language writes it."""
    argument = show_ns(step.block_ns) if step.block_ns else ""
    if isinstance(step, OverflowStep):
        argument += step.rule + (f"{step.keep_percent}%" if step.keep_percent else "")
    return f"{step.strategy}({argument})" if argument else step.strategy


def _text(value: object) -> str:
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


# ---- what a variant changes


def difference(tree: Tree, base: Tree) -> Tree | None:
    """What `tree` says and `base` does not; None if there is nothing. Of lists, what is new, and what is gone."""
    if isinstance(tree, Record) and isinstance(base, Record):
        changed: dict[str, Tree] = {
            key: rest
            for key, item in tree.fields.items()
            if (rest := difference(item, base.fields[key]) if key in base.fields else item) is not None
        }
        if gone := [key for key in base.fields if key not in tree.fields]:
            changed["gone"] = list[Tree](gone)
        return Record(changed, tree.label) if changed else None
    if isinstance(tree, list) and isinstance(base, list):
        here, there = {inline(item) for item in tree}, {inline(item) for item in base}
        new = [item for item in tree if inline(item) not in there]
        old: list[Tree] = [_name(item) for item in base if inline(item) not in here]
        found: dict[str, Tree] = {"new": new, "gone": old}
        return Record({key: items for key, items in found.items() if items}) if new or old else None
    return None if tree == base else tree


def _name(tree: Tree) -> str:
    """Enough of a tree to know which one it was."""
    if isinstance(tree, Record) and tree.fields:
        return inline(next(iter(tree.fields.values())))
    return inline(tree)


# ---- text


def render(tree: Tree) -> str:
    return "\n".join(_lines(tree, 0)) + "\n"


def inline(tree: Tree) -> str:
    """The tree on one line."""
    if isinstance(tree, str):
        return tree
    if isinstance(tree, list):
        return f"[{', '.join(map(inline, tree))}]"
    parts = ", ".join(f"{key}: {inline(item)}" for key, item in tree.fields.items())
    return f"{tree.label} {{{parts}}}".strip() if parts or not tree.label else tree.label


def _lines(tree: Tree, indent: int) -> list[str]:
    """The tree as a block of lines."""
    margin = " " * indent
    if isinstance(tree, str):
        return [margin + tree]
    if isinstance(tree, list):
        if all(isinstance(item, str) and len(item) < WIDTH // 3 for item in tree):
            return _filled([str(item) for item in tree], margin)
        return _table(tree, margin) or [line for item in tree for line in _item(item, indent)]
    return [line for key, item in tree.fields.items() for line in _field(key, item, indent)]


def _field(key: str, tree: Tree, indent: int) -> list[str]:
    margin, whole = " " * indent, inline(tree)
    if isinstance(tree, str) or indent + len(key) + 2 + len(whole) <= WIDTH:
        return [f"{margin}{key}: {whole}"]
    label = f" {tree.label}" if isinstance(tree, Record) and tree.label else ""
    return [f"{margin}{key}:{label}", *_lines(tree, indent + 2)]


def _item(tree: Tree, indent: int) -> list[str]:
    margin, whole = " " * indent, inline(tree)
    if isinstance(tree, str) or indent + 2 + len(whole) <= WIDTH:
        return [f"{margin}- {whole}"]
    if isinstance(tree, Record) and tree.label:
        return [f"{margin}- {tree.label}", *_lines(tree, indent + 2)]
    first, *others = _lines(tree, indent + 2)
    return [f"{margin}- {first[indent + 2 :]}", *others]


def _filled(words: Sequence[str], margin: str) -> list[str]:
    """Short texts, as many on a line as it takes."""
    lines = [margin]
    for word in words:
        if lines[-1] != margin and len(lines[-1]) + len(word) + 2 > WIDTH:
            lines.append(margin)
        lines[-1] += word if lines[-1] == margin else f", {word}"
    return lines


def _table(rows: Sequence[Tree], margin: str) -> list[str] | None:
    """Records of one kind as rows below their names; None where that is too wide, or hides what is nested."""
    records = [row for row in rows if isinstance(row, Record)]
    if (
        len(records) < 2
        or len(records) < len(rows)
        or any(record.label and "@" not in record.label for record in records)
    ):
        return None
    if any(
        not isinstance(item, str) and len(inline(item)) > WIDTH // 3
        for record in records
        for item in record.fields.values()
    ):
        return None
    names = list(dict.fromkeys(name for record in records for name in record.fields))
    cells = [names, *([inline(record.fields.get(name, "·")) for name in names] for record in records)]
    if any(record.label for record in records):
        cells = [[label, *row] for label, row in zip(["", *(record.label for record in records)], cells, strict=True)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    if len(margin) + sum(widths) + 2 * len(widths) > WIDTH_OF_TABLES:
        return None
    return [
        margin + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    ]
