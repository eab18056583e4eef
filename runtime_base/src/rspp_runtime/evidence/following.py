"""A session goes on in a log of its own where another template has left it (CONTRACTS §5, F8; docs/replay.md).

    left_in(log)                     what a holder that cannot execute the log may take up of it
    follow(before, path, header, …)  a log of the new template, which begins with that

A log cannot be executed on another template. So its last holder said what is known before it left (`Control.LEAVE`),
which a replay of that log proves; and the new log has all of it as inputs, so that a replay needs no other log. What
`follow` writes is the log of a session that has not been connected yet: it is gone on with like any other
(`evidence.recover`). Two who try at the same time: one of them makes the log.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rspp_runtime.abi.codes import Control, In, Op, Result, Signal
from rspp_runtime.abi.messages import Inbound, Session
from rspp_runtime.abi.plan import Plan
from rspp_runtime.evidence import entries
from rspp_runtime.evidence.entries import Follows, Header, Log, LogError, Out, State
from rspp_runtime.evidence.log import Last, LogFile
from rspp_runtime.evidence.recorder import Recorder
from rspp_runtime.evidence.recover import OverError
from rspp_runtime.evidence.segment import BusyError, hold

RECORDS_MAX = 1_000  # logs of one session
NOT_LEFT = "the conversation: whoever had the session was stopped before it could leave it"
NOT_KEPT = "the conversation: its texts were not kept (recording level L0)"
ANOTHER = "another process goes on with this session"
ALWAYS_STAYS = ("caps of the session that were used", "the mode", "state of nodes that is not durable")


def path_of_record(first: Path, number: int) -> Path:
    """Where record `number` of a session lies: its first log at `s.rspplog`, the next ones at `s+2.rspplog` and on.

    No name of a session has a `+`.
    """
    return first if number == 1 else first.with_name(f"{first.stem}+{number}{first.suffix}")


def newest(first: Path) -> tuple[Path, int]:
    """The record with which the session goes on, and its number; the first one if there is none."""
    number = 1
    while number < RECORDS_MAX and path_of_record(first, number + 1).exists():
        number += 1
    return path_of_record(first, number), number


@dataclass(slots=True)
class Left:
    """What a log says of its session without being executed. Keys are oldest first; messages too, as (role, text)."""

    epoch: int
    now_ns: int = 0
    turn: int = 0
    sequence: int = 0  # runtime
    invocation: int = 0
    transport_sequence: int = 0
    messages: list[tuple[int, bytes]] = field(default_factory=list)
    unknown: str = NOT_LEFT  # why there are no messages; "" if they are all there
    keys: list[int] = field(default_factory=list)
    attributes: dict[int, int] = field(default_factory=dict)
    durable: dict[str, bytes] = field(default_factory=dict)  # by node's name

    @property
    def inputs(self) -> Iterator[Inbound]:
        """What a session of another template is told, in this order."""

        def control(code: Control, a: int, b: int = 0, invocation: int = 0, payload: bytes = b"") -> Inbound:
            sequence = self.transport_sequence if code is Control.GO_ON_FROM else 0
            return Inbound(In.CONTROL, -1, code, invocation, self.epoch, sequence, a=a, b=b, payload=payload)

        yield control(Control.GO_ON_FROM, self.turn, self.sequence, self.invocation)
        for attribute, text in self.attributes.items():
            yield control(Control.ATTRIBUTE, attribute, text)
        for role, text_of in self.messages:
            yield control(Control.RECALL, role, payload=text_of)
        for key in self.keys:
            yield control(Control.SEEN, key)


def left_in(log: Log) -> Left:
    """Reads the log's records; none of them is executed. Raises `LogError` if the session has ended."""
    if log.entries and isinstance(log.entries[-1], entries.End):
        raise OverError
    left = Left(log.header.epoch)
    names = {node: name for name, node in log.header.remembers.items()}
    states: dict[str, bytes] = {}  # of a step that is not there yet
    beyond = 0  # sequences that were taken behind the last one that is written down
    for row in log.entries:
        if isinstance(row, entries.Input):
            beyond += 2
            left.now_ns = row.now_ns
            left.transport_sequence = max(left.transport_sequence, row.transport_sequence)
            if row.result == Result.ACCEPTED:
                _taken(left, row)
        elif isinstance(row, entries.Handler):
            beyond += len(row.emissions or ())
        elif isinstance(row, entries.Step):
            left.now_ns = row.now_ns
            left.durable |= states
            states.clear()
        elif isinstance(row, Out):
            if row.seq > left.sequence:
                left.sequence, beyond = row.seq, 0
            _told(left, row)
        elif isinstance(row, State) and row.node in names:
            states[names[row.node]] = row.payload
        elif isinstance(row, entries.Recovered):
            left.epoch = max(left.epoch, row.epoch)
            states.clear()
    left.sequence += beyond
    return left


