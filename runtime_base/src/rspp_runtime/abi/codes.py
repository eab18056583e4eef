"""Numbers with names. The numbers are part of the ABI and of every log: names may be added, never renumbered."""

from __future__ import annotations

import enum
import hashlib


class Result(enum.IntEnum):
    """What `ingest` answered."""

    ACCEPTED = 0
    FULL = 1  # not taken: the producer keeps it and offers it again after `Op.RESUME`
    REFUSED = 2  # not taken and never will be: late, stale, malformed; the reason is in a decision


class In(enum.IntEnum):
    """Kinds of input."""

    MEDIA = (
        1  # an item from a party: node = ingress, port = its output port; invocation = its idempotency key, 0 for none
    )
    CHUNK = 2  # an item or event produced by an invocation: node, port = output port, invocation
    DONE = 3  # an invocation ended: a = outcome class (`Outcome`), b = 1 if retryable
    CREDIT = 4  # an invocation took `a` fed items, and has room for as many more
    CONTROL = 5  # from transport, control plane, API or evidence: port = `Control`
    USAGE = 6  # an invocation is about to use `a` of port = `Unit`: before it takes an item, before it gives one


class Control(enum.IntEnum):
    """Control input (`In.CONTROL`), by `Inbound.port`."""

    CONNECTED = 1  # a = `Basis` of what it will tell of playback, b = ns between two reports, 0 if unknown
    DISCONNECTED = 2  # the transport is gone or stalled: a turn in progress aborts
    ENDED = 3  # hang-up: as DISCONNECTED, and the session ends
    CANCEL_TURN = 4
    CANCEL_SESSION = 5
    CANCEL_NODE = 6  # a = node id
    END_UTTERANCE = 7  # push-to-talk release, API
    LEASE_ROTATED = 8  # a = the new authority epoch, higher than the present one
    LEASE_REVOKED = 9
    SNAPSHOT = 10  # a = 0 fresh, 1 stale, 2 missing, 3 incompatible
    BINDING = 11  # a = node id, b = 1 available, 0 not: the plan of a turn cannot be frozen without it
    EVIDENCE_APPENDED = 12  # a = turn
    EVIDENCE_FAILED = 13  # a = turn
    PLAYED = 14  # the party has played what was sent of turn a, up to b ns of media time
    ATTRIBUTE = 30  # what is known of the session: a = `Attribute`, b = `text_id` of its value, 0 if it has none
    BUTTON_DOWN = 40  # `ingress.button_down`: push to talk
    BUTTON_UP = 41
    DTMF = 42  # a = the key, as a character code
    HANDOFF = 90  # another process goes on: a = its authority epoch, b = 1 if it does not know what was said
    SEEN = 50  # a = the idempotency key of an item that an earlier holder of the session has taken
    LEAVE = 91  # the session is being left: tell what is known, for a holder that cannot execute its log
    RECALL = 92  # of an earlier holder, before CONNECTED: a = role, payload = a message of the conversation
    GO_ON_FROM = 93  # likewise: a = its last turn, b = its last runtime sequence, invocation = its last invocation


class Basis(enum.IntEnum):
    """By what it is known how far the party has played (CONTRACTS §9)."""

    PACED = 0  # nobody says: by time, as it was sent
    ACKED = 1  # the client reports it
    MARKED = 2  # marks that were sent behind it come back from the transport


class Unit(enum.IntEnum):
    """What a cap counts; `In.USAGE` stamps the first four, in `Inbound.port`."""

    AUDIO_NS = 1  # audio that a listener takes, or that a voice says
    CHARS = 2  # characters of the text that is taken
    TOKENS_IN = 3
    TOKENS_OUT = 4
    CALLS = 5
    SESSION_AUDIO_NS = 6  # audio, of the whole session
    COST = 7  # of one block of providers
    TURN_COST = 8  # of everything


class Attribute(enum.IntEnum):
    """What conditions may ask of a session; `Control.ATTRIBUTE` sets them."""

    ID = 0
    TENANT = 1
    LANGUAGE = 2
    REGION = 3
    TIER = 4
    NAME = 5
    CHANNEL = 6
    CALLER = 7


