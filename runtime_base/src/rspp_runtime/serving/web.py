"""uvicorn, with what it leaves to whoever stands in front of it: nobody holds a connection open by saying nothing.

A request's head has `HEAD_S` from its first byte, or from the connection's beginning; its body has a deadline of its
own (`app.body`); and a connection without a request is closed as before.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S = 10.0


class Http(HttpToolsProtocol):
    """One connection."""

    _head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._has_come()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._wait_for_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._has_come()
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        self._has_come()
        super().handle_websocket_upgrade()

    def _wait_for_head(self) -> None:
        if self._head is None:
            self._head = self.loop.call_later(HEAD_S, self._too_slow)

    def _has_come(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _too_slow(self) -> None:
        self._head = None
        self.transport.close()


class Web(uvicorn.Server):
    """Without uvicorn's own signals: stopping is the server's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
