"""One remote party: the transport of a session, over whatever connection the party has at the moment.

    socket ─▶ message() ─▶ dialect ─▶ inlet ─▶ ears.hand_in, ears.tell
    kernel ─▶ send(), flush(), on_step() ─▶ outlet ─▶ dialect ─▶ socket

Nothing here waits and nothing queues: what comes in is handed in or refused, what goes out is written to the socket,
whose backlog is bounded by a stall. While a party is reconnecting, what it would have heard is kept for as long as that
may take. `tick` is called for all parties by one timer of the hub.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rspp.wire import RESUMABLE, Close
from rspp_runtime.abi.codes import Basis, Control, In, Op, Result, Signal
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.abi.plan import Plan
from rspp_runtime.serving.connection import Connection, Event, Patience, State
from rspp_runtime.serving.dialect import (
    Ack,
    Audio,
    Bye,
    Dialect,
    DialectError,
    Hello,
    Message,
    Ping,
    Several,
    Welcome,
    Word,
)
from rspp_runtime.serving.inlet import Inlet
from rspp_runtime.serving.lane import Lanes
from rspp_runtime.serving.outlet import Outlet, Socket
from rspp_runtime.serving.tally import Tally
from rspp_runtime.session.clock import MS_NS, SECOND_NS, Clock
from rspp_runtime.session.monotonic import Watch
from rspp_runtime.session.observer import InvocationEnd, Observer
from rspp_runtime.transports.contract import Ears, HandedOver

log = logging.getLogger(__name__)
_DECISION = int(Op.DECISION)

ACK_EVERY_NS = SECOND_NS
REPORT_NS = 200 * MS_NS  # at least so often a client reports what it has played
COME_BACK_MS = 100  # after which a client that is told to resume elsewhere does


@dataclass(frozen=True, slots=True)
class Manners:
    """What a party may do, and for how long it is waited for."""

    patience: Patience = field(default_factory=Patience)
    messages_per_second: int = 200
    messages_burst: int = 400
    stall_bytes: int = 256 * 1024
    ping_ms: int = 20_000


Greet = Callable[["Party", Hello], Welcome]
"""Makes the welcome of a connection."""


class Party(Lanes, Observer):
    """See the module; frames that are usual go by their lanes. `tally` counts for the whole process; `clock` is the
    party's own, and not that of its session, which may have begun in another process.

    A session that another process has left: `sequence` is the last number that the party has of it. What the party says
    again is then known by its key, in the log. `can_be_left`: another process can go on with it when this one stops.
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
        clock: Clock,
        manners: Manners,
        *,
        sequence: int = 0,
        can_be_left: bool = False,
    ) -> None:
        now_ns = clock.now_ns()
        self.session_id = session_id
        self.connection = Connection(manners.patience, now_ns)
        self._plan = plan
        self._clock = clock
        egress = plan.nodes[plan.egress].inputs if plan.egress >= 0 else ()
        out = Outlet(manners.patience.reconnect_ns, tally, sequence)
        super().__init__(Inlet(plan, tally, out.playout), out, {port.name: port.type for port in egress})
        self._acked = 0  # the highest number that the party was told to be taken
        self._acked_ns = self._pinged_ns = 0
        self._dialect: Dialect | None = None
        self._hello = Hello()
        self._greet = greet
        self._tally = tally
        self._manners = manners
        self._ears: Ears | None = None  # while the session runs
        self._over: asyncio.Future[bool] | None = None  # True: hand over
        self._draining = False
        self._can_be_left = can_be_left
        self._why = ""  # the session ends, where it was not the party
        self._in.watch, self._in.heard = Watch(clock), self.connection
        self._in.credit, self._credit_ns = float(manners.messages_burst), now_ns
        self.hears = self._in.hears
        self.speaks = "audio" in self.kinds.values()
        self._recognised = {  # by node and port: whether it is final
            (node.id, index): port.name == "final"
            for node in plan.nodes
            if node.kind == "stt"
            for index, port in enumerate(node.outputs)
            if port.name in ("partial", "final")
        }
        self.ports = frozenset(self._recognised)

    # ---- the connection's side

    def attach(self, socket: Socket, dialect: Dialect, hello: Hello) -> None:
        """The party has said hello over this socket; one that it had before is closed. Not once `is_over`."""
        self._in.attach(hello)
        self._out.close(Close.TOKEN, "this session was resumed by another connection")
        self._out.attach(socket, dialect, hello)
        self._in.is_packed = dialect.writer is not None
        self.watches = dialect.watches
        anew = self.connection.attached(self._clock.now_ns())
        self._dialect, self._hello = dialect, hello
        if self._ears is not None:
            if anew:
                self._ears.tell(Control.CONNECTED, *self._basis())
            self._welcome(self._ears)

    def detach(self, socket: Socket) -> None:
        """That socket is gone."""
        if socket is not self._out.socket:
            return
        self._out.detach()
        self._in.detach()
        if self._dialect is not None and self._dialect.numbered:
            self.connection.detached(self._clock.now_ns())
        else:
            self.hang_up()

    def _message(self, message: Message) -> None:
        ears, dialect = self._ears, self._dialect
        if ears is None or dialect is None:
            self._tally.early += 1
            self.refuse(DialectError("too_early", "not taken: wait for `welcome`, and send it again", "type"))
            return
        if self._over is not None and self._over.done():
            return  # it is being left: what is said now is said again to whoever goes on, who has not heard it
        now_ns = self._clock.now_ns()
        if not self._may_speak(now_ns):
            self.refuse(DialectError("rate", "too many messages", close=Close.RATE))
            return
        try:
            word = dialect.receive(message)
            if word.__class__ is Audio:
                self.connection.heard(now_ns)
                self._in.audio(word, ears, now_ns)
            elif word is not None:
                self.connection.message(now_ns)
                self._hear(word, ears)
        except DialectError as error:
            self.refuse(error)
        except Exception:  # ours, whatever it is
            self._failed()

    def refuse(self, error: DialectError) -> None:
        """Tells the party that a message was not taken; some end its connection, and some the session."""
        self._tally.refused[error.code] += 1
        if self._dialect is not None:
            self._out.put(self._dialect.error(error))
        if error.close:
            self._drop(error.close, str(error))
            if error.close not in RESUMABLE:
                self.hang_up()

    # ---- the hub's side

    @property
    def epoch(self) -> int:
        """The authority epoch of who holds the session; 0 while nobody does."""
        return self._ears.epoch if self._ears is not None else 0

    @property
    def received(self) -> int:
        """The highest number of the party that was taken."""
        return self._in.received

    @property
    def is_held(self) -> bool:
        """Its session is here: what the party says is taken."""
        return self._ears is not None

    @property
    def is_over(self) -> bool:
        """The session ends, or is left: nobody can come back to it here."""
        return self.connection.state is State.ENDED or (self._over is not None and self._over.done())

    def alive(self) -> None:
        """The other side has answered a ping."""
        self.connection.message(self._clock.now_ns())

    def hang_up(self, why: str = "") -> None:
        """The party is gone for good, or has to go."""
        self._why = self._why or why
        self.connection.hung_up()
        self._end(handed_over=False)

    def finish(self, why: str) -> None:
        """It has lasted long enough: it ends when no turn is open. Asked again until it has."""
        if self._ears is None or not self._ears.activity.busy:
            self.hang_up(why)

    def drain(self) -> None:
        """The process is to stop: the session is left when no turn is open."""
        self._draining = True
        self._leave_if_quiet()

    def cut(self) -> None:
        """The grace is over: a turn that is open ends now."""
        self._draining = True
        if self._ears is not None:
            self._ears.tell(Control.DISCONNECTED)
        self._leave()

    def renew(self, token: str, within_ms: int) -> None:
        """The token to come back with is replaced by a younger one."""
        if self.connection.state is State.CONNECTED:
            self._out.word("token", token, within_ms)

    def tick(self) -> None:
        """What is due by the passing of time."""
        ears, now_ns = self._ears, self._clock.now_ns()
        if ears is None:
            return
        socket = self._out.socket
        waits = socket is not None and socket.waiting_bytes() > self._manners.stall_bytes
        if socket is None or waits or not self.connection.is_lively(now_ns):
            self._look_at_connection(socket, waits, ears, now_ns)
            socket = self._out.socket
        if socket is not None:
            if self._in.received > self._acked and now_ns - self._acked_ns >= ACK_EVERY_NS:
                self._ack(now_ns)
            elif self._dialect is not None and not self._dialect.pings:
                self._ask_whether_alive(socket, now_ns)
            self._in.poll(ears, now_ns)
            self._out.tick()
        if self._draining:
            self._leave_if_quiet()

    def _look_at_connection(self, socket: Socket | None, waits: bool, ears: Ears, now_ns: int) -> None:
        """Whether it has idled, is silent, is stalled, or was away for too long."""
        connection = self.connection
        if socket is not None:
            connection.writing(waits, now_ns)
            if connection.idle(now_ns):
                self._tally.connections["idle"] += 1
                self._drop(Close.TIMEOUT, "nothing was said for too long: clients send `ping`")
        while (event := connection.poll(now_ns)) is not None:
            self._happened(event, ears)

    def over(self, how: str, why: str = "") -> None:
        """The session is over, its evidence is written: the party is told. `how` is ended, handed_over, gone or
        leaving (nobody can go on with it: at all, or yet; `why` says it), or a failure."""
        self.connection.hung_up()
        if self._dialect is None or self._out.socket is None:
            return
        token, within_ms, after_ms = "", 0, 0
        if how == "handed_over":
            welcome = self._greet(self, self._hello)
            code, reason = Close.DRAINING, "this server stops: another one goes on"
            token, within_ms, after_ms = welcome.resume_token, welcome.within_ms, COME_BACK_MS
        elif how == "ended":
            code, reason = Close.DONE, self._why or "the session has ended"
        elif why:
            code, reason = (Close.TOKEN, why) if how == "gone" else (Close.RATE, why)
            after_ms = 0 if how == "gone" else COME_BACK_MS
            self._out.put(self._dialect.error(DialectError(how, why)))
        else:
            code, reason = Close.SERVER, f"the session failed: {self.session_id}"
        self._out.put(self._dialect.goodbye(code, reason, token, within_ms, after_ms))
        self._out.close(code, reason)
        self._out.detach()
        self._in.detach()

    # ---- the session's side: a transport

    async def run(self, ears: Ears) -> None:
        """Until the party has hung up or stays away. Raises `HandedOver`."""
        self._ears = ears
        self._over = asyncio.get_running_loop().create_future()
        self._in.hand_in = ears.hand_in_frame
        await ears.control(Control.CONNECTED, *self._basis())
        if self._out.socket is not None:
            self._welcome(ears)
        if self.connection.state is State.ENDED:
            self._end(handed_over=False)
        elif self._draining:
            self._leave_if_quiet()
        try:
            handed_over = await self._over
        finally:
            self._in.hand_in = None
        if handed_over:
            raise HandedOver
        await ears.control(Control.ENDED)

    def _sent(self, kind: str | None, turn: int, payload: bytes, play_at_ns: int) -> None:
        if kind == "audio":
            self._out.audio(turn, payload, play_at_ns)
        elif kind == "text":
            self._out.word("text", turn, payload.decode("utf-8", "replace"))

    def flush(self, turn: int, now_ns: int) -> None:
        self._out.flush(turn, now_ns)

    async def close(self) -> None:
        self._ears = self._in.hand_in = None
        self.count()

    def count(self) -> None:
        """Brings the tally up to date."""
        self._in.count()

    # ---- an observer: what a party is told beside its audio and text

    def on_input(self, event: Inbound, now_ns: int, result: int) -> None:
        final = self._recognised.get((event.node, event.port))
        if final is not None and result == Result.ACCEPTED:
            self._out.word("transcript", event.payload.decode("utf-8", "replace"), final)

    def _told(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            if output.op != _DECISION and not self.watches:
                continue
            self._out.output(output, self._plan)
            if self._draining and output.op == _DECISION and output.code == Signal.CLOSE:
                asyncio.get_running_loop().call_soon(self._leave_if_quiet)

    def on_invocation(self, end: InvocationEnd) -> None:
        self._out.ended(self._plan.nodes[end.node], end)

    # ---- inside

    def _basis(self) -> tuple[int, int]:
        """How the session learns what of its audio was played (decision 0048)."""
        return (Basis.ACKED, REPORT_NS) if self._hello.reports else (Basis.PACED, 0)

    def _welcome(self, ears: Ears) -> None:
        self._out.welcome(self._greet(self, self._hello), self._hello.received, ears.clock.now_ns())

    def _drop(self, code: int, reason: str) -> None:
        """Ends the connection, without waiting for the other side to agree."""
        socket = self._out.socket
        if socket is not None:
            socket.close(code, reason)
            self.detach(socket)

    def _failed(self) -> None:
        """It is our fault, not the party's: it may come back, and nobody else notices."""
        log.exception("a message could not be taken", extra={"session_id": self.session_id})
        self._drop(Close.SERVER, f"the server failed: {self.session_id}")

    def _happened(self, event: Event, ears: Ears) -> None:
        self._tally.connections[event.value] += 1
        log.info("%s", event.value, extra={"session_id": self.session_id})
        if event is Event.DISCONNECTED:
            ears.tell(Control.DISCONNECTED)
            self._out.gave_up()
        elif event is Event.ENDED:
            self._end(handed_over=False)
        elif event is Event.STALL:
            self._drop(Close.TIMEOUT, "what was sent is not read")

    def _hear(self, word: Word, ears: Ears) -> None:
        match word:
            case Ack(received):
                self._out.received(received)
            case Ping(t):
                assert self._dialect is not None
                self._out.put(self._dialect.pong(t))
            case Bye():
                self.hang_up()
            case Several(words):
                for one in words:
                    self._hear(one, ears)
            case Audio():
                self.connection.heard(self._clock.now_ns())
                self._in.audio(word, ears, self._clock.now_ns())
            case _:
                self._in.take(word, ears)

    def _ask_whether_alive(self, socket: Socket, now_ns: int) -> None:
        pause_ns = self._manners.ping_ms * MS_NS
        if self.connection.quiet_ns(now_ns) >= pause_ns and now_ns - self._pinged_ns >= pause_ns:
            self._pinged_ns = now_ns
            socket.ping()

    def _may_speak(self, now_ns: int) -> bool:
        """So many messages a second, and not more."""
        inlet = self._in
        inlet.credit -= 1
        if inlet.credit < 0:
            manners = self._manners
            earned = (now_ns - self._credit_ns) * manners.messages_per_second / SECOND_NS
            inlet.credit = min(inlet.credit + earned, manners.messages_burst)
            self._credit_ns = now_ns
        return inlet.credit >= 0

    def _ack(self, now_ns: int) -> None:
        assert self._dialect is not None
        self._acked, self._acked_ns = self.received, now_ns
        self._out.put(self._dialect.ack(self.received))

    def _leave_if_quiet(self) -> None:
        """Whoever is away is not waited for: no turn is open then."""
        if self._ears is None or not self._ears.activity.busy or self.connection.state is State.DISCONNECTED:
            self._leave()

    def _leave(self) -> None:
        if self._can_be_left:
            self._end(handed_over=True)
        else:
            self.hang_up("this server stops, and keeps no log for another one to go on with")

    def _end(self, *, handed_over: bool) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_result(handed_over)
            self._in.hand_in = None  # what is said now, whoever goes on hears