def text_id(text: str) -> int:
    """The number that stands for a text wherever a kernel compares: 62 bits of its SHA-256; 0 for no text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 2 if text else 0


class Op(enum.IntEnum):
    """Kinds of output, in three lanes: control (below 20), data (below 40), telemetry."""

    DECISION = 1  # code = `Signal`, cause = `Cause`, x, y = see `Signal`
    CANCEL = 2  # stop invocation of node within the grace: x = deadline ns
    FORCE = 3  # the grace is over: end the invocation's task
    FLUSH = 4  # transport: forget everything of `turn` that was sent and not yet played
    APPEND = 5  # evidence: make the baseline record of `turn` durable, answer EVIDENCE_APPENDED or _FAILED
    RESUME = 6  # the producer of node that was told FULL may offer again

    INVOKE = 20  # start an invocation of node: x = which of its providers, y = attempts made before
    CONTEXT = 21  # one message of the conversation, oldest first: x = role (0 user, 1 assistant, 2 tool);
    # invocation 0: for whoever goes on with the session (`Control.LEAVE`)
    FEED = 22  # one item for the invocation: port = input port of node
    FINISH = 23  # the invocation gets no more input
    SEND = 24  # one item for the transport: port = input port of egress; x = media ns at which it plays

    TAP = 40  # an item for whoever watches node
    METRIC = 41  # code = edge id, x = items waiting at most, y = items shed, at the end of `turn`
    DEAD_LETTER = 42  # for whoever watches node: an item that node `code` was given (on port) and failed with (cause)


class Signal(enum.IntEnum):
    """Decisions of the kernel, by the names of CONTRACTS §3 and §4. `EMITTER` says who signs each."""

    TURN_OPEN_PROPOSED = 1  # x = origin (`Origin`), y = the turn that it apologises for, 0 for none
    TURN_OPEN = 2  # payload = 32 bytes of plan hash; x, y = first and last runtime sequence that it answers
    COMMIT = 3
    ABORT = 4  # cause
    CLOSE = 5
    BARGE_IN = 6
    CANCEL = 7  # x = `Scope`, y = node for scope node, port = `CancelMode`; cause: who wanted it
    BUDGET_WARNING = 8  # y = node, -1 for the turn, -4 - p for path p
    BUDGET_EXHAUSTED = 9  # y = node, -1 turn, -2 its total, -3 its cost, -4 - p path p; x = cap's `Unit`, 0 for time
    DEGRADE = 10  # x = mode
    FALLBACK = 11  # x = reaction
    DROP_NOTICE = 12  # node = edge id; x, y = first and last runtime sequence dropped; invocation: see COALESCED
    PROVIDER_ERROR = 13  # node, port = its provider, invocation; x = outcome class, y = what follows (`Follow`)
    LEASE_ROTATED = 14  # x = epoch
    REJECT = (
        15  # DUPLICATE: x = transport sequence, y = runtime sequence of the item that was taken, 0 before this holder
    )
    DEFER = 16
    STALE_EPOCH_REJECT = 17  # x = the epoch that was offered
    DEAUTHORIZED_DRAIN = 18
    CONNECTED = 19
    DISCONNECTED = 20
    ENDED = 21
    OUTPUT_ACCEPTED = 22  # the first output of the turn that passed the fence
    PLAYBACK_STARTED = 23  # port = `Basis`, invocation = bound of its error in ms, of a reported one; cause
    PLAYBACK_COMPLETED = 24  # likewise, and x = words heard, y = bytes of the turn's text heard
    PLAYBACK_CANCELLED = 25  # as PLAYBACK_COMPLETED
    LATE_AFTER_CANCEL = 26  # an output refused: node, port, invocation; x = bytes; y = 0 at the door, 1 at the fence
    FLOW_XOFF = 27  # node = edge id
    FLOW_XON = 28  # node = edge id
    HEARD = 29  # speech of an utterance began: x = its first runtime sequence (recorded, not a contract signal)
    WATERMARK = 40  # node = edge id; x = 1 at the high mark, 0 at the low; y = items waiting
    PROVIDER_SWITCH = 41  # node, invocation that failed (0: none began); x, y = provider left, provider tried next
    CIRCUIT_EVENT = 42  # node, invocation; x = provider, y = `CircuitState`
    ENTERED = 55  # x = the mode of the turns to come (recorded, not a contract signal)
    SELECTED = 50  # node; x = edge id, y = what was compared (recorded, not a contract signal)
    PLAYBACK_PAUSED = 60  # as PLAYBACK_COMPLETED (recorded, not a contract signal: a pause is egress's own)
    PLAYBACK_RESUMED = 61  # likewise
    CANCEL_PENDING = 62  # a soft cancel: node, or -1 for the turn; x = ns by which it is accepted (recorded only)
    REPORT_REFUSED = 63  # x = turn, y = ns of media time that it claims; cause (recorded, not a contract signal)
    DISCONTINUITY = 70  # node = edge id; x = number of the discontinuity in the session
    MIGRATION_START = 90  # x = the epoch of the holder before
    SESSION_HANDOFF = 91  # x = epoch of the new holder, y = serial of the last turn
    MIGRATION_FINISH = 92  # x = epoch
    LEFT = 93  # x = the last turn, y = the last invocation (recorded, not a contract signal)
    CREDIT_GRANT = 71  # node = edge id; x = items that its producer may offer more


class Cause(enum.IntEnum):
    """Reasons, by the words that appear as `reason`."""

    NONE = 0
    CANCELLED = 1
    AUTHORITY_LOSS = 2
    RECORDING_EVIDENCE_UNAVAILABLE = 3
    NODE_TIMEOUT_OR_FAILURE = 4
    PROVIDER_FAILURE = 5
    TRANSPORT_DISCONNECT_OR_STALL = 6
    BUDGET_EXHAUSTED = 7
    AUTHORITY_EPOCH_MISMATCH = 8
    SNAPSHOT_STALE = 9
    SNAPSHOT_MISSING = 10
    SNAPSHOT_INCOMPATIBLE = 11
    PLAN_NOT_FREEZABLE = 12
    TURN_ACTIVE = 13
    SESSION_NOT_RUNNING = 14
    QUEUE_PRESSURE = 15
    QUEUE_AGE = 16
    SUPERSEDED = 17  # latest_only replaced it
    BLOCK_EXPIRED = 18
    CANCEL_FLUSH = 19
    NODE_TIMEOUT = 20
    NODE_ERROR = 21
    BARGE_IN = 22
    USER = 23
    OVERSIZED = 24
    UNKNOWN_PORT = 25
    NO_INVOCATION = 26
    MODE_OFF = 27
    COALESCED = 40  # they live on in another item: invocation = its sequence
    SAMPLED = 41
    DUPLICATE = 60  # its idempotency key was taken before
    CIRCUIT_OPEN = 42  # a provider is left alone
    PROBE_DUE = 43  # it was left alone long enough, and is tried once
    PROBE_ANSWERED = 44
    NOT_SELECTED = 50  # another flow was chosen
    SYNC_LOSS = 70  # what belongs to it was lost on another edge of its sync domain
    TOO_MANY_CALLS = 80  # of tools, by one model in one turn
    STALE_REPORT = 90  # of a turn that is not being played, or behind what was reported before
    IMPOSSIBLE_REPORT = 91  # of more than was sent, or from a party that was not going to report
    NOT_REPORTED = 92  # it is past its deadline, and the party has not reported it
    CALLER_GONE = 81  # the model's invocation that called, or waited for the answer, is not there any more


class Follow(enum.IntEnum):
    """What follows the failure of an attempt (OR-02 calls it the retry decision; a fallback shows as `FALLBACK`)."""

    NONE = 0
    RETRY = 1
    PROVIDER_SWITCH = 2


class CircuitState(enum.IntEnum):
    """States of a provider's circuit breaker."""

    CLOSED = 0
    OPEN = 1
    HALF_OPEN = 2


