"""The pipeline with every name bound: `Bound` from `resolve`, and `Filled`, in which every field has its value.

Modules are flattened here: their nodes have dotted ids, and flows through their ports are joined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rspp_compiler.ir import ast
from rspp_compiler.ir.condition import Condition
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.spec import Execution, Scope, SettingValue, Verb
from rspp_compiler.ir.types import AudioType, PortType
from rspp_compiler.source import Span

# ---- bound ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BoundPort:
    """A port. `type` is audio, text, event, bytes or any; `audio` is given when its format was written out.

    `item` names the size of its largest item in the profile's table `[item]`, or is `frame` for audio; `item_bytes` and
    `item_ns` are what the user wrote instead (0: nothing). `payload_class` is "" where the type's own applies.
    """

    name: str
    type: str
    item: str
    main: bool
    span: Span
    many: bool = False
    audio: AudioType | None = None
    payload_class: str = ""
    item_bytes: int = 0
    item_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundNode:
    """A node of a known kind. `scope` is None only until `scopes` has looked at what reaches it."""

    id: str
    kind: str
    execution: Execution
    scope: Scope | None
    party: str = ""
    inputs: tuple[BoundPort, ...]
    outputs: tuple[BoundPort, ...]
    events: tuple[str, ...]
    implementation: str | None
    settings: tuple[ast.Setting, ...]
    implicit: bool
    span: Span


@dataclass(frozen=True, slots=True)
class BoundEnd:
    """One end of a flow: a port of a node."""

    node: BoundNode
    port: BoundPort
    span: Span


@dataclass(frozen=True, slots=True)
class BoundEdge:
    """`settings` of all arrows that it was joined from, the outermost last.

    `opens_turn`: what flows here is a whole utterance, with which a turn begins. `scope` is that of what flows.
    """

    source: BoundEnd
    target: BoundEnd
    settings: tuple[ast.Setting, ...]
    span: Span
    guard: Condition | None = None
    otherwise: bool = False
    scope: Scope = "session"
    opens_turn: bool = False

    @property
    def id(self) -> str:
        """`ears.speech -> stt.audio`."""
        source, target = self.source, self.target
        return f"{source.node.id}.{source.port.name} -> {target.node.id}.{target.port.name}"


@dataclass(frozen=True, slots=True)
class BoundEvent:
    subject: str
    event: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundReaction:
    """Either `verb` with its object, or a path from `trigger`."""

    events: tuple[BoundEvent, ...]
    guard: Condition | None = None
    verb: Verb | None = None
    object: str | None = None
    trigger: BoundEnd | None = None
    path: tuple[BoundEdge, ...] = ()
    span: Span


@dataclass(frozen=True, slots=True)
class BoundMode:
    """`overrides` are settings of nodes, each with the node's id; their keys are the settings' own."""

    id: str
    off: tuple[str, ...]
    overrides: tuple[tuple[str, ast.Setting], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class BoundParty:
    id: str
    settings: tuple[ast.Setting, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class BoundTool:
    """A tool; its `settings` are read later."""

    id: str
    kind: str
    implementation: str
    params: tuple[tuple[str, str, Span], ...]
    settings: tuple[ast.Setting, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class BoundUse:
    name: str
    guard: Condition | None
    settings: tuple[ast.Setting, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class BoundProvider:
    """`id` is the kind, or the name of a pool."""

    id: str
    kind: str
    uses: tuple[BoundUse, ...]
    settings: tuple[ast.Setting, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class BoundInsert:
    """`node` goes in front of `target`; `edge` is the flow between the two."""

    node: BoundNode
    target: BoundEnd
    edge: BoundEdge
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundPolicy:
    id: str
    condition: Condition
    nodes: tuple[BoundNode, ...]
    inserts: tuple[BoundInsert, ...]
    providers: tuple[BoundProvider, ...]
    record: ast.Record | None
    span: Span


@dataclass(frozen=True, slots=True)
class BoundPathBudget:
    """`ingress.audio -> stt.final = 700ms`: both ends are outputs, or the last an input."""

    source: BoundEnd
    target: BoundEnd
    setting: ast.Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One pipeline. `is_intact` is false when something of its structure had to be left out."""

    name: ast.Name
    version: ast.Text | None
    profile: str
    profile_span: Span | None
    meta: tuple[ast.Setting, ...]
    parties: tuple[BoundParty, ...]
    nodes: tuple[BoundNode, ...]
    edges: tuple[BoundEdge, ...]
    reactions: tuple[BoundReaction, ...]
    modes: tuple[BoundMode, ...]
    tools: tuple[BoundTool, ...]
    budget: tuple[ast.Setting, ...]
    path_budgets: tuple[BoundPathBudget, ...]
    record: ast.Record | None
    providers: tuple[BoundProvider, ...]
    policies: tuple[BoundPolicy, ...]
    span: Span
    is_intact: bool


