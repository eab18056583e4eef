"""Decisions in the JSON form of CONTRACTS: control signals (§3), decision outcomes (§4), refused outputs (§2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rspp_runtime.abi.codes import (
    EMITTER,
    PLAYBACK,
    RECORDED_ONLY,
    CancelMode,
    Cause,
    Op,
    Origin,
    Scope,
    Signal,
    emitter,
)
from rspp_runtime.abi.lookup import budget_name, heard_by
from rspp_runtime.abi.messages import Inbound
from rspp_runtime.abi.plan import Plan
from rspp_runtime.evidence.clocks import WALL
from rspp_runtime.evidence.entries import Clock, Header, Input, Level, Log, Out
from rspp_runtime.providers.contract import Outcome

SCHEMA_VERSION = "v1.0"
MS_NS = 1_000_000
PAYLOAD_CLASS = {"audio": "audio_raw", "text": "text_raw"}

_SESSION_SCOPED = frozenset(
    {
        Signal.TURN_OPEN_PROPOSED,
        Signal.REJECT,
        Signal.DEFER,
        Signal.LEASE_ROTATED,
        Signal.MIGRATION_START,
        Signal.SESSION_HANDOFF,
        Signal.MIGRATION_FINISH,
        Signal.CONNECTED,
        Signal.DISCONNECTED,
        Signal.ENDED,
    }
)
_OUTCOMES = frozenset({Signal.REJECT, Signal.DEFER, Signal.STALE_EPOCH_REJECT, Signal.DEAUTHORIZED_DRAIN})
_WANTED_BY: dict[int, str] = {
    Cause.BARGE_IN: "barge_in",
    Cause.USER: "user_cancel",
    Cause.NODE_TIMEOUT: "timeout",
    Cause.NODE_ERROR: "provider_error",
}
"""Reason codes of a cancel (F-035): what made the pipeline, the transport or the API ask for it."""
_EDGE_SIGNALS = frozenset(
    {Signal.DROP_NOTICE, Signal.FLOW_XOFF, Signal.FLOW_XON, Signal.CREDIT_GRANT, Signal.WATERMARK}
)


class Records:
    """Makes records of one session's decisions. Keeps the present epoch and the last transport sequence."""

    def __init__(self, plan: Plan, header: Header) -> None:
        self._plan = plan
        self._header = header
        self._epoch = header.epoch
        self._transport_sequence = 0
        self._wall_ns = header.started_ms * MS_NS  # the wall clock at session time 0, as it was read last
        self._last = 0  # runtime sequence
        self._steps_down = 0

    def heard(self, row: Input | Inbound) -> None:
        """An input entered: later decisions carry its transport sequence."""
        self._transport_sequence = max(self._transport_sequence, row.transport_sequence)

    def mapped(self, row: Clock) -> None:
        """A clock was read: later records have the wall clock's time."""
        if row.name == WALL:
            self._wall_ns = row.its_ns - row.now_ns

    def of(self, out: Out) -> list[dict[str, Any]]:
        """The records of one output: none for what is no decision, two where an outcome is also a signal."""
        if out.op != Op.DECISION or out.code in RECORDED_ONLY:
            return []
        self._last = max(self._last, out.seq)
        if out.code == Signal.LEASE_ROTATED:
            self._epoch = out.x
        signal = Signal(out.code)
        if signal is Signal.LATE_AFTER_CANCEL:
            return [self._late(out)]
        records = [self._signal(signal, out)]
        if signal in _OUTCOMES:
            records.append(self._outcome(signal, out))
        return records

    def downgraded(self, row: Level) -> dict[str, Any]:
        """The recorder's own signal: it takes no place in the kernel's sequence, and carries the last one before it."""
        self._steps_down += 1
        out = Out(Op.DECISION, row.now_ns, self._last, -1, 0, 0, 0, 0, 0, 0, 0, 0, None)
        return self._envelope(out, turn=False, lane="ControlLane") | {
            "event_id": f"{self._header.session_id}/l{self._steps_down}",
            "signal": "recording_level_downgraded",
            "emitted_by": "OR-02",
            "reason": row.reason,
            "recording_level": row.level,
        }

    def _envelope(self, out: Out, *, turn: bool, lane: str) -> dict[str, Any]:
        record: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "event_scope": "turn" if turn else "session",
            "session_id": self._header.session_id,
            "pipeline_version": self._header.pipeline_version,
            "event_id": f"{self._header.session_id}/e{out.seq}",
            "lane": lane,
            "transport_sequence": self._transport_sequence,
            "runtime_sequence": out.seq,
            "authority_epoch": self._epoch,
            "runtime_timestamp_ms": out.t_ns // MS_NS,
            "wall_clock_timestamp_ms": (self._wall_ns + out.t_ns) // MS_NS,
            "payload_class": "metadata",
        }
        if turn:
            record["turn_id"] = f"{self._header.session_id}/{out.turn}"
        return record

    def _signal(self, signal: Signal, out: Out) -> dict[str, Any]:
        turn = out.turn > 0 and signal not in _SESSION_SCOPED
        record = self._envelope(out, turn=turn, lane="ControlLane")
        record |= {"signal": signal.name.lower(), "emitted_by": emitter(signal, out.port, out.cause)}
        if out.cause:
            record["reason"] = Cause(out.cause).name.lower()
        nodes, edges = self._plan.nodes, self._plan.edges
        if signal is Signal.TURN_OPEN_PROPOSED:
            record["origin"] = Origin(out.x).name.lower()
        elif signal is Signal.TURN_OPEN:
            record["plan_hash"] = (out.payload or b"").hex()
            record["answers_runtime_sequence"] = {"start": out.x, "end": out.y}
        elif signal is Signal.CANCEL:
            record["scope"] = Scope(out.x).name.lower()
            record["mode"] = CancelMode(out.port).name.lower()
            record["reason"] = _WANTED_BY.get(out.cause, record.get("reason", "cancelled"))
            if out.x == Scope.NODE:
                record["node_id"] = nodes[out.y].name
        elif signal in (Signal.BUDGET_WARNING, Signal.BUDGET_EXHAUSTED):
            record["scope"] = "node" if out.y >= 0 else "turn"
            if out.y >= 0:
                record["node_id"] = nodes[out.y].name
            elif out.y != -1:
                record["budget"] = budget_name(self._plan, out.y)
        elif signal in (Signal.DEGRADE, Signal.FALLBACK):
            record.setdefault("reason", signal.name.lower())
            if signal is Signal.DEGRADE:
                record["mode"] = self._plan.modes[out.x].name
        elif signal in _EDGE_SIGNALS:
            record |= {"edge_id": edges[out.node].name, "target_lane": "DataLane"}
            if signal is Signal.DROP_NOTICE:
                record["seq_range"] = {"start": out.x, "end": out.y}
                if out.cause == Cause.COALESCED:
                    record["merge_group_id"] = f"{self._header.session_id}/{out.invocation}"
            elif signal is Signal.CREDIT_GRANT:
                record["amount"] = out.x
            elif signal is Signal.WATERMARK:
                record["reason"] = "high" if out.x else "low"
            elif signal is Signal.FLOW_XOFF:
                record.setdefault("reason", Cause.QUEUE_PRESSURE.name.lower())
        elif signal is Signal.DISCONTINUITY:
            sync = edges[out.node].sync
            record |= {
                "edge_id": edges[out.node].name,
                "sync_domain": sync.domain if sync else "",
                "discontinuity_id": f"{self._header.session_id}/d{out.x}",
            }
        elif signal is Signal.PROVIDER_ERROR:
            record |= {
                "node_id": nodes[out.node].name,
                "provider_invocation_id": f"{self._header.session_id}/i{out.invocation}",
                "outcome_class": Outcome(out.x).name.lower(),
            }
        elif signal is Signal.STALE_EPOCH_REJECT:
            record["offered_epoch"] = out.x
        elif signal is Signal.MIGRATION_START:
            record["previous_epoch"] = out.x
        elif signal in PLAYBACK:
            record["basis"], record["error_ms"] = heard_by(self._plan.lead_ns, out.port, out.invocation)
            if signal is not Signal.PLAYBACK_STARTED:
                record |= {"words_heard": out.x, "bytes_heard": out.y}
        return record

    def _outcome(self, signal: Signal, out: Out) -> dict[str, Any]:
        turn = out.turn > 0 and signal is Signal.DEAUTHORIZED_DRAIN
        scheduling = signal is Signal.STALE_EPOCH_REJECT and out.node >= 0
        record: dict[str, Any] = {
            "outcome_kind": signal.name.lower(),
            "phase": "active_turn" if turn else "scheduling_point" if scheduling else "pre_turn",
            "scope": "turn" if turn else "node_dispatch" if scheduling else "session",
            "session_id": self._header.session_id,
            "event_id": f"{self._header.session_id}/e{out.seq}",
            "runtime_timestamp_ms": out.t_ns // MS_NS,
            "wall_clock_timestamp_ms": (self._wall_ns + out.t_ns) // MS_NS,
            "emitted_by": EMITTER[signal],
            "authority_epoch": self._epoch,
            "reason": Cause(out.cause).name.lower() if out.cause else signal.name.lower(),
        }
        if turn:
            record["turn_id"] = f"{self._header.session_id}/{out.turn}"
        return record

    def _late(self, out: Out) -> dict[str, Any]:
        """An output that was refused, as an event record of its lane."""
        node = self._plan.nodes[out.node]
        ports = node.inputs if out.y else node.outputs
        kind = ports[out.port].type if 0 <= out.port < len(ports) else "event"
        record = self._envelope(out, turn=out.turn > 0, lane="DataLane")
        record |= {
            "event_type": kind if kind in PAYLOAD_CLASS else "control",
            "payload_class": PAYLOAD_CLASS.get(kind, "metadata"),
            "node_id": node.name,
            "late_after_cancel": True,
        }
        if kind == "audio":
            record["media_time"] = {"pts_ms": out.t_ns // MS_NS}
        if out.invocation:
            record["provider_invocation_id"] = f"{self._header.session_id}/i{out.invocation}"
        return record


def records(log: Log, plan: Plan) -> Iterator[dict[str, Any]]:
    """All records of a log, in order."""
    make = Records(plan, log.header)
    for row in log.entries:
        if isinstance(row, Input):
            make.heard(row)
        elif isinstance(row, Clock):
            make.mapped(row)
        elif isinstance(row, Out):
            yield from make.of(row)
        elif isinstance(row, Level) and row.level < row.before:
            yield make.downgraded(row)
