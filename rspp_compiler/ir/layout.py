"""The layout: ids, rings, pools, masks and timers of one pipeline, integers all.

Field for field the plan tables of the runtime (`rspp_runtime.abi.plan`): `emit` prints them as the package's `plan.py`,
and into its kernel as constants. The two files are kept apart because the compiler never imports the runtime; a test
holds them equal. Durations are nanoseconds, sizes bytes; 0 means none where a bound may be absent.
"""

from __future__ import annotations

from dataclasses import dataclass

from rspp_compiler.ir.budgets import PathBudget

KERNEL, EFFECT, BOUNDARY = "kernel", "effect", "boundary"
SESSION, TURN = "session", "turn"


@dataclass(frozen=True, slots=True)
class Pool:
    """Slots of one size for payloads. `slots` is the most that can ever be in use, so taking one cannot fail."""

    name: str
    slot_bytes: int
    slots: int


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a node. `type` is audio, text, event or any; `item_bytes_max` bounds one item.

    `mark` is what is stamped on its texts as `Inbound.a`: where the last sentence, clause or word in them ends.
    """

    name: str
    type: str
    item_bytes_max: int
    mark: str = "sentence"


@dataclass(frozen=True, slots=True)
class Circuit:
    """After `errors` failures within `within_ns` a provider is left alone for `open_ns`, then tried once."""

    errors: int
    within_ns: int
    open_ns: int


@dataclass(frozen=True, slots=True)
class Check:
    """One step of a guard, in postfix order: a comparison pushes its truth; `and`, `or`, `not` take what was pushed.

    A comparison (`==` `!=` `<` `<=` `>` `>=`) is of `field` with `value`, or with the field `other`; false where one of
    them is missing. `never` pushes false. Of the session: `mode`, and its attributes (`tenant` …, `codes.Attribute`)
    as the numbers that stand for their texts (`codes.text_id`). Of the turn, missing where there is none: `turn` (its
    serial), `origin`.

    Of an edge's item: `length` (bytes), `words`, `final` (1 or 0). Of a reaction's event, each where `docs/kernel.md`
    (Events) says so: `cause`, `outcome`, `retryable`, `provider` (its place), `path` (whose budget it is), `attempts`,
    `elapsed` (ns), `heard` (words played), `failures` (turns in a row that failed); of the speech: `spoken` (words),
    `speech` (ns), `idles`, `idle` (ns).
    """

    op: str
    field: str = ""
    value: int = 0
    other: str = ""


@dataclass(frozen=True, slots=True)
class Attempts:
    """How an effect node is tried again: `providers` in this order, each at most `times`, within the node's budget.

    `first_chunk_ns` bounds one attempt, 0 if only the budget does. Up to `retain_items` items of input are kept until
    the first output, so that the next attempt gets all of it.
    """

    providers: tuple[str, ...]
    times: int = 1
    first_chunk_ns: int = 0
    backoff_ns: int = 0  # before the same provider is tried again; twice as long each further time
    retain_items: int = 0
    circuit: Circuit | None = None  # of each provider
    # Under each policy, none first, and there in each mode: the first of its providers, and their number; empty: all.
    ranges: tuple[tuple[int, int], ...] = ()
    guards: tuple[tuple[Check, ...], ...] = ()  # of each provider; empty, like the guards that are: always


@dataclass(frozen=True, slots=True)
class Join:
    """How a merge or select takes from `sources`, the edges into it in the order in which they count.

    `by`: timestamp, round_robin, priority (merge); first, highest (select, by `field`: length or words). `waits_for`
    is the mask of edges that it waits for: for `within_ns`, or with 0 until its input has ended.
    """

    by: str
    sources: tuple[int, ...]
    waits_for: int = 0
    within_ns: int = 0
    field: str = ""


@dataclass(frozen=True, slots=True)
class Hook:
    """A method of a Python node, and the most that it may take."""

    name: str  # init, start, stop, on_cancel, on_barge_in, on_budget_exhausted
    timeout_ns: int


@dataclass(frozen=True, slots=True)
class Clock:
    """A timer: `fired` occurs `after_ns` after the session opened, and with `every_ns` again and again."""

    after_ns: int
    every_ns: int = 0


@dataclass(frozen=True, slots=True)
class Pause:
    """An end-pointer: the user is done `min_ns` after a text that ends a sentence, `max_ns` after any other."""

    min_ns: int
    max_ns: int


@dataclass(frozen=True, slots=True)
class Keys:
    """A collector of keys: complete with `digits` of them (at most 64), or with the key `until` (a byte, -1 for none).

    `timeout_ns` from one key to the next. `opens`: what was gathered proposes a turn, and goes to its edges when that
    opens; else it goes there at once.
    """

    digits: int
    until: int
    timeout_ns: int
    opens: bool


@dataclass(frozen=True, slots=True)
class State:
    """What a Python node may remember, in bytes of its packed form; 0 for nothing."""

    turn_bytes: int = 0
    session_bytes: int = 0
    durable_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Price:
    """What one provider charges, in micro-dollars; 0 for what it does not charge for."""

    call: int = 0
    minute: int = 0  # of audio
    kchar: int = 0  # a thousand characters
    ktoken_in: int = 0
    ktoken_out: int = 0


@dataclass(frozen=True, slots=True)
class Meter:
    """What a block of providers may use, of each turn but for `session_audio_ns`; 0 where nothing is capped.

    `prices` are those of its candidates, in order; empty where nothing is capped by cost.
    """

    id: int
    name: str
    calls: int = 0
    audio_ns: int = 0
    session_audio_ns: int = 0
    chars: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_microusd: int = 0
    prices: tuple[Price, ...] = ()


@dataclass(frozen=True, slots=True)
class Tool:
    """What a model may call. Of a tool that is `soft`, a run that is cancelled goes on to its end; the driver keeps
    `once`. `params` have the types text, number, flag."""

    about: str
    params: tuple[tuple[str, str], ...] = ()
    once: bool = False
    soft: bool = False
    filler: bool = False  # something is said while it runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node. `execution` is kernel, effect or boundary (ingress, egress); `scope` is session or turn."""

    id: int
    name: str
    kind: str
    execution: str
    scope: str
    line: int  # in the pipeline's source
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    edges_in: tuple[int, ...] = ()
    upstream: int = 0  # mask of turn-scoped nodes whose completion ends this node's input
    window: int = 0  # effect: items fed and not yet taken, at most
    first_output_ns: int = 0  # budget: from input (stt: end of input) to first output (stt: the final)
    chunk_ns: int = 0  # deadline between outputs after the first
    speakable_ns: int = 0  # model: from its first input to the first text that has a word; 0 for none
    event_error: int = -1  # event ids
    event_timeout: int = -1
    event_started: int = -1
    event_done: int = -1
    event_exhausted: int = -1
    text: str = ""  # say: what it says
    interruptible: bool = True  # say: whether a barge-in may cut it off
    handler: int = -1  # python: index into the handlers
    emissions_max: int = 0  # python: most emissions of one call
    hooks: tuple[Hook, ...] = ()  # python; the driver calls them
    state: State | None = None  # python; the driver keeps it
    attempts: Attempts | None = None  # effect: None is one provider, tried once
    join: Join | None = None  # merge, select
    clock: Clock | None = None  # timer
    pause: Pause | None = None  # endpointer
    keys: Keys | None = None  # collect
    event_own: int = -1  # timer: fired; endpointer: speech_end
    tool: Tool | None = None  # tool
    calls_max: int = 0  # model: calls of tools in one turn
    meter: int = -1  # effect: what its providers use is counted there
    label: int = -1
    letters: int = 0  # items that it is working on, at most, where a reaction shows them when it fails; 0: none does


