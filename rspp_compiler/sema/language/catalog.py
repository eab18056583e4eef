"""What a kind, a port, a setting and a provider are: the classes of the tables in `kinds`, `engines`, `events`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from rspp_compiler.ir.spec import Execution, Scope

Type = Literal[
    "duration", "bytes", "rate", "count", "number", "percent", "money", "gain",
    "text", "symbol", "flag", "file", "secret", "name", "names", "symbols", "texts",
]  # fmt: skip

MS, S = 1_000_000, 1_000_000_000
H = 3600 * S
FIELD_UNITS: dict[Type, str] = {
    "duration": "_ns", "bytes": "_bytes", "rate": "_hz", "percent": "_percent", "money": "_microusd", "gain": "_db",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setting:
    """One key that may be set. Its range is in base units: nanoseconds, bytes, hertz, percent, micro-dollars, decibels.

    `names` is a list of names, `symbols` a list of `choices`, `texts` a list of texts; each also takes a single one.
    A count may be written with its `noun` (`60 tokens`). A text with `variables` may hold `${session.name}`.
    `about` says in a few words what it does: the editor and the generated reference show it.
    """

    name: str
    type: Type
    min: float | None = None
    max: float | None = None
    choices: tuple[str, ...] = ()
    required: bool = False
    or_file: bool = False  # a text that may also be given as file("…")
    noun: str = ""
    variables: bool = False
    about: str = ""

    @property
    def field(self) -> str:
        """Its name in the spec, with the unit: `min_silence` is `min_silence_ns`."""
        return self.name + FIELD_UNITS.get(self.type, "")


@dataclass(frozen=True)
class Table:
    """The settings that something takes. `of` is what it is called: "a flow", "`handoff`".

    `blocks` are keys that the table does not read itself.
    """

    of: str
    settings: tuple[Setting, ...]
    blocks: tuple[str, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, Setting]:
        return {setting.name: setting for setting in self.settings}

    @cached_property
    def by_field(self) -> dict[str, Setting]:
        return {setting.field: setting for setting in self.settings}

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.by_name, *self.blocks)


@dataclass(frozen=True, slots=True)
class Port:
    """One port. `item` names the largest item, in the profile's table `[item]`; audio items are one frame.

    An input that is `many` takes any number of flows: the node's own rule orders them.
    """

    name: str
    type: Literal["audio", "text", "event", "bytes", "any"]
    item: str
    main: bool = False
    many: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of node.

    `scope` is None for a kind that belongs to a turn when anything of a turn reaches it, and to the session otherwise.
    `opens_turn` are the outputs with which a turn begins; `ends_utterance` is the event by which a detector ends an
    utterance. A kind that `filters` may let through less than it takes. `is_triggered`: reactions begin it.
    """

    name: str
    execution: Execution
    scope: Scope | None
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    events: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()
    has_provider: bool = False
    has_signature: bool = False
    ends_utterance: str = ""
    opens_turn: tuple[str, ...] = ()
    filters: bool = False
    is_triggered: bool = False
    about: str = ""

    @property
    def is_boundary(self) -> bool:
        return self.execution == "boundary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A provider by name. Those with an adapter are performed by the runtime; others need one installed beside it.

    What it can: `features` (partials, diarise, tools, …), `languages` (empty: any), `rates_hz` and `encodings` of the
    audio it takes or makes (empty: those of the profile). A `local` one runs inside the process: data stays here.
    """

    name: str
    kind: str
    has_adapter: bool = False
    local: bool = False
    settings: tuple[Setting, ...] = ()
    any_settings: bool = False
    features: frozenset[str] = frozenset()
    languages: tuple[str, ...] = ()
    rates_hz: tuple[int, ...] = ()
    encodings: tuple[str, ...] = ()


# ---- the vocabulary outside of kinds --------------------------------------------------------------------------------

PREDECLARED = ("ingress", "egress", "session", "turn", "event")
RESERVED = (
    *("node", "party", "mode", "on", "profile", "meta", "budget", "record"),
    *("when", "otherwise", "and", "or", "not"),
)
PROFILES = ("simple/v1",)
LEVELS = ("L0", "L1", "L2")
STRATEGIES = ("block", "drop_oldest", "drop_newest", "coalesce", "sample", "latest_only")
CLASSES = ("metadata", "derived_summary", "text_raw", "audio_raw", "PII", "PHI")
SECRET_SCHEMES = ("env", "file", "vault", "k8s", "aws-sm", "gcp-sm")

# Verbs of reactions, and what each takes: a word, or a name of one of these sorts.
ACTIONS: dict[str, tuple[str, ...]] = {
    "open": ("turn",),
    "end": ("utterance", "session"),
    "cancel": ("turn", "session", "NODE"),
    "abort": ("turn",),
    "degrade": ("MODE",),
    "enter": ("MODE",),
    "pause": ("NODE",),
    "resume": ("NODE",),
    "call": ("TOOL",),
}

# ---- settings that many things share --------------------------------------------------------------------------------

TIMEOUT = Setting("timeout", "duration", 1 * MS, 120 * S, about="from input to first output")
WORK = Setting("work", "duration", 1_000, 60 * S, about="the most that one item keeps the node busy")
INTERRUPTIBLE = Setting("interruptible", "flag", about="whether a barge-in may cut it off")
CANCEL = Setting("cancel", "symbol", choices=("hard", "soft"), about="stop at once, or at the end of the segment")
LIMIT = (
    Setting("concurrency", "count", 1, 10_000, about="items worked on at once"),
    Setting("cpu", "percent", 1, 10_000, about="of one core"),
    Setting("memory", "bytes", 1_000, 1_000_000_000_000, about="for each session"),
)
STATE = (
    Setting("turn", "bytes", 1, 1_000_000, about="what it knows until its turn ends"),
    Setting("session", "bytes", 1, 1_000_000, about="what it knows until its process ends"),
    Setting("durable", "bytes", 1, 65_536, about="what it knows in whichever process goes on with the session"),
)
HOOKS = ("init", "start", "stop", "on_cancel", "on_barge_in", "on_budget_exhausted")
HOOK_SETTINGS = tuple(Setting(hook, "duration", 1 * MS, 600 * S, about="the most this hook may take") for hook in HOOKS)
