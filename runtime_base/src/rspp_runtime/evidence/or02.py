"""The OR-02 record of every accepted turn (CONTRACTS §8).

Written in stages, of which the newest counts: `baseline` is made durable before a turn may commit; `terminal` when the
turn has closed; `amended` when a cancelled turn's last invocation has gone and what it still tried to say is known.
Timestamps are integer milliseconds of session time, latencies milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from rspp_runtime.abi.codes import Cause, Follow, Op, Scope, Signal, Unit
from rspp_runtime.abi.lookup import budget_name, heard_by, provider_names
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.abi.plan import Plan
from rspp_runtime.evidence.entries import Clock, Evidence
from rspp_runtime.evidence.overhead import Overhead, ms
from rspp_runtime.evidence.timing import Timing
from rspp_runtime.providers.contract import Outcome
from rspp_runtime.session.observer import InvocationEnd, Observer

SCHEMA_VERSION = "v1.0"
MS_NS = 1_000_000
REFUSED_MAX = 256  # outputs listed; all are counted
RECORDS_MAX = 32  # of turns that have closed
_DECISION, _INVOKE, _TAP, _DEAD_LETTER = (int(op) for op in (Op.DECISION, Op.INVOKE, Op.TAP, Op.DEAD_LETTER))
MODALITIES = frozenset({"stt", "llm", "tts"})

REQUIRED = (
    "or02_evidence_schema_version",
    "session_id",
    "turn_id",
    "pipeline_id",
    "pipeline_version",
    "resolved_turn_plan_id",
    "plan_hash",
    "template_hash",
    "execution_profile_version",
    "recording_level",
    "lease_epoch_at_turn_open",
    "lease_epoch_at_terminal",
    "admission_outcome",
    "policy_snapshot_ref",
    "routing_snapshot_ref",
    "determinism_seed",
    "merge_rule_id",
    "merge_rule_version",
    "ordering_markers",
    "nondeterministic_input_refs",
    "wall_clock_at_session_start_ms",
    "turn_open_timestamp",
    "terminal_outcome",
    "terminal_reason",
    "turn_close_timestamp",
    "provider_invocations",
)
IF_CANCELLED = ("cancel_scope", "cancel_accepted_timestamp", "cancel_fence_timestamp", "outputs_refused")
OF_INVOCATION = (
    "provider_invocation_id",
    "node_id",
    "modality",
    "provider",
    "outcome_class",
    "attempts",
    "retry_decision",
    "first_output_latency_ms",
    "total_latency_ms",
)


def missing_fields(record: Mapping[str, Any]) -> list[str]:
    """Paths of what a terminal record lacks; empty if the turn's evidence is complete (gate 5)."""
    missing = [name for name in REQUIRED if record.get(name) in (None, "")]
    if record.get("or02_evidence_schema_version") not in (None, "", SCHEMA_VERSION):
        missing.append(f"or02_evidence_schema_version (is not {SCHEMA_VERSION})")
    if record.get("terminal_outcome") == "abort" and record.get("terminal_reason") == Cause.CANCELLED.name.lower():
        missing += [name for name in IF_CANCELLED if record.get(name) in (None, "")]
    for index, invocation in enumerate(record.get("provider_invocations") or ()):
        missing += [f"provider_invocations[{index}].{name}" for name in OF_INVOCATION if name not in invocation]
    return missing


class _Start(NamedTuple):
    """How an invocation began: one attempt at one of its node's providers, `made` before it."""

    node: int
    turn: int
    t_ns: int
    candidate: int
    made: int


class _Turn:
    """What is known of one turn so far."""

    def __init__(self, serial: int, record: dict[str, Any], opened_ns: int) -> None:
        self.serial = serial
        self.record = record
        self.opened_ns = opened_ns
        self.calls: dict[int, dict[str, Any]] = {}  # by invocation id
        self.open_calls: set[int] = set()
        self.refused: list[dict[str, Any]] = []
        self.refused_count = 0
        self.failed = 0  # the invocation that failed last
        self.replaced: set[int] = set()  # invocations whose failure a fallback answered
        self.closed = False
        self.overhead = Overhead()


