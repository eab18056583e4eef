"""A conversation over rspp/1, from Python.

    async with await talk("http://localhost:7860") as conversation:
        await conversation.text("what is the weather like in london")
        async for message in conversation:            # maps, as docs/protocol.md describes them
            if message["type"] == "text":
                print(message["text"], end="")
            if message["type"] == "signal" and message["signal"] == "close":
                break

A connection that is lost is taken up again by itself, for as long as the server keeps the session: what was said and
not acknowledged is said again, nothing comes twice. Who does not read is not waited for by the server: keep iterating.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from rspp import wire
from rspp.wire import Fields

OPEN_S = 10.0
ACK_EVERY = 10  # messages
KEPT_MAX = 256  # words that the server has not acknowledged
BACKOFF_S, BACKOFF_S_MAX = 0.1, 2.0
ASKS_MAX = 10  # for a session, while two versions answer


class Refused(Exception):  # noqa: N818 - an answer, not a mistake
    """The server does not take the session: `code` says why, `retry_after_ms` (0: never) when it may."""

    def __init__(self, code: str, reason: str, retry_after_ms: int = 0) -> None:
        super().__init__(reason)
        self.code = code
        self.retry_after_ms = retry_after_ms


class Ended(Exception):  # noqa: N818 - as above
    """The conversation is over, and cannot be taken up again: `code` is a close code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason or f"closed with {code}")
        self.code = code


async def talk(server: str, *, bearer: str = "", **hello: Any) -> Conversation:
    """Asks `server` (`http://host:port`) for a session, and connects. `bearer` is a token of scope `issue`, where one
    is needed; `hello` as of `Conversation`. While servers of two versions answer, one may sign for its own and the
    other be talked to: it is asked again then. Raises `Refused`, `Ended`, `OSError`."""
    for attempt in range(1, ASKS_MAX + 1):
        asked = await asyncio.to_thread(_ask, server.rstrip("/") + "/v1/sessions", bearer)
        try:
            return await Conversation.open(asked["url"], asked["token"], **hello)
        except Refused as refused:
            if refused.code != "wrong_version" or attempt == ASKS_MAX:
                raise
        await asyncio.sleep(BACKOFF_S * attempt)
    raise AssertionError