class Scope(enum.IntEnum):
    """Scopes of a cancel."""

    SESSION = 0
    TURN = 1
    NODE = 2
    PROVIDER_INVOCATION = 3


class CancelMode(enum.IntEnum):
    """How a cancel was accepted: at once, or when who was at work had ended its segment."""

    HARD = 0
    SOFT = 1


class Origin(enum.IntEnum):
    """Who proposed a turn."""

    SPEECH = 0
    TEXT = 1
    DTMF = 2
    GREETING = 3
    TIMER = 4
    TOOL_RESULT = 5
    API = 6


class Turn(enum.IntEnum):
    """States of a turn (CONTRACTS §5)."""

    IDLE = 0
    OPENING = 1
    ACTIVE = 2
    TERMINAL = 3
    CLOSED = 4


class SessionState(enum.IntEnum):
    """States of a session (CONTRACTS §5)."""

    CREATED = 0
    CONNECTED = 1
    RUNNING = 2
    DEGRADED = 3
    DRAINING = 4
    ENDED = 5


class Flag(enum.IntFlag):
    """Bits of `Inbound.flags` and `Item.flags`."""

    FINAL = 1  # a text that will not be revised
    DISCONTINUITY = 2  # something is missing before it: the first item after a gap in its sync domain
    FAILED = 4  # an answer of a tool that is an error; made by the kernel: 256 x `Outcome`, and no payload


