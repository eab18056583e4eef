"""What a session remembers (`docs/kernel.md`, State)."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from rspp_runtime.abi.codes import Attribute, Cause, CircuitState, Origin, SessionState, Turn
from rspp_runtime.abi.messages import Handler, Inbound, Output
from rspp_runtime.abi.plan import EFFECT, TURN, Edge, Meter, Node, Plan
from rspp_runtime.reference.budgets import PathState
from rspp_runtime.reference.callers import Caller
from rspp_runtime.reference.playout import Egress

TURN_BUDGET, WARNING, TOTAL, EVIDENCE = range(4)
"""The session's timer slots; those of nodes and edges follow."""

SPOKEN = frozenset({"spoken", "speech"})
"""Fields of a guard that grow while somebody speaks."""

USER, ASSISTANT, TOOL = 0, 1, 2
"""Roles of a message of the conversation."""


class End(enum.IntEnum):
    """Why a turn must end; a smaller number takes precedence (CONTRACTS §5)."""

    AUTHORITY = 0
    CANCEL = 1
    BUDGET = 2
    ERROR = 3
    DISCONNECT = 4


@dataclass(frozen=True, slots=True)
class Parcel:
    """One item on its way: what an edge holds."""

    seq: int
    turn: int
    epoch: int
    media_ns: int
    flags: int
    a: int
    b: int
    payload: bytes


@dataclass(slots=True)
class EdgeState:
    """A ring, its hand-off buffer, and what back-pressure remembers."""

    plan: Edge
    items: deque[tuple[int, Parcel]] = field(default_factory=deque)  # (time of entry, item)
    bytes: int = 0
    pending: bytearray = field(default_factory=bytearray)
    pending_words: int = 0
    pending_first: Parcel | None = None
    xoff: bool = False
    shedding: bool = False
    high: int = 0
    dropped: int = 0
    merged: int = 0
    sampled: int = 0  # percent towards the next item that passes
    open: bool = False  # gathering is over: until it is empty, the edge moves
    above: bool = False  # the high mark was reached, the low one not yet
    credit: int = 0  # flow credit, hybrid: items that the producer may still offer
    skipped: bool = False  # telemetry sample: the last time was left out
    fallen: int | None = None  # sync: the key of the group that was lost last, if more of it may come
    gone: int | None = None  # sync: the key of the group that went on last
    gap: bool = False  # sync: something is missing before the next item


@dataclass(slots=True)
class CircuitBreaker:
    """What is known about one provider of a node."""

    state: CircuitState = CircuitState.CLOSED
    until_ns: int = 0  # open: it is left alone until then
    probe: int = 0  # the invocation that finds out whether the provider works again
    errors: deque[int] = field(default_factory=deque)  # when it failed


@dataclass(slots=True)
class MeterState:
    """What a block of providers has used (`spending.py`)."""

    plan: Meter
    used: dict[int, int] = field(default_factory=dict)  # by `Unit`; cost in thousandths of a micro-dollar
    spent: bool = False  # a cap was reached in this turn


@dataclass(slots=True)
class Invocation:
    """One call of a provider."""

    id: int
    turn: int
    candidate: int = 0  # which of the node's providers performs it
    base_bytes: int = 0
    base_words: int = 0
    fed_items: int = 0
    fed_bytes: int = 0
    fed_words: int = 0
    voiced: int = 0
    answered: bool = False
    began_ns: int = 0
    metered: bool = False  # some of what it uses was counted
    exhausted: int = 0  # the `Unit` of a cap that it reached, until it is cut short
    over_input: bool = False  # it takes nothing more
    over_output: bool = False  # it gives nothing more


@dataclass(slots=True)
class JoinState:
    """What a merge or select remembers from one item to the next."""

    turn: int = 0  # whose round it is; 0 outside of turns
    place: int = 0  # merge in turns: the source that is next
    chosen: int = -1  # select: the source that goes through, -1 for none yet
    last_ns: int = 0  # select: when it last gave something
    over: bool = False  # its input has ended: it waits for nothing any more


