"""JSON in its canonical layout: what fits into a line stays in it; a document's lists have a line for each item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rspp_compiler.syntax.columns import WIDTH_MAX
from rspp_compiler.syntax.json.edits import quoted
from rspp_compiler.syntax.json.tree import Array, Node, Number, Object, Text, Word

_STEP = 2


class Raw(str):
    """A piece of JSON that is printed as it stands: a number, a text with its quotes."""

    __slots__ = ()


def print_json(document: Mapping[str, Any]) -> str:
    """A document, its members in their order, with a final newline."""
    return _spread(document, 0, is_document=True) + "\n"


def data(node: Node) -> Any:
    """A tree as data that prints as it was written, but for its blanks. A text keeps its escapes."""
    match node:
        case Text(raw=raw):
            return Raw(f'"{raw}"')
        case Number(written=written):
            return Raw(written)
        case Word(value=value):
            return value
        case Array(items=items):
            return [data(item) for item in items]
        case Object(members=members):
            return {Raw(f'"{member.key.raw}"'): data(member.value) for member in members}
    raise TypeError(node)


def _print(value: Any, indent: int, before: int) -> str:
    """`indent` is that of the line, `before` how much stands on it already, with one more for a comma."""
    flat = print_value(value)
    if not isinstance(value, Mapping | list) or not value or indent + before + len(flat) <= WIDTH_MAX:
        return flat
    return _spread(value, indent)


def _spread(value: Mapping[str, Any] | Sequence[Any], indent: int, *, is_document: bool = False) -> str:
    inner = indent + _STEP
    pad = " " * inner
    if isinstance(value, Mapping):
        rows = []
        for key, item in value.items():
            name = f"{print_value(key)}: "
            has_lines = is_document and isinstance(item, list) and any(isinstance(one, Mapping) for one in item)
            rows.append(name + (_spread(item, inner) if has_lines else _print(item, inner, len(name) + 1)))
        opener, closer = "{}"
    else:
        rows = [_print(item, inner, 1) for item in value]
        opener, closer = "[]"
    return f"{opener}\n{pad}" + f",\n{pad}".join(rows) + f"\n{' ' * indent}{closer}"


def print_value(value: Any) -> str:
    """In one line."""
    match value:
        case Raw():
            return value
        case str():
            return quoted(value)
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[value]
        case Mapping():
            inner = ", ".join(f"{print_value(key)}: {print_value(item)}" for key, item in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case list():
            return f"[{', '.join(map(print_value, value))}]"
    return str(value)
