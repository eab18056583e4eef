"""Recordings of sessions, for those who may have them: the log, its picture, and the same decisions once more.

A file is looked up by its session's name, in one folder; what is no such name never gets here (`inspection`). All of it
is work for a thread: `AT_ONCE` at a time, each with a deadline, on logs of bounded size.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from rspp_runtime.abi.codes import Op, Signal
from rspp_runtime.abi.messages import Handler, Session
from rspp_runtime.evidence.cursor import Place, walk
from rspp_runtime.evidence.entries import Entry, Input, Log, LogError, Out, to_json
from rspp_runtime.evidence.entries import Handler as HandlerEntry
from rspp_runtime.evidence.execution import FIRST_RECORD, Execution
from rspp_runtime.evidence.facts import read as facts_of
from rspp_runtime.evidence.following import newest
from rspp_runtime.evidence.log import read
from rspp_runtime.evidence.timeline import draw
from rspp_runtime.session.package import Package, PackageError

SUFFIX = ".rspplog"
AT_ONCE = 2
WAITING_MAX = 8
ENTRIES_MAX = 2_000_000
WORK_S_MAX = 20.0
DIFFERENCES_MAX = 10

T = TypeVar("T")


class BusyError(Exception):
    """Too many are waiting already."""


class TooLongError(Exception):
    """The log is too long for this, or it took too long."""

    code = "too_long"


class UnreadableError(Exception):
    """The log cannot be read, or is of another build."""

    code = "unreadable"


class Recordings:
    """Those of one folder. `kernel`: on which one decides again; None is the best there is."""

    def __init__(self, package: Package, folder: Path | None, kernel: str | None) -> None:
        self._package = package
        self._folder = folder
        self._kernel = kernel
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="recordings")
        self._waiting = 0

    async def lines(self, session_id: str, whole: bool) -> bytes:
        """The log as JSON lines, which `rspp replay` and `rspp timeline` read. Not `whole`: without payloads."""

        def work() -> bytes:
            log, until_s = self._read(session_id)
            made = [to_json(log.header)]
            for entry in log.entries:
                made.append(to_json(entry if whole else _bare(entry)))
                _check(until_s, len(made))
            return ("\n".join(made) + "\n").encode()

        return await self._in_thread(work)

    async def timeline(self, session_id: str, whole: bool) -> str:
        """The picture of the log, a page."""

        def work() -> str:
            log, _ = self._read(session_id)
            entries = log.entries if whole else [_bare(entry) for entry in log.entries]
            return draw(facts_of(self._package.plan, entries), log.header)

        return await self._in_thread(work)

    async def replay(self, session_id: str, turn: int) -> dict[str, Any]:
        """Decides everything again, or what belongs to one turn; what differs is told."""

        def work() -> dict[str, Any]:
            began_s = time.monotonic()
            log, until_s = self._read(session_id)
            start, end = _window(log, turn) if turn else (None, None)
            used: list[Session] = []

            def open_session(session_id: str, epoch: int, handlers: Sequence[Handler | None]) -> Session:
                used.append(self._package.open_session(session_id, epoch, handlers, self._kernel))
                return used[0]

            try:
                execution = Execution(log, self._package.plan, open_session)
            except (LogError, PackageError) as error:
                raise UnreadableError(f"it cannot be decided again: {error}") from None
            try:
                self._execute(execution, start, end, until_s)
            except LogError as error:
                raise UnreadableError(str(error)) from None
            finally:
                execution.close()
            took_s = time.monotonic() - began_s
            return _told(execution, self._package.kernel_of(used[0])) | {"took_ms": round(1000 * took_s, 1)}

        return await self._in_thread(work)

    def _execute(self, execution: Execution, start: Place | None, end: Place | None, until_s: float) -> None:
        """As `walk` does, a thousand entries at a time, with a look at the clock between them."""
        total = len(execution.log.entries) + FIRST_RECORD
        last = min(total, end.record if end else total)
        for record in range(FIRST_RECORD, last + 1, 1000):
            to = Place(record=min(last, record + 999))
            begins = start is not None and execution.record <= start.record <= to.record
            if start is not None and not begins and to.record < start.record:
                execution.compares = False
            walk(execution, start if begins else None, to)
            if time.monotonic() > until_s:
                raise TooLongError(f"it takes longer than {WORK_S_MAX:g} s: use rspp replay")

    def _read(self, session_id: str) -> tuple[Log, float]:
        """The log, and until when one may work on it. Raises `FileNotFoundError`, `TooLongError`, `UnreadableError`."""
        until_s = time.monotonic() + WORK_S_MAX
        if self._folder is None:
            raise FileNotFoundError
        path, _ = newest(self._folder / f"{session_id}{SUFFIX}")
        if path.parent != self._folder or path.is_symlink() or not path.is_file():
            raise FileNotFoundError
        try:
            log = read(path)
        except (LogError, OSError) as error:
            raise UnreadableError(f"the log cannot be read: {error}") from None
        if len(log.entries) > ENTRIES_MAX:
            raise TooLongError(f"the log has more than {ENTRIES_MAX:,} records: use rspp timeline")
        return log, until_s

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Raises `BusyError`."""
        if self._waiting >= WAITING_MAX:
            raise BusyError
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def _check(until_s: float, done: int) -> None:
    if done % 4096 == 0 and time.monotonic() > until_s:
        raise TooLongError(f"it takes longer than {WORK_S_MAX:g} s")


def _bare(entry: Entry) -> Entry:
    """An entry without what was said in it."""
    if isinstance(entry, Input):
        return entry._replace(payload=None)
    if isinstance(entry, Out):
        return entry if entry.op == Op.DECISION else entry._replace(payload=None)  # a plan's hash is no secret
    if isinstance(entry, HandlerEntry) and entry.emissions is not None:
        return entry._replace(emissions=tuple((*one[:-1], None) for one in entry.emissions))
    return entry


def _window(log: Log, turn: int) -> tuple[Place, Place]:
    """From what led to the turn to its close. Raises `FileNotFoundError` where there is no such turn."""
    first = last = 0
    for index, entry in enumerate(log.entries):
        if isinstance(entry, Out) and entry.op == Op.DECISION and entry.turn == turn:
            if entry.code == Signal.TURN_OPEN:
                first = _step_before(log.entries, index)
            elif entry.code == Signal.CLOSE:
                last = index
                break
    if not first:
        raise UnreadableError(f"turn {turn} is not in the log")
    return Place(record=first + FIRST_RECORD), Place(record=(last or len(log.entries)) + FIRST_RECORD)


def _step_before(entries: Sequence[Entry], index: int) -> int:
    """The step that an output is of: it is executed as a whole."""
    while index > 0 and isinstance(entries[index], Out):
        index -= 1
    return index


def _told(execution: Execution, kernel: str) -> dict[str, Any]:
    report = execution.report
    return {
        "identical": report.identical,
        "proved": report.proved,
        "kernel": kernel,
        "level": report.level,
        "torn": report.torn,
        "inputs": report.inputs,
        "steps": report.steps,
        "decisions": report.decisions,
        "outputs": report.outputs,
        "counts": {kind.value: count for kind, count in sorted(report.counts.items())},
        "differences": [
            {
                "class": one.kind.value,
                "record": one.record,
                "t_ns": one.t_ns,
                "recorded": one.recorded,
                "replayed": one.replayed,
            }
            for one in report.differences[:DIFFERENCES_MAX]
        ],
    }
