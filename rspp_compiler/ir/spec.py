"""The pipeline, complete: what `validate` promises to every pass behind it.

Every field is filled and within its range; durations are integer nanoseconds (`_ns`), sizes bytes, rates hertz, money
whole micro-dollars (`_microusd`). Every model carries the `span` it was written at, and `origin(field)` says where a
field's value came from. A field without an entry of its own has the origin of the whole: the user's declaration.

Words and values are in `spec_values`, flows in `spec_edges`, providers in `spec_offers`; all are to be had from here.

Modules are gone: their nodes stand here under dotted ids (`to_en.stt`). Policies are not: each is a variant, applied
when a graph is built for it.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

from pydantic import Field

from rspp_compiler.ir.condition import Condition, show
from rspp_compiler.ir.spec_edges import (
    EdgeSpec,
    HandoffSpec,
    LanesSpec,
    OverflowStep,
    SyncSpec,
    WatermarkSpec,
)
from rspp_compiler.ir.spec_offers import (
    CandidateSpec,
    CapSpec,
    CircuitSpec,
    PriceSpec,
    ProviderSpec,
    RetrySpec,
)
from rspp_compiler.ir.spec_values import (
    Cancel,
    Execution,
    FileRef,
    PayloadClass,
    Place,
    Scope,
    SecretRef,
    SettingValue,
    SpecModel,
    Strategy,
    TextTemplate,
    Verb,
)
from rspp_compiler.ir.types import PortType

__all__ = [
    "BudgetSpec",
    "Cancel",
    "CandidateSpec",
    "CapSpec",
    "CircuitSpec",
    "EdgeSpec",
    "EventSpec",
    "Execution",
    "FileRef",
    "HandoffSpec",
    "HookSpec",
    "InsertSpec",
    "LanesSpec",
    "LimitSpec",
    "LimitsSpec",
    "ModeSpec",
    "NodeSpec",
    "OverflowStep",
    "OverrideSpec",
    "OwnerSpec",
    "ParamSpec",
    "PartySpec",
    "PathBudgetSpec",
    "PayloadClass",
    "PipelineSpec",
    "Place",
    "PolicySpec",
    "PortSpec",
    "PriceSpec",
    "ProviderSpec",
    "ReactionSpec",
    "RecordingSpec",
    "RetrySpec",
    "Scope",
    "SecretRef",
    "SettingValue",
    "SpecModel",
    "Strategy",
    "SyncSpec",
    "TextTemplate",
    "ToolSpec",
    "TriggerSpec",
    "TunableSpec",
    "Verb",
    "WatermarkSpec",
]

# ---- nodes ----------------------------------------------------------------------------------------------------------


class PortSpec(SpecModel):
    """One port. `main` is the port that a bare node name in a flow means; `item_ns` is the length of an audio item."""

    name: str
    type: PortType
    item_bytes_max: int = Field(ge=1)
    item_ns: int = Field(default=0, ge=0)
    main: bool = False


class LimitSpec(SpecModel):
    """What one node may use; 0 where nothing is declared. `memory_bytes` counts for each session."""

    concurrency: int = Field(default=0, ge=0)
    cpu_percent: int = Field(default=0, ge=0)
    memory_bytes: int = Field(default=0, ge=0)


class HookSpec(SpecModel):
    """A hook of a custom node's life, and the most it may take."""

    name: Literal["init", "start", "stop", "on_cancel", "on_barge_in", "on_budget_exhausted"]
    timeout_ns: int = Field(ge=1)


class StateSpec(SpecModel):
    """What a Python node may remember, in bytes of its packed form; 0 for nothing."""

    turn_bytes: int = Field(default=0, ge=0)
    session_bytes: int = Field(default=0, ge=0)
    durable_bytes: int = Field(default=0, ge=0)


class TunableSpec(SpecModel):
    """A setting that a tenant or session may change, within `low` to `high` in base units (None: no number)."""

    field: str
    low: float | None = None
    high: float | None = None