class Or02(Timing, Observer):
    """Assembles the records; `put` takes each stage. `resolved` is the package's plan template (CONTRACTS §6)."""

    def __init__(
        self,
        plan: Plan,
        resolved: Mapping[str, Any],
        *,
        session_id: str,
        epoch: int,
        seed: int,
        level: str,
        started_ms: int,
        put: Callable[[Evidence], None],
    ) -> None:
        super().__init__()
        self.records: dict[int, dict[str, Any]] = {}  # the newest stage of the last turns that have closed
        self._plan = plan
        self._session_id = session_id
        self._epoch = epoch
        self._level = level
        self.put = put
        self._turns: dict[int, _Turn] = {}  # open, or closed with invocations still going
        self._stt: list[dict[str, Any]] = []  # the recogniser's invocations that no turn has claimed yet
        self._started: dict[int, _Start] = {}  # by invocation
        self._failed: dict[int, tuple[str, str]] = {}  # invocation → (outcome class, retry decision)
        self._used: dict[int, dict[str, int]] = {}  # by invocation: what it was metered for, by unit
        self._skews: dict[str, int] = {}  # of each clock, ns
        self._migrations: list[dict[str, int]] = []  # of the session, in order
        self._migrating: dict[int, _Turn] = {}  # turns that one found open
        self._letters: dict[int, list[dict[str, Any]]] = {}  # by turn: items that a node could not work on
        snapshots = resolved.get("snapshot_provenance", {})
        determinism = resolved.get("determinism", {})
        self._common: dict[str, Any] = {
            "or02_evidence_schema_version": SCHEMA_VERSION,
            "session_id": session_id,
            "pipeline_id": plan.pipeline,
            "pipeline_version": plan.pipeline_version,
            "template_hash": plan.template_hash,
            "execution_profile_version": plan.profile,
            "admission_outcome": "admit",
            "policy_snapshot_ref": snapshots.get("policy_resolution_snapshot", ""),
            "routing_snapshot_ref": snapshots.get("routing_view_snapshot", ""),
            "determinism_seed": seed,
            "merge_rule_id": determinism.get("merge_rule_id", ""),
            "merge_rule_version": determinism.get("merge_rule_version", ""),
            "ordering_markers": list(determinism.get("ordering_markers", ())),
            "nondeterministic_input_refs": list(determinism.get("nondeterministic_inputs", ())),
            "wall_clock_at_session_start_ms": started_ms,
        }

    def baseline(self, turn: int) -> bool:
        """Writes what is known when the evidence is asked for; False if there is no such turn."""
        if turn in self._turns and not self._turns[turn].closed:
            self.put(Evidence(turn, "baseline", self._assemble(self._turns[turn])))
        return turn in self._turns or turn in self.records

    def level_changed(self, level: str) -> None:
        """A turn's `recording_level` is the lowest that was kept while it was open."""
        self._level = level
        for turn in self._turns.values():
            if not turn.closed:
                turn.record["recording_level"] = min(turn.record["recording_level"], level)

    def clock_read(self, row: Clock) -> None:
        """A turn's record says how far each clock was off, at most, since it opened."""
        self._skews[row.name] = row.skew_ns
        for turn in self._turns.values():
            if not turn.closed:
                skews = turn.record.setdefault("clock_skew_ms", {})
                skews[row.name] = max(skews.get(row.name, 0.0), ms(row.skew_ns), key=abs)

    # ---- observing: inputs and steps are `Timing`'s

    def _metered(self, event: Inbound) -> None:
        used = self._used.setdefault(event.invocation, {})
        unit = Unit(event.port).name.lower()
        used[unit] = used.get(unit, 0) + event.a

    def _read(self, outputs: Sequence[Output], drained_ns: int) -> None:
        if outputs[-1].op >= _TAP:  # telemetry leaves behind the end of its turn, and belongs to its record
            for output in outputs:
                if output.op == _DEAD_LETTER and output.turn:
                    self._lost(output)
        for output in outputs:
            op = output.op
            if op == _DECISION:
                self._decided(output, drained_ns)
            elif op == _INVOKE:
                self._started[output.invocation] = _Start(output.node, output.turn, output.t_ns, output.x, output.y)
                if output.turn in self._turns:
                    self._turns[output.turn].open_calls.add(output.invocation)

    def on_invocation(self, end: InvocationEnd) -> None:
        node = self._plan.nodes[end.node]
        start = self._started.pop(end.invocation, _Start(0, 0, 0, 0, 0))
        outcome, decision = self._failed.pop(end.invocation, (Outcome(end.outcome).name.lower(), "none"))
        call = {
            "provider_invocation_id": f"{self._session_id}/i{end.invocation}",
            "node_id": node.name,
            "modality": node.kind if node.kind in MODALITIES else "external",
            "provider": end.provider,
            "outcome_class": outcome,
            "retryable": end.retryable,
            "reason": end.reason,
            "attempts": start.made + 1,
            "retry_decision": decision,
            "first_output_latency_ms": ms(end.first_ns - end.start_ns) if end.first_ns >= 0 else None,
            "total_latency_ms": ms(end.end_ns - end.start_ns),
        }
        if used := self._used.pop(end.invocation, None):
            call["usage"] = used
        turn = self._turns.get(start.turn)
        if turn is None:
            if end.node == self._plan.recogniser:
                self._heard(end.invocation, start.t_ns, call)
            return
        turn.calls[end.invocation] = call
        turn.open_calls.discard(end.invocation)
        if turn.closed and not turn.open_calls:
            self._write(start.turn, turn, "amended")
            self._forget(start.turn)

    def _heard(self, invocation: int, started_ns: int, call: dict[str, Any]) -> None:
        """A turn opens when the user's input ends, before its recogniser is done: what began before it is its own."""
        waiting = [turn for turn in self._turns.values() if not turn.closed and started_ns <= turn.opened_ns]
        if waiting:
            waiting[-1].calls[invocation] = call
        else:
            self._stt.append(call)

    def _decided(self, output: Output, drained_ns: int) -> None:
        signal = output.code
        turn = self._turns.get(output.turn)
        if signal == Signal.LEASE_ROTATED:
            self._epoch = output.x
        elif signal == Signal.MIGRATION_START:
            self._migrating = {serial: one for serial, one in self._turns.items() if not one.closed}
            self._migrations.append({"from_epoch": output.x, "start_timestamp": output.t_ns // MS_NS})
            for one in self._migrating.values():
                one.record["migrations"] = self._migrations[-1:]
        elif signal == Signal.MIGRATION_FINISH and self._migrations:
            self._migrations[-1] |= {"to_epoch": output.x, "finish_timestamp": output.t_ns // MS_NS}
            for serial, one in self._migrating.items():
                self._write(serial, one, "amended")
            self._migrating = {}
        elif signal == Signal.TURN_OPEN:
            self._open(output)
        elif signal == Signal.LATE_AFTER_CANCEL:
            self._refused(output)
        elif signal == Signal.PROVIDER_ERROR:
            self._attempt_failed(output, turn)
        elif turn is None or turn.closed:
            return
        elif signal == Signal.CANCEL and output.x == Scope.TURN:
            turn.record |= {
                "cancel_scope": "turn",
                "cancel_accepted_timestamp": self.accepted_ns // MS_NS,
                "cancel_fence_timestamp": drained_ns // MS_NS,
                "cancel_to_fence_ms": ms(drained_ns - self.accepted_ns),
            }
        elif signal == Signal.BUDGET_EXHAUSTED:
            name = budget_name(self._plan, output.y)
            turn.record.setdefault("budgets_exhausted", {}).setdefault(name, output.t_ns // MS_NS)
        elif signal == Signal.FALLBACK:
            turn.replaced.add(turn.failed)
        elif signal in (Signal.PLAYBACK_COMPLETED, Signal.PLAYBACK_CANCELLED):
            basis, error_ms = heard_by(self._plan.lead_ns, output.port, output.invocation)
            turn.record |= {
                "words_heard": output.x,
                "bytes_heard": output.y,
                "heard_basis": basis,
                "heard_error_ms": error_ms,
            }
        elif signal == Signal.REPORT_REFUSED:
            turn.record["reports_refused_count"] = turn.record.get("reports_refused_count", 0) + 1
        elif signal in (Signal.COMMIT, Signal.ABORT):
            committed = signal == Signal.COMMIT
            turn.record["terminal_outcome"] = "commit" if committed else "abort"
            turn.record["terminal_reason"] = "completed" if committed else Cause(output.cause).name.lower()
            turn.record["lease_epoch_at_terminal"] = self._epoch
        elif signal == Signal.CLOSE:
            turn.record["turn_close_timestamp"] = output.t_ns // MS_NS
            turn.closed = True
            self.working[:] = [one for one in self.working if one is not turn.overhead]
            self._write(output.turn, turn, "terminal")
            if not turn.open_calls:
                self._forget(output.turn)

    def _attempt_failed(self, output: Output, turn: _Turn | None) -> None:
        """An attempt failed: how, and what the kernel decided to do about it."""
        if turn is not None and not turn.closed:
            turn.failed = output.invocation
        found = (Outcome(output.x).name.lower(), Follow(output.y).name.lower())
        if output.invocation in self._started:
            self._failed[output.invocation] = found  # its end is still to be heard of
        identity = f"{self._session_id}/i{output.invocation}"
        for call in [*self._stt, *(call for known in self._turns.values() for call in known.calls.values())]:
            if call["provider_invocation_id"] == identity:
                call |= {"outcome_class": found[0], "retry_decision": found[1]}

    def _open(self, output: Output) -> None:
        turn_id = f"{self._session_id}/{output.turn}"
        turn = _Turn(
            output.turn,
            {
                **self._common,
                "recording_level": self._level,
                "turn_id": turn_id,
                "resolved_turn_plan_id": f"{turn_id}/plan",
                "plan_hash": output.payload.hex(),
                "lease_epoch_at_turn_open": self._epoch,
                "answers_runtime_sequence": [output.x, output.y],
                "turn_open_timestamp": output.t_ns // MS_NS,
            },
            output.t_ns,
        )
        if self._skews:
            turn.record["clock_skew_ms"] = {name: ms(skew_ns) for name, skew_ns in self._skews.items()}
        if self._migrations:
            turn.record["migrations"] = list(self._migrations)
        turn.calls = {-1 - index: call for index, call in enumerate(self._stt)}
        self._stt = []
        self._turns[output.turn] = turn
        self.working.append(turn.overhead)

    def _refused(self, output: Output) -> None:
        start = self._started.get(output.invocation)
        turn = self._turns.get((start.turn if start else 0) or output.turn)
        if turn is None:
            return
        turn.refused_count += 1
        if len(turn.refused) < REFUSED_MAX:
            node = self._plan.nodes[output.node]
            ports = node.inputs if output.y else node.outputs
            turn.refused.append(
                {
                    "node_id": node.name,
                    "port": ports[output.port].name if 0 <= output.port < len(ports) else str(output.port),
                    "provider_invocation_id": f"{self._session_id}/i{output.invocation}" if output.invocation else "",
                    "at": "fence" if output.y else "ingest",
                    "bytes": output.x,
                    "runtime_timestamp_ms": output.t_ns // MS_NS,
                }
            )

    def _lost(self, output: Output) -> None:
        letters = self._letters.setdefault(output.turn, [])
        if len(letters) < REFUSED_MAX:
            row = {"node_id": self._plan.nodes[output.code].name, "reason": Cause(output.cause).name.lower()}
            letters.append(row | {"runtime_sequence": output.seq, "runtime_timestamp_ms": output.t_ns // MS_NS})

    # ---- writing

    def _assemble(self, turn: _Turn) -> dict[str, Any]:
        calls = dict(turn.calls)
        for invocation in sorted(turn.open_calls):
            calls[invocation] = self._pending(invocation)
        for invocation in turn.replaced & calls.keys():
            calls[invocation] = calls[invocation] | {"retry_decision": "fallback"}
        record = dict(turn.record)
        record["overhead"] = turn.overhead.record({node.id: node.name for node in self._plan.nodes})
        record["provider_invocations"] = [calls[key] for key in sorted(calls)]
        if "cancel_scope" in record or turn.refused_count:
            record["outputs_refused"] = list(turn.refused)
            record["outputs_refused_count"] = turn.refused_count
        if letters := self._letters.get(turn.serial):
            record["dead_letters"] = list(letters)
        return record

    def _pending(self, invocation: int) -> dict[str, Any]:
        """An invocation whose end has not been heard of: the kernel cancelled it, or it is still at work."""
        start = self._started[invocation]
        node = self._plan.nodes[start.node]
        outcome, decision = self._failed.get(invocation, (Outcome.CANCELLED.name.lower(), "none"))
        return {
            "provider_invocation_id": f"{self._session_id}/i{invocation}",
            "node_id": node.name,
            "modality": node.kind if node.kind in MODALITIES else "external",
            "provider": provider_names(self._plan, start.node)[start.candidate],
            "outcome_class": outcome,
            "retryable": False,
            "reason": "cancelled, its end is awaited",
            "attempts": start.made + 1,
            "retry_decision": decision,
            "first_output_latency_ms": None,
            "total_latency_ms": None,
        }

    def _forget(self, serial: int) -> None:
        del self._turns[serial]
        self._letters.pop(serial, None)

    def _write(self, serial: int, turn: _Turn, stage: str) -> None:
        record = self._assemble(turn)
        self.records.pop(serial, None)
        self.records[serial] = record
        if len(self.records) > RECORDS_MAX:
            del self.records[next(iter(self.records))]
        self.put(Evidence(serial, stage, record))
