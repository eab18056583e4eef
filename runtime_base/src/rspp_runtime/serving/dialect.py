"""What a protocol is: how a remote party says things, and how it is told things. Sans-IO.

A dialect turns a message of its protocol into one of the words below, and what happens in a session into messages. It
knows no session, no socket and no time; `party` does. `rspp1` and `rtvi` are dialects.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from rspp_runtime.abi.codes import Control
from rspp_runtime.abi.messages import Output
from rspp_runtime.abi.plan import Node
from rspp_runtime.audio.format import NATIVE, Format
from rspp_runtime.serving.packed import Writer
from rspp_runtime.session.observer import InvocationEnd

Message = bytes | str
Messages = tuple[Message, ...]

NOTHING: Messages = ()


class DialectError(Exception):
    """A message that is not taken. `close`, if not 0, is the code with which the connection ends."""

    def __init__(self, code: str, reason: str, field: str = "", close: int = 0) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.field = field
        self.close = close


# ---- what a party says


@dataclass(frozen=True, slots=True)
class Hello:
    """The first word: what the party can do and wants."""

    audio_in: Format = NATIVE
    audio_out: Format = NATIVE
    reports: bool = False  # it tells how much of the audio it has played
    echo_cancelled: bool = False
    received: int | None = None  # it comes back, and has what was numbered up to this
    attributes: Mapping[str, str] = field(default_factory=dict)
    client: str = ""
    traceparent: str = ""  # W3C trace context


class Audio(NamedTuple):
    """A packet in the party's format."""

    sequence: int
    sample_index: int | None
    payload: bytes


class Typed(NamedTuple):
    """One utterance as text. `sequence` 0: the protocol does not number."""

    sequence: int
    text: str


class Told(NamedTuple):
    """A control input."""

    sequence: int
    code: Control
    a: int = 0
    b: int = 0


class Key(NamedTuple):
    """A key of a telephone."""

    sequence: int
    key: str


class Delivery(NamedTuple):
    """How much of a turn's audio the party has heard, in ms. `signal` is one of `rspp.wire.DELIVERIES`."""

    sequence: int
    signal: str
    turn: int
    played_ms: int


class Ack(NamedTuple):
    """The party has what was numbered up to this."""

    received: int


class Ping(NamedTuple):
    t: int | None


class Bye(NamedTuple):
    reason: str


class Sounds(NamedTuple):
    """From here on the party's audio is in this format, whatever `Hello` said."""

    format: Format


class Several(NamedTuple):
    """Words of one message, in order; none of them is `Hello` or `Several`."""

    words: tuple[Word, ...]


Word = Hello | Audio | Typed | Told | Key | Delivery | Ack | Ping | Bye | Sounds | Several


# ---- what a party is told


@dataclass(frozen=True, slots=True)
class Welcome:
    """The answer to `Hello`."""

    session_id: str
    pipeline: str
    pipeline_version: str
    template_hash: str
    authority_epoch: int
    tenant: str
    audio_in: Format | None
    audio_out: Format | None
    resumed: bool
    received: int
    lead_ms: int
    ping_ms: int
    resume_token: str
    within_ms: int
    moved: Mapping[str, Any] | None = None  # it came here from another version of the pipeline: what crossed


class Dialect(Protocol):
    """One party's protocol. What it has no word for is `NOTHING`.

    `numbered`: it numbers what is said (`sequence`), so that a party that was cut off can come back. `told`: the
    decisions (`Signal`) that it has words for. `watches`: it has words for `voiced`, `began` and `ended`. `pings`: its
    clients say something now and then, and who does not is gone; others are asked by pings of the socket. `writer`:
    audio is written, and read, as `serving.packed` does it.
    """

    numbered: bool
    told: Container[int]
    watches: bool
    pings: bool
    writer: Writer | None

    def receive(self, message: Message) -> Word | None:
        """None: taken, and nothing to do. Raises `DialectError`."""
        ...

    def welcome(self, welcome: Welcome) -> Messages: ...

    def audio(self, sequence: int, turn: int, pts_ms: int, packet: bytes) -> Messages: ...

    def text(self, sequence: int, turn: int, text: str) -> Messages:
        """A piece of what the assistant says."""
        ...

    def transcript(self, sequence: int, text: str, *, final: bool) -> Messages:
        """What the user is heard to say."""
        ...

    def decision(self, sequence: int, output: Output) -> Messages:
        """A decision of the kernel (`Op.DECISION`) that is one of `told`."""
        ...

    def voiced(self, sequence: int, turn: int, text: str) -> Messages:
        """A piece of text is given to a voice: heard, once the turn's playback gets there."""
        ...

    def began(self, sequence: int, turn: int, node: Node, invocation: int) -> Messages:
        """A provider, or a tool, is at work."""
        ...

    def ended(self, sequence: int, node: Node, end: InvocationEnd) -> Messages: ...

    def flush(self, sequence: int, turn: int) -> Messages: ...

    def ack(self, received: int) -> Messages: ...

    def token(self, sequence: int, token: str, within_ms: int) -> Messages: ...

    def pong(self, t: int | None) -> Messages: ...

    def error(self, error: DialectError) -> Messages: ...

    def goodbye(self, code: int, reason: str, resume_token: str, within_ms: int, after_ms: int) -> Messages: ...