class NodeSpec(SpecModel):
    """One node. `implementation` is what a custom node runs: `module:Callable`, a gRPC target, a WASM file.

    `first_output_ns` is its budget from input to first output, `chunk_ns` the deadline between outputs after that
    (CONTRACTS §7; both 0 for kernel and boundary nodes, which do not wait). `work_ns` is the most that one item keeps
    it busy. `party` is whose ingress or egress a boundary node is ("" for the only one); `provider` is a block's id.
    """

    id: str
    kind: str
    execution: Execution
    place: Place = "kernel"
    scope: Scope
    party: str = ""
    inputs: tuple[PortSpec, ...]
    outputs: tuple[PortSpec, ...]
    events: tuple[str, ...]
    settings: dict[str, SettingValue] = Field(default_factory=dict)
    implementation: str | None = None
    provider: str | None = None
    cancel: Cancel = "hard"
    first_output_ns: int = Field(ge=0)
    chunk_ns: int = Field(ge=0)
    work_ns: int = Field(default=0, ge=0)
    window_items: int = Field(default=0, ge=0)
    emissions_max: int = Field(default=0, ge=0)
    limit: LimitSpec | None = None
    hooks: tuple[HookSpec, ...] = ()
    state: StateSpec | None = None
    tools: tuple[str, ...] = ()
    tunable: tuple[TunableSpec, ...] = ()
    implicit: bool = False

    def input(self, name: str) -> PortSpec | None:
        return next((port for port in self.inputs if port.name == name), None)

    def output(self, name: str) -> PortSpec | None:
        return next((port for port in self.outputs if port.name == name), None)


# ---- reactions, modes, parties, tools -------------------------------------------------------------------------------


class EventSpec(SpecModel):
    """`ears.barge_in`: an event of a node, a tool, a party's ingress or egress, the session or the turn."""

    subject: str
    event: str

    def __str__(self) -> str:
        return f"{self.subject}.{self.event}"


class TriggerSpec(SpecModel):
    """The input that a reaction's path begins at."""

    node: str
    port: str


class ReactionSpec(SpecModel):
    """`on EVENT or EVENT when GUARD -> ACTION`: a verb with its object, or a path of flows from a triggered node."""

    id: str  # "on#1", in the order of the source
    events: tuple[EventSpec, ...] = Field(min_length=1)
    guard: Condition | None = None
    verb: Verb | None = None
    object: str | None = None
    trigger: TriggerSpec | None = None
    path: tuple[EdgeSpec, ...] = ()

    @property
    def verb_words(self) -> str:
        """The verb as the language writes it: `cancel turn`, `degrade`, `cancel`; "" for a path."""
        return (self.verb or "").replace("cancel_node", "cancel").replace("_", " ")

    @property
    def action(self) -> str:
        """The verb with its object: `degrade text_only`; "" for a path."""
        return f"{self.verb_words} {self.object or ''}".strip()

    @property
    def by_subject(self) -> dict[str, list[str]]:
        """Its events by their subject, in the order of the line."""
        found: dict[str, list[str]] = {}
        for event in self.events:
            found.setdefault(event.subject, []).append(event.event)
        return found

    def line(self, arrow: str = "->") -> str:
        """The line in one form: `on llm.error -> sorry -> voice`."""
        events = " or ".join(str(event) for event in self.events)
        guard = f" when {show(self.guard)}" if self.guard else ""
        steps = [self.trigger.node, *(edge.target for edge in self.path)] if self.trigger else [self.action]
        return f"on {events}{guard} {arrow} {f' {arrow} '.join(steps)}"


class OverrideSpec(SpecModel):
    """`llm.system = …` in a mode: one setting of one node."""

    node: str
    field: str
    value: SettingValue


class ModeSpec(SpecModel):
    """A variant of the pipeline in which some nodes are off or set otherwise."""

    id: str
    off: tuple[str, ...]
    overrides: tuple[OverrideSpec, ...] = ()


class PartySpec(SpecModel):
    """Someone, or up to `members_max` at once, who speaks and is spoken to. The only party of a pipeline without a
    `party` line has the id "".
    """

    id: str
    members_max: int = Field(default=1, ge=1)


class OwnerSpec(SpecModel):
    """The event that ends an utterance of `party`: where its turn is proposed and the budget clock starts."""

    party: str
    event: EventSpec


class ParamSpec(SpecModel):
    """One argument of a tool."""

    name: str
    type: Literal["text", "number", "flag"]


