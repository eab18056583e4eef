"""What a log consists of. Every entry is a flat tuple of integers, texts and bytes; `Header` comes first.

A log holds what a session was given and what it decided: each input with its stamp and answer, each step with its time,
each output, each outcome of a user's node. Where the recording level leaves a payload out its length is kept: no
decision depends on more (CONTRACTS §2, §8).
"""

from __future__ import annotations

import base64
import binascii
import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rspp_runtime.abi.codes import Cause, Control, In, Op, Result, Signal
from rspp_runtime.providers.contract import Outcome

FORMAT_VERSION = 2


class LogError(Exception):
    """A log that cannot be read; the message names the place."""


class Kind(enum.IntEnum):
    """First field of an entry on disk. Never renumbered."""

    HEADER = 0
    INPUT = 1
    HANDLER = 2
    STEP = 3
    OUTPUT = 4
    INVOCATION = 5
    EVIDENCE = 6
    END = 8
    LEVEL = 9
    RECOVERED = 10
    STATE = 11
    CLOCK = 12
    FOLLOWS = 13


@dataclass(frozen=True, slots=True)
class Header:
    """Who wrote the log, and what a replay needs to open the same session."""

    package: str
    pipeline: str
    pipeline_version: str
    profile: str
    template_hash: str
    abi_hash: str
    session_id: str
    epoch: int
    seed: int
    level: str  # L0, L1 or L2: with which the recording begins
    kernel: str  # compiled or pure
    started_ms: int  # wall clock at session time 0
    tenant: str = ""  # whose session it is; "" where nobody said
    remembers: Mapping[str, int] = field(default_factory=dict)  # nodes with durable state, by name: their ids
    format_version: int = FORMAT_VERSION


class Input(NamedTuple):
    """One `ingest`. `payload` is None where the level leaves it out."""

    now_ns: int
    result: int
    op: int
    node: int
    port: int
    invocation: int
    epoch: int
    transport_sequence: int
    media_ns: int
    flags: int
    a: int
    b: int
    size: int
    payload: bytes | None


class Handler(NamedTuple):
    """One call of a Python node. `emissions` is None if it failed; each is (port, flags, a, b, size, payload)."""

    node: int
    seq: int
    start_ns: int
    end_ns: int
    emissions: tuple[tuple[int, int, int, int, int, bytes | None], ...] | None
    reason: str


class Step(NamedTuple):
    """One `advance(now_ns)` and the `drain` after it; `outputs` entries of kind OUTPUT follow."""

    now_ns: int
    deadline_ns: int
    drained_ns: int
    outputs: int


class Out(NamedTuple):
    """One output, field for field. `payload` is kept for plan hashes always, otherwise by level."""

    op: int
    t_ns: int
    seq: int
    node: int
    port: int
    turn: int
    invocation: int
    code: int
    cause: int
    x: int
    y: int
    size: int
    payload: bytes | None


class Invocation(NamedTuple):
    """How one invocation of a provider ended (`session.observer.InvocationEnd`)."""

    node: int
    invocation: int
    provider: str
    outcome: int
    retryable: bool
    reason: str
    start_ns: int
    first_ns: int
    end_ns: int


class Evidence(NamedTuple):
    """An OR-02 record. `stage` is baseline (made durable before a commit) or terminal (complete)."""

    turn: int
    stage: str
    or02: dict[str, Any]


class Level(NamedTuple):
    """From here on another recording level is kept (`evidence.levels`)."""

    now_ns: int
    before: str
    level: str
    reason: str  # queue_pressure, export_lag, stable


class State(NamedTuple):
    """What a Python node remembers from here on for whoever goes on with the session: after its call before this.

    At every level, since no other process could go on without it. It counts if the step that the call was part of does.
    """

    node: int
    seq: int  # of the item of the call
    payload: bytes  # MessagePack: a map of names to values (`session.scopes`)


class Clock(NamedTuple):
    """How a clock stands against session time, as measured by the items that carry it (`evidence.clocks`)."""

    now_ns: int
    name: str  # ingress.PORT: a media clock; wall
    its_ns: int  # what it shows, or of media showed when the item was made
    skew_ns: int  # how far it has fallen behind since it was first seen; negative: gone ahead
    drift_ppm: int  # millionths that it is too slow
    beyond: int  # 1 while the skew is beyond its bound


class Recovered(NamedTuple):
    """The writer was stopped, and a new holder of the session's authority goes on (CONTRACTS §5; `evidence.recover`).

    Calls of users' nodes before it whose step is not in the log did not count.
    """

    now_ns: int
    epoch: int  # of the new holder
    torn: str  # what was wrong with the end of the log


class Follows(NamedTuple):
    """Behind the header: the session goes on here from the log of another template, which cannot be executed on this
    one (`evidence.following`). What crossed stands behind it, as inputs and states; a replay needs nothing else."""

    now_ns: int
    pipeline_version: str  # of the log before, as the next two
    template_hash: str
    epoch: int  # of its last holder
    log_id: str  # of the log before: 32 hex digits
    records: int  # the number of its last whole record
    checksum: int  # of that record
    torn: str  # what was wrong with its end
    crossed: dict[str, Any]  # messages, keys, attributes: how many; durable: names of nodes
    stayed: list[str]  # what did not cross, in words


class End(NamedTuple):
    """The session was closed in order; `stats` are the kernel's counters."""

    now_ns: int
    stats: dict[str, int]