LABEL_SHIFT, LABEL_MAX = 32, 0xFFFF
"""Bits 32 to 47 of an item's flags: the number that the last `label` on its way gave it, 0 for none."""


def label_of(flags: int) -> int:
    """The label of an item with these flags."""
    return flags >> LABEL_SHIFT & LABEL_MAX


def labelled(flags: int, label: int) -> int:
    """The flags with this label."""
    return flags & ~(LABEL_MAX << LABEL_SHIFT) | label << LABEL_SHIFT


EMITTER: dict[Signal, str] = {
    Signal.TURN_OPEN_PROPOSED: "RK-02",
    Signal.TURN_OPEN: "RK-03",
    Signal.COMMIT: "RK-03",
    Signal.ABORT: "RK-03",
    Signal.CLOSE: "RK-03",
    Signal.BARGE_IN: "RK-06",
    Signal.CANCEL: "RK-16",
    Signal.BUDGET_WARNING: "RK-17",
    Signal.BUDGET_EXHAUSTED: "RK-17",
    Signal.DEGRADE: "RK-17",
    Signal.FALLBACK: "RK-17",
    Signal.DROP_NOTICE: "RK-12",
    Signal.PROVIDER_ERROR: "RK-11",
    Signal.LEASE_ROTATED: "CP-07",
    Signal.REJECT: "RK-25",
    Signal.DEFER: "RK-25",
    Signal.STALE_EPOCH_REJECT: "RK-24",
    Signal.DEAUTHORIZED_DRAIN: "RK-24",
    Signal.CONNECTED: "RK-23",
    Signal.DISCONNECTED: "RK-23",
    Signal.ENDED: "RK-23",
    Signal.OUTPUT_ACCEPTED: "RK-22",
    Signal.PLAYBACK_STARTED: "RK-22",
    Signal.PLAYBACK_COMPLETED: "RK-22",
    Signal.PLAYBACK_CANCELLED: "RK-22",
    Signal.LATE_AFTER_CANCEL: "RK-22",
    Signal.FLOW_XOFF: "RK-14",
    Signal.FLOW_XON: "RK-14",
    Signal.HEARD: "RK-02",
    Signal.WATERMARK: "RK-13",
    Signal.PROVIDER_SWITCH: "RK-11",
    Signal.CIRCUIT_EVENT: "RK-11",
    Signal.SELECTED: "RK-12",
    Signal.PLAYBACK_PAUSED: "RK-22",
    Signal.PLAYBACK_RESUMED: "RK-22",
    Signal.REPORT_REFUSED: "RK-23",
    Signal.CANCEL_PENDING: "RK-16",
    Signal.ENTERED: "RK-17",
    Signal.DISCONTINUITY: "RK-15",
    Signal.CREDIT_GRANT: "RK-14",
    Signal.MIGRATION_START: "CP-08",
    Signal.SESSION_HANDOFF: "CP-08",
    Signal.MIGRATION_FINISH: "CP-08",
    Signal.LEFT: "CP-08",
}
"""Module code that signs each decision (CONTRACTS §3); playback that was reported is RK-23's (`emitter`)."""

PLAYBACK = frozenset({Signal.PLAYBACK_STARTED, Signal.PLAYBACK_COMPLETED, Signal.PLAYBACK_CANCELLED})
"""Decisions of the contract that say what was heard."""


def emitter(signal: Signal, port: int, cause: int) -> str:
    """Who signs a decision: of playback that its party has reported, the connection instead of egress."""
    is_reported = signal in PLAYBACK and port != Basis.PACED and cause != Cause.NOT_REPORTED
    return "RK-23" if is_reported else EMITTER[signal]


RECORDED_ONLY = frozenset(
    {
        Signal.HEARD,
        Signal.SELECTED,
        Signal.PLAYBACK_PAUSED,
        Signal.PLAYBACK_RESUMED,
        Signal.REPORT_REFUSED,
        Signal.CANCEL_PENDING,
        Signal.ENTERED,
        Signal.LEFT,
    }
)
"""Decisions that a replay compares, and that are no signals of CONTRACTS §3."""
