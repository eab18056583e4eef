"""The replay modes (CONTRACTS §6, §8; F-151): what each takes from the log, and which logs can serve it.

replay_decisions                     decisions are taken as they are recorded, and checked to be a legal history
recompute_decisions                  the kernel decides again from headers; payloads are not looked at
playback_recorded_provider_outputs   the same, with every payload, compared bit for bit
re_simulate_nodes                    the party's input alone: providers and users' nodes run again
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

from rspp_runtime.abi.codes import Control, In, Op, Result, Signal
from rspp_runtime.abi.plan import Plan
from rspp_runtime.evidence.differences import Difference, Divergence, describe
from rspp_runtime.evidence.entries import End, Entry, Follows, Handler, Input, Log, LogError, Out
from rspp_runtime.evidence.execution import FIRST_RECORD
from rspp_runtime.evidence.report import Report


class Mode(enum.StrEnum):
    """Names of CONTRACTS §6."""

    REPLAY_DECISIONS = "replay_decisions"
    RECOMPUTE_DECISIONS = "recompute_decisions"
    PLAYBACK = "playback_recorded_provider_outputs"
    RE_SIMULATE = "re_simulate_nodes"


def check_served(log: Log, mode: Mode, first: int = 1) -> None:
    """Raises `LogError` if the log, from record `first` on, lacks what the mode takes from it."""
    if mode in (Mode.REPLAY_DECISIONS, Mode.RECOMPUTE_DECISIONS):
        return
    if mode is Mode.RE_SIMULATE and log.entries and isinstance(log.entries[0], Follows):
        raise LogError(
            f"its session began in the log of another template ({log.entries[0].template_hash[:12]}…), whose party's "
            f"input is not here: take --mode {Mode.RECOMPUTE_DECISIONS}"
        )
    needs = "every payload of the party's input" if mode is Mode.RE_SIMULATE else "every payload"
    for record, entry in enumerate(log.entries, FIRST_RECORD):
        if record >= first and _lacks(entry, mode):
            raise LogError(
                f"record {record} has no payload (the log begins at {log.header.level}), and {mode} needs {needs}: "
                f"record with --level L2, or take --mode {Mode.RECOMPUTE_DECISIONS}"
            )


def _lacks(entry: Entry, mode: Mode) -> bool:
    if isinstance(entry, Input):
        wanted = entry.op == In.MEDIA or mode is Mode.PLAYBACK
        return wanted and entry.size > 0 and entry.payload is None
    if mode is Mode.RE_SIMULATE:
        return False
    if isinstance(entry, Handler):
        return any(size and payload is None for *_, size, payload in entry.emissions or ())
    return isinstance(entry, Out) and entry.size > 0 and entry.payload is None


# ---- replay_decisions

_NOT_OPENED = frozenset({Signal.REJECT, Signal.DEFER, Signal.STALE_EPOCH_REJECT, Signal.DEAUTHORIZED_DRAIN})


def replay_decisions(log: Log, plan: Plan) -> Report:
    """The recorded decisions as they stand, checked against CONTRACTS §5; what is not legal is a difference."""
    report = Report(level=log.header.level, torn=log.torn)
    report.begin_stretch("L0", 1, 0)
    history = _History(plan)
    for record, entry in enumerate(log.entries, FIRST_RECORD):
        if isinstance(entry, Input):
            report.inputs += 1
            history.told(entry)
        elif isinstance(entry, Out):
            report.outputs += 1
            if entry.op == Op.DECISION:
                report.decisions += 1
                for why in history.add(entry):
                    told = f"{describe(plan, entry)}  (runtime sequence {entry.seq})", f"not legal: {why}"
                    report.add(Difference(Divergence.OUTCOME, record, entry.t_ns, *told))
        elif isinstance(entry, End) and (why_not := history.open_at_end()):
            report.add(Difference(Divergence.OUTCOME, record, entry.now_ns, "the end", f"not legal: {why_not}"))
    return report


class _History:
    """Where the session's turns are, by the decisions so far."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._seq = self._t_ns = self._serial = 0
        self._epoch = -1
        self._state = "Idle"  # Idle, Opening, Active, Terminal
        self._may_be_idle = False  # Opening, and an outcome was decided that ends it, or answers another input

    def told(self, row: Input) -> None:
        """A log may begin where that of another template ended."""
        if (row.op, row.port, row.result) == (In.CONTROL, Control.GO_ON_FROM, Result.ACCEPTED):
            self._serial = row.a

    def add(self, out: Out) -> Iterator[str]:
        """Why this decision is not legal here, if it is not."""
        if out.seq <= self._seq:
            yield f"the runtime sequence does not go on after {self._seq}"
        if out.t_ns < self._t_ns:
            yield f"time goes back from {self._t_ns} ns"
        self._seq, self._t_ns = max(self._seq, out.seq), max(self._t_ns, out.t_ns)
        code = out.code
        if self._state == "Terminal" and code != Signal.CLOSE:
            yield f"turn {self._serial} has its terminal, and only its close may follow"
            self._state = "Idle"
        if code == Signal.LEASE_ROTATED:
            if out.x <= self._epoch:
                yield f"epoch {out.x} is not higher than {self._epoch}"
            self._epoch = out.x
        elif code == Signal.TURN_OPEN_PROPOSED:
            yield from self._move("Idle", "Opening")
        elif code == Signal.TURN_OPEN:
            yield from self._move("Opening", "Active")
            if out.turn != self._serial + 1:
                yield f"turn {out.turn} opens after turn {self._serial}"
            self._serial = out.turn
        elif code in (Signal.COMMIT, Signal.ABORT):
            yield from self._move("Active", "Terminal", out.turn)
        elif code == Signal.CLOSE:
            yield from self._move("Terminal", "Idle", out.turn)
        elif self._state == "Opening" and code in _NOT_OPENED:
            self._may_be_idle = True

    def open_at_end(self) -> str:
        return "" if self._state in ("Idle", "Opening") else f"turn {self._serial} is still {self._state}"

    def _move(self, before: str, after: str, turn: int | None = None) -> Iterator[str]:
        state = before if (before, self._state, self._may_be_idle) == ("Idle", "Opening", True) else self._state
        self._may_be_idle = False
        if state != before:
            yield f"the turn is {self._state}, not {before}"
        elif turn is not None and turn != self._serial:
            yield f"turn {turn} ends, and turn {self._serial} is open"
        self._state = after
