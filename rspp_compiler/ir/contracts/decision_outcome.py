"""CONTRACTS §4: what was decided about a session, a turn or an item, by whom, and in which phase."""

from __future__ import annotations

from typing import ClassVar, Literal

from rspp_compiler.ir.contracts.rules import Contract, Rule
from rspp_compiler.ir.contracts.words import Count, Milliseconds, Module, Text

_SCHEDULING = ("edge_enqueue", "edge_dequeue", "node_dispatch")
_STALE, _DRAIN = ("stale_epoch_reject",), ("deauthorized_drain",)


class DecisionOutcome(Contract):
    """One decision."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule({"outcome_kind": ("admit", "reject", "defer")}, values={"emitted_by": ("RK-25", "CP-05")}),
        Rule({"outcome_kind": ("shed",)}, values={"emitted_by": ("RK-25",), "phase": ("scheduling_point",)}),
        Rule({"outcome_kind": _STALE + _DRAIN}, ("authority_epoch",), values={"emitted_by": ("RK-24",)}),
        Rule({"emitted_by": ("CP-05",)}, values={"phase": ("pre_turn",), "scope": ("tenant", "session")}),
        Rule({"phase": ("scheduling_point",)}, values={"scope": _SCHEDULING}),
        Rule({"phase": ("active_turn",)}, ("turn_id",), values={"scope": ("turn", *_SCHEDULING)}),
        Rule({"phase": ("pre_turn",)}, values={"scope": ("tenant", "session", "turn")}),
        Rule({"scope": ("turn",)}, ("turn_id",)),
        Rule({"outcome_kind": _DRAIN}, values={"phase": ("pre_turn", "active_turn")}),
        Rule({"outcome_kind": _DRAIN, "phase": ("active_turn",)}, values={"scope": ("turn",)}),
        Rule({"outcome_kind": _STALE}, values={"phase": ("pre_turn", "scheduling_point")}),
        Rule({"outcome_kind": _STALE + _DRAIN, "phase": ("pre_turn",)}, values={"scope": ("session", "turn")}),
    )

    outcome_kind: Literal["admit", "reject", "defer", "shed", "stale_epoch_reject", "deauthorized_drain"]
    phase: Literal["pre_turn", "scheduling_point", "active_turn"]
    scope: Literal["tenant", "session", "turn", "edge_enqueue", "edge_dequeue", "node_dispatch"]
    session_id: Text
    turn_id: Text | None = None
    event_id: Text
    runtime_timestamp_ms: Milliseconds
    wall_clock_timestamp_ms: Milliseconds
    timestamp_ms: Milliseconds | None = None
    emitted_by: Module
    authority_epoch: Count | None = None
    reason: Text
