"""Python literals as a careful person would write them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

WIDTH = 120


def text(value: str) -> str:
    """A string in double quotes."""
    return json.dumps(value, ensure_ascii=False)


def number(value: int) -> str:
    """An integer with its thousands set apart: `800_000_000`."""
    return f"{value:_}"


def bits(value: int, width: int) -> str:
    """A mask, as wide as there are things to name: `0b0100`."""
    return f"0b{value:0{max(1, width)}b}"


def literal(value: Any, indent: int = 0) -> str:
    """A JSON-like value; on one line if it fits, else one entry a line with trailing commas."""
    one_line = _flat(value)
    if len(one_line) + indent <= WIDTH - 24 and not (isinstance(value, dict) and len(value) > 3):
        return one_line
    pad = " " * (indent + 4)
    if isinstance(value, dict):
        rows = [f"{pad}{text(str(key))}: {literal(item, indent + 4)},\n" for key, item in value.items()]
        return "{\n" + "".join(rows) + " " * indent + "}"
    if isinstance(value, list | tuple):
        left, right = "()" if isinstance(value, tuple) else "[]"
        rows = [f"{pad}{literal(item, indent + 4)},\n" for item in value]
        return f"{left}\n" + "".join(rows) + " " * indent + right
    return one_line


def _flat(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, int):
        return number(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{text(str(key))}: {_flat(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flat(item) for item in value) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(_flat(item) for item in value) + ("," if len(value) == 1 else "") + ")"
    return repr(value)


def columns(rows: Iterable[Sequence[str]], right: frozenset[int] = frozenset()) -> list[str]:
    """Rows of cells as aligned lines; the cells of the columns in `right` end together, the others begin together."""
    table = [list(row) for row in rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))] if table else []
    return [
        "".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
