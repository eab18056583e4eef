"""What a schema says of one value: its type, its range, its form."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rspp_runtime.contracts.reading import Path
from rspp_runtime.contracts.words import listed, named, shown

TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("a text", lambda value: isinstance(value, str)),
    "integer": ("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "number": ("a number", lambda value: isinstance(value, int | float) and not isinstance(value, bool)),
    "boolean": ("`true` or `false`", lambda value: isinstance(value, bool)),
    "array": ("a list", lambda value: isinstance(value, list)),
    "object": ("an object", lambda value: isinstance(value, dict)),
    "null": ("`null`", lambda value: value is None),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule that some data breaks: where, its name, and a sentence that says what it wants and what is there."""

    path: Path
    rule: str
    message: str

    @property
    def field(self) -> str:
        """`budgets.turn_budget_ms`; empty for the whole."""
        return ".".join(map(str, self.path))


@dataclass(slots=True)
class Report:
    """What came of a check: problems, and the rules that applied and held."""

    problems: list[Problem] = field(default_factory=list)
    held: set[str] = field(default_factory=set)

    def say(self, path: Path, rule: str, message: str) -> None:
        self.problems.append(Problem(path, rule, message))


Check = Callable[[Any, Path, Report], None]


@dataclass(frozen=True, slots=True)
class Limit:
    """One keyword of a value: what it wants, in words; whether a value has it; what a value has instead."""

    keyword: str
    wants: str
    is_kept: Callable[[Any], bool]
    instead: Callable[[Any], str]

    def test(self, value: Any, path: Path, rule: str, report: Report) -> bool:
        if self.is_kept(value):
            report.held.add(rule)
            return True
        report.say(path, rule, f"`{named(path)}` {self.wants}, not {self.instead(value)}")
        return False


def limits(schema: dict[str, Any]) -> list[Limit]:
    """Of one value, its type first."""
    found = []
    if "type" in schema:
        kind, is_kept = TYPES[schema["type"]]
        found.append(Limit("type", f"is {kind}", is_kept, shown))
    for keyword in ("enum", "const"):
        if keyword in schema:
            values = schema["enum"] if keyword == "enum" else [schema["const"]]
            found.append(_words(values))
    if "minimum" in schema:
        least = schema["minimum"]
        found.append(Limit("minimum", f"is at least {least}", lambda value: bool(value >= least), shown))
    if "pattern" in schema:
        pattern = whole(schema["pattern"])
        said = schema.get("description", "").rstrip(".") or f"of the form {schema['pattern']}"
        found.append(Limit("pattern", f"is {said}", lambda value: bool(pattern.search(value)), shown))
    found += [limit for keyword in _SIZES if keyword in schema for limit in (_size(keyword, schema[keyword]),)]
    if schema.get("uniqueItems"):
        found.append(Limit("uniqueItems", "has no item twice", lambda value: not _twice(value), _twice_shown))
    return found


def _words(values: list[Any]) -> Limit:
    """A long list is not told: what was meant is."""

    def instead(value: Any) -> str:
        near = difflib.get_close_matches(value, values, n=1) if isinstance(value, str) else []
        return f"{shown(value)}{f' (did you mean {shown(near[0])}?)' if near else ''}"

    wants = f"is {listed(values)}" if len(values) <= _TOLD_MAX else f"is one of {len(values)} known words"
    return Limit("enum", wants, lambda value: is_one_of(value, values), instead)


_TOLD_MAX = 10
_SIZES = {"minLength": "character", "minItems": "item", "maxItems": "item", "minProperties": "entry"}


def _size(keyword: str, bound: int) -> Limit:
    of = _SIZES[keyword] if bound == 1 else {"entry": "entries"}.get(_SIZES[keyword], f"{_SIZES[keyword]}s")
    if keyword.startswith("min"):
        return Limit(keyword, f"has at least {bound} {of}", lambda value: len(value) >= bound, lambda v: str(len(v)))
    return Limit(keyword, f"has at most {bound} {of}", lambda value: len(value) <= bound, lambda v: str(len(v)))


def is_one_of(value: Any, values: list[Any]) -> bool:
    """`true` is not 1."""
    return any(type(value) is type(one) and value == one for one in values)


def whole(pattern: str) -> re.Pattern[str]:
    """A pattern as JSON Schema means it: `$` is the end, and not before a last line feed as well."""
    return re.compile(re.sub(r"(?<!\\)\$$", r"\\Z", pattern), re.ASCII)


def _twice(items: list[Any]) -> list[Any]:
    return [item for at, item in enumerate(items) if is_one_of(item, items[:at])]


def _twice_shown(items: list[Any]) -> str:
    return f"{shown(_twice(items)[0])} twice"
