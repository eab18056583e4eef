"""Contracts, and rules that hold between their fields: checked by the model, and part of its JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

Values = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """Where every field of `when` has one of its values, the fields `required` are there, one at least of `any_of` is,
    and each field of `values` has one of those.
    """

    when: Mapping[str, Values] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    values: Mapping[str, Values] = field(default_factory=dict)

    def problems(self, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """(field, what is wrong with it)."""
        if not all(data.get(name) in values for name, values in self.when.items()):
            return
        where = self._where(data)
        for name in self.required:
            if data.get(name) is None:
                yield name, f"`{name}` is missing{where}"
        if self.any_of and all(data.get(name) is None for name in self.any_of):
            yield self.any_of[0], f"one of {_listed(self.any_of)} is needed{where}"
        for name, values in self.values.items():
            if data.get(name) not in values:
                yield name, f"`{name}` is {_listed(values)}{where}, not `{data.get(name)}`"

    def _where(self, data: Mapping[str, Any]) -> str:
        found = [f"`{name}` is `{data.get(name)}`" for name in self.when]
        return f" where {' and '.join(found)}" if found else ""

    def schema(self) -> JsonSchemaValue:
        """The rule in JSON Schema."""
        then: JsonSchemaValue = {}
        if self.required:
            then["required"] = list(self.required)
        if self.any_of:
            then["anyOf"] = [{"required": [name]} for name in self.any_of]
        if self.values:
            then["properties"] = {name: {"enum": list(values)} for name, values in self.values.items()}
            then["required"] = sorted({*self.required, *self.values})
        if not self.when:
            return then
        conditions = {name: {"enum": list(values)} for name, values in self.when.items()}
        return {"if": {"properties": conditions, "required": sorted(conditions)}, "then": then}


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


def _listed(values: Values) -> str:
    *most, last = [f"`{value}`" for value in values]
    return f"{', '.join(most)} or {last}" if most else last
