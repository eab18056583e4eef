"""The WebSocket side of the server: picows on the connections that uvicorn hands over for an upgrade.

A message costs an ASGI server two tasks' switches and a dict each way; picows calls `on_ws_frame` (decision 0053). A
handshake that is refused is an HTTP answer, before anything was spent on it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket as sockets
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from picows import (
    WSAutoPingStrategy,
    WSCloseCode,
    WSFrame,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
)
from picows.picows import WSProtocol  # type: ignore[attr-defined]

from rspp import wire
from rspp.wire import Close
from rspp_runtime.serving.dialect import Message
from rspp_runtime.serving.guard import Refused

try:
    from rspp_runtime.serving.framed import Framed
except ImportError:  # built without picows, or with another one
    from rspp_runtime.serving.framed_py import Framed  # type: ignore[assignment]

log = logging.getLogger(__name__)

HELLO_S = 5.0
SEND_BUFFER_BYTES = (
    32 * 1024
)  # the system's, of a connection: it takes megabytes else, and who does not read is not seen
BUFFER_BYTES = 4096  # of a connection's reading, to begin with


class Handshake:
    """What a client asked for: as much of its request as anybody needs."""

    __slots__ = ("address", "host", "origin", "path", "protocols", "query", "token")

    def __init__(self, request: WSUpgradeRequest, address: str, proxies: Collection[str] = ()) -> None:
        target = urlsplit(request.path.decode("latin-1") if isinstance(request.path, bytes) else request.path)
        headers = request.headers
        self.path = target.path
        self.query: Mapping[str, list[str]] = parse_qs(target.query, max_num_fields=16)
        self.origin: str | None = headers.get("Origin")
        self.host: str = headers.get("Host", "")
        self.address = forwarded(address, headers.get("X-Forwarded-For", ""), proxies)
        offered = headers.getall("Sec-WebSocket-Protocol", [])
        self.protocols = [one.strip() for line in offered for one in line.split(",")]
        scheme, _, given = headers.get("Authorization", "").partition(" ")
        self.token = given.strip() if scheme.lower() == "bearer" else wire.bearer(self.protocols)


class Channel(Framed):
    """One connection: a `party.Socket`, and where its messages go.

    `receive` and `lost` are set by whoever opened it, before the first message.
    """

    def __init__(self, subprotocol: str | None = None) -> None:
        self.subprotocol = subprotocol
        self.receive: Callable[[Message], None] = _nowhere
        self.lost: Callable[[], None] = _gone
        self.opened: Callable[[], None] = _gone
        self.alive: Callable[[], None] = _gone
        self.transport = None
        self._closing = False
        self._parts: list[bytes] = []
        self._parts_bytes = 0
        self._parts_text = False

    # ---- from picows

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        self.opened()

    def _other(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind == WSMsgType.TEXT and frame.fin:
            self._text(frame.get_payload_as_bytes())
        elif kind == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        elif kind == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif kind == WSMsgType.PONG:
            self.alive()
        elif kind in (WSMsgType.BINARY, WSMsgType.TEXT, WSMsgType.CONTINUATION):
            self._fragment(frame)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.transport = None
        self.lost()
        self.receive, self.lost, self.opened, self.alive = _nowhere, _gone, _gone, _gone

    def _text(self, payload: bytes) -> None:
        try:
            self.receive(payload.decode())
        except UnicodeDecodeError:
            self.close(Close.MALFORMED, "a text message is UTF-8")

    def _fragment(self, frame: WSFrame) -> None:
        """A message in several frames: rare, and no longer than one in one frame may be."""
        if frame.msg_type != WSMsgType.CONTINUATION:
            self._parts, self._parts_bytes = [], 0
            self._parts_text = frame.msg_type == WSMsgType.TEXT
        payload = frame.get_payload_as_bytes()
        self._parts_bytes += len(payload)
        if self._parts_bytes > wire.MESSAGE_BYTES_MAX or len(self._parts) >= PARTS_MAX:
            self.close(Close.TOO_LONG, "the message is too long")
            return
        self._parts.append(payload)
        if frame.fin:
            whole, self._parts, self._parts_bytes = b"".join(self._parts), [], 0
            if self._parts_text:
                self._text(whole)
            else:
                self.receive(whole)

    # ---- a socket

    def send(self, message: Message) -> None:
        transport = self.transport
        if transport is None or transport.is_disconnected or self._closing:
            return
        if isinstance(message, str):
            transport.send(WSMsgType.TEXT, message.encode())
        else:
            transport.send(WSMsgType.BINARY, message)

    def ping(self) -> None:
        transport = self.transport
        if transport is not None and not transport.is_disconnected:
            transport.send_ping()

    def waiting_bytes(self) -> int:
        transport = self.transport
        return 0 if transport is None else transport.underlying_transport.get_write_buffer_size()

    def close(self, code: int, reason: str) -> None:
        """Says why, and waits no longer than a moment for the other side to hang up."""
        transport = self.transport
        self.receive = _nowhere  # whatever still comes
        if transport is None or transport.is_disconnected or self._closing:
            return
        self._closing = True
        said = reason.encode("utf-8", "replace")[:REASON_BYTES_MAX].decode("utf-8", "ignore").encode()
        transport.send_close(WSCloseCode(code) if code in _KNOWN else code, said)  # type: ignore[arg-type]
        if self.waiting_bytes() > wire.MESSAGE_BYTES_MAX:
            transport.disconnect(graceful=False)  # who does not read does not read that either
        else:
            asyncio.get_running_loop().call_later(CLOSE_S, transport.disconnect, False)


PARTS_MAX = 64
CLOSE_S = 1.0
REASON_BYTES_MAX = 123
_KNOWN = {code.value for code in WSCloseCode}

Answer = Callable[[Handshake], Channel]
"""Opens a channel for a handshake. Raises `guard.Refused`."""


def forwarded(address: str, header: str, proxies: Collection[str]) -> str:
    """Who asks, by the word of the proxies: the last address in `X-Forwarded-For` that is not one of them."""
    for one in reversed(header.split(",")):
        if address not in proxies:
            break
        address = one.strip() or address
    return address[:64]


class _Words:
    """picows' logger. What a client does wrong is counted, not told: nobody fills the log from outside. What went wrong
    here is told; of connections others tell."""

    def __init__(self, broken: Callable[[], None]) -> None:
        self._broken = broken

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - as loggers have it
        return False

    def log(self, *what: object) -> None: ...

    debug = info = warning = log

    def error(self, text: str, *args: object) -> None:
        if "WSProtocolError" in text or "parser error" in text:
            self._broken()
        else:
            log.error(text, *args)

    def exception(self, text: str, *args: object) -> None:
        log.exception(text, *args)


def websocket_protocol(
    answer: Answer, proxies: Collection[str] = (), broken: Callable[[], None] = lambda: None
) -> type[asyncio.BufferedProtocol]:
    """What `uvicorn.Config(ws=…)` takes: uvicorn makes one for each upgrade, and hands it the request's bytes. `broken`
    is called for each connection that breaks off because its frames are none."""
    words = _Words(broken)

    class Upgraded(WSProtocol):  # type: ignore[misc]
        def __init__(self, config: Any, server_state: Any, app_state: Any) -> None:
            super().__init__(
                None,
                None,
                False,  # the server's side
                self._opened,
                words,
                True,
                HELLO_S,
                False,  # pings are the clients'
                20,
                20,
                WSAutoPingStrategy.PING_WHEN_IDLE,
                False,
                wire.MESSAGE_BYTES_MAX,
                None,
                BUFFER_BYTES,
            )
            self._address = ""

        def connection_made(self, transport: asyncio.Transport) -> None:
            peer = transport.get_extra_info("peername")
            self._address = str(peer[0]) if peer else ""
            bare = transport.get_extra_info("socket")
            if bare is not None:
                bare.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, SEND_BUFFER_BYTES)
            super().connection_made(transport)

        def data_received(self, data: bytes) -> None:
            """The handshake, as uvicorn has read it."""
            at = 0
            while at < len(data):
                buffer = self.get_buffer(len(data) - at)
                size = min(len(buffer), len(data) - at)
                buffer[:size] = data[at : at + size]
                self.buffer_updated(size)
                at += size

        def _opened(self, request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
            try:
                channel = answer(Handshake(request, self._address, proxies))
            except Refused as refused:
                return WSUpgradeResponseWithListener(_refusal(refused), None)
            headers = {"Sec-WebSocket-Protocol": channel.subprotocol} if channel.subprotocol else None
            return WSUpgradeResponseWithListener(WSUpgradeResponse.create_101_response(headers), channel)

    return Upgraded


def _refusal(refused: Refused) -> WSUpgradeResponse:
    said = {"content-type": "application/json", **refused.headers()}
    body = json.dumps(refused.describe()).encode()
    made: WSUpgradeResponse = WSUpgradeResponse.create_error_response(HTTPStatus(refused.status), body, said)
    return made


def _nowhere(_: Message) -> None:
    pass


def _gone() -> None:
    pass
