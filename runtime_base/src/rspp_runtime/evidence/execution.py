"""A log that is executed again, entry by entry, on a session of either kernel.

    execution = Execution(log, plan, open_session)
    while execution.next() is not None: ...

Only what was *given* is taken from the log: inputs, step times and the outcomes of the user's nodes. Answers, decisions
and requests are computed anew and compared (`execution.report`). Where a payload was left out, zeros of its length take
its place. A session is a pure machine: executed to the same entry, it is always the same one.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Sequence

from rspp_runtime.abi.codes import In, Op, Result
from rspp_runtime.abi.lookup import provider_names
from rspp_runtime.abi.messages import Emission, Handler, Inbound, Item, Output, Session
from rspp_runtime.abi.plan import Plan
from rspp_runtime.evidence import entries
from rspp_runtime.evidence.differences import (
    Difference,
    Divergence,
    compare,
    compare_deadlines,
    compare_stats,
    node_name,
)
from rspp_runtime.evidence.entries import Entry, Log, LogError, Out
from rspp_runtime.evidence.levels import Keeps
from rspp_runtime.evidence.recorder import to_out
from rspp_runtime.evidence.report import Report

OpenSession = Callable[[str, int, Sequence[Handler | None]], Session]
"""(session id, authority epoch, handlers) → a session of the package and kernel under test."""

FIRST_RECORD = 2  # of an entry: record 1 is the header


class Execution:
    """See the module. `at` is the index of the next entry; `compares` may be switched off and on between entries.

    `missing` answers calls of users' nodes whose outcome is not in the log; without it they are a difference.
    """

    def __init__(self, log: Log, plan: Plan, open_session: OpenSession) -> None:
        """Raises `LogError` if `plan` is not the one that wrote the log."""
        if plan.template_hash != log.header.template_hash:
            raise LogError(f"template {log.header.template_hash}, and the package has {plan.template_hash}")
        self.log = log
        self.at = 0
        self.now_ns = 0
        self.compares = True
        self.outputs: list[Output] = []  # of the entry executed last
        self.report = Report(level=log.header.level, torn=log.torn)
        self.report.begin_stretch(log.header.level, 1, 0)
        self.missing: Callable[[int, Item], Sequence[Emission] | None] | None = None
        self.plan = plan
        self.durable: dict[int, bytes] = {}  # what Python nodes remember, by node id
        self._remembered: dict[int, bytes] = {}  # … by calls of a step that is not there yet
        self._keeps = Keeps(plan)
        self._left_out = False
        self._outcomes: deque[entries.Handler] = deque()
        self._surprises: list[str] = []
        self._digest = hashlib.sha256(log.header.session_id.encode())
        self.session = open_session(log.header.session_id, log.header.epoch, self._handlers())

    @property
    def record(self) -> int:
        """The number of the record that is executed next."""
        return self.at + FIRST_RECORD

    @property
    def digest(self) -> str:
        """Of everything that was computed so far: answers, deadlines, outputs. 64 hex digits."""
        return self._digest.hexdigest()

    def begin_window(self) -> None:
        """From here on things are compared and counted; what led here was only executed."""
        self.compares = True
        self.report.begin_window(self.record, self.now_ns)

    def close(self) -> None:
        self.session.close()

    def next(self) -> Entry | None:
        """Executes one entry; a step takes the outputs after it along. None at the end. Raises `LogError`."""
        if self.at >= len(self.log.entries):
            return None
        row, record = self.log.entries[self.at], self.record
        self.at += 1
        self.outputs = []
        try:
            self._execute(row, record)
        except (ValueError, IndexError, OverflowError, TypeError) as error:
            raise LogError(f"record {record} cannot be executed: {error}") from None
        return row

    def _execute(self, row: Entry, record: int) -> None:
        if isinstance(row, entries.Input):
            self._ingest(row, record)
        elif isinstance(row, entries.Handler):
            self._outcomes.append(row)
            for port, _, _, _, size, payload in row.emissions or ():
                if payload is None and size:
                    self._left_out = True
                    self.report.leaves_out(text=self._keeps.emission("L1", row.node, Emission(port)))
        elif isinstance(row, entries.State):
            self._remembered[row.node] = row.payload
        elif isinstance(row, entries.Step):
            self._step(row, record)
            self.durable |= self._remembered
            self._remembered.clear()
        elif isinstance(row, entries.Invocation):
            known = [name for name in provider_names(self.plan, row.node) if name] or [row.provider]
            if row.provider not in known:
                bound = " or ".join(known)
                where = node_name(self.plan, row.node)
                self._differs(Divergence.PROVIDER_CHOICE, record, f"{where} by {row.provider}", f"{where} by {bound}")
        elif isinstance(row, entries.Level):
            self.report.begin_stretch(row.level, record, row.now_ns)
        elif isinstance(row, entries.Recovered):
            self._remembered.clear()
            self._outcomes.clear()  # calls of a step that is not in the log: the new holder's session took it otherwise
        elif isinstance(row, entries.End):
            for difference in compare_stats(row, self.session.stats(), record):
                self._add(difference)
        elif isinstance(row, Out):
            self._differs(Divergence.OUTCOME, record, "an output without a step", "nothing")

    def _ingest(self, row: entries.Input, record: int) -> None:
        self.now_ns = row.now_ns
        event = inbound(row)
        if row.payload is None and row.size:
            self._left_out = True
            self.report.leaves_out(text=self._keeps.input("L1", event))
        answer = self.session.ingest(event, row.now_ns)
        self._digest.update(b"i%d" % answer)
        if self.compares:
            self.report.inputs += 1
        if answer != row.result:
            what = f"{In(row.op).name} for {node_name(self.plan, row.node)} answered "
            recorded, replayed = Result(row.result).name, Result(answer).name
            self._differs(Divergence.OUTCOME, record, what + recorded, what + replayed)

    def _step(self, row: entries.Step, record: int) -> None:
        rows = self.log.entries
        self.now_ns = row.now_ns
        deadline_ns = self.session.advance(row.now_ns)
        self.outputs = self.session.drain()
        got = [to_out(output, payload=True) for output in self.outputs]
        self._digest.update(b"s%d" % deadline_ns)
        self._digest.update(repr([[int(field) for field in out[:-1]] for out in got]).encode())  # as any kernel says it
        recorded = []
        while self.at < len(rows) and isinstance(out := rows[self.at], Out):
            recorded.append(out)
            self.at += 1
        if self.at >= len(rows) and len(recorded) < row.outputs and self.log.torn:
            got = got[: len(recorded)]  # the rest of this step is what the tear took
        if self.compares:
            self.report.steps += 1
            self.report.outputs += len(got)
            self.report.decisions += sum(output.op == Op.DECISION for output in got)
        for old, new in zip(recorded, self.outputs, strict=False):
            if old.payload is None and old.size:
                self.report.leaves_out(text=self._keeps.output("L1", new))
        difference, but = compare(self.plan, recorded, got, record + 1, left_out=self._left_out)
        self._add(difference)
        self.report.stretches[-1].but += but
        self._add(compare_deadlines(row.deadline_ns, deadline_ns, record, row.now_ns))
        uncalled = (f"{node_name(self.plan, outcome.node)} was called" for outcome in self._outcomes)
        for surprise in [*self._surprises, *uncalled]:
            self._differs(Divergence.OUTCOME, record, surprise, "otherwise")
        self._surprises.clear()
        self._outcomes.clear()

    def _differs(self, kind: Divergence, record: int, recorded: str, replayed: str) -> None:
        self._add(Difference(kind, record, self.now_ns, recorded, replayed))

    def _add(self, difference: Difference | None) -> None:
        if difference is not None and self.compares:
            self.report.add(difference)

    def _handlers(self) -> list[Handler]:
        """Instead of the user's nodes: their recorded outcomes, in order."""

        def make(node: int) -> Handler:
            def recorded(item: Item) -> Sequence[Emission] | None:
                outcomes = self._outcomes
                if not outcomes or outcomes[0].node != node or outcomes[0].seq != item.seq:
                    if self.missing is not None:
                        return self.missing(node, item)
                    self._surprises.append(f"{node_name(self.plan, node)} was not called for item {item.seq}")
                    return None
                row = outcomes.popleft()
                if row.emissions is None:
                    return None
                return [
                    Emission(port, bytes(size) if payload is None else payload, flags, a, b)
                    for port, flags, a, b, size, payload in row.emissions
                ]

            return recorded

        by_index = sorted((node.handler, node.id) for node in self.plan.nodes if node.handler >= 0)
        return [make(node) for _, node in by_index]


def inbound(row: entries.Input) -> Inbound:
    """The input as it is offered again."""
    return Inbound(
        row.op,
        row.node,
        row.port,
        row.invocation,
        row.epoch,
        row.transport_sequence,
        row.media_ns,
        row.flags,
        row.a,
        row.b,
        bytes(row.size) if row.payload is None else row.payload,
    )