@dataclass(slots=True)
class NodeState:
    """The invocations of an effect node."""

    plan: Node
    live: Invocation | None = None  # takes input
    ending: Invocation | None = None  # has all its input
    cancelling: int = 0  # id of the one that must stop within the grace
    inflight: int = 0
    failures: int = 0
    speak_due_ns: int = 0  # until then it must have said a word; 0 when it has, or need not
    blocked: bool = False
    retained: deque[tuple[int, Parcel]] = field(default_factory=deque)  # (port, item): for an attempt (`attempts.py`)
    given: int = 0  # of them, to the present attempt
    kept: int = 0  # the invocation whose input is retained
    again: bool = False  # another attempt is due, and has not begun
    backing_off: bool = False
    candidate: int = 0  # of the present attempt, or of the next
    high: int = 1  # candidates end before this one
    allowed: int = -1  # mask of the candidates that the frozen plan has
    tries: int = 0  # attempts at this candidate
    made: int = 0  # attempts in all
    stopping: bool = False  # a soft cancel (`stopping.py`): its next output is its last
    over: bool = False  # and was taken
    cancelled_by: Cause = Cause.NONE  # of a cancel of its own
    due_ns: int = 0  # end of the budget
    base_bytes: int = 0
    base_words: int = 0
    letters: deque[tuple[int, Parcel]] = field(default_factory=deque)  # (port, item): what it is at (`letters.py`)
    circuits: list[CircuitBreaker] = field(default_factory=list)
    join: JoinState = field(default_factory=JoinState)
    keys: bytearray = field(default_factory=bytearray)  # collect: what was pressed
    keys_ready: bool = False  # collect: it is complete, and waits for its turn
    caller: Caller | None = None  # of a tool (`tools.py`): who waits; the rest of a model: what it waits for
    calls: int = 0  # of the turn
    open: int = 0  # calls without an answer
    filled: int = 0  # of them, those that something is said for
    held_ns: int = 0  # since when its deadlines wait
    held_first: int = 0  # its timer `first` then, 0 if that was off
    held_speak: int = 0  # its `speak_due_ns` then

    @property
    def has_rest(self) -> bool:
        """Whether there is input that the present attempt, or the next, has still to get."""
        return len(self.retained) > self.given

    @property
    def answers_each(self) -> bool:
        """Whether it owes an end of every single item, as a Python node does, and not a first output."""
        return self.plan.kind == "python" and self.plan.execution == EFFECT and self.plan.first_output_ns > 0

    def find(self, invocation: int) -> Invocation | None:
        """The invocation of that id, if it may still emit."""
        return next((call for call in (self.live, self.ending) if call is not None and call.id == invocation), None)


@dataclass(slots=True)
class TurnState:
    """The turn in progress, or the last one."""

    state: Turn = Turn.IDLE
    serial: int = 0
    origin: Origin = Origin.SPEECH
    epoch: int = 0
    input_end_ns: int = 0
    trigger: int = -1
    is_apology: bool = False  # it says that the last one failed
    waiting: bool = False
    ends: set[End] = field(default_factory=set)
    end_cause: Cause = Cause.NONE
    cancel_cause: Cause = Cause.NONE
    stopping: bool = False  # a soft cancel is pending
    exempt: bool = False  # something is said that a barge-in must not cut off
    words_until: int = 0  # the word in which it was cancelled; 0: nothing was being said, or not softly
    output_seen: bool = False
    playing: bool = False
    started: bool = False  # PLAYBACK_STARTED was decided
    audio_sent: bool = False
    evidence_asked: bool = False
    spoken: bytearray = field(default_factory=bytearray)
    spoken_words: int = 0
    spoke: int = 0  # mask of the nodes that spoke: voices and say nodes
    context_count: int = 0


@dataclass(slots=True)
class Proposal:
    """A turn that was proposed while another was in progress."""

    origin: Origin
    epoch: int
    trigger: int