class Conversation:
    """See the module. Made by `open` or `talk`."""

    def __init__(self, url: str, token: str, subprotocol: str, hello: Fields) -> None:
        self.url = url
        self.welcome: Fields = {}
        self.received = 0  # the highest number of the server's that came
        self.resumed = 0  # how often the connection was taken up again
        self._token = token
        self._subprotocol = subprotocol
        self._hello = hello
        self._socket: ClientConnection | None = None
        self._sequence = 0
        self._kept: deque[tuple[int, Fields]] = deque(maxlen=KEPT_MAX)
        self._unacked = 0
        self._pinging: asyncio.Task[None] | None = None
        self._over: Ended | None = None
        self._within_s = 0.0
        self._after_s = 0.0

    @classmethod
    async def open(
        cls,
        url: str,
        token: str,
        *,
        subprotocol: str = wire.MSGPACK,
        audio_in: Mapping[str, Any] | None = None,
        audio_out: Mapping[str, Any] | None = None,
        reports: bool = False,
        echo_cancelled: bool = False,
        attributes: Mapping[str, str] | None = None,
        traceparent: str = "",
        resume: int | None = None,
        sent: int = 0,
    ) -> Conversation:
        """Connects and says hello. `audio_in` and `audio_out` are formats; `reports`: `delivery` will be called.
        `traceparent`: of the trace that the conversation is a part of.
        `resume`: goes on with the session of the token, of which messages up to that number were received, and those
        up to `sent` said, by whoever had it before. Raises `Refused`, `Ended`, `OSError`."""
        hello: Fields = {
            "type": "hello",
            "protocol": wire.PROTOCOL,
            "audio_in": dict(audio_in) if audio_in else None,
            "audio_out": dict(audio_out) if audio_out else None,
            "playback": "acked" if reports else "none",
            "echo_cancelled": echo_cancelled,
            "attributes": dict(attributes or {}),
            "client": "rspp.client",
            **({"traceparent": traceparent} if traceparent else {}),
        }
        self = cls(url, token, subprotocol, hello)
        self.received = resume or 0
        await self._connect(resume=resume is not None)
        self._sequence = max(sent, self.welcome["received"])
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.bye()

    @property
    def token(self) -> str:
        """To go on with the session from elsewhere, with `open`."""
        return self._token

    @property
    def sent(self) -> int:
        """The last number given."""
        return self._sequence

    # ---- to the server

    async def text(self, text: str) -> None:
        """One utterance, typed."""
        await self._say({"type": "text", "text": text}, keep=True)

    async def audio(self, packet: bytes, sample_index: int | None = None) -> None:
        """One packet in the format of `audio_in`. While the connection is being taken up again it is lost."""
        fields: Fields = {"type": "audio", "payload": packet}
        await self._say(fields if sample_index is None else {**fields, "sample_index": sample_index}, keep=False)

    async def control(self, signal: str, key: str | None = None) -> None:
        """`end_utterance`, `cancel`, `button_down`, `button_up`, or `dtmf` with its `key`."""
        fields: Fields = {"type": "control", "signal": signal}
        await self._say(fields if key is None else {**fields, "key": key}, keep=True)

    async def delivery(self, signal: str, turn_id: str, played_ms: int) -> None:
        """How much of a turn's audio was played: `playback_started`, `_progress`, `_completed`, `_cancelled`."""
        fields = {"type": "delivery", "signal": signal, "turn_id": turn_id, "played_ms": played_ms}
        await self._say(fields, keep=False)

    async def bye(self) -> None:
        """Hangs up. The session ends."""
        if self._pinging is not None:
            self._pinging.cancel()
        socket, self._socket = self._socket, None
        if socket is None:
            return
        if self._over is None:
            self._over = Ended(wire.Close.DONE, "hung up")
            with contextlib.suppress(ConnectionClosed):
                await socket.send(wire.encode({"type": "bye"}, self._subprotocol))
        await socket.close()

    # ---- from the server

    def __aiter__(self) -> AsyncIterator[Fields]:
        return self

    async def __anext__(self) -> Fields:
        """The next message. The end of the session ends the iteration; a failure raises `Ended`."""
        while True:
            socket = self._socket
            if socket is None:
                raise StopAsyncIteration
            try:
                fields = wire.decode(await socket.recv(), self._subprotocol)
            except ConnectionClosed as closed:
                await self._lost(closed)
                continue
            kind = fields["type"]
            sequence = fields.get("seq", 0)
            if sequence:
                self.received = max(self.received, sequence)
                self._unacked += 1
                if self._unacked >= ACK_EVERY:
                    await self._ack()
            if kind == "ack":
                self._forget(fields["received"])
            elif kind == "token":
                self._token = fields["token"]
            elif kind == "goodbye":
                self._told_goodbye(fields)
            elif kind == "welcome":
                self._welcomed(fields)
            return fields

    # ---- inside

    async def _say(self, fields: Fields, *, keep: bool) -> None:
        if self._over is not None:
            raise self._over
        self._sequence += 1
        fields["seq"] = self._sequence
        if keep:
            self._kept.append((self._sequence, fields))
        if self._socket is not None:
            with contextlib.suppress(
                ConnectionClosed
            ):  # whoever reads finds that out, and takes the connection up again
                await self._socket.send(wire.encode(fields, self._subprotocol))

    async def _ack(self) -> None:
        self._unacked = 0
        if self._socket is not None:
            with contextlib.suppress(ConnectionClosed):
                await self._socket.send(wire.encode({"type": "ack", "received": self.received}, self._subprotocol))

    def _forget(self, received: int) -> None:
        while self._kept and self._kept[0][0] <= received:
            self._kept.popleft()

    def _told_goodbye(self, fields: Fields) -> None:
        """What it says of coming back."""
        resume = fields.get("resume")
        if resume:
            self._token = resume["token"]
            self._within_s = resume["within_ms"] / 1000
        elif fields["code"] == wire.Close.DRAINING:
            self._token = ""
        self._after_s = fields.get("after_ms", 0) / 1000

    def _welcomed(self, fields: Fields) -> None:
        self.welcome = fields
        if fields["resume"]["token"]:
            self._token = fields["resume"]["token"]
        self._within_s = fields["resume"]["within_ms"] / 1000
        self._forget(fields["received"])

    async def _connect(self, *, resume: bool) -> None:
        """One attempt. Raises `Refused`, `Ended`, `OSError`."""
        try:
            socket = await connect(
                self.url,
                subprotocols=[self._subprotocol],  # type: ignore[list-item]
                additional_headers={"Authorization": f"Bearer {self._token}"},
                compression=None,
                open_timeout=OPEN_S,
                ping_interval=None,
                max_size=1 << 20,
                proxy=None,
            )
        except InvalidStatus as error:
            raise _refusal(error.response.status_code, error.response.body) from None
        except InvalidHandshake as error:
            if isinstance(error.__cause__, EOFError):  # a server that ends, or a proxy that has none
                raise ConnectionError(f"{self.url} hung up before it answered") from None
            raise Refused("handshake", str(error)) from None
        except TimeoutError:
            raise ConnectionError(f"{self.url} did not answer within {OPEN_S:.0f} s") from None
        hello = {**self._hello, "resume": {"received": self.received}} if resume else self._hello
        refused: Refused | None = None
        try:
            await socket.send(wire.encode(hello, self._subprotocol))
            async with asyncio.timeout(OPEN_S):
                fields = wire.decode(await socket.recv(), self._subprotocol)
                while fields["type"] != "welcome":
                    if fields["type"] == "error":
                        refused = Refused(fields["code"], fields["reason"])
                    elif fields["type"] == "goodbye" and refused is not None:
                        refused.retry_after_ms = fields.get("after_ms", 0)
                    fields = wire.decode(await socket.recv(), self._subprotocol)
        except ConnectionClosed as closed:
            raise refused or _ended(closed) from None
        except TimeoutError:
            await socket.close()
            raise ConnectionError(f"{self.url} did not say welcome within {OPEN_S:.0f} s") from None
        self._socket = socket
        self._welcomed(fields)
        if self._pinging is None:
            self._pinging = asyncio.create_task(self._ping())
        try:
            for _, kept in tuple(self._kept):
                await socket.send(wire.encode(kept, self._subprotocol))
        except ConnectionClosed:
            pass  # whoever reads finds that out

    async def _lost(self, closed: ConnectionClosed) -> None:
        """Takes the connection up again, or raises `Ended`, or ends the iteration."""
        ended = _ended(closed)
        self._socket = None
        if self._over is not None or ended.code == wire.Close.DONE:
            self._over = self._over or ended
            self._stop_pinging()
            raise StopAsyncIteration
        if ended.code not in wire.RESUMABLE or not self._token:
            self._stop_pinging()
            self._over = ended
            raise ended
        until_s = time.monotonic() + self._within_s
        pause_s = BACKOFF_S
        await asyncio.sleep(self._after_s)
        self._after_s = 0.0
        while True:
            try:
                await self._connect(resume=True)
                self.resumed += 1
                return
            except (OSError, Ended, Refused) as error:
                final = isinstance(error, Refused) and not error.retry_after_ms
                if final or time.monotonic() + pause_s > until_s:
                    self._stop_pinging()
                    self._over = Ended(ended.code, f"could not come back: {error}")
                    raise self._over from None
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, BACKOFF_S_MAX)

    def _stop_pinging(self) -> None:
        if self._pinging is not None:
            self._pinging.cancel()

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(self.welcome["ping_ms"] / 2000)
            if self._socket is not None:
                try:
                    await self._socket.send(wire.encode({"type": "ping"}, self._subprotocol))
                    await self._ack()
                except ConnectionClosed:
                    pass


_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # as the WebSocket, which asks no proxy


def _ended(closed: ConnectionClosed) -> Ended:
    return Ended(closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else Ended(1006, "the connection broke off")


def _refusal(status: int, body: bytes | None) -> Refused:
    try:
        said = json.loads(body or b"")
        return Refused(str(said["code"]), str(said["reason"]), int(said.get("retry_after_ms", 0)))
    except (ValueError, KeyError, TypeError):
        return Refused("http", f"the server answered {status}", 1_000 if status >= 500 else 0)


def _ask(url: str, bearer: str) -> dict[str, Any]:
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"{url}: a server's address begins with http:// or https://")
    request = urllib.request.Request(url, b"{}", {"Content-Type": "application/json"}, method="POST")
    if bearer:
        request.add_header("Authorization", f"Bearer {bearer}")
    try:
        with _DIRECT.open(request, timeout=OPEN_S) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        raise _refusal(error.code, error.read()) from None
