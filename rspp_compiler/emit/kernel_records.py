"""What the templates of the compiled kernel print, row by row; `kernel_edges` and `kernel_view` fill them in."""

from __future__ import annotations

from dataclasses import dataclass, field

from rspp_compiler.emit.kernel_events import EventView
from rspp_compiler.ir.layout import Clock, Keys, Pause, Tool, Watermark


@dataclass(slots=True)
class Step:
    """One step of a full edge; with `always`, it is done even if there is room. `what` is a strategy, or its rule."""

    what: str
    always: bool = False
    percent: int = 0


@dataclass(slots=True)
class PathSet:
    """Paths with budgets of their own: their mask, and their names for a comment."""

    mask: str
    names: str


@dataclass(slots=True)
class EdgeView:
    """One edge; `id` is its lower-case name, `const` its constant."""

    id: str
    const: str
    name: str
    line: int
    bounds: str
    source: str
    target: str
    target_port: str
    target_kind: str
    pool: str
    turn_scoped: bool
    ages: bool
    blocks: bool
    block_ns: int
    keeps_latest: bool
    steps: list[Step]
    handoff: bool
    handoff_min: bool  # a piece may be too short
    mark: str  # where a piece of it ends: sentence, clause, word
    maskable: bool
    turn: str
    watched: bool
    guard: list[str]
    text: bool
    gather_ns: int
    watermark: Watermark | None
    telemetry: str  # what is told of it under pressure, "" if all is
    credit: bool
    silent: bool  # its producer is held back without a signal
    sync: bool
    peers: str
    atomic: bool
    by_media: bool
    marks: bool  # an item that follows a gap is marked
    begins: PathSet | None  # those whose budgets begin with an item that is pushed
    ends: PathSet | None  # … that end with one that is taken
    together: str  # the function that moves it with its peers, "" if it moves alone
    plain: bool  # a push that finds it empty only has to put the item on the ring
    sure: bool  # every push does
    quick: bool  # taking its head changes nothing but the ring
    calm: str  # what a move answers
    straight: bool  # an item can pass over it in the step that brings it


@dataclass(slots=True)
class Domain:
    """Edges of which one item each moves, or none does."""

    name: str
    mask: str
    edges: list[EdgeView]

    @property
    def ages(self) -> bool:
        return any(edge.ages for edge in self.edges)


@dataclass(slots=True)
class Group:
    """Edges that share one item: same pool, same turn."""

    pool: str
    turn: str
    edges: list[EdgeView]


@dataclass(slots=True)
class PortView:
    """One output of a node."""

    id: str
    const: str
    name: str
    bytes_max: str
    event: str  # constant of the event it raises, "" if it carries items
    final: bool
    text: bool
    groups: list[Group]
    edges: list[EdgeView]
    call: bool = False  # it calls a tool
    said: str = ""  # what is done of `events` once an item was taken


@dataclass(slots=True)
class JoinView:
    """How a merge or select takes from its edges; `words` say it in a comment."""

    rule: str
    field: str
    sources: list[str]
    selects: bool
    waits_for: str
    within_ns: int
    words: str


@dataclass(slots=True)
class NodeView:
    """One node with everything that is printed under its banner."""

    id: str
    const: str
    name: str
    kind: str
    line: int
    role: str
    effect: bool
    turn_scoped: bool
    voice: bool
    recogniser: bool
    each_item: bool
    context: bool
    candidates: int = 0  # providers that it is tried at; 0: one, once
    retains: bool = False
    circuits: bool = False
    ranges: list[int] = field(default_factory=list)  # of them, by policy and mode: the first, and how many
    providers: list[str] = field(default_factory=list)
    guards: list[list[str]] = field(default_factory=list)  # of each provider
    outputs: list[PortView] = field(default_factory=list)
    edges_in: list[EdgeView] = field(default_factory=list)
    edges_out: list[EdgeView] = field(default_factory=list)
    events: list[EventView] = field(default_factory=list)
    started: str = ""
    error: str = "NO_EVENT"
    timeout: str = "NO_EVENT"
    done: str = "NO_EVENT"
    exhausted: str = "NO_EVENT"
    meter: int = -1
    speakable: bool = False
    text: str = ""
    text_literal: str = ""
    interruptible: bool = True
    handler: int = -1
    join: JoinView | None = None
    label: int = -1  # the number that it gives
    clock: Clock | None = None
    pause: Pause | None = None
    keys: Keys | None = None
    fired: str = ""  # what happens when its time has come: the reaction to its own event
    owns_turn: bool = False  # its event ends the utterance
    tool: Tool | None = None
    calls_max: int = 0  # of a model
    letters: bool = False  # what it could not work on is shown
    ends: PathSet | None = None  # those whose budgets end with its output
    answers: str = ""  # pool of a tool's answers; input port of a model for them
