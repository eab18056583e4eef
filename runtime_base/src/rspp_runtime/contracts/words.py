"""How values and names are told."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rspp_runtime.contracts.reading import Path

_LENGTH_MAX = 80


def shown(value: Any) -> str:
    """A value as JSON has it, cut where it is long; what is no scalar by its kind."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    text = value if isinstance(value, str) and value else json.dumps(value)
    text = text if text.isprintable() else json.dumps(text[:_LENGTH_MAX])[1:-1]
    return f"`{text if len(text) <= _LENGTH_MAX else text[:_LENGTH_MAX]}`{'…' if len(text) > _LENGTH_MAX else ''}"


def listed(values: Iterable[Any]) -> str:
    """`a`, `b` or `c`."""
    *most, last = map(shown, values)
    return f"{', '.join(most)} or {last}" if most else last


def named(path: Path) -> str:
    """The field at the end of a path: `seq_range`, `ordering_markers.0`; `this` for the whole."""
    at = len(path) - 1
    while at > 0 and isinstance(path[at], int):
        at -= 1
    return ".".join(map(str, path[max(at, 0) :])) or "this"
