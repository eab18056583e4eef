"""Recovery: what the next holder of a session's authority does with the log of a writer that was killed (CONTRACTS §5).

    recover(path, plan, resolved, open_session)       ends the session
    take_over(path, plan, resolved, open_session)     goes on with it

The whole records are executed again, which builds the session as it was. Then, at a higher epoch, the kernel itself
ends what was open: LEASE_ROTATED (who goes on: HANDOFF) makes it decide `deauthorized_drain`, `abort(authority_loss)`
and `close` of the open turn, and `stale_epoch_reject` for one that was opening. All of it is appended to the log as any
other input and step, before any new input: so the recovered log replays like a log that was never torn.

Recovery may be killed too: what it wrote is the beginning of a log like the one before, and is recovered likewise.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rspp_runtime.abi.codes import Control, In, Op, Signal
from rspp_runtime.abi.messages import Emission, Inbound, Item, Output
from rspp_runtime.abi.plan import Plan
from rspp_runtime.evidence import entries
from rspp_runtime.evidence.entries import Clock, End, Entry, Invocation, Level, Log, LogError, Recovered
from rspp_runtime.evidence.execution import Execution, OpenSession, inbound
from rspp_runtime.evidence.levels import Keeps
from rspp_runtime.evidence.log import LogFile, read
from rspp_runtime.evidence.or02 import Or02
from rspp_runtime.evidence.recorder import Recorder, to_out
from rspp_runtime.session.observer import HandlerCall, InvocationEnd

LOOKS_EVERY = 256  # records, at the clock
NOT_RUN = "not run: its session was being recovered"


class OverError(LogError):
    """The session has ended: there is nothing to go on with."""

    def __init__(self, more: str = "") -> None:
        super().__init__(f"its session has ended: there is nothing to go on with{more}")


@dataclass(slots=True)
class Recovery:
    """What was found and what was done."""

    torn: str  # what was wrong with the end of the log
    records: int  # whole ones, with the header
    epoch: int  # of the new holder
    turns: list[int]  # that were open, and are aborted and closed now
    proposals: int = 0  # that had not become turns yet, and are refused now


def recover(
    path: Path, plan: Plan, resolved: Mapping[str, Any], open_session: OpenSession, epoch: int | None = None
) -> Recovery | None:
    """Closes each open turn of the log at `path`, ends its session and closes the log; None if it has its end.

    `epoch` is the new holder's, higher than any in the log; without one, the next. Raises `LogError` (also when a
    replay of what is there differs: such a log is evidence, and is not written to) and `OSError`.
    """
    log = _read(path)
    if log.entries and isinstance(log.entries[-1], End):
        return None
    holder = _holder(log, path, plan, resolved, open_session, epoch)
    try:
        return holder.end()
    finally:
        holder.close()


def take_over(
    path: Path,
    plan: Plan,
    resolved: Mapping[str, Any],
    open_session: OpenSession,
    epoch: int | None = None,
    until_s: float | None = None,
) -> Holder:
    """The next holder of the session of the log at `path`, which has not done anything yet: `go_on` comes next (F8).

    Raises as `recover` does, and `LogError` if the session has ended, or at `until_s` (of `time.monotonic`).
    """
    log = _read(path)
    if log.entries and isinstance(log.entries[-1], End):
        raise OverError
    return _holder(log, path, plan, resolved, open_session, epoch, until_s)


def _holder(
    log: Log,
    path: Path,
    plan: Plan,
    resolved: Mapping[str, Any],
    open_session: OpenSession,
    epoch: int | None,
    until_s: float | None = None,
) -> Holder:
    execution = Execution(log, plan, open_session)
    or02 = _or02(log, plan, resolved)
    try:
        known_epoch = _rebuild(execution, or02, until_s)
        epoch = known_epoch + 1 if epoch is None else epoch
        if epoch <= known_epoch:
            raise LogError(f"epoch {epoch} is not higher than the log's, {known_epoch}")
        file, _ = LogFile.go_on(path)
    except BaseException:
        execution.close()
        raise
    return Holder(execution, or02, file, epoch)


def _read(path: Path) -> Log:
    with path.open("rb") as file:
        if file.read(64).lstrip()[:1] == b"{":
            raise LogError("is in the form of JSON lines; recover the log that it was printed from")
    return read(path)


def _or02(log: Log, plan: Plan, resolved: Mapping[str, Any]) -> Or02:
    header = log.header
    return Or02(
        plan,
        resolved,
        session_id=header.session_id,
        epoch=header.epoch,
        seed=header.seed,
        level=header.level,
        started_ms=header.started_ms,
        put=lambda _: None,
    )


def _rebuild(execution: Execution, or02: Or02, until_s: float | None) -> int:
    """Executes everything, and lets `or02` see it as it did then; returns the highest epoch. Raises `LogError`."""
    epoch = execution.log.header.epoch
    while (row := execution.next()) is not None:
        if until_s is not None and execution.at % LOOKS_EVERY == 0 and time.monotonic() > until_s:
            raise LogError("it takes too long to go on with: its log is too long, or too many came at once")
        if isinstance(row, entries.Input):
            or02.on_input(inbound(row), row.now_ns, row.result)
            if row.op == In.CONTROL and row.port in (Control.LEASE_ROTATED, Control.HANDOFF):
                epoch = max(epoch, row.a)
        elif isinstance(row, entries.Step):
            or02.on_step(row.now_ns, row.deadline_ns, row.drained_ns, execution.outputs)
        elif isinstance(row, Invocation):
            or02.on_invocation(InvocationEnd(*row))
        elif isinstance(row, Clock):
            or02.clock_read(row)
        elif isinstance(row, Level):
            or02.level_changed(row.level)
    if not execution.report.identical:
        first = execution.report.differences[0]
        raise LogError(f"a replay of it differs, so it is left as it is ({first.kind}, record {first.record})")
    return epoch


class Holder:
    """The new holder of the session that `execution` built. `written` is what it has put into the log."""

    def __init__(self, execution: Execution, or02: Or02, file: LogFile, epoch: int) -> None:
        log = execution.log
        self.execution = execution
        self.session = execution.session
        self.or02 = or02
        self.file = file
        self.epoch = epoch
        self.level = min(stretch.level for stretch in execution.report.stretches)  # more would be made of zeros
        self.knows_texts = self.level > "L0"
        self.written: list[Entry] = []
        self.decided: list[Output] = []  # what `go_on` has made the session decide: turns that ended, and the handoff
        self.done = Recovery(log.torn, len(log.entries) + 1, epoch, [])
        self._recorder = Recorder(self._write, execution.plan, level=self.level)
        execution.missing = self._not_run
        or02.put = self._put  # the records of the turns that are closed now

    def end(self) -> Recovery:
        """Ends the session, and its log. Raises `OSError`."""
        self._take(Control.LEASE_ROTATED, blank=False)
        now_ns = self.execution.now_ns
        self._do(Inbound(In.CONTROL, port=Control.ENDED, epoch=self.epoch), now_ns)
        self._put(End(now_ns, self.session.stats()))
        self._sync()
        return self.done

    def go_on(self) -> None:
        """Ends what was open and forgets what was hot; `session` then waits to be connected, and `file` goes on.

        Raises `OSError`, and `LogError` if the session has ended.
        """
        outputs = self._take(Control.HANDOFF, blank=not self.knows_texts)
        self.decided = [output for output in outputs if output.op == Op.DECISION]
        decided = {output.code for output in self.decided}
        if Signal.SESSION_HANDOFF not in decided or Signal.ENDED in decided:
            self._put(End(self.execution.now_ns, self.session.stats()))
            self._sync()
            raise OverError("; its log has its end now")
        self._sync()

    @property
    def sequence(self) -> int:
        """The last transport sequence in the log."""
        rows = self.execution.log.entries
        return max((row.transport_sequence for row in rows if isinstance(row, entries.Input)), default=0)

    def close(self) -> None:
        """The file and the session, whoever has gone on with them. Raises `OSError`. Idempotent."""
        try:
            self.file.close()
        finally:
            self.execution.close()

    def _take(self, code: Control, *, blank: bool) -> list[Output]:
        """The log is whole again, and the authority is this holder's."""
        self._finish_step()
        now_ns, done = self.execution.now_ns, self.done
        self._put(Recovered(now_ns, self.epoch, done.torn))
        if (before := self.execution.report.stretches[-1].level) != self.level:
            self._put(Level(now_ns, before, self.level, "recovered"))
            self.or02.level_changed(self.level)
        self._finish_evidence()
        taken = Inbound(In.CONTROL, port=code, epoch=self.epoch, a=self.epoch, b=int(blank))
        outputs = self._do(taken, now_ns)
        for output in outputs:
            if output.op == Op.DECISION and output.code == Signal.CLOSE:
                done.turns.append(output.turn)
            elif output.op == Op.DECISION and output.code == Signal.STALE_EPOCH_REJECT:
                done.proposals += 1
        return outputs

    def _sync(self) -> None:
        if self._recorder.failed:
            raise OSError(errno.EIO, "the log cannot be continued")
        self.file.sync()

    def _write(self, entry: Entry) -> None:
        self.file.write(entry)
        self.written.append(entry)

    def _finish_step(self) -> None:
        """The outputs of a step whose end was torn off: they were decided, and a replay will decide them again."""
        rows = self.execution.log.entries
        index = next((i for i in range(len(rows) - 1, -1, -1) if isinstance(rows[i], entries.Step)), -1)
        if index < 0:
            return
        step = rows[index]
        assert isinstance(step, entries.Step)
        written = len(rows) - index - 1
        if any(not isinstance(row, entries.Out) for row in rows[index + 1 :]) or written >= step.outputs:
            return
        keeps = Keeps(self.execution.plan)
        for output in self.execution.outputs[written:]:
            self._put(to_out(output, payload=keeps.output(self.level, output)))

    def _finish_evidence(self) -> None:
        """The records of turns that had closed, whose writer was stopped before it wrote them."""
        rows = self.execution.log.entries
        written = {row.turn for row in rows if isinstance(row, entries.Evidence) and row.stage != "baseline"}
        for turn, record in self.or02.records.items():
            if turn not in written:
                self._put(entries.Evidence(turn, "terminal", record))

    def _do(self, event: Inbound, now_ns: int) -> list[Output]:
        """One input, and as many steps as it takes, all recorded. Raises `LogError` if the session has no room."""
        outputs: list[Output] = []
        answer = self.session.ingest(event, now_ns)
        self._recorder.on_input(event, now_ns, answer)
        self.or02.on_input(event, now_ns, answer)
        while True:
            deadline_ns = self.session.advance(now_ns)
            drained = self.session.drain()
            self._recorder.on_step(now_ns, deadline_ns, now_ns, drained)
            self.or02.on_step(now_ns, deadline_ns, now_ns, drained)
            outputs += drained
            if not (deadline_ns == now_ns and drained):
                break
        if answer != 0:
            return outputs + self._do(event, now_ns)  # it was full, and a step has made room
        return outputs

    def _not_run(self, node: int, item: Item) -> Sequence[Emission] | None:
        now_ns = self.execution.now_ns
        self._recorder.on_handler(HandlerCall(node, item.seq, now_ns, now_ns, None, NOT_RUN))
        return None

    def _put(self, entry: Entry) -> None:
        self._write(entry)