class ToolSpec(SpecModel):
    """What a model may call, and a reaction. `once`: never run twice, cancelled or not; `background`: its result
    proposes a turn of its own.
    """

    id: str
    kind: Literal["python", "grpc", "wasm", "transfer"]
    implementation: str
    about: str = ""
    params: tuple[ParamSpec, ...] = ()
    timeout_ns: int = Field(ge=1)
    once: bool = False
    background: bool = False
    warm: bool = False
    cancel: Cancel = "hard"


# ---- policies, budgets, the whole -----------------------------------------------------------------------------------


class InsertSpec(SpecModel):
    """`insert NODE before NODE.PORT`."""

    node: str
    target: str
    target_port: str


class RecordingSpec(SpecModel):
    """How much is recorded (CONTRACTS §8), how long it is kept (0: as the deployment says), and where."""

    level: Literal["L0", "L1", "L2"]
    keep_ns: int = Field(default=0, ge=0)
    region: str = ""


class PolicySpec(SpecModel):
    """A variant for some sessions: the first policy whose condition holds when the plan freezes applies."""

    id: str
    condition: Condition
    nodes: tuple[NodeSpec, ...] = ()
    inserts: tuple[InsertSpec, ...] = ()
    edges: tuple[EdgeSpec, ...] = ()  # from an inserted node to where it was inserted before
    providers: tuple[ProviderSpec, ...] = ()
    recording: RecordingSpec | None = None


class PathBudgetSpec(SpecModel):
    """`ingress.audio -> stt.final = 700ms`."""

    source: str
    source_port: str
    target: str
    target_port: str
    ns: int = Field(ge=1)

    @property
    def name(self) -> str:
        """As `event.path` says it, and all tools."""
        return f"{self.source}.{self.source_port} -> {self.target}.{self.target_port}"


class BudgetSpec(SpecModel):
    """Budgets of the whole, to the first output (CONTRACTS §7); a node's own is `NodeSpec.first_output_ns`.

    `turn_pause_ns` is the most that playback may be paused: after that it was an interruption. Between two apologies
    for turns that failed are at least `turn_apology_ns`.
    """

    turn_ns: int = Field(ge=1)
    turn_total_ns: int = Field(ge=1)
    turn_pause_ns: int = Field(ge=1)
    turn_apology_ns: int = Field(ge=1)
    path_ns: int = Field(ge=1)
    edge_ns: int = Field(ge=1)
    node_ns: int = Field(ge=1)
    warning_percent: int = Field(ge=1, le=100)
    paths: tuple[PathBudgetSpec, ...] = ()
    cost_microusd: int = Field(default=0, ge=0)


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
    """The pipeline. `owners` has one row for each party whose turns something other than text opens."""

    name: str
    version: str
    profile: str
    meta: dict[str, SettingValue] = Field(default_factory=dict)
    parties: tuple[PartySpec, ...]
    nodes: tuple[NodeSpec, ...]
    edges: tuple[EdgeSpec, ...]
    reactions: tuple[ReactionSpec, ...]
    modes: tuple[ModeSpec, ...]
    tools: tuple[ToolSpec, ...] = ()
    policies: tuple[PolicySpec, ...] = ()
    budget: BudgetSpec
    recording: RecordingSpec
    providers: tuple[ProviderSpec, ...]
    limits: LimitsSpec
    owners: tuple[OwnerSpec, ...]

    @cached_property
    def _nodes(self) -> dict[str, NodeSpec]:
        return {node.id: node for node in self.nodes}

    def node(self, id: str) -> NodeSpec | None:
        return self._nodes.get(id)

    def changed(self, **fields: Any) -> PipelineSpec:
        """A copy in which some fields are others."""
        copy = self.model_copy(update=fields)
        copy.__dict__.pop("_nodes", None)  # what was looked up belongs to the original
        return copy

    def provider(self, id: str | None) -> ProviderSpec | None:
        return next((provider for provider in self.providers if provider.id == id), None)

    def tool(self, id: str) -> ToolSpec | None:
        return next((tool for tool in self.tools if tool.id == id), None)

    def owner(self, party: str) -> EventSpec | None:
        """The event that ends an utterance of `party`; None when its turns come from text alone."""
        return next((owner.event for owner in self.owners if owner.party == party), None)
