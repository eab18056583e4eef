"""The pipeline, complete: what `validate` promises to every pass behind it.

Every field is filled and within its range; durations are integer nanoseconds (`_ns`), sizes bytes, rates hertz. Every
model carries the `span` it was written at, and `origin(field)` says where a field's value came from. A field without an
entry of its own has the origin of the whole: the user's declaration.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.types import PortType
from rspp_compiler.source import Span

Execution = Literal["kernel", "effect", "boundary"]
Scope = Literal["session", "turn"]
Strategy = Literal["block", "drop_oldest", "drop_newest", "latest_only"]


class SpecModel(BaseModel):
    """A part of the pipeline: frozen, with its place and the origins of its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    span: Span
    origins: dict[str, Origin] = Field(default_factory=dict)

    def origin(self, field: str) -> Origin:
        """Origin of `field`; settings are asked for as `settings.min_silence_ns`."""
        return self.origins.get(field, Origin.user(self.span))


class SecretRef(BaseModel):
    """`secret("env://NAME")`: only the reference is ever known to the compiler."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    secret: str


class FileRef(BaseModel):
    """`file("dialogues/greeter.toml")`: a path relative to the folder of the pipeline's source."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    file: str


SettingValue = bool | int | float | str | SecretRef | FileRef


class PortSpec(SpecModel):
    """One port. `main` is the port that a bare node name in a flow means; `item_ns` is the length of an audio item."""

    name: str
    type: PortType
    item_bytes_max: int = Field(ge=1)
    item_ns: int = Field(default=0, ge=0)
    main: bool = False


class NodeSpec(SpecModel):
    """One node. `implementation` is `module:Callable` of a custom node; `provider` the kind of its provider block.

    `first_output_ns` is its budget from input to first output, `chunk_ns` the deadline between outputs after that
    (CONTRACTS §7; both 0 for kernel and boundary nodes, which do not wait).
    """

    id: str
    kind: str
    execution: Execution
    scope: Scope
    inputs: tuple[PortSpec, ...]
    outputs: tuple[PortSpec, ...]
    events: tuple[str, ...]
    settings: dict[str, SettingValue] = Field(default_factory=dict)
    implementation: str | None = None
    provider: str | None = None
    first_output_ns: int = Field(ge=0)
    chunk_ns: int = Field(ge=0)
    window_items: int = Field(default=0, ge=0)
    emissions_max: int = Field(default=0, ge=0)
    implicit: bool = False

    def input(self, name: str) -> PortSpec | None:
        return next((port for port in self.inputs if port.name == name), None)

    def output(self, name: str) -> PortSpec | None:
        return next((port for port in self.outputs if port.name == name), None)


class OverflowStep(BaseModel):
    """One step of an overflow order; `block_ns` is how long `block` may wait without progress."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    strategy: Strategy
    block_ns: int = Field(default=0, ge=0)


class HandoffSpec(SpecModel):
    """Text is released sentence by sentence, at the latest when its oldest byte is `age_ns_max` old, or when
    `bytes_max` have gathered.
    """

    by: Literal["sentence"]
    age_ns_max: int = Field(ge=1)
    bytes_max: int = Field(ge=1)


class EdgeSpec(SpecModel):
    """One flow. `scope` is `turn` when one of its ends lives in a turn: such an edge starts every turn empty.

    `buffer_ns` is the age bound of what waits (0: none, the edge only blocks), `latency_ns` the most the edge may add.
    """

    id: str  # as in the source, ports spelled out: "ears.speech -> stt.audio"
    source: str
    source_port: str
    target: str
    target_port: str
    scope: Scope
    buffer_items: int = Field(ge=1)
    buffer_ns: int = Field(ge=0)
    buffer_bytes: int = Field(ge=1)
    overflow: tuple[OverflowStep, ...] = Field(min_length=1)
    handoff: HandoffSpec | None = None
    commit_point: bool = False
    latency_ns: int = Field(ge=0)


class EventSpec(SpecModel):
    """`ears.barge_in`: an event of a node."""

    subject: str
    event: str


class TriggerSpec(SpecModel):
    """The input that a reaction's path begins at."""

    node: str
    port: str


class ReactionSpec(SpecModel):
    """`on EVENT or EVENT -> ACTION`: either a verb with its object, or a path of flows from a triggered node."""

    id: str  # "on#1", in the order of the source
    events: tuple[EventSpec, ...] = Field(min_length=1)
    verb: Literal["cancel_turn", "end_utterance", "end_session", "degrade"] | None = None
    object: str | None = None
    trigger: TriggerSpec | None = None
    path: tuple[EdgeSpec, ...] = ()


class ModeSpec(SpecModel):
    """A variant of the pipeline in which some nodes are off."""

    id: str
    off: tuple[str, ...]


class BudgetSpec(SpecModel):
    """Budgets of the whole, to the first output (CONTRACTS §7); a node's own is `NodeSpec.first_output_ns`."""

    turn_ns: int = Field(ge=1)
    turn_total_ns: int = Field(ge=1)
    path_ns: int = Field(ge=1)
    edge_ns: int = Field(ge=1)
    node_ns: int = Field(ge=1)
    warning_percent: int = Field(ge=1, le=100)


class RecordingSpec(SpecModel):
    """How much is recorded (CONTRACTS §8)."""

    level: Literal["L0", "L1", "L2"]


class CandidateSpec(SpecModel):
    """One `use` line of a provider block."""

    name: str
    settings: dict[str, SettingValue] = Field(default_factory=dict)


class ProviderSpec(SpecModel):
    """Who performs the nodes of a kind, in order of preference."""

    kind: str
    candidates: tuple[CandidateSpec, ...] = Field(min_length=1)
    first_chunk_ns: int = Field(ge=1)
    chunk_ns: int = Field(ge=1)


class LimitsSpec(SpecModel):
    """Bounds that the profile sets for every session."""

    cancel_grace_ns: int = Field(ge=1)
    egress_lead_ns: int = Field(ge=1)
    egress_hold_ns: int = Field(ge=1)
    egress_stall_ns: int = Field(ge=1)
    evidence_append_ns: int = Field(ge=1)
    utterance_bytes_max: int = Field(ge=1)
    spoken_bytes_max: int = Field(ge=1)
    context_items_max: int = Field(ge=1)
    context_bytes_max: int = Field(ge=1)
    control_in_max: int = Field(ge=1)


class PipelineSpec(SpecModel):
    """The pipeline. `turn_owner` is the event that ends the utterance; None when turns come from text alone."""

    name: str
    version: str
    profile: str
    meta: dict[str, SettingValue] = Field(default_factory=dict)
    nodes: tuple[NodeSpec, ...]
    edges: tuple[EdgeSpec, ...]
    reactions: tuple[ReactionSpec, ...]
    modes: tuple[ModeSpec, ...]
    budget: BudgetSpec
    recording: RecordingSpec
    providers: tuple[ProviderSpec, ...]
    limits: LimitsSpec
    turn_owner: EventSpec | None

    def node(self, id: str) -> NodeSpec | None:
        return next((node for node in self.nodes if node.id == id), None)

    def provider(self, kind: str) -> ProviderSpec | None:
        return next((provider for provider in self.providers if provider.kind == kind), None)