Entry = Input | Handler | Step | Out | Invocation | Evidence | Level | State | Clock | Recovered | Follows | End

_KINDS: dict[type[Any], Kind] = {
    Input: Kind.INPUT,
    Handler: Kind.HANDLER,
    Step: Kind.STEP,
    Out: Kind.OUTPUT,
    Invocation: Kind.INVOCATION,
    Evidence: Kind.EVIDENCE,
    End: Kind.END,
    Level: Kind.LEVEL,
    Recovered: Kind.RECOVERED,
    State: Kind.STATE,
    Clock: Kind.CLOCK,
    Follows: Kind.FOLLOWS,
}
_NUMBERS: dict[type[Any], int] = {entry: int(kind) for entry, kind in _KINDS.items()}
_TYPES: dict[Kind, type[Any]] = {kind: entry for entry, kind in _KINDS.items()}


@dataclass(slots=True)
class Log:
    """A log that was read. `torn` says what is wrong with its end, if its writer was stopped before it was closed."""

    header: Header
    entries: list[Entry] = field(default_factory=list)
    torn: str = ""


def to_row(entry: Header | Entry) -> list[Any]:
    """The form on disk: `[kind, field, …]`."""
    if isinstance(entry, Header):
        return [int(Kind.HEADER), {name: getattr(entry, name) for name in Header.__slots__}]
    return [_NUMBERS[type(entry)], *entry]


def from_row(row: Any) -> Header | Entry:
    """Inverse of `to_row`. Raises `LogError`."""
    try:
        kind = Kind(row[0])
        if kind is Kind.HEADER:
            return Header(**row[1])
        if kind is Kind.HANDLER:
            node, seq, start_ns, end_ns, emissions, reason = row[1:]
            kept = None if emissions is None else tuple(tuple(e) for e in emissions)
            return Handler(node, seq, start_ns, end_ns, kept, reason)
        entry: Entry = _TYPES[kind](*row[1:])
    except (TypeError, ValueError, KeyError, IndexError) as error:
        raise LogError(f"not an entry of format {FORMAT_VERSION}: {error}") from None
    return entry


# ---- JSON lines: the form that a person can read and change

_NAMED: dict[tuple[str, str], type[enum.IntEnum]] = {
    ("input", "op"): In,
    ("input", "result"): Result,
    ("output", "op"): Op,
    ("output", "cause"): Cause,
    ("invocation", "outcome"): Outcome,
}


def to_json(entry: Header | Entry) -> str:
    """One line: numbers with names are written by name, bytes as base64 under the key `payload`."""
    if isinstance(entry, Header):
        fields: dict[str, Any] = {name: getattr(entry, name) for name in Header.__slots__}
        return json.dumps({"record": "header", **fields}, ensure_ascii=False)
    record = _KINDS[type(entry)].name.lower()
    out: dict[str, Any] = {"record": record}
    for name in entry._fields:
        value: Any = getattr(entry, name)
        names = _names(record, name, out)
        out[name] = names(value).name if names is not None else _plain(value)
    return json.dumps(out, ensure_ascii=False)


def from_json(line: str) -> Header | Entry:
    """Inverse of `to_json`. Raises `LogError`, which names the field."""
    try:
        fields = json.loads(line)
    except ValueError as error:
        raise LogError(f"not JSON: {error}") from None
    if not isinstance(fields, Mapping) or "record" not in fields:
        raise LogError('not a record: a line is an object with the key "record"')
    record = fields["record"]
    try:
        if record == "header":
            return Header(**{name: value for name, value in fields.items() if name != "record"})
        if str(record).upper() not in Kind.__members__:
            raise LogError(f"no record {record!r}; there are {', '.join(kind.name.lower() for kind in Kind)}")
        entry = _TYPES[Kind[str(record).upper()]]
        if missing := [name for name in entry._fields if name not in fields]:
            raise LogError(f"{record}: {', '.join(missing)} is missing")
        values = []
        for name in entry._fields:
            names = _names(record, name, fields)
            value = fields[name]
            values.append(int(names[value]) if names is not None else _unplain(entry, name, value))
        made: Entry = entry(*values)
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise LogError(f"{record}: {error} is not a value that a log of format {FORMAT_VERSION} knows") from None
    return made


def _names(record: str, name: str, fields: Mapping[str, Any]) -> type[enum.IntEnum] | None:
    """The enumeration whose names stand for this field's numbers, if any."""
    if (record, name) == ("output", "code") and fields["op"] == Op.DECISION.name:
        return Signal
    if (record, name) == ("input", "port") and fields["op"] == In.CONTROL.name:
        return Control
    return _NAMED.get((record, name))


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value


def _unplain(entry: type[Any], name: str, value: Any) -> Any:
    if name == "payload":
        return None if value is None else base64.b64decode(value, validate=True)
    if entry is Handler and name == "emissions" and value is not None:
        return tuple((*e[:5], None if e[5] is None else base64.b64decode(e[5], validate=True)) for e in value)
    expected: dict[str, type[Any]] = {"or02": dict, "stats": dict, "crossed": dict, "stayed": list}
    wanted = expected.get(name)
    if wanted is not None and not isinstance(value, wanted):
        raise ValueError(f"{name} = {value!r}")
    if wanted is None and not isinstance(value, int | str):
        raise ValueError(f"{name} = {value!r}")
    return value
