"""All sessions of a process: who comes in, who comes back, who has to go.

    begin(grant, …)     a new session, or one that another process has left in its log
    find(session_id)    the party of one that is here
    drain(grace)        nobody new; each leaves when its turn is over

One timer ticks for all parties, a share of them at a time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rspp.wire import Close
from rspp_runtime.abi.codes import Attribute
from rspp_runtime.audio.format import spoken_here
from rspp_runtime.evidence.entries import Follows, LogError
from rspp_runtime.evidence.log import header_of
from rspp_runtime.evidence.recover import OverError
from rspp_runtime.evidence.segment import BusyError
from rspp_runtime.security.tokens import TTL_S_MAX, Grant
from rspp_runtime.serving.admission import Admission, Decision, Limits
from rspp_runtime.serving.dialect import Dialect, DialectError, Hello, Welcome
from rspp_runtime.serving.guard import Guard, Refused
from rspp_runtime.serving.outlet import Socket
from rspp_runtime.serving.party import Party
from rspp_runtime.serving.settings import Settings
from rspp_runtime.serving.tally import Tally
from rspp_runtime.session.clock import MS_NS, SECOND_NS, MonotonicClock
from rspp_runtime.session.handlers import NodeError
from rspp_runtime.session.host import Finished, Options, converse
from rspp_runtime.session.observer import Observer
from rspp_runtime.session.package import Bound, Package, PackageError
from rspp_runtime.telemetry.logs import bound

log = logging.getLogger(__name__)

TICK_S = 0.1
SHARES_MAX = 10  # of the sessions: hundreds at the same moment would keep somebody's audio waiting
SHARE_MIN = 20
CUT_S_MAX = 5.0  # for turns that are cut to end, and their evidence to be written
RENEW_S = TTL_S_MAX // 3  # so old becomes the token with which a party may come back
FAILURES_MAX = 3  # sessions that fail one after the other: then this process is not ready
UNREADY_S = 15.0  # for so long, after the last of them
LEAVING_MS = 200  # that a session takes to be left
TOO_OLD = "the session has lasted as long as it may"
LOG_SUFFIX = ".rspplog"

Watchers = Callable[["Seat"], Sequence[Observer]]


@dataclass(slots=True, eq=False)
class Seat:
    """A session that is here."""

    session_id: str
    tenant: str
    party: Party
    clock: MonotonicClock
    epoch: int
    log: Path | None
    since_s: float  # wall clock
    traceparent: str = ""  # W3C: what the session is a part of for whoever asked for it
    token_s: float = 0.0  # when the party was given its last token
    task: asyncio.Task[None] | None = None
    observers: tuple[Observer, ...] = ()
    comes_from: str = ""  # "taken_over" from another process, "followed" from another version; "" if it began here
    moved: Follows | None = None  # … in the latter case


class Hub:
    """See the module. `watchers` are asked for the observers of each session: metrics, traces, whoever looks on."""

    def __init__(
        self,
        package: Package,
        providers: Bound,
        settings: Settings,
        guard: Guard,
        watchers: Sequence[Watchers] = (),
        tally: Tally | None = None,
    ) -> None:
        self.package = package
        self.settings = settings
        self.tally = tally or Tally()
        self.seats: dict[str, Seat] = {}
        most = settings.max_tenant_sessions or 0
        self.admission = Admission(
            Limits(
                sessions_max=settings.max_sessions,
                tenant_sessions_max=most,
                attempts_per_s_max=settings.attempts_per_second,
                tenant_attempts_per_s_max=settings.tenant_attempts_per_second,
                server_attempts_per_s_max=settings.server_attempts_per_second,
                lag_ns_max=settings.lag_ms_max * MS_NS,
            )
        )
        self._codecs = ("pcm16", *settings.codecs) if settings.codecs else spoken_here()
        self._failures = 0  # sessions that failed, since one could be held
        self._failed_s = 0.0
        self._failure = ""
        self.ended: dict[str, int] = {}  # sessions that are over, by how
        self._providers = providers
        self._guard = guard
        self._watchers = tuple(watchers)
        self._ticking: asyncio.Task[None] | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def draining(self) -> bool:
        return self.admission.draining

    @property
    def unready(self) -> str:
        """Why no session could be held now; "" if one could. After a while it is tried again."""
        if self._failures < FAILURES_MAX or time.monotonic() - self._failed_s > UNREADY_S:
            return ""
        return f"the last {self._failures} sessions failed: {self._failure}"

    def start(self) -> None:
        self._ticking = asyncio.create_task(self._tick(), name="hub")

    # ---- who comes

    def knock(self, address: str) -> None:
        """Somebody tries to connect. Raises `Refused`."""
        _admitted(self.admission.knock(address, time.monotonic_ns()))

    def room_for(self, tenant: str) -> None:
        """Raises `Refused` if a new session of that tenant is not taken now."""
        _admitted(self.admission.ask(tenant, "", time.monotonic_ns()))

    def find(self, grant: Grant) -> Seat | None:
        """The session of a token, if it is here. Raises `Refused` if it is another tenant's."""
        seat = self.seats.get(grant.session_id)
        if seat is not None and seat.tenant != grant.tenant:
            raise Refused(401, "wrong_tenant", "the token is of another tenant")
        return seat

    def keep_place(self, grant: Grant) -> bool:
        """Whoever shows this token will say hello soon. Returns whether a place is kept for it, to be used by `enter`
        or given back; none is needed where its session is here. Raises `Refused`."""
        if self.find(grant) is not None:
            return False
        self.room_for(grant.tenant)
        self.admission.opened(grant.tenant)
        return True

    def give_back(self, grant: Grant) -> None:
        """The place that was kept for a token is not needed."""
        self.admission.closed(grant.tenant)

    def enter(self, grant: Grant, socket: Socket, dialect: Dialect, hello: Hello, *, has_place: bool) -> Party:
        """The party of a token has said hello: its session begins, or goes on here. A place that was kept for it is
        used, or given back. Raises `Refused`, `DialectError`."""
        try:
            self._understand(hello)
            seat = self.find(grant)
            if seat is None:
                if not has_place:
                    has_place = self.keep_place(grant)
                seat = self._begin(grant, hello)
                has_place = False
            elif hello.received is None:
                raise Refused(401, "wrong_session", "this session is here already: come back to it with `resume`")
            elif seat.party.is_over:
                raise Refused(503, "leaving", "this session is being left: ask again", LEAVING_MS)
        finally:
            if has_place:
                self.give_back(grant)
        seat.party.attach(socket, dialect, hello)
        return seat.party

    def _understand(self, hello: Hello) -> None:
        """Before anything is spent on it. Raises `DialectError`."""
        for field, form in (("audio_in", hello.audio_in), ("audio_out", hello.audio_out)):
            if form.encoding not in self._codecs:
                reason = f"{field}.encoding: {form.encoding} is not spoken here; there is {', '.join(self._codecs)}"
                raise DialectError("no_codec", reason, field, Close.MALFORMED)

    def _begin(self, grant: Grant, hello: Hello) -> Seat:
        """In a place that was kept for it."""
        session_id = grant.session_id
        path = self._log_path(session_id)
        resume = hello.received is not None
        if resume:
            self._check_left(path, grant)
        else:
            self._guard.may_begin(grant)
        if not resume and path is not None and path.exists():
            raise Refused(401, "wrong_session", "this session was begun before: come back to it with `resume`")
        clock = MonotonicClock()
        party = Party(
            self.package.plan,
            session_id,
            self._greet,
            self.tally,
            clock,
            self.settings.manners,
            sequence=hello.received or 0,
            can_be_left=path is not None,
        )
        seat = Seat(session_id, grant.tenant, party, clock, max(1, grant.epoch), path, time.time(), hello.traceparent)
        seat.comes_from = "taken_over" if resume else ""
        seat.observers = (party, *(one for watch in self._watchers for one in watch(seat)))
        options = Options(
            kernel=self.settings.kernel,
            level=self.settings.level or self.package.plan.recording_level,
            log=path,
            session_id=session_id,
            epoch=seat.epoch,
            tenant=grant.tenant,
            resume=resume,
            followed=partial(self._followed, seat),
            attributes={Attribute.TENANT: grant.tenant, **_attributes(hello)},
        )
        self.seats[session_id] = seat
        self._idle.clear()
        seat.task = asyncio.create_task(self._converse(seat, options), name=session_id)
        return seat

    def _log_path(self, session_id: str) -> Path | None:
        folder = self.settings.log_dir
        return None if folder is None else folder / f"{session_id}{LOG_SUFFIX}"

    def _check_left(self, path: Path | None, grant: Grant) -> None:
        """Raises `Refused` unless another process has left a session of that tenant there. Whether it can be gone on
        with is found out later, beside the loop."""
        if path is None or not path.is_file():
            raise Refused(410, "gone", "this session is not here, and nobody has left it to be gone on with")
        try:
            header = header_of(path)
        except (LogError, OSError):
            raise Refused(410, "gone", "this session cannot be gone on with: its log cannot be read") from None
        if header.tenant != grant.tenant:
            raise Refused(401, "wrong_tenant", "the token is of another tenant")

    def _followed(self, seat: Seat, record: Follows) -> None:
        """The session comes from another version; called in the thread that reads its log."""
        seat.moved = record

    async def _converse(self, seat: Seat, options: Options) -> None:
        how, why = "failed", ""
        try:
            with bound(session_id=seat.session_id, tenant=seat.tenant):
                finished: Finished = await converse(
                    self.package, self._providers, seat.party, seat.clock, options, seat.observers
                )
            how = "handed_over" if finished.handed_over else "ended"
        except asyncio.CancelledError:
            how = "cancelled"
        except OverError:
            how, why = "gone", "this session has ended"
        except BusyError:
            how, why = "leaving", "this session is still another server's: ask again"
        except (PackageError, NodeError, OSError) as error:
            log.error("session cannot be held: %s", error, extra={"session_id": seat.session_id})
            self._failed(str(error))
        except LogError as error:  # of that session
            how, why = "gone", "this session cannot be gone on with: its log does not allow it"
            log.error("session cannot be gone on with: %s", error, extra={"session_id": seat.session_id})
        except Exception as error:
            log.exception("session failed", extra={"session_id": seat.session_id})
            self._failed(f"{type(error).__name__}: see the log")
        finally:
            self.ended[how] = self.ended.get(how, 0) + 1
            self._leave(seat, how, why)

    def _failed(self, why: str) -> None:
        """A session could not be held. Several in a row are not their fault: this process is not ready for more."""
        self._failures += 1
        self._failed_s, self._failure = time.monotonic(), why

    def _leave(self, seat: Seat, how: str, why: str = "") -> None:
        seat.party.over(how, why)
        seat.observers = ()  # some know the seat: no cycle is left for the garbage collector
        del self.seats[seat.session_id]
        self.admission.closed(seat.tenant)
        if not self.seats:
            self._idle.set()

    def _greet(self, party: Party, hello: Hello) -> Welcome:
        seat = self.seats[party.session_id]
        self._failures = 0
        if seat.comes_from:
            self.tally.connections["followed" if seat.moved else seat.comes_from] += 1
            seat.comes_from = ""
        plan = self.package.plan
        return Welcome(
            session_id=seat.session_id,
            pipeline=plan.pipeline,
            pipeline_version=plan.pipeline_version,
            template_hash=self.package.template_hash,
            authority_epoch=party.epoch or seat.epoch,
            tenant=seat.tenant,
            audio_in=hello.audio_in if party.hears else None,
            audio_out=hello.audio_out if party.speaks else None,
            resumed=hello.received is not None,
            received=party.received,
            lead_ms=plan.lead_ns // MS_NS,
            ping_ms=self.settings.manners.ping_ms,
            resume_token=self._token(seat),
            within_ms=self._within_ms,
            moved=None if seat.moved is None else _moved(seat.moved),
        )

    def _token(self, seat: Seat) -> str:
        """To come back with."""
        seat.token_s = time.time()
        return self._guard.returning(seat.tenant, seat.session_id, seat.party.epoch or seat.epoch)

    @property
    def _within_ms(self) -> int:
        """For so long a session waits for its party."""
        patience = self.settings.manners.patience
        return (patience.reconnect_ns + patience.resume_ns) // MS_NS

    # ---- the passing of time

    async def _tick(self) -> None:
        while True:
            seats = tuple(self.seats.values())
            shares = min(1 + len(seats) // SHARE_MIN, SHARES_MAX)
            for share in range(shares):
                await asyncio.sleep(TICK_S / shares)
                now_s = time.time()
                for seat in seats[share::shares]:
                    if self.seats.get(seat.session_id) is seat:
                        self._tick_one(seat, now_s)

    def _tick_one(self, seat: Seat, now_s: float) -> None:
        try:
            seat.party.tick()
            self._age(seat, now_s)
        except Exception:  # one party's trouble is not the others'
            log.exception("tick failed", extra={"session_id": seat.session_id})
            seat.party.hang_up()

    def _age(self, seat: Seat, now_s: float) -> None:
        """What is due by the age of a session, or of its token."""
        over_s = now_s - seat.since_s - self.settings.session_s_max
        if over_s > self.package.plan.turn_total_ns / SECOND_NS:
            seat.party.hang_up(TOO_OLD)
        elif over_s > 0:
            seat.party.finish(TOO_OLD)
        if now_s - seat.token_s > RENEW_S:
            seat.party.renew(self._token(seat), self._within_ms)

    async def drain(self, grace_s: float) -> None:
        """Nobody new; returns when all have left. What is open after the grace is cut."""
        self.admission.draining = True
        for seat in tuple(self.seats.values()):
            seat.party.drain()
        try:
            async with asyncio.timeout(grace_s):
                await self._idle.wait()
        except TimeoutError:
            await self.cut(CUT_S_MAX)

    async def cut(self, most_s: float) -> None:
        """Turns that are open end now, with their evidence; returns when all have left, or in `most_s`."""
        self.admission.draining = True
        for seat in tuple(self.seats.values()):
            seat.party.cut()
        try:
            async with asyncio.timeout(most_s):
                await self._idle.wait()
        except TimeoutError:
            log.error("%d sessions did not leave in time", len(self.seats))

    async def close(self) -> None:
        """Whoever is still here is cancelled."""
        if self._ticking is not None:
            self._ticking.cancel()
        tasks = [seat.task for seat in self.seats.values() if seat.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _admitted(decision: Decision) -> None:
    """Raises `Refused` unless it is."""
    if not decision.is_admitted:
        status = 429 if decision.reason.endswith("attempt_rate") else 503
        raise Refused(status, decision.reason, WORDS[decision.reason], decision.retry_after_ms, decision.outcome)


WORDS = {
    "attempt_rate": "too many attempts from this address",
    "server_attempt_rate": "too many attempts",
    "tenant_attempt_rate": "too many attempts of this tenant",
    "draining": "this server is stopping: ask again, another one answers",
    "capacity": "all sessions are taken",
    "tenant_capacity": "all sessions of this tenant are taken",
    "fair_share": "the places that are left are other tenants'",
    "loop_lag": "this server is late: whoever talks goes first",
    "memory_pressure": "this server has no memory left for more",
}
"""By reason: what a client is told."""


def _moved(record: Follows) -> dict[str, object]:
    """What a client is told of a session that came from another version."""
    return {
        "pipeline_version": record.pipeline_version,
        "template_hash": record.template_hash,
        "messages": record.crossed["messages"],
        "durable": list(record.crossed["durable"]),
        "stayed": list(record.stayed),
    }


def _attributes(hello: Hello) -> dict[Attribute, str]:
    return {Attribute[name.upper()]: text for name, text in hello.attributes.items()}