@dataclass(slots=True)
class Hearing:
    """What the recogniser has heard and no turn has answered yet."""

    join: bytearray = field(default_factory=bytearray)
    words: int = 0
    first_seq: int = 0
    last_seq: int = 0
    finish_pending: bool = False
    finish_seq: int = 0


@dataclass(slots=True)
class Speech:
    """What the user is saying, as far as guards of reactions may ask (`docs/kernel.md`, Events)."""

    speaking: bool = False
    onset_ns: int = 0
    settled: int = 0  # words of final texts since the onset
    words: int = 0  # with those of the last partial text
    quiet_ns: int = 0  # since when nobody speaks
    idles: int = 0
    turn: int = 0  # the turn that it interrupts; 0 for none
    acted: set[int] = field(default_factory=set)  # reactions that have interrupted it
    due: bool = False  # more has been said: those that have not are asked again


@dataclass(frozen=True, slots=True)
class Happened:
    """An event whose reactions run, with what their guards may read; 0 where that is missing, or -1 of the last two."""

    event: int
    cause: Cause
    seq: int
    epoch: int
    turn: int = 0
    origin: int = 0
    outcome: int = 0
    retryable: int = 0
    attempts: int = 0
    elapsed_ns: int = 0
    heard: int = 0
    provider: int = -1
    path: int = -1


@dataclass(frozen=True, slots=True)
class Entry:
    """An accepted control input that waits in the inbox; `propose` marks a typed utterance."""

    event: Inbound
    seq: int
    t_ns: int
    epoch: int
    propose: bool = False


def _breakers(node: Node) -> list[CircuitBreaker]:
    attempts = node.attempts
    return [CircuitBreaker() for _ in attempts.providers] if attempts and attempts.circuit else []


