"""Replay: executes a log again, on either kernel, and names the first thing that differs (CONTRACTS §8).

Only what was *given* is taken from the log: inputs, step times and the outcomes of the user's nodes. Answers, decisions
and requests are computed anew and compared. Where the level left a payload out, zeros of its length take its place.
"""

from __future__ import annotations

import enum
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rspp_runtime.abi.codes import Cause, In, Op, Result, Signal
from rspp_runtime.abi.messages import Emission, Handler, Inbound, Item, Session
from rspp_runtime.abi.plan import Plan, provider_names
from rspp_runtime.evidence import entries
from rspp_runtime.evidence.entries import Log, LogError, Out
from rspp_runtime.evidence.recorder import to_out

OpenSession = Callable[[str, int, Sequence[Handler | None]], Session]
"""(session id, authority epoch, handlers) → a session of the package and kernel under test."""

MS_NS = 1_000_000
SHOWN_MAX = 50  # divergences described; all are counted
_AUTHORITY = frozenset({Signal.STALE_EPOCH_REJECT, Signal.DEAUTHORIZED_DRAIN, Signal.LEASE_ROTATED})


class Divergence(enum.StrEnum):
    """Classes of CONTRACTS §8."""

    PLAN = "PLAN_DIVERGENCE"
    OUTCOME = "OUTCOME_DIVERGENCE"
    ORDERING = "ORDERING_DIVERGENCE"
    TIMING = "TIMING_DIVERGENCE"
    AUTHORITY = "AUTHORITY_DIVERGENCE"
    PROVIDER_CHOICE = "PROVIDER_CHOICE_DIVERGENCE"


@dataclass(frozen=True, slots=True)
class Difference:
    """`record` counts from 1 with the header, as the lines of the JSON form do; `t_ns` is session time."""

    kind: Divergence
    record: int
    t_ns: int
    recorded: str
    replayed: str
    diff_ms: float = 0.0  # for TIMING

    def __str__(self) -> str:
        late = f" by {self.diff_ms:g} ms" if self.kind is Divergence.TIMING else ""
        place = f"record {self.record}, at {self.t_ns / 1e9:.3f} s"
        return f"{self.kind}{late}: {place}\n  recorded  {self.recorded}\n  replayed  {self.replayed}"


@dataclass(slots=True)
class Report:
    """What a replay found."""

    level: str  # of the log
    inputs: int = 0
    steps: int = 0
    decisions: int = 0
    outputs: int = 0
    differences: list[Difference] = field(default_factory=list)
    counts: Counter[Divergence] = field(default_factory=Counter)
    torn: str = ""

    @property
    def identical(self) -> bool:
        return not self.counts

    @property
    def proved(self) -> str:
        """The level that this replay proves."""
        if not self.identical:
            return "none"
        return "L2: every decision, and every output bit for bit" if self.level == "L2" else "L0: every decision"

    def add(self, difference: Difference) -> None:
        self.counts[difference.kind] += 1
        if len(self.differences) < SHOWN_MAX:
            self.differences.append(difference)


def replay(log: Log, plan: Plan, open_session: OpenSession) -> Report:
    """Executes `log` on a session of `plan`. Raises `LogError` if the log cannot be executed at all."""
    report = Report(level=log.header.level, torn=log.torn)
    if plan.template_hash != log.header.template_hash:
        report.add(
            Difference(Divergence.PLAN, 1, 0, f"template {log.header.template_hash}", f"template {plan.template_hash}")
        )
        return report
    outcomes: deque[entries.Handler] = deque()
    surprises: list[str] = []
    session = open_session(log.header.session_id, log.header.epoch, _handlers(plan, outcomes, surprises))
    try:
        _execute(log, plan, session, outcomes, surprises, report)
    finally:
        session.close()
    return report


