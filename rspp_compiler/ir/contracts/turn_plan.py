"""CONTRACTS §6: the resolved turn plan, frozen when a turn opens; and its template, which the build makes.

Times are whole milliseconds.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from rspp_compiler.ir.contracts.rules import Contract, Rule
from rspp_compiler.ir.contracts.words import Count, Hash, Positive, Text

Strategy = Literal["block", "drop", "merge", "sample", "latest_only"]
Mode = Literal["signal", "credit", "hybrid"]
Source = Literal["explicit_edge_config", "execution_profile_default"]


def _distinct(values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        context = {"field": "", "message": "one of these stands here twice"}
        raise PydanticCustomError("contract", "{message}", context)
    return values


Unique = Field(json_schema_extra={"uniqueItems": True})


class Budgets(Contract):
    """What a turn may take to its first output, and the defaults for its parts."""

    turn_budget_ms: Positive
    node_budget_ms_default: Positive
    path_budget_ms_default: Positive
    edge_budget_ms_default: Positive


class Marks(Contract):
    """Pressure begins at `high`, and is over at `low`."""

    high: Positive
    low: Count


class QueueMarks(Contract):
    """Marks of a queue, by items, by time, or both."""

    RULES: ClassVar[tuple[Rule, ...]] = (Rule(any_of=("queue_items", "queue_ms")),)

    queue_items: Marks | None = None
    queue_ms: Marks | None = None


class LaneHandling(Contract):
    """What each lane of an edge does under pressure."""

    DataLane: Strategy
    ControlLane: Literal["non_blocking_priority"]
    TelemetryLane: Literal["drop", "sample", "best_effort_drop"]


class SyncDropPolicy(Contract):
    """What stands or falls together."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule({"policy": ("atomic_drop", "drop_with_discontinuity")}, ("group_by",)),
        Rule({"policy": ("drop_with_discontinuity",)}, ("sync_domain",)),
    )

    policy: Literal["atomic_drop", "drop_with_discontinuity", "no_sync"]
    scope: Literal["edge_local", "plan_wide"]
    group_by: Literal["sync_id", "event_id", "custom"] | None = None
    sync_domain: Text | None = None


class BoundSources(Contract):
    """Who set each bound of an edge: its pipeline, or the profile."""

    max_queue_items: Source
    max_queue_ms: Source
    max_queue_bytes: Source
    max_latency_contribution_ms: Source


class EdgeBufferPolicy(Contract):
    """The bounds of one edge, and what happens when it is full."""

    RULES: ClassVar[tuple[Rule, ...]] = (Rule({"strategy": ("block",)}, ("max_block_time_ms",)),)

    strategy: Strategy
    drop_side: Literal["oldest", "newest"] | None = None
    max_queue_items: Positive
    max_queue_ms: Positive
    max_queue_bytes: Positive
    max_latency_contribution_ms: Positive
    max_block_time_ms: Positive | None = None
    watermarks: QueueMarks | None = None
    lane_handling: LaneHandling
    fairness_key: Text | None = None
    defaulting_source: Source
    bound_sources: BoundSources | None = None
    sync_drop_policy: SyncDropPolicy | None = None


class ModeByLane(Contract):
    """How a full edge tells its producer, by lane."""

    DataLane: Mode
    ControlLane: Mode
    TelemetryLane: Mode


class MarksByLane(Contract):
    """Marks of a lane; one at least has them."""

    RULES: ClassVar[tuple[Rule, ...]] = (Rule(any_of=("DataLane", "ControlLane", "TelemetryLane")),)

    DataLane: Marks | None = None
    ControlLane: Marks | None = None
    TelemetryLane: Marks | None = None


class SheddingByLane(Contract):
    """What each lane sheds. The control lane sheds nothing."""

    DataLane: Literal["drop", "merge", "latest_only", "degrade", "fallback"]
    ControlLane: Literal["none"]
    TelemetryLane: Literal["drop", "sample"]


