"""What a log says about a conversation, for people: read once, drawn and tabled by `timeline` and `summary`.

Times are session nanoseconds. At level L0 there are times, counts and decisions, but no words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from rspp_runtime.abi.codes import Cause, In, Op, Origin, Result, Signal
from rspp_runtime.abi.lookup import budget_name, heard_by
from rspp_runtime.abi.plan import Plan
from rspp_runtime.evidence.assumptions import Broken, Watch
from rspp_runtime.evidence.entries import End, Entry, Handler, Input, Invocation, Out, Step
from rspp_runtime.evidence.overhead import Lap, Overhead, Stopwatch

FRAME_NS = 20_000_000


@dataclass(slots=True)
class Speech:
    """One stretch of the user's speech, on the media clock; `heard_ns` is when its end was noticed (-1: not yet)."""

    start_ns: int
    end_ns: int = -1
    noticed_start_ns: int = -1
    noticed_end_ns: int = -1


@dataclass(frozen=True, slots=True)
class Text:
    """A text that was produced at `t_ns`."""

    t_ns: int
    text: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class Played:
    """One item that was sent: it plays from `start_ns` to `end_ns`; by its end `words` of the turn are voiced."""

    start_ns: int
    end_ns: int
    words: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """An output that arrived too late and was refused, at the door (`ingest`) or at the fence."""

    t_ns: int
    node: str
    size: int
    fence: bool


class Letter(NamedTuple):
    """An item that a node could not work on; `turn` 0: it was of none. `text` is "" where it was not kept."""

    t_ns: int
    turn: int
    node: str
    cause: str
    seq: int
    text: str


class Run(NamedTuple):
    """One call of a tool; `end_ns` -1 if it has not answered."""

    name: str
    invocation: int
    start_ns: int
    end_ns: int
    arguments: str
    answer: str


@dataclass(slots=True)
class Turn:
    """One turn. Times are -1 where the thing did not happen."""

    serial: int
    origin: str = ""
    input_end_ns: int = -1
    opened_ns: int = -1
    closed_ns: int = -1
    plan_hash: str = ""
    outcome: str = ""  # commit, abort
    cause: str = ""
    speech_end_ns: int = -1  # media time at which the user's speech ended
    final_ns: int = -1  # the recogniser's final
    asked: str = ""  # what the user said
    first_ns: dict[str, int] = field(default_factory=dict)  # node → its first output
    last_ns: dict[str, int] = field(default_factory=dict)
    first_fed_ns: dict[str, int] = field(default_factory=dict)  # node → its first input
    voiced: set[int] = field(default_factory=set)  # runtime sequences of the texts that voices were given
    deltas: list[Text] = field(default_factory=list)
    tools: list[Run] = field(default_factory=list)  # calls that ran, in order
    said: bytes = b""  # what was given to the voices
    shown: bytes = b""  # what was sent as text
    said_words: int = 0
    played: list[Played] = field(default_factory=list)
    playback_ns: int = -1
    cancel_ns: int = -1  # the input that caused the cancel
    silent_ns: int = -1  # nothing was played any more
    words_heard: int = 0
    bytes_heard: int = 0
    heard_basis: str = ""  # acked, marked, paced; "" if nothing was played
    heard_error_ms: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    flushed_frames: int = 0  # sent, and taken back before they were played
    pauses: int = 0  # of playback: maybe it was interrupted
    budget_exhausted: list[tuple[int, str]] = field(default_factory=list)
    edges_high: dict[int, int] = field(default_factory=dict)
    overhead: Overhead = field(default_factory=Overhead)

    def end_ns(self, now_ns: int) -> int:
        """When it closed; of one that is open, now."""
        return self.closed_ns if self.closed_ns >= 0 else now_ns

    @property
    def words(self) -> list[str]:
        return self.said.decode("utf-8", "replace").split()

    @property
    def heard_text(self) -> str:
        return self.said[: self.bytes_heard].decode("utf-8", "replace").strip()

    @property
    def cut_text(self) -> str:
        return self.said[self.bytes_heard :].decode("utf-8", "replace").strip()


@dataclass(slots=True)
class Conversation:
    """Everything that the pictures and tables need."""

    plan: Plan
    speech: list[Speech] = field(default_factory=list)
    partials: list[Text] = field(default_factory=list)
    finals: list[Text] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    drops: list[tuple[int, str, str]] = field(default_factory=list)  # time, edge, cause
    letters: list[Letter] = field(default_factory=list)
    invocations: list[Invocation] = field(default_factory=list)
    stats: dict[str, int] = field(default_factory=dict)
    broken: dict[str, Broken] = field(default_factory=dict)  # assumptions that did not hold, by id
    end_ns: int = 0