def _taken(left: Left, row: entries.Input) -> None:
    if row.op == In.MEDIA and row.invocation:
        left.keys.append(row.invocation)
    elif row.op != In.CONTROL:
        return
    elif row.port == Control.SEEN:
        left.keys.append(row.a)
    elif row.port == Control.ATTRIBUTE:
        left.attributes[row.a] = row.b
    elif row.port in (Control.LEASE_ROTATED, Control.HANDOFF):
        left.epoch = max(left.epoch, row.a)
    elif row.port == Control.GO_ON_FROM:
        left.turn, left.invocation = row.a, row.invocation
        left.sequence = max(left.sequence, row.b)


def _told(left: Left, row: Out) -> None:
    if row.op == Op.INVOKE:
        left.invocation = max(left.invocation, row.invocation)
    elif row.op == Op.CONTEXT and not row.invocation:
        if row.payload is None and row.size:
            left.unknown = NOT_KEPT
        elif not left.unknown:
            left.messages.append((row.x, row.payload or b""))
    elif row.op != Op.DECISION:
        return
    elif row.code == Signal.LEFT:
        left.turn, left.invocation, left.unknown = row.x, row.y, ""
        left.messages.clear()
    elif row.code == Signal.TURN_OPEN:  # what was left before is not all any more
        left.turn, left.unknown = row.turn, NOT_LEFT
        left.messages.clear()


def follow(
    before: Path,
    path: Path,
    header: Header,
    plan: Plan,
    session: Session,
    found: tuple[Log, Last],
    left: Left,
    durable: Mapping[int, bytes],
    stayed: list[str],
) -> Follows:
    """Makes the log `path`: `session` is of `plan`, at `left.epoch`, and has not been told anything; `durable` is what
    its nodes remember. Returns the record that says so.

    Raises `BusyError` while somebody writes `before`, or if somebody else was quicker; `LogError`, `OSError`.
    """
    log, last = found
    crossed = {
        "messages": min(len(left.messages), plan.context_items_max),
        "keys": min(len(left.keys), plan.keys_max),
        "attributes": len(left.attributes),
        "durable": sorted(plan.nodes[node].name for node in durable),
    }
    told = [*([left.unknown] if left.unknown and plan.context_items_max else []), *stayed, *ALWAYS_STAYS]
    old = log.header
    record = Follows(
        left.now_ns, old.pipeline_version, old.template_hash, left.epoch, last.log_id, last.record, last.checksum,
        log.torn, crossed, told,
    )  # fmt: skip
    held = hold(before, new=False)
    made = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.exists():
            raise BusyError(ANOTHER)
        _write(made, header, plan, session, left, record, durable)
        _publish(made, path)
    finally:
        made.unlink(missing_ok=True)
        if held >= 0:
            os.close(held)
    return record


def _write(
    path: Path, header: Header, plan: Plan, session: Session, left: Left, record: Follows, durable: Mapping[int, bytes]
) -> None:
    file = LogFile(path, header)
    try:
        file.write(record)
        for node, packed in durable.items():
            file.write(State(node, 0, packed))
        recorder = Recorder(file.write, plan, level=header.level)
        for event in left.inputs:
            if not _give(session, recorder, event, left.now_ns):
                raise LogError("what was left of the session finds no room in this one")
        _step(session, recorder, left.now_ns)
        if recorder.failed:
            raise OSError(errno.EIO, "the log cannot be written")
        file.sync()
    finally:
        file.close()


def _give(session: Session, recorder: Recorder, event: Inbound, now_ns: int) -> bool:
    """Whether it was answered. What is refused is not known in this version: too long, say."""
    for _ in range(3):
        answer = session.ingest(event, now_ns)
        recorder.on_input(event, now_ns, answer)
        if answer != Result.FULL:
            return True
        _step(session, recorder, now_ns)
    return False


def _step(session: Session, recorder: Recorder, now_ns: int) -> None:
    deadline_ns = session.advance(now_ns)
    recorder.on_step(now_ns, deadline_ns, now_ns, session.drain())


def _publish(made: Path, path: Path) -> None:
    """The whole log has its name at once, and takes nobody's. Raises `BusyError`, `OSError`."""
    try:
        os.link(made, path)
    except FileExistsError:
        raise BusyError(ANOTHER) from None
    except OSError:  # a file system without links
        made.rename(path)
    with contextlib.suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
