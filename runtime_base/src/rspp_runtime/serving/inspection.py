"""What those who run a server can ask it: the plan, who is connected, what happens in a session, its recording.

    GET  /v1/pipeline                    the plan, as it is drawn
    GET  /v1/sessions                    who is here
    WS   /v1/sessions/ID/events          everything, as it happens (`feed`)
    GET  /v1/sessions/ID/log, …/timeline a recording, and its picture (`recordings`)
    POST /v1/sessions/ID/replay          whether it decides the same again

Each needs a token of scope `observe`; of one session if the token names one, else of its tenant's. In development pages
of this machine need none, and texts are shown as they are. Whose session it is not cannot tell it from none.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from rspp import wire
from rspp_runtime.evidence.entries import Header
from rspp_runtime.serving.app import bearer, body
from rspp_runtime.serving.doors import Doors
from rspp_runtime.serving.feed import Feed
from rspp_runtime.serving.guard import Guard, Refused
from rspp_runtime.serving.hub import Hub, Seat
from rspp_runtime.serving.listener import Channel, Handshake
from rspp_runtime.serving.plan_view import plan_view
from rspp_runtime.serving.recordings import BusyError, Recordings, TooLongError, UnreadableError
from rspp_runtime.serving.settings import Settings
from rspp_runtime.session.going_on import header_for
from rspp_runtime.session.host import Options
from rspp_runtime.session.observer import Observer
from rspp_runtime.session.package import Package

log = logging.getLogger(__name__)

PREFIX = "/v1/sessions/"
WATCHERS_MAX = 64  # of all sessions
WAITING_BYTES_MAX = 512 * 1024  # of a watcher that does not read: it is told less
REMEMBERED_MAX = 1_000  # sessions that are over, and whose tenant they were
_SESSION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Inspection:
    """See the module. `watch` is given to the hub before there is one; `opened` when there is."""

    def __init__(self, package: Package, settings: Settings, guard: Guard) -> None:
        self._package = package
        self._settings = settings
        self._guard = guard
        self._hub: Hub | None = None
        self._feeds: dict[str, tuple[Seat, Feed]] = {}
        self._owners: OrderedDict[str, str] = OrderedDict()
        self._watching: set[asyncio.Task[None]] = set()
        self._recordings = Recordings(package, settings.log_dir, settings.kernel)

    def opened(self, hub: Hub, doors: Doors) -> None:
        """The hub is there: its sessions can be asked for."""
        self._hub = hub
        doors.others[PREFIX] = self.door

    def watch(self, seat: Seat) -> Sequence[Observer]:
        """The observer of a new session."""
        header = _header(self._package, self._settings, seat)
        feed = Feed(self._package.plan, header, seat.clock, reveals=self._settings.development)
        self._feeds[seat.session_id] = seat, feed
        self._owners[seat.session_id] = seat.tenant
        self._owners.move_to_end(seat.session_id)
        while len(self._owners) > REMEMBERED_MAX:
            self._owners.popitem(last=False)
        return (feed, _Last(lambda: self._over(seat, feed)))

    def _over(self, seat: Seat, feed: Feed) -> None:
        """Nothing of a session is kept that is over."""
        if self._feeds.get(seat.session_id) == (seat, feed):
            del self._feeds[seat.session_id]
        feed.end()

    def _is_here(self, seat: Seat) -> bool:
        return self._hub is not None and self._hub.seats.get(seat.session_id) is seat

    # ---- over HTTP

    @property
    def routes(self) -> list[BaseRoute]:
        session = PREFIX + "{session_id}"
        return [
            Route("/v1/pipeline", self._pipeline),
            Route("/v1/sessions", self._sessions),
            Route(session + "/log", self._log),
            Route(session + "/timeline", self._timeline),
            Route(session + "/replay", self._replay, methods=["POST"]),
        ]

    async def _pipeline(self, request: Request) -> Response:
        self._may(request)
        shown = plan_view(self._package, kernel=self._settings.kernel, development=self._settings.development)
        return JSONResponse(shown, headers={"cache-control": "no-cache"})

    async def _sessions(self, request: Request) -> Response:
        tenant = self._may(request)
        assert self._hub is not None
        now_s = time.time()
        return JSONResponse(
            {
                "sessions": [
                    {
                        "session_id": seat.session_id,
                        "tenant": seat.tenant,
                        "state": seat.party.connection.state.value,
                        "authority_epoch": seat.epoch,
                        "age_s": int(now_s - seat.since_s),
                        "recorded": seat.log is not None,
                    }
                    for seat in tuple(self._hub.seats.values())
                    if not tenant or seat.tenant == tenant
                ]
            },
            headers={"cache-control": "no-store"},
        )

    async def _log(self, request: Request) -> Response:
        session_id = self._session(request, "log")
        data = await self._recorded(self._recordings.lines, session_id, self._whole(request))
        name = f'attachment; filename="{session_id}.jsonl"'
        return Response(data, media_type="application/jsonl", headers={"content-disposition": name, **_FRESH})

    async def _timeline(self, request: Request) -> Response:
        session_id = self._session(request, "timeline")
        page = await self._recorded(self._recordings.timeline, session_id, self._whole(request))
        name = f'attachment; filename="{session_id}.html"'
        return Response(page, media_type="text/html", headers={"content-disposition": name, **_FRESH})

    async def _replay(self, request: Request) -> Response:
        session_id = self._session(request, "replay")
        fields = await body(request)
        turn = fields.get("turn", 0)
        if turn.__class__ is not int or not 0 <= turn < 1 << 31 or set(fields) - {"turn"}:
            raise Refused(400, "schema_validation_error", "the body is an empty map, or has `turn`, a number from 1 on")
        return JSONResponse(await self._recorded(self._recordings.replay, session_id, turn), headers=_FRESH)

    async def _recorded(self, work, session_id: str, *args):  # type: ignore[no-untyped-def]
        """Reading a recording, in a thread. Raises `Refused`."""
        try:
            return await work(session_id, *args)
        except FileNotFoundError:
            raise Refused(404, "no_recording", self._why_none()) from None
        except BusyError:
            raise Refused(429, "busy", "others are reading recordings: ask again", 1_000) from None
        except (TooLongError, UnreadableError) as error:
            raise Refused(422, error.code, str(error)) from None

    def _why_none(self) -> str:
        if self._settings.log_dir is None:
            return "nothing is recorded here: start the server with --log-dir"
        return "there is no recording of such a session"

    def _may(self, request: Request, session_id: str | None = None) -> str:
        """The tenant, or "" for all. Raises `Refused`."""
        headers = request.headers
        return self._guard.may_operate(bearer(request), headers.get("origin"), headers.get("host", ""), session_id)

    def _session(self, request: Request, what: str) -> str:
        """The session of a request for its recording, if its bearer may have that; on record. Raises `Refused`."""
        session_id = str(request.path_params["session_id"])
        tenant = self._of(session_id, self._may(request, session_id))
        purpose = request.query_params.get("purpose", "")
        if not self._settings.development and not purpose:
            raise Refused(403, "purpose", "reading a recording needs a purpose: ?purpose=… (it is put on record)")
        told = {"session_id": session_id, "tenant": tenant, "what": what, "purpose": purpose[:200]}
        log.info("a recording is read", extra=told)
        return session_id

    def _of(self, session_id: str, tenant: str) -> str:
        """Raises `Refused` unless that is a session, and may be one of the tenant's."""
        if _SESSION_ID.fullmatch(session_id) is None:
            raise Refused(404, "no_session", "there is no such session")
        owner = self._owners.get(session_id)
        if tenant and owner is not None and owner != tenant:
            raise Refused(404, "no_session", "there is no such session")
        if tenant and owner is None:  # of another process: whose it was is not known here
            raise Refused(404, "no_session", "there is no such session")
        return tenant

    def _whole(self, request: Request) -> bool:
        """Whether payloads are shown: what was said is nobody's business but a developer's on their own machine."""
        if self._settings.development:
            return True
        if request.query_params.get("fidelity", "L0") != "L0":
            raise Refused(403, "fidelity", "payloads of recordings are not given out by this server: fidelity is L0")
        return False

    # ---- over a WebSocket

    def door(self, asked: Handshake) -> Channel:
        """The feed of a session. Raises `Refused`."""
        session_id, _, rest = asked.path.removeprefix(PREFIX).partition("/")
        if rest != "events":
            raise Refused(404, "path", f"there is no WebSocket here: events are at {PREFIX}ID/events")
        tenant = self._guard.may_operate(asked.token, asked.origin, asked.host, session_id)
        found = self._feeds.get(session_id)
        if found is None or not self._is_here(found[0]) or (tenant and found[0].tenant != tenant):
            raise Refused(404, "no_session", "there is no such session here")
        if len(self._watching) >= WATCHERS_MAX:
            raise Refused(503, "capacity", "too many are looking on", 5_000)
        seat, feed = found
        channel = Channel("rspp.1.json" if "rspp.1.json" in asked.protocols else None)
        task: asyncio.Task[None] | None = None

        def opened() -> None:
            nonlocal task
            task = asyncio.create_task(self._tell(channel, seat, feed), name=f"feed {session_id}")
            self._watching.add(task)
            task.add_done_callback(self._watching.discard)

        def lost() -> None:
            if task is not None:
                task.cancel()

        channel.opened, channel.lost = opened, lost
        return channel

    async def _tell(self, channel: Channel, seat: Seat, feed: Feed) -> None:
        async for text in feed.watch(lambda: channel.waiting_bytes() > WAITING_BYTES_MAX):
            channel.send(text)
            if not self._is_here(seat):
                feed.end()
        channel.close(wire.Close.DONE, "the session is over")


class _Last(Observer):
    """Says that a session is over."""

    def __init__(self, over: Callable[[], None]) -> None:
        self._over = over

    def on_over(self, now_ns: int) -> None:
        self._over()


_FRESH = {"cache-control": "no-store"}


def _header(package: Package, settings: Settings, seat: Seat) -> Header:
    """As the session's log has it, or would have it."""
    options = Options(
        session_id=seat.session_id,
        epoch=seat.epoch,
        level=(settings.level or package.plan.recording_level) if settings.log_dir is not None else "",
    )
    started_ms = int(seat.since_s * 1000) - seat.clock.now_ns() // 1_000_000
    return header_for(package, options, settings.kernel or "compiled", started_ms, {})
