"""CONTRACTS §8: the OR-02 record of an accepted turn, complete. Timestamps are milliseconds of session time."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from rspp_compiler.ir.contracts.rules import Contract, Rule
from rspp_compiler.ir.contracts.turn_plan import NondeterministicInput
from rspp_compiler.ir.contracts.words import (
    Count,
    Hash,
    Milliseconds,
    Modality,
    OutcomeClass,
    Positive,
    SchemaVersion,
    Text,
)

Latency = Annotated[float, Field(ge=0, description="Milliseconds.")]
_FAILED: tuple[str, ...] = ("timeout", "overload", "blocked", "infrastructure_failure", "cancelled")


class Invocation(Contract):
    """One invocation of a provider. Latencies are null where it came to no output, or its end is still awaited."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    RULES: ClassVar[tuple[Rule, ...]] = (Rule({"outcome_class": _FAILED}, ("reason",)),)

    provider_invocation_id: Text
    node_id: Text
    modality: Modality
    provider: str
    outcome_class: OutcomeClass
    retryable: bool | None = None
    reason: str | None = None
    attempts: Positive
    retry_decision: Literal["none", "retry", "provider_switch", "fallback"]
    first_output_latency_ms: Latency | None
    total_latency_ms: Latency | None
    usage: dict[str, Count] | None = None


class RefusedOutput(Contract):
    """An output that came after a cancel, and where it was refused."""

    node_id: Text
    port: Text
    provider_invocation_id: str
    at: Literal["ingest", "fence"]
    bytes: Count
    runtime_timestamp_ms: Milliseconds


class TurnEvidence(Contract):
    """What is known of a turn when it has closed. A missing field is an incomplete turn."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            {"terminal_outcome": ("abort",), "terminal_reason": ("cancelled",)},
            ("cancel_scope", "cancel_accepted_timestamp", "cancel_fence_timestamp", "outputs_refused"),
        ),
    )

    or02_evidence_schema_version: SchemaVersion
    session_id: Text
    turn_id: Text
    pipeline_id: Text
    pipeline_version: Text
    resolved_turn_plan_id: Text
    plan_hash: Hash
    template_hash: Hash
    execution_profile_version: Text
    recording_level: Literal["L0", "L1", "L2"]
    lease_epoch_at_turn_open: Count
    lease_epoch_at_terminal: Count
    admission_outcome: Text
    policy_snapshot_ref: Text
    routing_snapshot_ref: Text
    determinism_seed: Count
    merge_rule_id: Text
    merge_rule_version: Text
    ordering_markers: Annotated[list[Text], Field(min_length=1)]
    nondeterministic_input_refs: list[NondeterministicInput]
    wall_clock_at_session_start_ms: Milliseconds
    answers_runtime_sequence: list[Count] | None = None
    turn_open_timestamp: Milliseconds
    terminal_outcome: Literal["commit", "abort"]
    terminal_reason: Text
    turn_close_timestamp: Milliseconds
    cancel_scope: Literal["session", "turn", "node", "provider_invocation"] | None = None
    cancel_accepted_timestamp: Milliseconds | None = None
    cancel_fence_timestamp: Milliseconds | None = None
    cancel_to_fence_ms: Latency | None = None
    outputs_refused: list[RefusedOutput] | None = None
    outputs_refused_count: Count | None = None
    words_heard: Count | None = None
    bytes_heard: Count | None = None
    heard_basis: Literal["acked", "marked", "paced"] | None = None
    heard_error_ms: Count | None = None
    reports_refused_count: Count | None = None
    budgets_exhausted: dict[Text, Milliseconds] | None = None
    provider_invocations: list[Invocation]
