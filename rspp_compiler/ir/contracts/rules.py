"""Contracts, and rules that hold between their fields: checked by the model, and part of its JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

Values = tuple[Any, ...]
# JSON Schema cannot compare two numbers. Its readers pass over what they do not know; ours know this.
ORDERED = "x-ordered"


@dataclass(frozen=True, slots=True)
class Rule:
    """Where every field of `when` has one of its values, the fields `required` are there, one at least of `any_of` is
    (in which each field of `having` has one of those values), each field of `values` has one of those, and the numbers
    of `ordered` do not fall.
    """

    when: Mapping[str, Values] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    having: Mapping[str, Values] = field(default_factory=dict)
    values: Mapping[str, Values] = field(default_factory=dict)
    ordered: tuple[str, ...] = ()

    def problems(self, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """(field, what is wrong with it)."""
        if not all(data.get(name) in values for name, values in self.when.items()):
            return
        where = self._where(data)
        for name in self.required:
            if data.get(name) is None:
                yield name, f"`{name}` is missing{where}"
        if self.any_of and not any(self._is_there(data.get(name)) for name in self.any_of):
            having = "".join(f" whose `{name}` is {_listed(values)}" for name, values in self.having.items())
            yield self.any_of[0], f"one of {_listed(self.any_of)}{having} is needed{where}"
        for name, values in self.values.items():
            if data.get(name) not in values:
                yield name, f"`{name}` is {_listed(values)}{where}, not {_shown(data.get(name))}"
        for name, after in pairwise(self.ordered):
            if data[after] < data[name]:
                yield after, f"`{after}` is {data[after]}, less than `{name}`, which is {data[name]}{where}"

    def _is_there(self, part: Any) -> bool:
        return part is not None and all(part.get(name) in values for name, values in self.having.items())

    def _where(self, data: Mapping[str, Any]) -> str:
        found = [f"`{name}` is {_shown(data.get(name))}" for name in self.when]
        return f" where {' and '.join(found)}" if found else ""

    def schema(self) -> JsonSchemaValue:
        """The rule in JSON Schema."""
        then: JsonSchemaValue = {}
        if self.required:
            then["required"] = list(self.required)
        if self.any_of:
            having = [{"properties": {name: _holding(self.having)}} if self.having else {} for name in self.any_of]
            then["anyOf"] = [{"required": [name], **inner} for name, inner in zip(self.any_of, having, strict=True)]
        if self.values:
            then["properties"] = {name: {"enum": list(values)} for name, values in self.values.items()}
            then["required"] = sorted({*self.required, *self.values})
        if self.ordered:
            then[ORDERED] = list(self.ordered)
        return {"if": _holding(self.when), "then": then} if self.when else then


class Contract(BaseModel):
    """Data in the exact words of a contract. A field without a value is left out, not `null`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    RULES: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _no_null(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            for name, known in cls.model_fields.items():
                if _is_optional(known) and data.get(name, 0) is None:
                    raise _wrong(name, f"`{name}` is null: leave it out")
        return data

    @model_validator(mode="after")
    def _rules(self) -> Self:
        data = self.model_dump()
        for rule in self.RULES:
            for name, message in rule.problems(data):
                raise _wrong(name, message)
        return self

    @classmethod
    def problems(cls, data: Any) -> list[tuple[str, str]]:
        """What is wrong with data: (path of the field, a sentence). Empty if nothing is."""
        try:
            cls.model_validate(data)
        except ValidationError as error:
            return [_problem(one) for one in error.errors(include_url=False)]
        return []

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core_schema)
        if cls.RULES:
            handler.resolve_ref_schema(schema)["allOf"] = [rule.schema() for rule in cls.RULES]
        return schema


def _is_optional(known: FieldInfo) -> bool:
    return not known.is_required() and known.default is None


def _wrong(name: str, message: str) -> PydanticCustomError:
    return PydanticCustomError("contract", "{message}", {"field": name, "message": message})


def _problem(error: Any) -> tuple[str, str]:
    path = [str(part) for part in error["loc"]]
    context = error.get("ctx", {})
    if error["type"] == "contract":
        return ".".join(part for part in (*path, context["field"]) if part), context["message"]
    return ".".join(path), error["msg"]


def _holding(values: Mapping[str, Values]) -> JsonSchemaValue:
    """Each of these fields is there, with one of these values."""
    return {"properties": {name: {"enum": list(one)} for name, one in values.items()}, "required": sorted(values)}


def _listed(values: Values) -> str:
    *most, last = map(_shown, values)
    return f"{', '.join(most)} or {last}" if most else last


def _shown(value: Any) -> str:
    """As JSON has it."""
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"