def _execute(
    log: Log,
    plan: Plan,
    session: Session,
    outcomes: deque[entries.Handler],
    surprises: list[str],
    report: Report,
) -> None:
    rows = log.entries
    at = 0
    now_ns = 0
    while at < len(rows):
        row, record = rows[at], at + 2
        at += 1
        try:
            if isinstance(row, entries.Input):
                now_ns = row.now_ns
                report.inputs += 1
                answer = session.ingest(_inbound(row), now_ns)
                if answer != row.result:
                    what = f"{In(row.op).name} for {_node(plan, row.node)} answered "
                    recorded, replayed = Result(row.result).name, Result(answer).name
                    report.add(Difference(Divergence.OUTCOME, record, now_ns, what + recorded, what + replayed))
            elif isinstance(row, entries.Handler):
                outcomes.append(row)
            elif isinstance(row, entries.Step):
                now_ns = row.now_ns
                report.steps += 1
                deadline_ns = session.advance(now_ns)
                got = [to_out(output, payload=True) for output in session.drain()]
                recorded_outs = _outs(rows, at)
                at += len(recorded_outs)
                if at >= len(rows) and len(recorded_outs) < row.outputs and log.torn:
                    got = got[: len(recorded_outs)]  # the rest of this step is what the tear took
                report.outputs += len(got)
                report.decisions += sum(output.op == Op.DECISION for output in got)
                _compare(plan, recorded_outs, got, record + 1, report)
                if deadline_ns != row.deadline_ns:
                    report.add(_deadline(row.deadline_ns, deadline_ns, record, now_ns))
                for surprise in [*surprises, *(f"{_node(plan, o.node)} was called" for o in outcomes)]:
                    report.add(Difference(Divergence.OUTCOME, record, now_ns, surprise, "otherwise"))
                surprises.clear()
                outcomes.clear()
            elif isinstance(row, entries.Invocation):
                known = [name for name in provider_names(plan, row.node) if name] or [row.provider]
                if row.provider not in known:
                    bound = " or ".join(known)
                    where = _node(plan, row.node)
                    report.add(
                        Difference(
                            Divergence.PROVIDER_CHOICE,
                            record,
                            now_ns,
                            f"{where} by {row.provider}",
                            f"{where} by {bound}",
                        )
                    )
            elif isinstance(row, entries.End):
                _compare_stats(row, session.stats(), record, report)
        except (ValueError, IndexError, OverflowError, TypeError) as error:
            raise LogError(f"record {record} cannot be executed: {error}") from None


def _outs(rows: Sequence[entries.Entry], at: int) -> list[Out]:
    outs: list[Out] = []
    while at < len(rows) and isinstance(row := rows[at], Out):
        outs.append(row)
        at += 1
    return outs


def _inbound(row: entries.Input) -> Inbound:
    payload = bytes(row.size) if row.payload is None else row.payload
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
        payload,
    )


def _handlers(plan: Plan, outcomes: deque[entries.Handler], surprises: list[str]) -> list[Handler]:
    """Instead of the user's nodes: their recorded outcomes, in order."""

    def make(node: int) -> Handler:
        def recorded(item: Item) -> Sequence[Emission] | None:
            if not outcomes or outcomes[0].node != node or outcomes[0].seq != item.seq:
                surprises.append(f"{_node(plan, node)} was not called for item {item.seq}")
                return None
            row = outcomes.popleft()
            if row.emissions is None:
                return None
            return [
                Emission(port, bytes(size) if payload is None else payload, flags, a, b)
                for port, flags, a, b, size, payload in row.emissions
            ]

        return recorded

    by_index = sorted((node.handler, node.id) for node in plan.nodes if node.handler >= 0)
    return [make(node) for _, node in by_index]


# ---- comparing


def _same(recorded: Out, got: Out) -> bool:
    if recorded.payload is None:
        return recorded[:-1] == got[:-1]
    return recorded == got


def _compare(plan: Plan, recorded: list[Out], got: list[Out], record: int, report: Report) -> None:
    """Compares one step's outputs; `record` is the place of the first. At most one difference a step is described:
    what follows the first one in a step follows from it."""
    for index in range(max(len(recorded), len(got))):
        old = recorded[index] if index < len(recorded) else None
        new = got[index] if index < len(got) else None
        if old is not None and new is not None and _same(old, new):
            continue
        kind, diff_ms = _classify(recorded, got, old, new)
        t_ns = (old or new or got[0]).t_ns
        told = _told(plan, old, new)
        report.add(Difference(kind, record + index, t_ns, told[0], told[1], diff_ms))
        return