# ---- filled ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Overflow:
    """One step of an overflow order as read."""

    strategy: str
    block_ns: int = 0
    rule: str = ""
    keep_percent: int = 0


@dataclass(frozen=True, slots=True)
class Valued:
    """A value and where it came from."""

    value: SettingValue | tuple[Overflow, ...]
    origin: Origin

    @property
    def number(self) -> int:
        """The value of a field that is a whole number."""
        assert isinstance(self.value, int)
        return self.value

    @property
    def text(self) -> str:
        """The value of a field that is a word or a text."""
        assert isinstance(self.value, str)
        return self.value


Fields = Mapping[str, Valued]


@dataclass(frozen=True, slots=True)
class FilledPort:
    """A port with its type, the size of its largest item, and the length of an item of audio (None: it has none)."""

    bound: BoundPort
    type: PortType
    item_bytes_max: Valued
    frame: Valued | None

    @property
    def item_ns(self) -> int:
        return self.frame.number if self.frame is not None else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledNode:
    """`settings` are those of its kind; `fields` every other figure of `NodeSpec`; the other blocks are by key.

    `tunable` gives for each setting its least and greatest value (None: no number).
    """

    bound: BoundNode
    inputs: tuple[FilledPort, ...]
    outputs: tuple[FilledPort, ...]
    settings: Fields
    fields: Fields
    limit: Fields
    hooks: Fields
    state: Fields
    tunable: tuple[tuple[str, float | None, float | None, Span], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledEdge:
    """Blocks by key, each None where the user and the profile say nothing of it."""

    bound: BoundEdge
    fields: Fields
    handoff: Fields | None = None
    watermark: Fields | None = None
    lanes: Fields | None = None
    sync: Fields | None = None


@dataclass(frozen=True, slots=True)
class FilledReaction:
    bound: BoundReaction
    path: tuple[FilledEdge, ...]


@dataclass(frozen=True, slots=True)
class FilledMode:
    """Overrides as (node, field, value)."""

    bound: BoundMode
    overrides: tuple[tuple[str, str, Valued], ...]


@dataclass(frozen=True, slots=True)
class FilledUse:
    bound: BoundUse
    fields: Fields
    accept: Valued
    price: Fields | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledProvider:
    bound: BoundProvider
    uses: tuple[FilledUse, ...]
    fields: Fields
    retry: Fields
    circuit: Fields | None
    cap: Fields | None


@dataclass(frozen=True, slots=True)
class FilledTool:
    bound: BoundTool
    fields: Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledPolicy:
    bound: BoundPolicy
    nodes: tuple[FilledNode, ...]
    edges: tuple[FilledEdge, ...]
    providers: tuple[FilledProvider, ...]
    recording: Fields | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The pipeline with every field filled; nothing has been checked against its range yet."""

    bound: Bound
    meta: Fields
    parties: tuple[tuple[BoundParty, Fields], ...]
    nodes: tuple[FilledNode, ...]
    edges: tuple[FilledEdge, ...]
    reactions: tuple[FilledReaction, ...]
    modes: tuple[FilledMode, ...]
    tools: tuple[FilledTool, ...]
    budget: Fields
    path_budgets: tuple[tuple[BoundPathBudget, Valued], ...]
    limits: Fields
    recording: Fields
    providers: tuple[FilledProvider, ...]
    policies: tuple[FilledPolicy, ...]
