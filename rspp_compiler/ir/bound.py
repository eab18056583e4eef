"""The pipeline with every name bound: `Bound` from `resolve`, and `Filled`, in which every field has its value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rspp_compiler.ir import ast
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.spec import Execution, Scope, SettingValue
from rspp_compiler.ir.types import AudioType, PortType
from rspp_compiler.source import Span


@dataclass(frozen=True, slots=True)
class BoundPort:
    """A port. `type` is audio, text, event, bytes or any; `audio` is given when its format was written out.

    `item` names the size of its largest item in the profile's table `[item]`, or is `frame` for audio.
    """

    name: str
    type: str
    item: str
    main: bool
    span: Span
    audio: AudioType | None = None
    payload_class: str = "text_raw"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundNode:
    """A node of a known kind."""

    id: str
    kind: str
    execution: Execution
    scope: Scope
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
    source: BoundEnd
    target: BoundEnd
    settings: tuple[ast.Setting, ...]
    span: Span

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
    verb: str | None = None
    object: str | None = None
    trigger: BoundEnd | None = None
    path: tuple[BoundEdge, ...] = ()
    span: Span


@dataclass(frozen=True, slots=True)
class BoundMode:
    id: str
    off: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class BoundUse:
    name: str
    settings: tuple[ast.Setting, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class BoundProvider:
    kind: str
    uses: tuple[BoundUse, ...]
    settings: tuple[ast.Setting, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One pipeline. `is_intact` is false when something of its structure had to be left out."""

    name: ast.Name
    version: ast.Text | None
    profile: str
    meta: tuple[ast.Setting, ...]
    nodes: tuple[BoundNode, ...]
    edges: tuple[BoundEdge, ...]
    reactions: tuple[BoundReaction, ...]
    modes: tuple[BoundMode, ...]
    budget: tuple[ast.Setting, ...]
    record: ast.Record | None
    providers: tuple[BoundProvider, ...]
    span: Span
    is_intact: bool


@dataclass(frozen=True, slots=True)
class Overflow:
    """One step of an overflow order as read."""

    strategy: str
    block_ns: int = 0


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


Fields = Mapping[str, Valued]


@dataclass(frozen=True, slots=True)
class FilledPort:
    """A port with its type, and the size of its largest item."""

    bound: BoundPort
    type: PortType
    item_bytes_max: Valued
    item_ns: int


@dataclass(frozen=True, slots=True)
class FilledNode:
    bound: BoundNode
    inputs: tuple[FilledPort, ...]
    outputs: tuple[FilledPort, ...]
    settings: Fields
    fields: Fields


@dataclass(frozen=True, slots=True)
class FilledEdge:
    """`handoff` is given where text is held back; its span is the setting's, or the arrow's."""

    bound: BoundEdge
    fields: Fields
    handoff: Fields | None


@dataclass(frozen=True, slots=True)
class FilledReaction:
    bound: BoundReaction
    path: tuple[FilledEdge, ...]


@dataclass(frozen=True, slots=True)
class FilledUse:
    name: str
    fields: Fields
    span: Span


@dataclass(frozen=True, slots=True)
class FilledProvider:
    kind: str
    uses: tuple[FilledUse, ...]
    fields: Fields
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The pipeline with every field filled; nothing has been checked against its range yet."""

    bound: Bound
    meta: Fields
    nodes: tuple[FilledNode, ...]
    edges: tuple[FilledEdge, ...]
    reactions: tuple[FilledReaction, ...]
    budget: Fields
    limits: Fields
    recording: Valued
    providers: tuple[FilledProvider, ...]