class Reader:
    """Feeds on entries in order; `conversation` is what they said so far."""

    def __init__(self, plan: Plan) -> None:
        self._watch = Watch(plan)
        self.conversation = Conversation(plan, broken=self._watch.broken)
        self._plan = plan
        self._turn: Turn | None = None
        self._origin = ""
        self._proposed_ns = -1
        self._accepted_ns = 0  # the last input that was accepted
        self._onset_ns = -1  # the last speech_start that was accepted
        self._owner_of: dict[int, Turn] = {}  # invocation → its turn
        self._drained_ns = 0
        self._stopwatch = Stopwatch()
        self._step: Lap | None = None  # the last one, until a turn is found for it

    def feed(self, entries: Iterable[Entry]) -> Conversation:
        for entry in entries:
            self.add(entry)
        return self.conversation

    def add(self, entry: Entry) -> None:
        self._watch.add(entry)
        if isinstance(entry, Input):
            self.conversation.end_ns = max(self.conversation.end_ns, entry.now_ns)
            if entry.result == Result.ACCEPTED:
                self._input(entry)
        elif isinstance(entry, Step):
            self._drained_ns = entry.drained_ns
            self._stepped(self._stopwatch.stepped(entry.now_ns, entry.drained_ns))
            self.conversation.end_ns = max(self.conversation.end_ns, entry.now_ns)
        elif isinstance(entry, Handler):
            self._stopwatch.called(entry.node, entry.start_ns, entry.end_ns)
        elif isinstance(entry, Out):
            self._output(entry)
        elif isinstance(entry, Invocation):
            self.conversation.invocations.append(entry)
        elif isinstance(entry, End):
            self.conversation.stats = entry.stats

    def _stepped(self, step: Lap) -> None:
        """A step is of the turn that was Active when it began, else of the one that it opens."""
        self._step = step if self._turn is None else None
        if self._turn is not None:
            self._turn.overhead.add(*step)

    def took(self, nodes_ns: Mapping[int, int]) -> None:
        """Instead of an entry for each call of a Python node in the step that follows: how long each node took."""
        self._stopwatch.took(nodes_ns)

    def slow(self, entry: Handler) -> None:
        """One of these calls that failed, or broke an assumption."""
        self._watch.add(entry)

    # ---- what came in

    def _input(self, entry: Input) -> None:
        self._accepted_ns = entry.now_ns
        if entry.op == In.MEDIA:
            if entry.b and self._plan.nodes[entry.node].outputs[entry.port].type == "text":
                self.conversation.finals.append(Text(entry.now_ns, _text(entry.payload), True))
            return
        if entry.op != In.CHUNK:
            return
        node = self._plan.nodes[entry.node]
        port = node.outputs[entry.port]
        if node.kind == "vad":
            self._hear(port.name, entry)
        elif node.kind == "stt":
            texts = self.conversation.finals if port.name == "final" else self.conversation.partials
            texts.append(Text(entry.now_ns, _text(entry.payload), port.name == "final"))
        turn = self._owner_of.get(entry.invocation)
        if node.tool and turn is not None:
            turn.tools = [_said(one, entry) for one in turn.tools]
        if turn is not None and port.type not in ("event", "call"):
            turn.first_ns.setdefault(node.name, entry.now_ns)
            turn.last_ns[node.name] = entry.now_ns
            if node.kind == "llm" and port.name == "delta":
                turn.deltas.append(Text(entry.now_ns, _text(entry.payload)))

    def _hear(self, port: str, entry: Input) -> None:
        speech = self.conversation.speech
        if port == "speech_start":
            self._onset_ns = entry.now_ns
            speech.append(Speech(entry.media_ns, noticed_start_ns=entry.now_ns))
        elif port == "speech_end" and speech:
            speech[-1].end_ns, speech[-1].noticed_end_ns = entry.media_ns, entry.now_ns

    # ---- what was decided and asked for

    def _output(self, out: Out) -> None:
        turn = self._turn
        if out.op == Op.DECISION:
            self._decided(out)
        elif out.op == Op.INVOKE and turn is not None and out.turn == turn.serial:
            self._owner_of[out.invocation] = turn
        elif out.op == Op.FEED and turn is not None and out.turn == turn.serial:
            name = self._plan.nodes[out.node].name
            turn.first_fed_ns.setdefault(name, out.t_ns)
            if self._plan.nodes[out.node].tool:
                turn.tools.append(Run(name, out.invocation, out.t_ns, -1, _text(out.payload or b""), ""))
            if self._plan.speech_nodes >> out.node & 1 and out.seq not in turn.voiced:  # not again, by another attempt
                turn.voiced.add(out.seq)
                turn.said += out.payload or b""
        elif out.op == Op.SEND and turn is not None:
            if self._plan.nodes[out.node].inputs[out.port].type == "audio":
                duration_ns = out.size * 1_000_000_000 // (self._plan.audio_bytes_per_second or 32_000)
                turn.played.append(Played(out.x, out.x + duration_ns, out.y))
            else:
                turn.shown += out.payload or b""
        elif out.op == Op.FLUSH and turn is not None:
            turn.silent_ns = self._drained_ns
            turn.flushed_frames += sum(item.end_ns > out.t_ns for item in turn.played)
        elif out.op == Op.DEAD_LETTER:
            node = self._plan.nodes[out.code]
            text = _text(out.payload) if node.inputs[out.port].type == "text" else ""
            cause = Cause(out.cause).name.lower()
            self.conversation.letters.append(Letter(out.t_ns, out.turn, node.name, cause, out.seq, text))
        elif out.op == Op.METRIC and self.conversation.turns:
            self.conversation.turns[-1].edges_high[out.code] = out.x

    def _decided(self, out: Out) -> None:
        signal, turn = out.code, self._turn
        if signal == Signal.TURN_OPEN_PROPOSED:
            self._origin, self._proposed_ns = Origin(out.x).name.lower(), out.t_ns
        elif signal == Signal.TURN_OPEN:
            self._open(out)
        elif signal == Signal.DROP_NOTICE:
            where = self._plan.edges[out.node].name
            self.conversation.drops.append((out.t_ns, where, Cause(out.cause).name.lower()))
        elif signal == Signal.LATE_AFTER_CANCEL:
            owner = self._owner_of.get(out.invocation) or turn
            if owner is not None:
                owner.refusals.append(Refusal(out.t_ns, self._plan.nodes[out.node].name, out.x, bool(out.y)))
        elif turn is None:
            return
        elif signal == Signal.PLAYBACK_STARTED:
            turn.playback_ns = out.t_ns
        elif signal == Signal.PLAYBACK_PAUSED:
            turn.pauses += 1
            turn.played = [item for item in turn.played if item.end_ns <= out.t_ns]  # the rest comes again, or never
        elif signal == Signal.PLAYBACK_RESUMED:
            turn.silent_ns = -1
        elif signal in (Signal.PLAYBACK_COMPLETED, Signal.PLAYBACK_CANCELLED):
            turn.words_heard, turn.bytes_heard = out.x, out.y
            by = heard_by(self._plan.lead_ns, out.port, out.invocation)
            turn.heard_basis, turn.heard_error_ms = by
        elif signal == Signal.CANCEL:
            turn.cancel_ns = self._onset_ns if self._onset_ns > turn.opened_ns else self._accepted_ns
        elif signal == Signal.BUDGET_EXHAUSTED:
            turn.budget_exhausted.append((out.t_ns, budget_name(self._plan, out.y)))
        elif signal in (Signal.COMMIT, Signal.ABORT):
            turn.outcome = "commit" if signal == Signal.COMMIT else "abort"
            turn.cause = Cause(out.cause).name.lower() if out.cause else ""
        elif signal == Signal.CLOSE:
            self._close(turn, out)

    def _open(self, out: Out) -> None:
        turn = Turn(
            out.turn,
            origin=self._origin,
            input_end_ns=self._proposed_ns,
            opened_ns=out.t_ns,
            plan_hash=(out.payload or b"").hex(),
        )
        if self.conversation.speech and turn.origin == "speech":
            turn.speech_end_ns = self.conversation.speech[-1].end_ns
        if self._step is not None:
            turn.overhead.add(*self._step)
            self._step = None
        self.conversation.turns.append(turn)
        self._turn = turn

    def _close(self, turn: Turn, out: Out) -> None:
        turn.closed_ns = out.t_ns
        # Two texts without a space between them read as one word, and are spoken as two.
        spoken = max(turn.words_heard, *(item.words for item in turn.played), 0)
        turn.said_words = max(len(turn.words), spoken)
        before = self.conversation.turns[-2].closed_ns if len(self.conversation.turns) > 1 else -1
        finals = [final for final in self.conversation.finals if before < final.t_ns <= out.t_ns]
        # A final belongs to the turn that it was waited for by, also when it came after an interruption's onset.
        turn.asked = " ".join(final.text for final in finals if final.text)
        turn.final_ns = finals[-1].t_ns if finals else -1
        self._turn = None


def _said(run: Run, entry: Input) -> Run:
    """The run of a tool with its answer, if this is it."""
    if run.invocation != entry.invocation:
        return run
    return run._replace(end_ns=entry.now_ns, answer=_text(entry.payload))


def _text(payload: bytes | None) -> str:
    return "" if payload is None else payload.decode("utf-8", "replace")


def read(plan: Plan, entries: Iterable[Entry]) -> Conversation:
    """Everything that `entries` say, read to the end."""
    return Reader(plan).feed(entries)
