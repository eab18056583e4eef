"""What a node remembers, as MessagePack: values of declared types, checked on the way in and out.

Kinds: bool, int (64 bits), float, str, bytes, None, `list[K]`, `dict[str, K]`, `K | None`, and dataclasses whose fields
are of these.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any

import msgpack

_PLAIN = (bool, int, float, str, bytes)
_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1


class PackingError(TypeError):
    """A value, or a type, that cannot be kept; the message says which, and where it stands."""


def check(kind: Any, where: str) -> None:
    """Raises `PackingError` for a type whose values could not be kept."""
    if kind in _PLAIN or kind is type(None):
        return
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is list and len(arguments) == 1:
        check(arguments[0], f"{where}[]")
    elif origin is dict and len(arguments) == 2 and arguments[0] is str:
        check(arguments[1], f"{where}[…]")
    elif (some := _optional(kind)) is not None:
        check(some, where)
    elif dataclasses.is_dataclass(kind) and isinstance(kind, type):
        for name, of in _fields(kind).items():
            check(of, f"{where}.{name}")
    else:
        raise PackingError(
            f"{where} is of type {_name(kind)}, which cannot be kept: take bool, int, float, str, bytes, list[…], "
            "dict[str, …], … | None, or a dataclass of these"
        )


def default(kind: Any) -> Any:
    """What is there before anything was remembered: None, or the type's own beginning. Raises what that raises."""
    if _optional(kind) is not None or kind is type(None):
        return None
    return (typing.get_origin(kind) or kind)()


def plain(kind: Any, value: Any, where: str) -> Any:
    """`value` as MessagePack takes it. Raises `PackingError` if it is not of its kind."""
    if (some := _optional(kind)) is not None:
        return None if value is None else plain(some, value, where)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is list and type(value) is list:
        return [plain(arguments[0], one, f"{where}[{index}]") for index, one in enumerate(value)]
    if origin is dict and type(value) is dict:
        if odd := next((key for key in value if type(key) is not str), None):
            raise PackingError(f"{where} has the key {odd!r}, and its keys are texts")
        return {key: plain(arguments[1], one, f"{where}[{key!r}]") for key, one in value.items()}
    if dataclasses.is_dataclass(kind) and type(value) is kind:
        return {name: plain(of, getattr(value, name), f"{where}.{name}") for name, of in _fields(kind).items()}
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise PackingError(f"{where} is {_name(type(value))}, and was declared as {_name(kind)}")
    if kind is int and not _INT_MIN <= value <= _INT_MAX:
        raise PackingError(f"{where} = {value} does not fit into 64 bits")
    if kind is str:
        try:
            value.encode()
        except UnicodeEncodeError:
            raise PackingError(f"{where} is no text that UTF-8 can hold") from None
    return value


def value(kind: Any, kept: Any, where: str) -> Any:
    """Inverse of `plain`. Fields of a dataclass that were not there then begin anew. Raises `PackingError`."""
    if (some := _optional(kind)) is not None:
        return None if kept is None else value(some, kept, where)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is list and isinstance(kept, list):
        return [value(arguments[0], one, f"{where}[{index}]") for index, one in enumerate(kept)]
    if origin is dict and isinstance(kept, dict):
        return {key: value(arguments[1], one, f"{where}[{key!r}]") for key, one in kept.items()}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type) and isinstance(kept, dict):
        fields = _fields(kind)
        if gone := sorted(kept.keys() - fields.keys()):
            raise PackingError(f"{where} was kept with {', '.join(gone)}, which {_name(kind)} does not have")
        return kind(**{name: value(fields[name], one, f"{where}.{name}") for name, one in kept.items()})
    return plain(kind, kept, where)


def pack(values: dict[str, Any]) -> bytes:
    """`values` are plain."""
    packed: bytes = msgpack.packb(values, use_bin_type=True)
    return packed


def unpack(packed: bytes) -> dict[str, Any]:
    """Inverse of `pack`. Raises `PackingError`."""
    try:
        found = msgpack.unpackb(packed, raw=False)
    except (ValueError, msgpack.UnpackException) as error:
        raise PackingError(f"it is not what was kept: {error}") from None
    if not isinstance(found, dict):
        raise PackingError("it is not what was kept: no names in it")
    return found


def _optional(kind: Any) -> Any:
    """`K` of `K | None`; None for anything else."""
    if typing.get_origin(kind) not in (typing.Union, types.UnionType):
        return None
    some = [one for one in typing.get_args(kind) if one is not type(None)]
    return some[0] if len(some) == 1 and len(typing.get_args(kind)) == 2 else None


def _fields(kind: type) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _name(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) and not typing.get_args(kind) else str(kind)
