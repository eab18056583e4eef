"""What a server answers over HTTP: asking for a session, health, figures, the page (docs/serving.md)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rspp import wire
from rspp_runtime.serving.guard import Guard, Refused, new_session_id
from rspp_runtime.serving.hub import Hub

BODY_BYTES_MAX = 16 * 1024
BODY_S = 10.0

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"permissions-policy": b"microphone=(self), camera=(), geolocation=()",
}


def make_app(hub: Hub, guard: Guard, more: list[BaseRoute], pages: Path | None) -> ASGIApp:
    """The application. `more` are routes of other rooms; `pages` the folder of the console, if it is shown."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(_: Request) -> Response:
        if hub.draining:
            return JSONResponse({"status": "draining", "sessions": len(hub.seats)}, 503)
        if hub.unready:
            return JSONResponse({"status": "unready", "reason": hub.unready}, 503)
        return JSONResponse({"status": "ready", "sessions": len(hub.seats)})

    async def ask(request: Request) -> Response:
        """`POST /v1/sessions`: a token to connect with, or a reason why not."""
        hub.knock(request.client.host if request.client is not None else "")
        tenant = guard.may_issue(bearer(request), request.headers.get("origin"), request.headers.get("host", ""))
        for name in await body(request):
            raise Refused(400, "schema_validation_error", f"`{name[:40]}` is not known here: the body is an empty map")
        hub.room_for(tenant)
        session_id = new_session_id()
        token = guard.token(tenant, session_id, epoch=1)
        if not token:
            raise Refused(501, "no_key", "this server signs no tokens: give it --signing-key")
        scheme = "wss" if request.url.scheme == "https" else "ws"
        host = request.headers.get("host", "")
        return JSONResponse(
            {
                "outcome_kind": "admit",
                "session_id": session_id,
                "token": token,
                "url": f"{scheme}://{host}{wire.PATH}",
                "protocols": list(wire.SUBPROTOCOLS),
                "pipeline": guard.pipeline,
                "pipeline_version": guard.version,
            },
            201,
            headers={"cache-control": "no-store"},
        )

    routes: list[BaseRoute] = [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/v1/sessions", ask, methods=["POST"]),
        *more,
    ]
    if pages is not None:
        routes.append(Mount("/", StaticFiles(directory=pages, html=True)))
    app = Starlette(
        routes=routes,
        exception_handlers={Refused: _refused, HTTPException: _http_error, Exception: _failed},
    )
    return Headers(app)


class Headers:
    """Puts the headers of `HEADERS` on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", []).extend(HEADERS.items())
            await send(message)

        await self._app(scope, receive, sending if scope["type"] == "http" else send)


def bearer(request: Request) -> str:
    """The token of a request, or nothing."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


async def body(request: Request) -> dict[str, Any]:
    """A map in JSON, at most `BODY_BYTES_MAX`; an empty body is an empty map. Raises `Refused`."""
    data = b""
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.stream():
                data += part
                if len(data) > BODY_BYTES_MAX:
                    raise Refused(413, "too_long", f"the body has more than {BODY_BYTES_MAX} bytes")
    except TimeoutError:
        raise Refused(408, "timeout", f"the body did not come within {BODY_S:.0f} s") from None
    if not data.strip():
        return {}
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError):
        raise Refused(400, "malformed", "the body is not JSON") from None
    if not isinstance(fields, dict):
        raise Refused(400, "malformed", "the body is not a map")
    return fields


def answer(refused: Refused) -> Response:
    """A refusal, in the form of every other."""
    return JSONResponse(refused.describe(), refused.status, headers=refused.headers())


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return answer(error)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if request.headers.get("accept", "").startswith("text/html"):
        return PlainTextResponse(f"{error.status_code} {error.detail}\n", error.status_code, error.headers)
    return JSONResponse({"code": "http", "reason": error.detail}, error.status_code, error.headers)


async def _failed(_: Request, __: Exception) -> Response:
    return JSONResponse({"code": "internal", "reason": "the server failed; its log says more"}, 500)