@dataclass(frozen=True, slots=True)
class Overflow:
    """One step of an overflow order.

    `strategy` is block (with `block_ns`), drop_oldest, drop_newest, latest_only, coalesce (with `rule`: latest_partial,
    concat), sample (with `keep_percent`).
    """

    strategy: str
    block_ns: int = 0
    rule: str = ""
    keep_percent: int = 0


@dataclass(frozen=True, slots=True)
class Gather:
    """What comes within `ns` of the first item waits, and goes on as one by `rule`: latest_partial or concat."""

    ns: int
    rule: str


@dataclass(frozen=True, slots=True)
class Watermark:
    """Pressure begins at a high mark, and is over at the low ones; in items, in age of the head, 0 where not used."""

    high_items: int = 0
    low_items: int = 0
    high_ns: int = 0
    low_ns: int = 0


@dataclass(frozen=True, slots=True)
class Sync:
    """What an edge loses is lost on its peers too (`policy` atomic), or marked there (discontinuity).

    Items of one group have the same key: their sequence (`by` event) or their media time (media). `peers` is a mask of
    edges, itself included: those of the domain where the scope is plan_wide, only itself where it is edge_local.
    """

    domain: str
    policy: str
    by: str
    peers: int


@dataclass(frozen=True, slots=True)
class Handoff:
    """Text is released at a mark of its port, or when the first pending byte is `age_ns_max` old, or at `bytes_max`.

    What would be shorter than `bytes_min` waits for the next mark.
    """

    age_ns_max: int
    bytes_max: int
    bytes_min: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One flow. Lower ids are nearer the egress: the scheduler serves them first."""

    id: int
    name: str  # as in the source: "stt.partial -> captions"
    line: int
    source: int
    source_port: int  # index into the source's outputs; -1 for a reaction's path into its first node
    target: int
    target_port: int
    scope: str  # turn: flushed when its turn ends
    pool: int
    items_max: int
    bytes_max: int
    age_ns_max: int = 0  # older items are shed (never on an edge that only blocks)
    overflow: tuple[Overflow, ...] = ()
    handoff: Handoff | None = None
    commit_point: bool = False
    guard: tuple[Check, ...] = ()  # an item for which it does not hold passes by; empty: all are taken
    gather: Gather | None = None
    watermark: Watermark | None = None
    sync: Sync | None = None
    flow: str = "signal"  # how its producer is held back: signal, credit, hybrid
    telemetry: str = "best_effort_drop"  # what is told of it under pressure: best_effort_drop, sample, drop


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a reaction can name. `node` is -1 for the session, -2 for the turn; `port` -1 if implicit.

    With a `signal`, it is raised by decisions of that name (`abi.codes.Signal`), those that `docs/kernel.md` (Events)
    gives to its node.
    """

    id: int
    name: str  # "ears.barge_in"
    node: int
    port: int
    signal: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """`verb`: cancel_turn, cancel_session, cancel_node, end_utterance, end_session, degrade, enter, pause, resume,
    abort_turn, open_turn, trigger, show.

    `target` is the node of cancel_node, pause and resume, the mode of degrade and enter, the say node of trigger, the
    tap of show; else -1.
    """

    verb: str
    target: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """`on EVENT when GUARD -> ACTION`; one row for each event of the line."""

    id: int
    event: int
    action: Action
    line: int
    guard: tuple[Check, ...] = ()  # it acts only where this holds; empty: always


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """A compiled variant. Mode 0 is the full pipeline; masks have one bit for each node and edge that is off."""

    id: int
    name: str
    nodes_off: int
    edges_off: int