class FlowControl(Contract):
    mode_by_lane: ModeByLane
    watermarks: MarksByLane
    shedding_strategy_by_lane: SheddingByLane


class SnapshotProvenance(Contract):
    """Which state of the world the plan was made from."""

    routing_view_snapshot: Text
    admission_policy_snapshot: Text
    abi_compatibility_snapshot: Text
    version_resolution_snapshot: Text
    policy_resolution_snapshot: Text
    provider_health_snapshot: Text


ReplayMode = Literal[
    "re_simulate_nodes", "playback_recorded_provider_outputs", "replay_decisions", "recompute_decisions"
]


class RecordingPolicy(Contract):
    """How much is recorded, and what it can be replayed for."""

    recording_level: Literal["L0", "L1", "L2"]
    allowed_replay_modes: Annotated[list[ReplayMode], Field(min_length=1), Unique, AfterValidator(_distinct)]


class NondeterministicInput(Contract):
    """Something that a replay takes from the log."""

    input_key: Text
    source: Literal["external_call", "system_time", "random", "operator_override", "other"]
    evidence_ref: Text


class Determinism(Contract):
    """What makes the same input give the same decisions."""

    seed: Count
    ordering_markers: Annotated[list[Text], Field(min_length=1), Unique, AfterValidator(_distinct)]
    merge_rule_id: Text
    merge_rule_version: Annotated[str, Field(pattern=r"^v?[0-9]+\.[0-9]+(\.[0-9]+)?$")]
    nondeterministic_inputs: list[NondeterministicInput]


class NodeExecutionPolicy(Contract):
    """How many items a node may work on at once, and whose take turns."""

    concurrency_limit: Count
    fairness_key: Text | None = None


class HandoffEdge(Contract):
    """When text that is still growing is passed on."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            {"enabled": (True,)},
            (
                *("min_partial_chars", "max_partial_age_ms", "max_pending_revisions", "max_pending_segments"),
                *("trigger_on_punctuation", "coalesce_latest_only"),
                *("emit_flow_control_signals", "degrade_on_threshold_breach"),
            ),
        ),
    )

    enabled: bool
    min_partial_chars: Positive | None = None
    max_partial_age_ms: Positive | None = None
    max_pending_revisions: Positive | None = None
    max_pending_segments: Positive | None = None
    trigger_on_punctuation: bool | None = None
    coalesce_latest_only: bool | None = None
    emit_flow_control_signals: bool | None = None
    degrade_on_threshold_breach: bool | None = None


class StreamingHandoff(Contract):
    """Where text is passed on before it is complete."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule({"enabled": (True,)}, any_of=("stt_to_llm", "llm_to_tts"), having={"enabled": (True,)}),
    )

    enabled: bool
    stt_to_llm: HandoffEdge | None = None
    llm_to_tts: HandoffEdge | None = None


AdaptiveAction = Literal["retry", "provider_switch", "degrade", "fallback"]


class TurnPlanTemplate(Contract):
    """What the build knows of a turn's plan: everything but which turn it is, and its hash."""

    pipeline_version: Text
    graph_definition_ref: Text
    execution_profile: Text
    budgets: Budgets
    provider_bindings: Annotated[dict[Text, Text], Field(min_length=1)]
    edge_buffer_policies: Annotated[dict[Text, EdgeBufferPolicy], Field(min_length=1)]
    node_execution_policies: dict[Text, NodeExecutionPolicy] | None = None
    flow_control: FlowControl
    allowed_adaptive_actions: Annotated[list[AdaptiveAction], Unique, AfterValidator(_distinct)]
    snapshot_provenance: SnapshotProvenance
    recording_policy: RecordingPolicy
    determinism: Determinism
    streaming_handoff: StreamingHandoff | None = None


class ResolvedTurnPlan(TurnPlanTemplate):
    """The plan of one turn: immutable, and known by its hash."""

    turn_id: Text
    plan_hash: Hash
    authority_epoch: Count
