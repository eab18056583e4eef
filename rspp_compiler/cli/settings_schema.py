"""What may stand under `settings` in the JSON form, from the compiler's own tables.

With it, an editor knows every key, what it takes and what it is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rspp_compiler.ir.json_form import NAME
from rspp_compiler.sema.language import tables
from rspp_compiler.sema.language.catalog import Setting, Table, Type
from rspp_compiler.sema.language.kinds import KINDS
from rspp_compiler.sema.language.units import UNITS, WHAT

Schema = dict[str, Any]

_VALUE: Schema = {"$ref": "#/$defs/Value"}
_TAGGED: Schema = {"$ref": "#/$defs/Tagged"}
_NAME: Schema = {"type": "string", "pattern": f"^{NAME}$"}
_WORDS = {"type": "string"}
_EXAMPLES: dict[Type, str] = {
    "duration": "300ms",
    "bytes": "64kB",
    "rate": "16kHz",
    "percent": "75%",
    "money": "0.05usd",
    "gain": "-6dB",
}
_TYPES: dict[Type, tuple[str, list[Schema]]] = {
    "count": ("A whole number.", [{"type": "integer"}]),
    "number": ("A number.", [{"type": "number"}]),
    "flag": ("A flag.", [{"type": "boolean"}, {"enum": ["true", "false"]}]),
    "text": ("A text.", [_WORDS]),
    "file": ("A path relative to the pipeline's folder.", [_WORDS]),
    "secret": ("A secret, which is only referred to.", []),
    "name": ("A name.", [_NAME]),
    "names": ("One name, or a list of names.", [_NAME, {"type": "array", "items": _NAME}]),
    "texts": ("One text, or a list of texts.", [_WORDS, {"type": "array", "items": {"anyOf": [_WORDS, _TAGGED]}}]),
    **{type: (f'{WHAT[type].capitalize()}, such as `"{_EXAMPLES[type]}"`.', []) for type in _EXAMPLES},
}
_OF_A_NODE = {"limit": tables.LIMIT_TABLE, "hooks": tables.HOOKS_TABLE, "state": tables.STATE_TABLE}
_OF_A_FLOW = {
    "handoff": tables.HANDOFF,
    "lanes": tables.LANES,
    "sync": tables.SYNC,
}
_OF_A_PROVIDER = {
    "timeout": tables.TIMEOUTS,
    "retry": tables.RETRY,
    "circuit": tables.CIRCUIT,
    "cap": tables.CAP,
    "price": tables.PRICE,
}


def with_settings(schema: Schema) -> Schema:
    """A schema with the forms of nodes and flows, and for each of them what its settings can be."""
    known = dict(schema["$defs"])
    tags = {name: {"type": "string"} for name in ("text", "value", "file", "secret")}
    known["Tagged"] = {
        "description": "A value that says what it is; see `Value`.",
        "type": "object",
        "properties": {**tags, "settings": {"type": "object"}},
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }
    for type, (about, forms) in _TYPES.items():
        units = "|".join(UNITS.get(type, ()))
        quantity = [{"type": "string", "pattern": rf"^-?\d+(\.\d+)?({units})$"}] if units else []
        known[_def(type)] = {"description": about, "anyOf": [*forms, *quantity, _TAGGED]}
    kinds = [kind for kind in KINDS if not KINDS[kind].is_boundary]
    for kind in kinds:
        known[f"settings_of_{kind}"] = _of_table(tables.node_table(kind), _OF_A_NODE, KINDS[kind].about)
    known["settings_of_a_flow"] = _of_table(tables.EDGE, _OF_A_FLOW)
    known["settings_of_a_provider"] = _of_table(tables.PROVIDER, _OF_A_PROVIDER)
    known["NodeForm"] = {**known["NodeForm"], "allOf": [_where_kind(kind) for kind in kinds]}
    blocks = {
        "HopForm": {"$ref": "#/$defs/settings_of_a_flow"},
        "EdgeForm": {"$ref": "#/$defs/settings_of_a_flow"},
        "ProviderForm": {"$ref": "#/$defs/settings_of_a_provider"},
        "RecordForm": _of_table(tables.RECORD, {}),
        "PartyForm": _of_table(tables.PARTY, {}),
    }
    for form, block in blocks.items():
        known[form] = {**known[form], "properties": {**known[form]["properties"], "settings": block}}
    return {**schema, "$defs": dict(sorted(known.items()))}


def _def(type: str) -> str:
    return f"a_{type}"


def _where_kind(kind: str) -> Schema:
    """Without a kind, a node's name is the kind."""
    by_kind = {"properties": {"kind": {"const": kind}}, "required": ["kind"]}
    by_name = {"properties": {"node_id": {"const": kind}}, "not": {"required": ["kind"]}}
    settings = {"properties": {"settings": {"$ref": f"#/$defs/settings_of_{kind}"}}}
    return {"if": {"anyOf": [by_kind, by_name]}, "then": settings}


def _of_table(table: Table, inner: Mapping[str, Table], about: str = "") -> Schema:
    """A block of settings; of `inner` blocks it says what stands in them."""
    found: Schema = {"description": f"{about[:1].upper()}{about[1:]}."} if about else {}
    properties = {setting.name: _of_setting(setting) for setting in table.settings}
    for block in table.blocks:
        properties[block] = {"anyOf": [_of_table(inner[block], {}), _TAGGED]} if block in inner else _VALUE
    return {**found, "type": "object", "properties": properties, "additionalProperties": False}


def _of_setting(setting: Setting) -> Schema:
    """A setting as its type has it, or in the language's notation: `{"value": "300ms"}`."""
    about: Schema = {"description": f"{setting.about[:1].upper()}{setting.about[1:]}."} if setting.about else {}
    if setting.choices:
        one: Schema = {"enum": list(setting.choices)}
        several = [{"type": "array", "items": {"anyOf": [one, _TAGGED]}}] if setting.type == "symbols" else []
        return {**about, "anyOf": [one, *several, _TAGGED]}
    if setting.noun:
        counted = {"type": "string", "pattern": rf"^\d+ ?{setting.noun}$"}
        return {**about, "anyOf": [{"type": "integer"}, counted, _TAGGED]}
    return {**about, "$ref": f"#/$defs/{_def(setting.type)}"}