@dataclass(frozen=True, slots=True)
class Policy:
    """A variant for some sessions: the first policy whose guard holds when a turn's plan freezes applies."""

    name: str
    guard: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Assumption:
    """What the compiler's bounds rest on: `subject` keeps within `limit`, nanoseconds (`item`: bytes).

    `id` is `first_output:llm`; a run that breaks it reports that id (`evidence/assumptions.py`).
    """

    id: str
    kind: str
    subject: str
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that the kernels know about a pipeline."""

    pipeline: str
    pipeline_version: str
    profile: str
    template_hash: str  # 64 hex digits
    recording_level: str

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    pools: tuple[Pool, ...]
    events: tuple[Event, ...]
    reactions: tuple[Reaction, ...]
    modes: tuple[Mode, ...]

    ingress: int  # node ids; -1 where the pipeline has none
    egress: int
    turn_owner: int  # event whose occurrence ends the utterance; -1: only text, API and reactions propose turns
    recogniser: int  # stt node whose utterance the turn answers; -1 if none
    speech_start: int  # event that may be a barge-in; -1 if none
    barge_in: int  # event raised when it is; -1 if nobody listens
    speech_nodes: int  # mask of nodes that voice text (tts)
    turn_nodes: int  # mask of turn-scoped nodes
    turn_edges: int  # mask of turn-scoped edges: what a cancel flushes
    stages: tuple[int, ...]  # turn-scoped nodes in topological order

    turn_ns: int  # end of input to first output
    turn_warning_ns: int
    turn_total_ns: int
    grace_ns: int
    lead_ns: int
    evidence_ns: int
    audio_bytes_per_second: int  # at egress.audio

    utterance_bytes_max: int
    spoken_bytes_max: int
    context_items_max: int
    context_bytes_max: int
    control_in_max: int  # slots
    control_out_max: int
    control_step_max: int  # most control outputs of one step; a step runs only with that many slots free
    data_out_max: int
    telemetry_out_max: int
    ledger_max: int

    memory_bytes: int  # of the session's block in the compiled kernel
    provider_bindings: tuple[tuple[str, str], ...]  # (node, provider)
    assumptions: tuple[Assumption, ...] = ()
    policies: tuple[Policy, ...] = ()
    pause_ns: int = 0  # after which a paused turn is cancelled; 0: no reaction pauses
    soft_nodes: int = 0  # mask of effect nodes that end their segment when they are cancelled
    soft_edges: int = 0  # mask of turn-scoped edges by which what they then still say goes on
    soft_ns: int = 0  # the longest segment
    meters: tuple[Meter, ...] = ()
    turn_cost_microusd: int = 0  # what a turn may cost in all; 0 for any
    keys_max: int = 128  # idempotency keys of input that are remembered
    apology_ns: int = 0  # least time between two apologies for failed turns; 0: no line names `turn.error`
    paths: tuple[PathBudget, ...] = ()
    stall_ns: int = 500_000_000  # when it is due for so long, what a party does not report goes by time
