"""A flow and everything that may be said of it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from rspp_compiler.ir.condition import Condition, show
from rspp_compiler.ir.spec_values import Scope, SpecModel, Strategy


class OverflowStep(BaseModel):
    """One step of an overflow order. `block_ns` is how long `block` may wait without progress, `rule` how `coalesce`
    joins two items, `keep_percent` how much `sample` lets through.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    strategy: Strategy
    block_ns: int = Field(default=0, ge=0)
    rule: Literal["", "latest_partial", "concat"] = ""
    keep_percent: int = Field(default=0, ge=0, le=100)


class HandoffSpec(SpecModel):
    """Text is released sentence by sentence, at the latest when its oldest byte is `age_ns_max` old, or when
    `bytes_max` have gathered; never below `chars_min`.
    """

    by: Literal["sentence", "clause", "word"]
    age_ns_max: int = Field(ge=1)
    bytes_max: int = Field(ge=1)
    chars_min: int = Field(default=1, ge=1)


class WatermarkSpec(SpecModel):
    """Marks with hysteresis, in items or in time; 0 where that measure is not used."""

    high_items: int = Field(default=0, ge=0)
    low_items: int = Field(default=0, ge=0)
    high_ns: int = Field(default=0, ge=0)
    low_ns: int = Field(default=0, ge=0)


class LanesSpec(SpecModel):
    """What each lane of an edge does under pressure; the control lane always goes first."""

    data: Literal["", "block", "drop", "merge", "sample", "latest_only"] = ""
    telemetry: Literal["drop", "sample", "best_effort_drop"] = "best_effort_drop"


class SyncSpec(SpecModel):
    """Items that stand or fall together (CONTRACTS §6)."""

    domain: str
    drop: Literal["atomic_drop", "drop_with_discontinuity", "no_sync"]
    group: Literal["sync_id", "event_id", "custom"]
    scope: Literal["edge_local", "plan_wide"]


class EdgeSpec(SpecModel):
    """One flow. `scope` is `turn` when what flows belongs to one: such an edge starts every turn empty.
    One that `opens_turn` carries whole utterances, with which turns begin.

    `buffer_ns` is the age bound of what waits (0: none, the edge only blocks), `latency_ns` the most the edge may add.
    An item passes when `guard` holds; with `otherwise`, when no guard of a sibling did.
    """

    id: str  # as in the source, ports spelled out: "ears.speech -> stt.audio"
    source: str
    source_port: str
    target: str
    target_port: str
    scope: Scope
    opens_turn: bool = False
    guard: Condition | None = None
    otherwise: bool = False
    buffer_items: int = Field(ge=1)
    buffer_ns: int = Field(ge=0)
    buffer_bytes: int = Field(ge=1)
    overflow: tuple[OverflowStep, ...] = Field(min_length=1)
    handoff: HandoffSpec | None = None
    coalesce_ns: int = Field(default=0, ge=0)
    watermark: WatermarkSpec | None = None
    flow: Literal["signal", "credit", "hybrid"] = "signal"
    lanes: LanesSpec | None = None
    sync: SyncSpec | None = None
    fairness: str = ""
    commit_point: bool = False
    latency_ns: int = Field(ge=0)

    @property
    def passes(self) -> str:
        """What an item needs to pass: `when event.words > 2`, `otherwise`, or ""."""
        return f"when {show(self.guard)}" if self.guard else "otherwise" if self.otherwise else ""
