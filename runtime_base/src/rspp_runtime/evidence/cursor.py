"""Where a replay stands: stepping, stopping, and going on from there (F-152).

A session is a pure machine, so a cursor holds no state but the place and a digest of all that was computed before it:
resuming executes the log up to the place and finds the same digest, or refuses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields

from rspp_runtime.abi.codes import In, Op, Result
from rspp_runtime.abi.plan import Plan
from rspp_runtime.evidence import entries
from rspp_runtime.evidence.differences import describe, node_name
from rspp_runtime.evidence.entries import Entry, LogError
from rspp_runtime.evidence.execution import FIRST_RECORD, Execution


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a log: a record, counted from 1 with the header, or a session time."""

    record: int = 0
    t_ns: int = -1

    @classmethod
    def parse(cls, text: str) -> Place:
        """`2210` is a record, `5.54s` a time. Raises `ValueError`."""
        if found := re.fullmatch(r"(\d{1,12}(?:\.\d{1,9})?)s", text):
            return cls(t_ns=round(float(found[1]) * 1e9))
        if re.fullmatch(r"\d{1,12}", text) and int(text):
            return cls(record=int(text))
        raise ValueError(f"{text!r} is no place: write a record (2210) or a time (5.54s)")

    def reached_by(self, record: int, t_ns: int) -> bool:
        return t_ns >= self.t_ns if self.t_ns >= 0 else record >= self.record

    def passed_by(self, record: int, t_ns: int) -> bool:
        return t_ns > self.t_ns if self.t_ns >= 0 else record > self.record


@dataclass(frozen=True, slots=True)
class Cursor:
    """A replay that stopped before `record`. `digest` is of everything that was computed before it."""

    session_id: str
    template_hash: str
    mode: str
    record: int
    t_ns: int
    digest: str

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Cursor:
        """Raises `LogError`."""
        try:
            data = json.loads(text)
            made = cls(**{field.name: data[field.name] for field in fields(cls)})
        except (ValueError, TypeError, KeyError) as error:
            raise LogError(f"this is not a cursor: {error}") from None
        if not (isinstance(made.record, int) and made.record >= FIRST_RECORD):
            raise LogError(f"this is not a cursor: record = {made.record!r}")
        return made

    @classmethod
    def of(cls, execution: Execution, mode: str) -> Cursor:
        header = execution.log.header
        at = execution.record, execution.now_ns, execution.digest
        return cls(header.session_id, header.template_hash, mode, *at)


def seek(execution: Execution, cursor: Cursor) -> None:
    """Executes up to the cursor, without comparing. Raises `LogError` if that is not where it was saved."""
    header = execution.log.header
    if (header.session_id, header.template_hash) != (cursor.session_id, cursor.template_hash):
        raise LogError(f"the cursor is of session {cursor.session_id!r}, and the log of {header.session_id!r}")
    execution.compares = False
    while execution.record < cursor.record and execution.next() is not None:
        pass
    if (execution.record, execution.digest) != (cursor.record, cursor.digest):
        raise LogError(f"what leads to record {cursor.record} is not what it was when the cursor was saved")
    execution.begin_window()


def walk(
    execution: Execution,
    start: Place | None = None,
    end: Place | None = None,
    each: Callable[[int, Entry], bool] | None = None,
) -> None:
    """Executes from where `execution` is to `end`, and compares from `start` on.

    `each` sees every entry that is compared, with its record number; False stops behind it. Raises `LogError`.
    """
    if start is not None:
        execution.compares = False
    while execution.at < len(execution.log.entries):
        record, t_ns = execution.record, _time(execution)
        if end is not None and end.passed_by(record, t_ns):
            break
        if not execution.compares and (start is None or start.reached_by(record, t_ns)):
            execution.begin_window()
        row = execution.next()
        assert row is not None
        if execution.compares and each is not None and not each(record, row):
            break


def _time(execution: Execution) -> int:
    row = execution.log.entries[execution.at]
    return row.now_ns if isinstance(row, entries.Input | entries.Step) else execution.now_ns


def tell(plan: Plan, execution: Execution, record: int, row: Entry) -> str:
    """The entry that was just executed, in one line or a few."""
    head = f"{record:>7}  {execution.now_ns / 1e9:>9.3f} s  "
    if isinstance(row, entries.Input):
        what = In(row.op).name if row.op in In._value2member_map_ else f"op {row.op}"
        where = f" {node_name(plan, row.node)}" if row.node >= 0 else ""
        return f"{head}input {what}{where}, {row.size} bytes: {Result(row.result).name}"
    if isinstance(row, entries.Step):
        outs = [entries.Out(*output[:-1], len(output.payload), None) for output in execution.outputs]
        rest = sum(out.op != Op.DECISION for out in outs)
        lines = [f"{head}step: {len(outs) - rest} decisions, {rest} requests"]
        lines += [f"{'':>24}{describe(plan, out)}" for out in outs if out.op == Op.DECISION]
        return "\n".join(lines)
    return f"{head}{type(row).__name__.lower()}"
