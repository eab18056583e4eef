"""The file as it was written: one class per rule of `grammar/rspp.lark`, each with its span."""

from __future__ import annotations

from dataclasses import dataclass, field

from rspp_compiler.source import Span

# ---- names and values --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Name:
    """One identifier."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Ref:
    """`ears.speech`: names joined by dots. As a value, a symbol such as `drop_oldest`."""

    parts: tuple[Name, ...]
    span: Span

    @property
    def text(self) -> str:
        return self.parts[0].text if len(self.parts) == 1 else ".".join(part.text for part in self.parts)


@dataclass(frozen=True, slots=True)
class Text:
    """A string, its escapes resolved."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit: `300ms`, `64 items`."""

    number: str
    unit: str
    span: Span


@dataclass(frozen=True, slots=True)
class Number:
    """A bare number, as written."""

    number: str
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """`block(40ms)`, `secret("env://KEY")`."""

    name: Name
    args: tuple[Value, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class List:
    items: tuple[Value, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Key:
    """`turn.total`; a path such as `ingress.audio -> stt.final` has more than one ref."""

    refs: tuple[Ref, ...]
    span: Span

    @property
    def text(self) -> str:
        return self.refs[0].text if len(self.refs) == 1 else " -> ".join(ref.text for ref in self.refs)


@dataclass(frozen=True, slots=True)
class Setting:
    """`key = value`; a flag is its bare key and has no value."""

    key: Key
    value: Value | None
    span: Span


@dataclass(frozen=True, slots=True)
class Settings:
    """`{ key = value, flag }`."""

    items: tuple[Setting, ...]
    span: Span


Value = Text | Quantity | Number | Ref | Call | List | Settings


# ---- conditions --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Or:
    left: Condition
    right: Condition
    span: Span


@dataclass(frozen=True, slots=True)
class And:
    left: Condition
    right: Condition
    span: Span


@dataclass(frozen=True, slots=True)
class Not:
    operand: Condition
    span: Span


@dataclass(frozen=True, slots=True)
class Compare:
    """`event.confidence >= 0.6`; the operator is `== != < <= > >=`."""

    left: Operand
    operator: str
    right: Operand
    span: Span


@dataclass(frozen=True, slots=True)
class Member:
    """`event.digit in ["*", "9"]`."""

    left: Operand
    choices: List
    span: Span


Operand = Ref | Text | Quantity | Number
Condition = Or | And | Not | Compare | Member | Operand


@dataclass(frozen=True, slots=True)
class Guard:
    """`when CONDITION`, or `otherwise` (no condition)."""

    condition: Condition | None
    span: Span


# ---- types and signatures ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Param:
    """`heard : audio(16kHz, mono, s16le)`."""

    name: Name
    type: Ref | Call
    span: Span


@dataclass(frozen=True, slots=True)
class Signature:
    """`(question : text) -> (prompt : text)`."""

    inputs: tuple[Param, ...]
    outputs: tuple[Param, ...]
    span: Span


# ---- inside a pipeline -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Profile:
    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Meta:
    settings: Settings
    span: Span


@dataclass(frozen=True, slots=True)
class Node:
    """`node voice : tts { … }`; without a kind, the name is the kind."""

    name: Name
    signature: Signature | None
    kind: Ref | Call | None
    settings: Settings | None
    span: Span


@dataclass(frozen=True, slots=True)
class Party:
    name: Name
    settings: Settings | None
    span: Span


@dataclass(frozen=True, slots=True)
class Mode:
    name: Name
    settings: Settings
    span: Span


@dataclass(frozen=True, slots=True)
class Budget:
    settings: Settings
    span: Span


@dataclass(frozen=True, slots=True)
class Record:
    level: Name
    settings: Settings | None
    span: Span


@dataclass(frozen=True, slots=True)
class Hop:
    """`-> stt when … { … }`: one arrow, what it points at, and what qualifies it."""

    arrow: Span
    ref: Ref
    guard: Guard | None
    settings: Settings | None
    span: Span


@dataclass(frozen=True, slots=True)
class Flow:
    start: Ref
    hops: tuple[Hop, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Action:
    """`cancel turn`: a verb and its object."""

    verb: Name
    object: Ref
    span: Span


@dataclass(frozen=True, slots=True)
class Reaction:
    """`on EVENT or EVENT when … -> …`; has either hops or an action."""

    events: tuple[Ref, ...]
    guard: Guard | None
    hops: tuple[Hop, ...]
    action: Action | None
    span: Span


Line = Profile | Meta | Node | Party | Mode | Budget | Record | Flow | Reaction

# ---- top level ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Import:
    names: tuple[Name, ...]
    path: Text
    version: Text | None
    span: Span


@dataclass(frozen=True, slots=True)
class Pipeline:
    name: Name
    version: Text | None
    lines: tuple[Line, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Module:
    name: Name
    version: Text | None
    signature: Signature
    lines: tuple[Line, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Tool:
    name: Name
    signature: Signature | None
    kind: Ref | Call
    settings: Settings | None
    span: Span


@dataclass(frozen=True, slots=True)
class Use:
    name: Name
    guard: Guard | None
    settings: Settings | None
    span: Span


@dataclass(frozen=True, slots=True)
class Provider:
    name: Name
    kind: Ref | Call | None
    offers: tuple[Use | Setting, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Insert:
    name: Name
    before: Ref
    span: Span


@dataclass(frozen=True, slots=True)
class Policy:
    name: Name
    condition: Condition
    rules: tuple[Node | Insert | Provider | Record, ...]
    span: Span


Item = Import | Pipeline | Module | Provider | Policy | Tool


@dataclass(frozen=True, slots=True)
class File:
    """One source file."""

    name: str
    items: tuple[Item, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Override:
    """One value from outside of the pipeline: `llm.temperature = 0.2` in a layer; see `syntax.layers`.

    `value` is what was written, read as the language writes values; `text` the same, read as a plain text. Which of the
    two is meant depends on what the key names.
    """

    path: tuple[Name, ...]
    value: Value
    text: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Link:
    """In `file`, `name` means the item of that name in the file `target`."""

    file: str
    name: Name
    target: str


@dataclass(frozen=True, slots=True)
class Share:
    """A version of the pipeline, and whose sessions get it: `percentage` of all, those of `tenants`, or the rest."""

    version: str
    percentage: int | None
    tenants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rollout:
    """Which sessions get which version; see `ir/bundle_form.py`."""

    name: str
    strategy: str
    shares: tuple[Share, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Program:
    """The files of one compilation. `lost` are the names that unreadable lines would have declared.

    `imported` are the files that imports led to, each once, and `links` what the imported names mean; see `link`.
    `is_beside` is a program that is no pipeline, but what may lie beside one in a bundle; `rollout` is what a bundle
    says about versions, and no part of what the pipeline is.
    """

    files: tuple[File, ...]
    lost: frozenset[str]
    imported: tuple[File, ...] = ()
    links: tuple[Link, ...] = ()
    is_beside: bool = field(default=False, metadata={"dump": False})
    rollout: Rollout | None = field(default=None, metadata={"dump": False})
