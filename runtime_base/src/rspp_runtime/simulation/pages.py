"""What the book keeps of an invocation and of a turn, and the numbers that it is written in. Times are ns."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from rspp_runtime.abi.codes import Cause, Control, In, Signal, Turn
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.abi.plan import Plan
from rspp_runtime.simulation.called import Called
from rspp_runtime.simulation.late import Late
from rspp_runtime.simulation.lost import Lost
from rspp_runtime.simulation.spent import Spent
from rspp_runtime.simulation.tables import Tables

DECISION, CANCEL, FORCE, FLUSH, APPEND, RESUME = 1, 2, 3, 4, 5, 6
INVOKE, CONTEXT, FEED, FINISH, SEND, TAP, METRIC = 20, 21, 22, 23, 24, 40, 41
IDLE, OPENING, ACTIVE, TERMINAL, CLOSED = (int(state) for state in Turn)
SECOND_NS = 1_000_000_000
AUTHORITY, CANCELLED, BUDGET, ERROR, DISCONNECT = range(5)
"""Reasons to end a turn, the strongest first (CONTRACTS §5)."""
BRING_AN_EPOCH = (Control.LEASE_ROTATED, Control.HANDOFF)
OPENING_ENDS = frozenset(
    int(s) for s in (Signal.REJECT, Signal.DEFER, Signal.STALE_EPOCH_REJECT, Signal.DEAUTHORIZED_DRAIN)
)
OF_AN_OPENING = frozenset(
    int(c) for c in (Cause.SNAPSHOT_STALE, Cause.SNAPSHOT_MISSING, Cause.SNAPSHOT_INCOMPATIBLE,
                     Cause.PLAN_NOT_FREEZABLE, Cause.AUTHORITY_LOSS, Cause.AUTHORITY_EPOCH_MISMATCH)
)  # fmt: skip
FAILURES = frozenset(
    int(c) for c in (Cause.RECORDING_EVIDENCE_UNAVAILABLE, Cause.NODE_TIMEOUT_OR_FAILURE, Cause.PROVIDER_FAILURE,
                     Cause.BUDGET_EXHAUSTED)
)  # fmt: skip
"""Causes of an abort for which somebody may apologise."""


@dataclass(slots=True)
class Call:
    """An invocation that the kernel asked for and has neither cancelled nor seen the end of."""

    node: int
    id: int
    turn: int
    first_ns: int = 0  # its budget until the first output, its deadline between outputs; 0: none that can be seen
    chunk_ns: int = 0
    attempts: int = 0  # made before it, for the same input
    untaken: int = 0
    fed: int = 0
    first_fed_ns: int = -1
    answered_ns: int = -1
    last_fed: int = 0  # the place of what it was fed last (`Book.given`)
    blocked: bool = False  # told FULL, not yet RESUME
    finished: bool = False
    spoke: bool = False  # it gave a text that has a word


@dataclass(slots=True)
class TurnBook:
    """The turn that is in progress, or that was last."""

    serial: int = 0
    input_end_ns: int = 0
    opened_ns: int = 0
    open_seq: int = 0
    origin: int = 0
    ends: set[int] = field(default_factory=set)  # reasons to end that were given since it opened
    output: bool = False  # OUTPUT_ACCEPTED
    asked_ns: int = -1  # APPEND before its terminal
    appended: bool = False  # EVIDENCE_APPENDED came in, after it was asked
    playback: int = 0  # 0 not started, 1 playing, 2 completed or cancelled
    began_ns: int = -1  # when its first frame plays
    reported_ns: int = -1  # up to where the party says that it has played it
    reported_at_ns: int = -1
    settled_ns: int = 0  # until then it was heard by time: nothing had been reported when it paused
    flushed_ns: int = -1  # when the transport was told to forget what is left of it
    heard: int = 0  # words, as was said last
    thinned: bool = False  # more waits for a report than the ledger holds
    vague: bool = False  # what it has heard cannot be told from outside
    audio: deque[tuple[int, int]] = field(default_factory=deque)  # (end ns, words) of what left
    frames: deque[int] = field(default_factory=deque)  # … and the sequence of each
    again: deque[int] = field(default_factory=deque)  # sequences of what the transport was told to forget in a pause
    paused_ns: int = -1  # since when playback is paused
    pauses: int = 0
    stopping_ns: int = -1  # by when a soft cancel is accepted
    asked_to_stop: tuple[int, int] = (-1, -1)  # when that was asked for: time, sequence
    words_until: int = -1  # of it, where a voice may end its word
    refused: int = 0  # LATE_AFTER_CANCEL at the fence
    text: bool = False  # text left
    budgets: set[int] = field(default_factory=set)  # y of BUDGET_EXHAUSTED
    is_apology: bool = False

    @property
    def is_silenced(self) -> bool:
        """Whether a soft cancel waits, and nothing more of the turn is heard: its word is over, or there is none."""
        over = self.words_until < 0 or (bool(self.audio) and self.audio[-1][1] >= self.words_until)
        return self.stopping_ns >= 0 and over

    def sends(self, plays_ns: int, end_ns: int, words: int, ledger_max: int) -> None:
        """Another frame; `ledger_max` where the party reports: how many it may be behind."""
        self.began_ns = plays_ns if self.began_ns < 0 else self.began_ns
        self.audio.append((end_ns, words))
        behind = len(self.audio) - ledger_max
        self.thinned = self.thinned or (ledger_max > 0 and behind > 0 and self.audio[behind - 1][0] > self.reported_ns)

    def takes_back(self, after_ns: int) -> None:
        """What ends later is not heard now."""
        while self.audio and self.audio[-1][0] > after_ns:
            self.audio.pop()
            self.again.appendleft(self.frames.pop())

    def pauses_at(self, t: int, words: int, *, by_time: bool) -> None:
        """Playback pauses; `by_time`: what was due until then counts as heard."""
        self.paused_ns, self.heard = t, words
        self.settled_ns = t if by_time else self.settled_ns
        self.pauses += 1

    def goes_on(self, t: int, words: int) -> None:
        """Playback is resumed; where the party has said where it stopped, what it has not played comes again too."""
        reported_ns = max(min(self.reported_ns, t), self.settled_ns)
        if self.reported_at_ns > t:  # after a step that nobody has drained yet: what was known then is not known
            self.thinned = self.vague = True
            reported_ns = 0
        if self.reported_at_ns >= self.paused_ns:
            self.takes_back(reported_ns)
        self.paused_ns, self.heard = -1, words

    def comes_again(self, seq: int) -> None:
        """A frame that was taken back; before it may be some that the ledger has forgotten (`thinned`)."""
        while self.thinned and seq in self.again and self.again[0] != seq:
            self.again.popleft()
        if self.again and self.again[0] == seq:
            self.again.popleft()


class Pages:
    """The fields of the book of one session."""

    def __init__(self, plan: Plan, tables: Tables, session_id: str, epoch: int) -> None:
        self.plan, self.tables, self.session_id = plan, tables, session_id
        self.legal: frozenset[tuple[int, int]] = frozenset()  # (state, signal) that this plan allows
        self.now = 0
        self.seq = 0  # the last runtime sequence that is accounted for
        self.epoch = epoch
        self.epochs_offered: set[int] = set()
        self.revoked = False
        self.handing = False  # a migration has begun, and has not ended
        self.blank_epochs: set[int] = set()  # of holders that do not know what was said
        self.blank_turn = -1  # the first turn of such a one
        self.mode = 0
        self.entered = 0
        self.edges_off = 0
        self.turn_state = IDLE
        self.turn = TurnBook()
        self.accepted_turns = 0
        self.opened = 0  # … since the last drain: each may be given an utterance
        self.input_end_ns = 0
        self.origin = 0
        self.apologises_for = 0  # the turn that is Opening; 0 for none
        self.apologised_ns = -1  # when that was proposed last
        self.failed = 0  # the last turn, if it failed
        self.doubtful = False  # SESSION_NOT_RUNNING while Opening: of that turn, or of another proposal
        self.running = False
        self.leaving = False  # hung up, or the session was cancelled
        self.ended = False
        self.calls: dict[int, Call] = {}
        # node → sequences fed since its first attempt at an input, each with its place among them
        self.given: dict[int, dict[int, int]] = {}
        self.gone: dict[int, int] = {}  # invocation → node, of all that were cancelled or ended
        self.lost = Lost(plan)
        self.called, self.late = Called(plan), Late(plan)
        self.watching: tuple[Called | Late, ...] = (
            *([self.called] if self.called.tools else []),
            *([self.late] if plan.paths else []),
        )
        self.uncounted: set[int] = set()  # invocations credited for items that were not drained yet
        self.spent = [Spent() for _ in plan.meters]
        self.keys: deque[int] = deque(maxlen=plan.keys_max)  # of the items that were taken last
        self.grace: dict[int, tuple[int, int]] = {}  # node → (invocation, deadline)
        self.early: set[int] = set()  # nodes of which FORCE came before the grace was over
        self.last_call = 0
        edges = len(plan.edges)
        self.held: list[deque[tuple[int, int]]] = [deque() for _ in range(edges)]  # (seq, bytes), where it is known
        self.held_bytes = [0] * edges
        self.came = [0] * edges  # items that ever waited there
        self.granted = [0] * edges  # CREDIT_GRANT, in all
        self.tracked = list(tables.tracked)
        self.last_seq_out = [0] * edges
        self.dropped = [0] * edges
        self.dropped_before = [0] * edges  # … when the drain began
        self.held_since = [0] * edges  # when the first of those that wait came
        self.offered = [0] * edges  # items that came to an edge that is tracked
        self.thinned = [0] * edges  # … and were not kept by its sample
        self.unmarked = -1  # edge of which a loss has still to be marked
        self.discontinuities = 0
        self.gaps = [0] * edges  # discontinuities, of which the next item has a mark
        self.marked = [0] * edges  # items that had one
        self.went_on: list[deque[int]] = [deque(maxlen=64) for _ in range(edges)]  # of edges that go on together
        self.media: dict[int, int] = {}  # … and the media times of their items, by sequence
        self.fell: list[deque[int]] = [deque(maxlen=64) for _ in range(edges)]
        self.above = 0  # mask of edges that are above their high mark
        self.xoff = 0  # mask of edges
        self.stopping: set[int] = set()  # nodes of which a cancel is pending
        self.blocked: dict[int, int] = {}  # nodes told FULL, and when last
        self.unsure: set[int] = set()  # nodes told FULL after a step whose RESUME may still wait to be drained
        self.excused: set[int] = set()  # nodes of which an invocation ended since the last drain
        # edges of which items may have been on their way to an invocation that ended: those vanish without a word
        self.hazy: set[int] = set()
        self.consumed: set[tuple[int, int]] = set()  # (edge, seq) that Python nodes took in the step that is read
        self.departed = 0  # items of a closed turn that must show up as refused at the fence
        self.closing: set[int] = set()  # turns that closed in this drain
        self.cursor_ns = 0  # when the next sample would play
        self.basis = self.interval_ns = 0  # what the party tells of playback
        self.unplaced: list[Inbound] = []  # accepted since the last drain
        self.known: list[tuple[int, int]] = []  # (index in it, the runtime sequence before it)
        self.stale: list[int] = []  # epochs of these, of another than the session's, until they are decided
        self.refusals = 0  # REFUSED answers since the last drain
        self.entries = 0  # inbox entries accepted since the last drain
        self.emitted = 0  # items that Python nodes made since the last drain
        self.complete = False  # the last advance had nothing more to do
        self.deadline = -1
        self.open_records: set[int] = set()  # turns that aborted, whose APPEND has not come yet
        self.data_events = 0
        self.invocations = 0
        self.undrained_ns = 0  # when the first step after the last drain was
        self.selected: dict[int, int] = {}  # select → edge that it chose
        self.heard = 0  # the turn of a HEARD that awaits its BARGE_IN
        self.outputs_kind = 0  # whether the last drain held anything but items
        self.waiting: list[int] = []  # edges that hold items, when a step is checked

    def migrates(self, epoch: int, *, begins: bool) -> None:
        """Another process takes the session over; at its end it waits for a transport."""
        self.handing = begins
        if begins:
            self.running = self.revoked = False
        elif epoch in self.blank_epochs:
            self.blank_turn = self.turn.serial + 1

    def proposed(self, t: int, origin: int, apologises_for: int) -> None:
        """A turn is Opening; with the serial of another, it is to say that this one failed."""
        self.turn_state = OPENING
        self.doubtful = False
        self.input_end_ns = t
        self.origin = origin
        self.apologises_for = apologises_for
        self.apologised_ns = t if apologises_for else self.apologised_ns

    def place(self, outputs: Sequence[Output]) -> list[tuple[int, Inbound]]:
        """The runtime sequence of each input accepted since the last drain: the numbers that no decision has."""
        taken = [o[2] for o in outputs if o[0] == DECISION and not (o[7] == 26 and o[10] == 1)]
        p = self.seq
        if not (taken or self.known):
            return list(enumerate(self.unplaced, p + 1))
        placed: list[tuple[int, Inbound]] = []
        i, n = 0, len(taken)
        known = dict(self.known)
        for index, event in enumerate(self.unplaced):
            p = max(p, known.get(index, 0)) + 1
            while i < n and taken[i] <= p:
                if taken[i] == p:
                    p += 1
                i += 1
            placed.append((p, event))
            p += event.op == In.MEDIA and event.port in self.tables.twice_ports
        return placed
