"""CONTRACTS §3: control signals. Each has a fixed emitter; a signal from any other is invalid, as is an unknown one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal, NamedTuple

from rspp_compiler.ir.contracts.event import Envelope
from rspp_compiler.ir.contracts.rules import Contract, Rule
from rspp_compiler.ir.contracts.words import Count, Hash, Lane, Module, Positive, Text

Name = Literal[
    "turn_open_proposed", "turn_open", "commit", "close", "abort", "barge_in", "stop", "cancel",
    "budget_warning", "budget_exhausted", "degrade", "fallback", "watermark", "flow_xoff", "flow_xon", "credit_grant",
    "drop_notice", "discontinuity", "provider_error", "circuit_event", "provider_switch",
    "lease_issued", "lease_rotated", "migration_start", "migration_finish", "session_handoff",
    "admit", "reject", "defer", "shed", "stale_epoch_reject", "deauthorized_drain",
    "connected", "reconnecting", "disconnected", "ended", "silence", "stall",
    "output_accepted", "playback_started", "playback_completed", "playback_cancelled", "recording_level_downgraded",
]  # fmt: skip


class _Row(NamedTuple):
    """Signals that are alike: who may emit them, what they must carry, and the scope they must have."""

    signals: tuple[str, ...]
    emitters: tuple[str, ...]
    required: tuple[str, ...] = ()
    scope: str = ""


_EDGE = ("edge_id", "target_lane")
TABLE = (
    _Row(("turn_open_proposed",), ("RK-02",), scope="session"),
    _Row(("turn_open", "commit", "close"), ("RK-03",), ("turn_id",), "turn"),
    _Row(("abort",), ("RK-03",), ("turn_id", "reason"), "turn"),
    _Row(("barge_in", "stop"), ("RK-06", "RK-16")),
    _Row(("cancel",), ("RK-06", "RK-16"), ("scope",)),
    _Row(("budget_warning", "budget_exhausted"), ("RK-17",), ("reason",)),
    _Row(("degrade", "fallback"), ("RK-13", "RK-17"), ("reason",)),
    _Row(("watermark",), ("RK-13",), (*_EDGE, "reason")),
    _Row(("flow_xoff",), ("RK-14",), (*_EDGE, "reason")),
    _Row(("flow_xon",), ("RK-14",), _EDGE),
    _Row(("credit_grant",), ("RK-14",), (*_EDGE, "amount")),
    _Row(("drop_notice",), ("RK-12", "RK-13"), (*_EDGE, "reason", "seq_range")),
    _Row(("discontinuity",), ("RK-15",), ("sync_domain", "discontinuity_id", "reason")),
    _Row(("provider_error", "circuit_event", "provider_switch"), ("RK-11",), ("reason",)),
    _Row(("lease_issued", "lease_rotated"), ("CP-07", "CP-08")),
    _Row(("migration_start", "migration_finish", "session_handoff"), ("CP-07", "CP-08")),
    _Row(("admit", "reject", "defer"), ("RK-25", "CP-05"), ("reason",), "session"),
    _Row(("shed",), ("RK-25",), ("reason",)),
    _Row(("stale_epoch_reject", "deauthorized_drain"), ("RK-24",), ("reason",)),
    _Row(("connected", "reconnecting", "disconnected", "ended", "silence", "stall"), ("RK-23",)),
    _Row(
        ("output_accepted", "playback_started", "playback_completed", "playback_cancelled"),
        ("RK-22", "RK-23"),
        ("turn_id",),
        "turn",
    ),
    _Row(("recording_level_downgraded",), ("OR-02",), ("reason",)),
)


def _rules() -> Iterator[Rule]:
    yield Rule(values={"lane": ("ControlLane",), "payload_class": ("metadata",)}, required=("authority_epoch",))
    yield Rule(
        when={"event_scope": ("turn",)}, required=("turn_id",)
    )  # so a row that says `turn` need not say it again
    for row in TABLE:
        scope = {"event_scope": (row.scope,)} if row.scope else {}
        required = tuple(name for name in row.required if name != "turn_id")
        yield Rule({"signal": row.signals}, required, values={"emitted_by": row.emitters, **scope})
    yield Rule({"signal": ("cancel",)}, values={"scope": ("session", "turn", "node", "provider_invocation")})


class SequenceRange(Contract):
    """The runtime sequences from `start` to `end`, both of them included."""

    RULES: ClassVar[tuple[Rule, ...]] = (Rule(ordered=("start", "end")),)

    start: Count
    end: Count


class ControlSignal(Envelope):
    """A signal of the control lane."""

    RULES: ClassVar[tuple[Rule, ...]] = tuple(_rules())

    signal: Name
    emitted_by: Module
    reason: Text | None = None
    scope: Text | None = None
    origin: Literal["speech", "text", "dtmf", "greeting", "timer", "tool_result", "api"] | None = None
    plan_hash: Hash | None = None
    answers_runtime_sequence: SequenceRange | None = None
    target_lane: Lane | None = None
    amount: Positive | None = None
    seq_range: SequenceRange | None = None