class State:
    """Everything of one session. Functions of the sibling modules read and change it; nothing else does."""

    def __init__(self, plan: Plan, session_id: str, epoch: int, handlers: Sequence[Handler | None]) -> None:
        self.plan = plan
        self.session_id = session_id
        self.handlers = handlers
        self.state = SessionState.CREATED
        self.epoch = epoch
        self.input_seq, self.input_epoch = 0, epoch  # of what this step acts on: an input, or a decision's event
        self.revoked = False
        self.snapshot = 0
        self.bindings_off = 0
        self.attributes = [0] * len(Attribute)
        self.policy = 0  # of the turn: 0 for none, else its place from 1
        self.mode = 0
        self.entered = 0  # the mode of the turns to come
        self.now = 0
        self.seq = 0
        self.ending = False
        self.handed_over = 0  # another process goes on: 1, or 2 if it does not know what was said
        self.leaving = False  # the next drain tells the conversation, for whoever goes on
        self.turn = TurnState()
        self.deferred: Proposal | None = None
        self.hearing = Hearing()
        self.speech = Speech()
        self.raised: dict[int, Happened] = {}  # by event: what decisions have raised, and no reaction has seen yet
        self.chain: set[int] = set()  # events whose reactions ran since the last input or timer
        self.egress = Egress()
        self.nodes = [NodeState(node, circuits=_breakers(node)) for node in plan.nodes]
        self.meters = [MeterState(meter) for meter in plan.meters]
        self.paths = [PathState(path) for path in plan.paths]
        self.turn_cost = 0  # thousandths of a micro-dollar
        self.edges = [EdgeState(edge, credit=edge.items_max if edge.flow != "signal" else 0) for edge in plan.edges]
        self.context: deque[tuple[int, bytes]] = deque()
        self.keys: deque[tuple[int, int]] = deque(maxlen=plan.keys_max)  # (idempotency key, sequence of its item)
        self.inbox: deque[Entry] = deque()
        self.timers: dict[int, int] = {}
        self.control_out: deque[Output] = deque()
        self.data_out: deque[tuple[Output, int]] = deque()  # with the item's epoch
        self.telemetry_out: deque[Output] = deque()
        self.invocations = 0
        self.turns = 0
        self.refused_outputs = 0
        self.flushed_items = 0
        self.discontinuities = 0
        self.failures = 0  # turns in a row that failed
        self.apology_due_ns = 0  # before which there is no apology
        self.outputs_full = False
        self.barge_in_waits = any(  # for more words, or a longer speech
            reaction.event == plan.barge_in and any({check.field, check.other} & SPOKEN for check in reaction.guard)
            for reaction in plan.reactions
        )
        for node in plan.nodes:
            if node.clock:
                self.timers[self.first_timer(node.id)] = node.clock.after_ns

    def next_seq(self) -> int:
        """Take the next runtime sequence."""
        self.seq += 1
        return self.seq

    # -- slots of the timer table ----------------------------------------------------------------------------------

    def first_timer(self, node: int) -> int:
        return 4 + 3 * node

    def chunk_timer(self, node: int) -> int:
        return 5 + 3 * node

    def grace_timer(self, node: int) -> int:
        return 6 + 3 * node

    def handoff_timer(self, edge: int) -> int:
        return 4 + 3 * len(self.nodes) + 2 * edge

    def block_timer(self, edge: int) -> int:
        return self.handoff_timer(edge) + 1

    @property
    def pause_timer(self) -> int:
        return 4 + 3 * len(self.nodes) + 2 * len(self.edges)

    @property
    def stop_timer(self) -> int:
        return self.pause_timer + 1

    @property
    def audio_port(self) -> int:
        """Egress's input that is played; -1 if none is."""
        ports = self.plan.nodes[self.plan.egress].inputs if self.plan.egress >= 0 else ()
        return next((index for index, port in enumerate(ports) if port.name == "audio"), -1)

    def stop(self, *slots: int) -> None:
        """Switch timers off."""
        for slot in slots:
            self.timers.pop(slot, None)

    # -- questions that the rules ask --------------------------------------------------------------------------------

    @property
    def active(self) -> bool:
        return self.turn.state is Turn.ACTIVE

    def node_off(self, node: int) -> bool:
        """Whether the present mode leaves the node out."""
        return bool(self.plan.modes[self.mode].nodes_off >> node & 1)

    def edge_off(self, edge: int) -> bool:
        """Whether the present mode leaves the edge out."""
        return bool(self.plan.modes[self.mode].edges_off >> edge & 1)

    def edges_from(self, node: int, port: int) -> list[EdgeState]:
        """Edges of an output port in order of id, without those that are off."""
        return [
            edge
            for edge in self.edges
            if edge.plan.source == node and edge.plan.source_port == port and not self.edge_off(edge.plan.id)
        ]

    def is_audio_out(self, edge: Edge) -> bool:
        """Whether what flows there is played."""
        return edge.target == self.plan.egress and self.plan.nodes[edge.target].inputs[edge.target_port].name == "audio"

    def turn_effects(self) -> list[NodeState]:
        """Effect nodes whose invocations end with the turn."""
        return [n for n in self.nodes if n.plan.execution == EFFECT and n.plan.scope == TURN]

    @property
    def detector(self) -> int:
        """The node that tells when the user speaks; -1 if none does."""
        return self.plan.events[self.plan.speech_start].node if self.plan.speech_start >= 0 else -1

    def event_named(self, name: str) -> int:
        """The id of an event that a reaction names; -1 if none does."""
        return next((event.id for event in self.plan.events if event.name == name), -1)

    @property
    def recogniser(self) -> NodeState | None:
        return self.nodes[self.plan.recogniser] if self.plan.recogniser >= 0 else None

    def voices(self, node: int) -> bool:
        """Whether the node is a voice (tts)."""
        return bool(self.plan.speech_nodes >> node & 1)

    @property
    def voice_on(self) -> bool:
        """Whether any voice takes part in the present mode."""
        return bool(self.plan.speech_nodes & ~self.plan.modes[self.mode].nodes_off)
