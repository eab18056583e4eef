"""CONTRACTS §2: the envelope of every event, and event records."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from rspp_compiler.ir.contracts.rules import Contract, Rule
from rspp_compiler.ir.contracts.words import Count, Lane, Milliseconds, PayloadClass, SchemaVersion, Text

MERGED_MAX = 256
_IN_A_TURN = {"event_scope": ("turn",)}


class MediaTime(Contract):
    """Where in the media an item stands: by sample, by time, or both."""

    RULES = (Rule(any_of=("sample_index", "pts_ms")),)

    sample_index: Count | None = None
    pts_ms: Milliseconds | None = None


class Envelope(Contract):
    """What every event carries. Event types and signals add fields of their own."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    schema_version: SchemaVersion
    event_scope: Literal["session", "turn"]
    session_id: Text
    turn_id: Text | None = None
    pipeline_version: Text
    event_id: Text
    lane: Lane
    transport_sequence: Count
    runtime_sequence: Annotated[Count, Field(description="Gapless in a session; the kernel assigns it.")]
    authority_epoch: Count | None = None
    runtime_timestamp_ms: Annotated[Milliseconds, Field(description="On the monotonic clock.")]
    wall_clock_timestamp_ms: Milliseconds
    timestamp_ms: Annotated[Milliseconds, Field(description="The source's own time.")] | None = None
    payload_class: PayloadClass
    media_time: MediaTime | None = None
    node_id: Text | None = None
    edge_id: Text | None = None
    causal_parent_id: Text | None = None
    idempotency_key: Text | None = None
    provider_invocation_id: Text | None = None
    lease_token: Text | None = None
    sync_id: Text | None = None
    sync_domain: Text | None = None
    discontinuity_id: Text | None = None
    merge_group_id: Text | None = None
    merged_from_event_ids: Annotated[list[Text], Field(max_length=MERGED_MAX)] | None = None
    late_after_cancel: bool | None = None
    participant_id: Text | None = None
    track_id: Text | None = None


class EventRecord(Envelope):
    """An event of the data or telemetry lane."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(values={"lane": ("DataLane", "TelemetryLane")}),
        Rule(when=_IN_A_TURN, required=("turn_id", "authority_epoch")),
        Rule(when={"payload_class": ("audio_raw",)}, required=("media_time",)),
    )

    event_type: Literal["audio", "text", "control", "metrics", "debug", "error"] | None = None
