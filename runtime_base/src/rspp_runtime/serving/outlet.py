"""What a party is told: the way out of a session, over whatever connection there is at the moment.

Everything has a number. Words (texts, transcripts, signals, flushes) are kept until the party says that it has them;
audio only while nobody is there to hear it. A connection is told nothing before its welcome.
"""

from __future__ import annotations

from typing import Protocol

from rspp_runtime.abi.codes import Op
from rspp_runtime.abi.messages import Output
from rspp_runtime.abi.plan import Node, Plan
from rspp_runtime.audio.downlink import Downlink
from rspp_runtime.audio.format import NATIVE
from rspp_runtime.serving.dialect import Dialect, Hello, Message, Messages, Welcome
from rspp_runtime.serving.lane import OutLane
from rspp_runtime.serving.missed import Missed
from rspp_runtime.serving.playout import Playout
from rspp_runtime.serving.tally import Tally
from rspp_runtime.session.clock import MS_NS, SECOND_NS
from rspp_runtime.session.gateway import SAMPLE_BYTES, SAMPLE_RATE_HZ
from rspp_runtime.session.observer import InvocationEnd

BYTES_PER_SECOND = SAMPLE_BYTES * SAMPLE_RATE_HZ
CODEC_MS = 10  # that an encoder keeps back, at most: silence comes out in its place at the end
_NONE, _OLD, _NEW = range(3)  # `Outlet.tail`


class Socket(Protocol):
    """Where a party's bytes come from and go to."""

    def send(self, message: Message) -> None:
        """Takes a message; never blocks."""
        ...

    def send_bytes(self, message: bytes) -> None:
        """`send`, of a binary message."""
        ...

    def ping(self) -> None:
        """Asks whether the other side is there: whoever is tells `Party.alive`."""
        ...

    def waiting_bytes(self) -> int:
        """That were taken and are not yet with the operating system."""
        ...

    def close(self, code: int, reason: str) -> None: ...


class Outlet(OutLane):
    """See the module; what is usual goes by the lane. `kept_ns`: the audio of so much time is kept for a
    party that is away."""

    __slots__ = (
        "_dialect", "_downlink", "_missed", "_tally", "_voiced", "playout", "socket",
    )  # fmt: skip

    def __init__(self, kept_ns: int, tally: Tally, sequence: int) -> None:
        """`sequence` is the last number given, by whoever held the session."""
        self.socket: Socket | None = None
        self.playout = self.sent = Playout()
        self._dialect: Dialect | None = None
        self._downlink: Downlink | None = None
        self.greeted = False
        self._missed = Missed(kept_ns)
        self.sequence = sequence
        self._tally = self.frames = tally
        self.tail = _NONE  # whether the packet that the last frame began may still be waiting for more
        self._voiced = 0  # the last text that a voice was given, by its runtime sequence

    # ---- connections

    def attach(self, socket: Socket, dialect: Dialect, hello: Hello) -> None:
        """A new connection: nothing is said on it before `welcome`."""
        self.socket, self._dialect, self._downlink = socket, dialect, Downlink(hello.audio_out)
        self.send, self.writer, self.downlink = socket.send_bytes, dialect.writer, self._downlink
        native = hello.audio_out == NATIVE  # passes as it is, and is not filled up
        self.playout.padding_ns = 0 if native else (hello.audio_out.frame_ms + CODEC_MS) * MS_NS
        self.greeted = False

    def detach(self) -> None:
        self.socket, self.greeted, self._downlink = None, False, None
        self.send = self.downlink = None

    def welcome(self, welcome: Welcome, received: int | None, now_ns: int) -> None:
        """Answers hello, and tells what the party has not: words behind `received`, audio whose moment is to come."""
        dialect = self._dialect
        assert dialect is not None
        self.greeted = True
        self.put(dialect.welcome(welcome))
        for sequence, name, args in self._missed.words(received or 0):
            self.put(_written(dialect, name, sequence, args))
        for turn, payload, play_at_ns in self._missed.still_to_play(now_ns):
            self.audio(turn, payload, play_at_ns)

    def received(self, sequence: int) -> None:
        """The party has everything up to this."""
        self._missed.received(sequence)

    def gave_up(self) -> None:
        """Nobody will hear what was said meanwhile."""
        self._missed.forget_audio()

    # ---- what is told

    def word(self, name: str, *args: object) -> None:
        """`text`, `transcript`, `flush` and others of the dialect, by name."""
        dialect = self._dialect
        if dialect is None:
            return
        self.sequence += 1
        if dialect.numbered:
            self._missed.keep(self.sequence, name, args)
        if self.greeted:
            self.put(_written(dialect, name, self.sequence, args))

    def output(self, output: Output, plan: Plan) -> None:
        """What the kernel decides, and whom it asks to work; a text for a voice once, however often it is tried."""
        dialect, op = self._dialect, output.op
        if dialect is None:
            return
        if op == Op.DECISION:
            if output.code in dialect.told:
                self.word("decision", output)
        elif not dialect.watches:
            pass
        elif op == Op.INVOKE:
            self.word("began", output.turn, plan.nodes[output.node], output.invocation)
        elif op == Op.FEED and plan.speech_nodes >> output.node & 1 and output.seq > self._voiced:
            self._voiced = output.seq
            self.word("voiced", output.turn, output.payload.decode("utf-8", "replace"))

    def ended(self, node: Node, end: InvocationEnd) -> None:
        """Somebody has done its work, or not."""
        if self._dialect is not None and self._dialect.watches:
            self.word("ended", node, end)

    def audio(self, turn: int, payload: bytes, play_at_ns: int) -> None:
        """A frame of the session's voice."""
        if not self.greeted:
            self._missed.audio(turn, payload, play_at_ns)
            return
        dialect, socket, downlink = self._dialect, self.socket, self._downlink
        assert dialect is not None
        assert socket is not None
        assert downlink is not None
        self.playout.sent(turn, play_at_ns, len(payload) * SECOND_NS // BYTES_PER_SECOND)
        for packet in downlink.encode(payload):
            self.sequence += 1
            for message in dialect.audio(self.sequence, turn, play_at_ns // MS_NS, packet):
                socket.send(message)
        self.tail = _NEW
        self._tally.frames_out += 1

    def tick(self) -> None:
        """Who has heard no frame since the last tick but one gets the rest of the packet that was begun."""
        if self.tail == _NEW:
            self.tail = _OLD
        elif self.tail == _OLD:
            self.tail = _NONE
            if self._downlink is not None and self.greeted:
                assert self._dialect is not None
                at_ms = self.playout.end_ns // MS_NS
                for packet in self._downlink.rest():
                    self.sequence += 1
                    self.put(self._dialect.audio(self.sequence, self.playout.turn, at_ms, packet))

    def flush(self, turn: int, now_ns: int) -> None:
        """What was told of that turn's audio and not yet played will not be played."""
        if self._downlink is not None:
            self._downlink.flush()
        self.tail = _NONE
        self.playout.flush(now_ns)
        self._missed.flush(turn)
        self.word("flush", turn)

    def put(self, messages: Messages) -> None:
        """Messages without a number."""
        if self.socket is not None:
            for message in messages:
                self.socket.send(message)

    def close(self, code: int, reason: str) -> None:
        if self.socket is not None:
            self.socket.close(code, reason)


def _written(dialect: Dialect, name: str, sequence: int, args: tuple[object, ...]) -> Messages:
    """A word in the dialect that the party speaks now."""
    if name == "transcript":
        text, final = args
        return dialect.transcript(sequence, str(text), final=bool(final))
    made: Messages = getattr(dialect, name)(sequence, *args)
    return made