def _classify(recorded: list[Out], got: list[Out], old: Out | None, new: Out | None) -> tuple[Divergence, float]:
    signals = {o.code for o in (old, new) if o is not None and o.op == Op.DECISION}
    if signals & _AUTHORITY:
        return Divergence.AUTHORITY, 0.0
    if old is None or new is None:
        return Divergence.OUTCOME, 0.0
    if signals == {Signal.TURN_OPEN} and old.payload != new.payload:
        return Divergence.PLAN, 0.0
    if Op.INVOKE in (old.op, new.op) and (old.op, old.node, old.x) != (new.op, new.node, new.x):
        return Divergence.PROVIDER_CHOICE, 0.0
    if sorted(map(_unordered, recorded)) == sorted(map(_unordered, got)):
        return Divergence.ORDERING, 0.0
    times = (old.t_ns - new.t_ns, old.x - new.x if old.op in (Op.SEND, Op.CANCEL, Op.FEED) else 0)
    if any(times) and _same(old._replace(t_ns=new.t_ns, x=old.x - times[1]), new):
        return Divergence.TIMING, max(map(abs, times)) / MS_NS
    return Divergence.OUTCOME, 0.0


def _unordered(out: Out) -> tuple[int, ...]:
    """All but the sequence number and the bytes."""
    return (*out[:2], *out[3:-1])


def _deadline(recorded: int, replayed: int, record: int, now_ns: int) -> Difference:
    if recorded < 0 or replayed < 0:
        return Difference(
            Divergence.OUTCOME, record, now_ns, f"next deadline {recorded} ns", f"next deadline {replayed} ns"
        )
    diff_ms = abs(recorded - replayed) / MS_NS
    return Difference(
        Divergence.TIMING, record, now_ns, f"next deadline {recorded} ns", f"next deadline {replayed} ns", diff_ms
    )


def _compare_stats(row: entries.End, stats: dict[str, int], record: int, report: Report) -> None:
    """The size of the block belongs to the kernel, everything else to the session."""
    for name in sorted((row.stats.keys() | stats.keys()) - {"memory_bytes"}):
        if row.stats.get(name) != stats.get(name):
            told = f"{name} = {row.stats.get(name)}", f"{name} = {stats.get(name)}"
            report.add(Difference(Divergence.OUTCOME, record, row.now_ns, *told))


# ---- in words


def _node(plan: Plan, node: int) -> str:
    return plan.nodes[node].name if 0 <= node < len(plan.nodes) else f"node {node}"


def _told(plan: Plan, old: Out | None, new: Out | None) -> tuple[str, str]:
    if old is None or new is None:
        return ("nothing" if old is None else describe(plan, old), "nothing" if new is None else describe(plan, new))
    changed = [
        name
        for name, before, after in zip(Out._fields, old, new, strict=True)
        if before != after and not (name == "payload" and old.payload is None)
    ]

    def tell(out: Out) -> str:
        values = []
        for name in changed:
            value = getattr(out, name)
            values.append(f"{name} = {value.hex()[:16] + '…' if isinstance(value, bytes) else value}")
        return f"{describe(plan, out)}  ({', '.join(values)})"

    return tell(old), tell(new)


def describe(plan: Plan, out: Out) -> str:
    """One output in a few words."""
    turn = f" turn {out.turn}" if out.turn else ""
    if out.op == Op.DECISION:
        cause = f" ({Cause(out.cause).name.lower()})" if out.cause else ""
        name = Signal(out.code).name.lower() if out.code in Signal._value2member_map_ else f"signal {out.code}"
        return f"{name}{cause}{turn}"
    name = Op(out.op).name if out.op in Op._value2member_map_ else f"op {out.op}"
    where = f" {_node(plan, out.node)}" if out.node >= 0 else ""
    call = f" invocation {out.invocation}" if out.invocation else ""
    return f"{name}{where}{call}{turn}"
