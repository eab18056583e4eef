"""A published JSON Schema as rules with names, and what of them some data breaks.

The compiler writes the schemas of what it has in common with the runtime, in a few words of JSON Schema (draft 2020-12)
and one of its own (`x-ordered`). This reads just these, and refuses a schema that has others, so that no rule passes
unseen. A general validator would do as well, but for three things: it cannot name a rule, it says "is not valid under
any of the given schemas", and it is more code in an image than all of this package.

A rule is called `FIELD__WHAT`, `FIELD__WHAT__where_OTHER_VALUE`, or `PART.FIELD__WHAT` for a part that may stand in
several places: `turn_id__required__where_event_scope_turn`, `Marks.high__minimum`.
"""

from __future__ import annotations

import difflib
import json
from functools import cache
from importlib import resources
from typing import Any

from rspp_runtime.contracts.conditions import Condition
from rspp_runtime.contracts.fields import Check, Limit, Report, limits
from rspp_runtime.contracts.reading import Path
from rspp_runtime.contracts.words import listed, named, shown

_OF_A_VALUE = {
    "type",
    "enum",
    "const",
    "minimum",
    "pattern",
    "minLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "items",
}
_OF_A_MAP = {"type", "additionalProperties", "propertyNames", "minProperties"}
_OF_AN_OBJECT = {"type", "properties", "required", "additionalProperties", "allOf"}
_SAYING = {"$schema", "$id", "$defs", "title", "description", "default"}


class Rules:
    """The rules of one schema. `names` are in the order of the schema."""

    def __init__(self, schema: dict[str, Any], name: str) -> None:
        """`name` is what the whole is called. `ValueError` for a schema that has words which no rule is made of."""
        self.name = name
        self.names: list[str] = []
        self._parts: dict[str, Check] = {}
        for part, of in schema.get("$defs", {}).items():
            self._parts[part] = self._object(of, f"{part}.", part)
        self._whole = self._object(schema, "", name)

    def check(self, data: Any) -> Report:
        """`data`, as `reading` or `json` made it, never changes."""
        report = Report()
        self._whole(data, (), report)
        return report

    # ---- a schema becomes a function, once

    def _object(self, schema: dict[str, Any], owner: str, name: str) -> Check:
        _only(schema, _OF_AN_OBJECT, name)
        fields = {field: self._value(of, f"{owner}{field}") for field, of in schema["properties"].items()}
        required = schema.get("required", [])
        self.names += [f"{owner}{field}__required" for field in required]
        conditions = [Condition(one, owner, set(required)) for one in schema.get("allOf", ())]
        for condition in conditions:
            self._know(*condition.names())
        is_closed = schema.get("additionalProperties") is False
        closed, of_type = f"{name}__closed", f"{name}__type"
        self._know(of_type, *([closed] if is_closed else []))

        def check(value: Any, path: Path, report: Report) -> None:
            if not isinstance(value, dict):
                report.say(path, of_type, f"`{named(path)}` is an object, not {shown(value)}")
                return
            report.held.add(of_type)
            faulty: set[str] = set()
            for field in required:
                if field in value:
                    report.held.add(f"{owner}{field}__required")
                else:
                    report.say((*path, field), f"{owner}{field}__required", f"`{field}` is missing")
                    faulty.add(field)
            unknown = []
            for field, part in value.items():
                if field not in fields:
                    unknown.append(field)
                elif part is None and field not in required:
                    report.say((*path, field), f"{owner}{field}__type", f"`{field}` is null: leave it out")
                    faulty.add(field)
                else:
                    before = len(report.problems)
                    fields[field](part, (*path, field), report)
                    if len(report.problems) > before:
                        faulty.add(field)
            if is_closed and not unknown:
                report.held.add(closed)
            for field in unknown if is_closed else ():
                report.say((*path, field), closed, f"`{field}` is no field of this{_meant(field, fields)}")
            for condition in conditions:
                condition.check(value, path, faulty, report)

        return check

    def _value(self, schema: dict[str, Any], rule: str) -> Check:
        if "$ref" in schema:
            return self._part(schema["$ref"].removeprefix("#/$defs/"))
        if "anyOf" in schema:
            return self._one_or_null(schema, rule)
        if schema.get("type") == "object":
            return self._map(schema, rule)
        _only(schema, _OF_A_VALUE, rule)
        tests = self._limits(schema, rule)
        items = self._value(schema["items"], f"{rule}.item") if "items" in schema else None

        def check(value: Any, path: Path, report: Report) -> None:
            if not all(limit.test(value, path, name, report) for name, limit in tests) or items is None:
                return
            for at, item in enumerate(value):
                items(item, (*path, at), report)

        return check

    def _part(self, name: str) -> Check:
        """Parts may stand in each other, so they are looked up when data is there."""

        def check(value: Any, path: Path, report: Report) -> None:
            self._parts[name](value, path, report)

        return check

    def _one_or_null(self, schema: dict[str, Any], rule: str) -> Check:
        """A field that must be there, and may be null."""
        one, null = schema["anyOf"]
        if null != {"type": "null"}:
            raise ValueError(f"{rule}: no rule is made of this `anyOf`")
        inner = self._value({**one, **{key: of for key, of in schema.items() if key != "anyOf"}}, rule)

        def check(value: Any, path: Path, report: Report) -> None:
            if value is not None:
                inner(value, path, report)

        return check

    def _map(self, schema: dict[str, Any], rule: str) -> Check:
        """Any names, values of one form."""
        _only(schema, _OF_A_MAP, rule)
        tests = self._limits(schema, rule)
        of_names = self._limits(schema.get("propertyNames", {}), f"{rule}.name")
        of_each = self._value(schema["additionalProperties"], f"{rule}.each")

        def check(value: Any, path: Path, report: Report) -> None:
            if not all(limit.test(value, path, name, report) for name, limit in tests):
                return
            for key, part in value.items():
                if all(limit.test(key, (*path, key), name, report) for name, limit in of_names):
                    of_each(part, (*path, key), report)

        return check

    def _limits(self, schema: dict[str, Any], rule: str) -> list[tuple[str, Limit]]:
        found = [(f"{rule}__{limit.keyword}", limit) for limit in limits(schema)]
        self._know(*(name for name, _ in found))
        return found

    def _know(self, *names: str) -> None:
        self.names += [name for name in names if name not in self.names]


def _only(schema: dict[str, Any], known: set[str], name: str) -> None:
    if unknown := schema.keys() - known - _SAYING:
        raise ValueError(f"{name}: no rule is made of {sorted(unknown)}")


def _meant(field: str, known: dict[str, Check]) -> str:
    near = difflib.get_close_matches(field, known, n=1)
    return f": did you mean `{near[0]}`?" if near else f", which has {listed(known)}"


@cache
def rules(schema: str, name: str) -> Rules:
    """Those of a schema that the runtime carries, `rspp.event.v1`, under the name of what it describes."""
    text = resources.files(__package__).joinpath("schemas", f"{schema}.json").read_text(encoding="utf-8")
    return Rules(json.loads(text), name)
