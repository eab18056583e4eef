"""Where RTVI's clients come in: `POST /rtvi/connect` says where to connect, `/rtvi` is the WebSocket (docs/rtvi.md).

The token is in the address, as these clients want it: good once, for a minute. Addresses are not logged.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from rspp_runtime.audio.format import RATES_HZ
from rspp_runtime.serving.app import bearer, body
from rspp_runtime.serving.doors import Doors
from rspp_runtime.serving.guard import Guard, Refused, new_session_id
from rspp_runtime.serving.hub import Hub
from rspp_runtime.serving.listener import Channel, Handshake
from rspp_runtime.serving.rtvi.dialect import PLAYS_HZ, Rtvi

PATH = "/rtvi"
CONNECT = "/rtvi/connect"
RATE = "playerSampleRate"  # as the client's transport calls it


def open_doors(doors: Doors, hub: Hub, guard: Guard) -> list[BaseRoute]:
    """Adds the WebSocket to `doors`; returns the routes."""

    def enter(asked: Handshake) -> Channel:
        grant = guard.look(asked.token or asked.query.get("token", [""])[0], "talk")
        hub.find(grant)
        rate_hz = _rate(asked.query.get(RATE, [PLAYS_HZ])[0])
        return doors.enter(Channel(), Rtvi(_wall, rate_hz), grant)

    async def connect(request: Request) -> Response:
        headers = {"cache-control": "no-store", "vary": "origin"}
        origin, host = request.headers.get("origin"), request.headers.get("host", "")
        try:
            guard.from_page(origin, host)
            if origin is not None:
                headers["access-control-allow-origin"] = origin
            if request.method == "OPTIONS":
                headers |= {
                    "access-control-allow-methods": "POST",
                    "access-control-allow-headers": "authorization, content-type",
                    "access-control-max-age": "600",
                }
                return Response(status_code=204, headers=headers)
            return JSONResponse({"ws_url": _address(request, await body(request))}, headers=headers)
        except Refused as refused:
            # These clients show `info`.
            said: dict[str, Any] = {"code": refused.code, "reason": refused.reason, "info": refused.reason}
            if refused.retry_after_ms:
                said["retry_after_ms"] = refused.retry_after_ms
                headers["retry-after"] = str(-(-refused.retry_after_ms // 1000))
            return JSONResponse(said, refused.status, headers=headers)

    def _address(request: Request, fields: dict[str, Any]) -> str:
        """What else the body has is the application's own."""
        host = request.headers.get("host", "")
        rate_hz = _rate(fields.get(RATE, PLAYS_HZ))
        tenant = guard.may_issue(bearer(request), request.headers.get("origin"), host)
        hub.room_for(tenant)
        token = guard.token(tenant, new_session_id(), epoch=1)
        if not token:
            raise Refused(501, "no_key", "this server signs no tokens: give it --signing-key")
        query = {"token": token} | ({RATE: str(rate_hz)} if rate_hz != PLAYS_HZ else {})
        scheme = "wss" if request.url.scheme == "https" else "ws"
        return f"{scheme}://{host}{PATH}?{urlencode(query)}"

    doors.others[PATH] = enter
    return [Route(CONNECT, connect, methods=["POST", "OPTIONS"])]


def _rate(given: object) -> int:
    """Raises `Refused`."""
    known = RATES_HZ["pcm16"]
    if str(given) not in map(str, known):
        there = ", ".join(map(str, known))
        raise Refused(400, "schema_validation_error", f"`{RATE}`: {str(given)[:20]!r}; there is {there}")
    return int(str(given))


def _wall() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
