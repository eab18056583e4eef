"""One remote party: the transport of a session, over whatever connection the party has at the moment.

    socket ─▶ message() ─▶ dialect ─▶ _HEAR ─▶ ears.hand_in, ears.tell
    kernel ─▶ send(), flush(), on_step() ─▶ outlet ─▶ dialect ─▶ socket

Nothing here waits and nothing queues: what comes in is handed in or refused, what goes out is written to the socket,
whose backlog is bounded by a stall. While a party is reconnecting, what it would have heard is kept for as long as that
may take. `tick` is called for all parties by one timer of the hub.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rspp.wire import Close
from rspp_runtime.abi.codes import Basis, Control, In, Op, Result, Signal
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.abi.plan import Plan
from rspp_runtime.audio.format import AudioError, RateLie
from rspp_runtime.audio.profile import STREAM
from rspp_runtime.audio.uplink import Uplink
from rspp_runtime.serving.connection import Connection, Event, Patience, State
from rspp_runtime.serving.dialect import (
    Ack,
    Audio,
    Bye,
    Delivery,
    Dialect,
    DialectError,
    Hello,
    Key,
    Message,
    Ping,
    Several,
    Sounds,
    Told,
    Typed,
    Welcome,
)
from rspp_runtime.serving.outlet import Outlet, Socket
from rspp_runtime.serving.tally import Tally
from rspp_runtime.session.clock import MS_NS, SECOND_NS
from rspp_runtime.session.gateway import InputError
from rspp_runtime.session.observer import InvocationEnd, Observer
from rspp_runtime.transports.contract import Ears, HandedOver

log = logging.getLogger(__name__)

ACK_EVERY_NS = SECOND_NS
REPORT_NS = 200 * MS_NS  # at least so often a client reports what it has played


@dataclass(frozen=True, slots=True)
class Manners:
    """What a party may do, and for how long it is waited for."""

    patience: Patience = Patience()
    messages_per_second: int = 200
    messages_burst: int = 400
    stall_bytes: int = 256 * 1024
    ping_ms: int = 20_000


Greet = Callable[["Party", Hello], Welcome]
"""Makes the welcome of a connection."""


class Party(Observer):
    """See the module. `tally` counts for the whole process.

    A session that another process has left: `sequence` is the last number that the party has of it. What the party says
    again is then known by its key, in the log.
    """

    INPUTS = (In.CHUNK,)
    QUIET_STEPS = False
    EVERY_CALL = False

    def __init__(
        self,
        plan: Plan,
        session_id: str,
        greet: Greet,
        tally: Tally,
        now_ns: int,
        manners: Manners,
        sequence: int = 0,
    ) -> None:
        self.session_id = session_id
        self._plan = plan
        self.connection = Connection(manners.patience, now_ns)
        self.received = self._acked = 0  # the highest number of the party that was taken, and was told it
        self._acked_ns = self._pinged_ns = 0
        self._out = Outlet(manners.patience.reconnect_ns, tally, sequence)
        self._dialect: Dialect | None = None
        self._hello = Hello()
        self._greet = greet
        self._tally = tally
        self._manners = manners
        self._ears: Ears | None = None  # while the session runs
        self._over: asyncio.Future[bool] | None = None  # True: hand over
        self._draining = False
        self._uplink: Uplink | None = None
        self._packets = 0  # of audio that came over this connection
        self._base_ns = -1  # session time of its first sample
        self._credit, self._credit_ns = float(manners.messages_burst), now_ns
        ingress = plan.nodes[plan.ingress].outputs if plan.ingress >= 0 else ()
        egress = plan.nodes[plan.egress].inputs if plan.egress >= 0 else ()
        self._ports = {port.name: port.type for port in egress}
        self.hears = any(port.name == "audio" for port in ingress)
        self.speaks = "audio" in self._ports.values()
        self._recognised = {  # by node and port: whether it is final
            (node.id, index): port.name == "final"
            for node in plan.nodes
            if node.kind == "stt"
            for index, port in enumerate(node.outputs)
            if port.name in ("partial", "final")
        }

    # ---- the connection's side

    def attach(self, socket: Socket, dialect: Dialect, hello: Hello, now_ns: int) -> None:
        """The party has said hello over this socket; one that it had before is closed."""
        self._out.close(Close.TOKEN, "this session was resumed by another connection")
        anew = self.connection.attached(now_ns)
        self._dialect, self._hello = dialect, hello
        self._uplink = Uplink(hello.audio_in, STREAM) if self.hears else None
        self._base_ns, self._packets = -1, 0
        self._out.attach(socket, dialect, hello)
        if self._ears is not None:
            if anew:
                self._ears.tell(Control.CONNECTED, *self._basis())
            self._welcome(self._ears)

    def detach(self, socket: Socket) -> None:
        """That socket is gone."""
        if socket is not self._out.socket:
            return
        self._out.detach()
        if self._dialect is not None and self._dialect.numbered and self._ears is not None:
            self.connection.detached(self._ears.clock.now_ns())
        else:
            self.hang_up()

    def message(self, message: Message) -> None:
        """A message of the party, after its hello."""
        ears, dialect = self._ears, self._dialect
        if ears is None or dialect is None:
            self._tally.early += 1
            return
        now_ns = ears.clock.now_ns()
        if not self._may_speak(now_ns):
            return
        try:
            word = dialect.receive(message)
            if word.__class__ is Audio:
                self._hear_audio(word, ears, now_ns)  # type: ignore[arg-type]
            elif word is not None:
                self.connection.message(now_ns)
                _HEAR[type(word)](self, word, ears)
        except DialectError as error:
            self.refuse(error)

    def refuse(self, error: DialectError) -> None:
        """Tells the party that a message was not taken; some end its connection."""
        self._tally.refused[error.code] += 1
        if self._dialect is not None:
            self._out.put(self._dialect.error(error))
        if error.close:
            self._out.close(error.close, str(error))

    # ---- the hub's side

    @property
    def epoch(self) -> int:
        """The authority epoch of who holds the session; 0 while nobody does."""
        return self._ears.epoch if self._ears is not None else 0

    def alive(self) -> None:
        """The other side has answered a ping."""
        if self._ears is not None:
            self.connection.message(self._ears.clock.now_ns())

    def hang_up(self) -> None:
        """The party is gone for good."""
        self.connection.hung_up()
        self._end(handed_over=False)

    def finish(self) -> None:
        """It has lasted long enough: it ends when no turn is open."""
        if self._ears is None or not self._ears.activity.busy:
            self._end(handed_over=False)

    def drain(self) -> None:
        """The process is to stop: the session is left when no turn is open."""
        self._draining = True
        self._leave_if_quiet()

    def cut(self) -> None:
        """The grace is over: a turn that is open ends now."""
        self._draining = True
        if self._ears is not None:
            self._ears.tell(Control.DISCONNECTED)
        self._end(handed_over=True)

    def tick(self, now_ns: int) -> None:
        """What is due by the passing of session time."""
        ears = self._ears
        if ears is None:
            return
        connection, socket = self.connection, self._out.socket
        if socket is not None:
            connection.writing(socket.waiting_bytes() > self._manners.stall_bytes, now_ns)
            if connection.idle(now_ns):
                self._tally.connections["idle"] += 1
                socket.close(Close.TIMEOUT, "nothing was said for too long: clients send `ping`")
            elif self.received > self._acked and now_ns - self._acked_ns >= ACK_EVERY_NS:
                self._ack(now_ns)
            elif self._dialect is not None and not self._dialect.pings:
                self._ask_whether_alive(socket, now_ns)
            if self._uplink is not None and self._uplink.due_ns() >= 0:
                self._hand_in(self._uplink.poll(now_ns), ears)
        while (event := connection.poll(now_ns)) is not None:
            self._happened(event, ears)
        if self._draining:
            self._leave_if_quiet()

    def over(self, how: str) -> None:
        """The session is over, its evidence is written: the party is told. `how` is ended, handed_over, or a failure."""
        self.connection.hung_up()
        if self._dialect is None or self._out.socket is None:
            return
        token, within_ms, after_ms = "", 0, 0
        if how == "handed_over":
            welcome = self._greet(self, self._hello)
            code, reason = Close.DRAINING, "this server stops: another one goes on"
            token, within_ms, after_ms = welcome.resume_token, welcome.within_ms, 100
        elif how == "ended":
            code, reason = Close.DONE, "the session has ended"
        else:
            code, reason = Close.SERVER, f"the session failed: {self.session_id}"
        self._out.put(self._dialect.goodbye(code, reason, token, within_ms, after_ms))
        self._out.close(code, reason)
        self._out.detach()

    # ---- the session's side: a transport

    async def run(self, ears: Ears) -> None:
        """Until the party has hung up or stays away. Raises `HandedOver`."""
        self._ears = ears
        self._over = asyncio.get_running_loop().create_future()
        await ears.control(Control.CONNECTED, *self._basis())
        if self._out.socket is not None:
            self._welcome(ears)
        if self.connection.state is State.ENDED:
            self._end(handed_over=False)
        if await self._over:
            raise HandedOver
        await ears.control(Control.ENDED)

    def send(self, port: str, turn: int, payload: bytes, play_at_ns: int) -> None:
        kind = self._ports.get(port)
        if kind == "audio":
            self._out.audio(turn, payload, play_at_ns)
        elif kind == "text":
            self._out.word("text", turn, payload.decode("utf-8", "replace"))

    def flush(self, turn: int, now_ns: int) -> None:
        self._out.flush(turn)

    async def close(self) -> None:
        self._ears = None

    # ---- an observer: what a party is told beside its audio and text

    def on_input(self, event: Inbound, now_ns: int, result: int) -> None:
        final = self._recognised.get((event.node, event.port))
        if final is not None and result == Result.ACCEPTED:
            self._out.word("transcript", event.payload.decode("utf-8", "replace"), final)

    def on_step(self, now_ns: int, deadline_ns: int, drained_ns: int, outputs: Sequence[Output]) -> None:
        for output in outputs:
            self._out.output(output, self._plan)
            if self._draining and output.op == Op.DECISION and output.code == Signal.CLOSE:
                asyncio.get_running_loop().call_soon(self._leave_if_quiet)

    def on_invocation(self, end: InvocationEnd) -> None:
        self._out.ended(self._plan.nodes[end.node], end)

    # ---- inside

    def _basis(self) -> tuple[int, int]:
        """How the session learns what of its audio was played (decision 0048)."""
        return (Basis.ACKED, REPORT_NS) if self._hello.reports else (Basis.PACED, 0)

    def _welcome(self, ears: Ears) -> None:
        self._out.welcome(self._greet(self, self._hello), self._hello.received, ears.clock.now_ns())

    def _happened(self, event: Event, ears: Ears) -> None:
        self._tally.connections[event.value] += 1
        log.info("%s", event.value, extra={"session_id": self.session_id})
        if event is Event.DISCONNECTED:
            ears.tell(Control.DISCONNECTED)
            self._out.gave_up()
        elif event is Event.ENDED:
            self._end(handed_over=False)
        elif event is Event.STALL:
            self._out.close(Close.TIMEOUT, "what was sent is not read")

    def _hear_audio(self, word: Audio, ears: Ears, now_ns: int) -> None:
        uplink = self._uplink
        if uplink is None:
            raise DialectError("no_audio", "this pipeline takes no audio: send `text`", "type")
        self.connection.heard(now_ns)
        self._packets += 1  # nothing is lost on the way: a gap is a jump of `sample_index`
        try:
            frames = uplink.push(word.payload, self._packets, word.sample_index, now_ns)
        except RateLie as lie:
            raise DialectError("rate", str(lie), "payload", Close.AUDIO) from None
        except AudioError as error:
            raise DialectError("schema_validation_error", str(error), "payload") from None
        if word.sequence > self.received:
            self.received = word.sequence
        self._hand_in(frames, ears)

    def _hand_in(self, frames: Sequence[tuple[int, bytes]], ears: Ears) -> None:
        for media_ns, frame in frames:
            if self._base_ns < 0:
                self._base_ns = ears.clock.now_ns() - media_ns
            if ears.hand_in("audio", frame, self._base_ns + media_ns) != Result.ACCEPTED:
                self._tally.frames_refused += 1
        self._tally.frames_in += len(frames)

    def _new(self, sequence: int) -> bool:
        """Whether a numbered word was not taken before."""
        if sequence and sequence <= self.received:
            self._tally.duplicates += 1
            return False
        return True

    def _took(self, sequence: int, result: int) -> None:
        """A word that found no room is said to be so, and may be said again."""
        if result == Result.FULL:
            raise DialectError("queue_pressure", "no room for it now: send it again, with a new number")
        self.received = max(self.received, sequence)

    def _item(self, port: str, payload: bytes, sequence: int, ears: Ears) -> None:
        """An item that is taken once, however often it is said: here by its number, elsewhere by its key."""
        if not self._new(sequence):
            return
        key = f"{port}/{sequence}" if sequence else ""
        try:
            result = ears.hand_in(port, payload, ears.clock.now_ns(), key=key)
        except InputError as error:
            raise DialectError("schema_validation_error", str(error), port) from None
        self._took(sequence, result)

    def _hear_text(self, word: Typed, ears: Ears) -> None:
        self._item("text", word.text.encode("utf-8", "replace"), word.sequence, ears)

    def _hear_key(self, word: Key, ears: Ears) -> None:
        self._item("dtmf", word.key.encode(), word.sequence, ears)

    def _hear_told(self, word: Told, ears: Ears) -> None:
        if self._new(word.sequence):
            self._took(word.sequence, ears.tell(word.code, word.a, word.b))

    def _hear_delivery(self, word: Delivery, ears: Ears) -> None:
        if self._new(word.sequence):
            self._tally.deliveries += 1
            playout = self._out.playout
            media_ns = playout.media_ns(word.played_ms * MS_NS) if word.turn == playout.turn else 0
            self._took(word.sequence, ears.tell(Control.PLAYED, word.turn, media_ns))

    def _hear_ack(self, word: Ack, ears: Ears) -> None:
        self._out.received(word.received)

    def _hear_ping(self, word: Ping, ears: Ears) -> None:
        assert self._dialect is not None
        self._out.put(self._dialect.pong(word.t))

    def _hear_sounds(self, word: Sounds, ears: Ears) -> None:
        if self.hears:
            self._uplink = Uplink(word.format, STREAM)
            self._base_ns, self._packets = -1, 0

    def _hear_several(self, word: Several, ears: Ears) -> None:
        for one in word.words:
            if isinstance(one, Audio):
                self._hear_audio(one, ears, ears.clock.now_ns())
            else:
                _HEAR[type(one)](self, one, ears)

    def _ask_whether_alive(self, socket: Socket, now_ns: int) -> None:
        pause_ns = self._manners.ping_ms * MS_NS
        if self.connection.quiet_ns(now_ns) >= pause_ns and now_ns - self._pinged_ns >= pause_ns:
            self._pinged_ns = now_ns
            socket.ping()

    def _hear_bye(self, word: Bye, ears: Ears) -> None:
        self.hang_up()

    def _may_speak(self, now_ns: int) -> bool:
        """So many messages a second, and not more."""
        self._credit -= 1
        if self._credit < 0:
            manners = self._manners
            earned = (now_ns - self._credit_ns) * manners.messages_per_second / SECOND_NS
            self._credit = min(self._credit + earned, manners.messages_burst)
            self._credit_ns = now_ns
            if self._credit < -1:
                self.refuse(DialectError("rate", "too many messages", close=Close.RATE))
                return False
        return True

    def _ack(self, now_ns: int) -> None:
        assert self._dialect is not None
        self._acked, self._acked_ns = self.received, now_ns
        self._out.put(self._dialect.ack(self.received))

    def _leave_if_quiet(self) -> None:
        if self._ears is None or not self._ears.activity.busy:
            self._end(handed_over=True)

    def _end(self, *, handed_over: bool) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_result(handed_over)


_HEAR: dict[type, Callable[..., None]] = {
    Typed: Party._hear_text, Told: Party._hear_told, Key: Party._hear_key, Delivery: Party._hear_delivery,
    Ack: Party._hear_ack, Ping: Party._hear_ping, Bye: Party._hear_bye,
    Sounds: Party._hear_sounds, Several: Party._hear_several,
}  # fmt: skip
