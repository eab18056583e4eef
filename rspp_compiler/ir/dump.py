"""Any intermediate value as stable JSON: the same value gives the same bytes on every machine."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from pydantic import BaseModel

from rspp_compiler.ir.origin import Origin
from rspp_compiler.source import Span


def to_data(value: Any) -> Any:
    """JSON-ready form. Spans become `hello.rspp:3:1`, origins a phrase, fractions `100/3`; AST classes say their rule
    as `rule`.
    """
    if isinstance(value, Span | Origin | Fraction):
        return str(value)
    if isinstance(value, BaseModel):
        return {name: to_data(getattr(value, name)) for name in type(value).model_fields}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        shown = [field for field in dataclasses.fields(value) if field.metadata.get("dump", True)]
        fields = {field.name: to_data(getattr(value, field.name)) for field in shown}
        return {"rule": type(value).__name__.lower(), **fields}
    if isinstance(value, Mapping):
        return {str(key): to_data(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_data(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(to_data(item) for item in value)
    return value


def to_json(value: Any) -> str:
    """Indented JSON with a final newline."""
    return json.dumps(to_data(value), indent=2, ensure_ascii=False) + "\n"
