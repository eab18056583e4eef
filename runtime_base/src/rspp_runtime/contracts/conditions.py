"""Rules between the fields of an object: what a schema has under `allOf`, one `if … then …` each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from rspp_runtime.contracts.fields import Report, is_one_of
from rspp_runtime.contracts.reading import Path
from rspp_runtime.contracts.words import listed, shown

# The compiler's word for numbers that must not fall; JSON Schema has none.
ORDERED = "x-ordered"
KNOWN = {"required", "anyOf", "properties", ORDERED}


class Condition:
    """Where every field of `when` has one of its values, `then` holds. A field that is faulty by itself is passed over:
    one mistake is told once.
    """

    def __init__(self, schema: dict[str, Any], owner: str, always: set[str]) -> None:
        """`owner` stands before the names of the rules; `always` are fields that are required in any case."""
        self._when = values_of(schema["if"]) if "if" in schema else {}
        then = schema["then"] if "if" in schema else schema
        if unknown := then.keys() - KNOWN or schema.keys() - {"if", "then"} - KNOWN:
            raise ValueError(f"{owner or 'a schema'}: no rule is made of {sorted(unknown)}")
        self._values = {name: part["enum"] for name, part in then.get("properties", {}).items()}
        self._required = [name for name in then.get("required", ()) if name not in always]
        self._any_of = [(one["required"][0], values_of(one.get("properties", {}).get(one["required"][0], {})))
                        for one in then.get("anyOf", ())]  # fmt: skip
        self._ordered = then.get(ORDERED, [])
        self._owner, self._where_named = owner, _where_named(self._when)

    def names(self) -> Iterator[str]:
        """Of all its rules."""
        for what, fields in (
            ("required", self._required),
            ("any_of", [name for name, _ in self._any_of[:1]]),
            ("is", self._values),
            ("ordered", self._ordered[1:]),
        ):
            yield from (self._name(field, what) for field in fields)

    def check(self, data: dict[str, Any], path: Path, faulty: set[str], report: Report) -> None:
        """Adds what fails to `faulty`."""
        if faulty & self._when.keys() or not holds(self._when, data):
            return
        where = self._where(data)
        for name in self._required:
            if name not in faulty:
                self._verdict(name, "required", name in data, f"`{name}` is missing{where}", path, faulty, report)
        if self._any_of and not faulty & {name for name, _ in self._any_of}:
            fields, having = [name for name, _ in self._any_of], self._any_of[0][1]
            said = "".join(f" whose `{name}` is {listed(values)}" for name, values in having.items())
            is_there = any(name in data and holds(having, data[name]) for name in fields)
            message = f"one of {listed(fields)}{said} is needed{where}"
            self._verdict(fields[0], "any_of", is_there, message, path, faulty, report)
        for name, values in self._values.items():
            if name in data and name not in faulty:
                message = f"`{name}` is {listed(values)}{where}, not {shown(data[name])}"
                self._verdict(name, "is", is_one_of(data[name], values), message, path, faulty, report)
        for name, after in pairwise(self._ordered):
            if name in data and after in data and not faulty & {name, after}:
                message = f"`{after}` is {data[after]}, less than `{name}`, which is {data[name]}{where}"
                self._verdict(after, "ordered", data[after] >= data[name], message, path, faulty, report)

    def _verdict(
        self, name: str, what: str, is_kept: bool, message: str, path: Path, faulty: set[str], report: Report
    ) -> None:
        if is_kept:
            report.held.add(self._name(name, what))
        else:
            report.say((*path, name), self._name(name, what), message)
            faulty.add(name)

    def _name(self, field: str, what: str) -> str:
        return f"{self._owner}{field}__{what}{self._where_named}"

    def _where(self, data: dict[str, Any]) -> str:
        found = [f"`{name}` is {shown(data[name])}" for name in self._when]
        return f" where {' and '.join(found)}" if found else ""


def values_of(schema: dict[str, Any]) -> dict[str, list[Any]]:
    """The fields of `{properties: {FIELD: {enum: …}}, required: […]}`, and the values that each may have."""
    return {name: part["enum"] for name, part in schema.get("properties", {}).items()}


def holds(wanted: dict[str, list[Any]], data: Any) -> bool:
    """Whether each of these fields is there with one of its values. Where none is wanted, anything will do."""
    if not isinstance(data, dict):
        return not wanted
    return all(name in data and is_one_of(data[name], values) for name, values in wanted.items())


def _where_named(when: dict[str, list[Any]]) -> str:
    if not when:
        return ""
    parts = [f"{name}_{'_or_'.join(str(value).lower() for value in values)}" for name, values in when.items()]
    return f"__where_{'_and_'.join(parts)}"
