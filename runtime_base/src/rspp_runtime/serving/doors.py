"""The WebSocket doors of a server: which path is which dialect, and who may come in by it.

A handshake is looked at in this order: how often the address comes, which page it is from, its token. Only then is
anything made for it; a session begins with `hello`, and a connection that does not say it is closed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from rspp import wire
from rspp.wire import Close
from rspp_runtime.security.tokens import Grant
from rspp_runtime.serving.dialect import Dialect, DialectError, Hello, Message
from rspp_runtime.serving.guard import Guard, Refused
from rspp_runtime.serving.hub import Hub
from rspp_runtime.serving.listener import HELLO_S, Channel, Handshake
from rspp_runtime.serving.party import Party
from rspp_runtime.serving.rspp1 import Rspp1

log = logging.getLogger(__name__)

Door = Callable[[Handshake], Channel]


class Doors:
    """See the module. `others` are the doors of other paths."""

    def __init__(self, hub: Hub, guard: Guard) -> None:
        self.others: dict[str, Door] = {}
        self._hub = hub
        self._guard = guard

    def answer(self, asked: Handshake) -> Channel:
        """Opens a channel. Raises `Refused`."""
        try:
            self._hub.knock(asked.address)
            self._guard.from_page(asked.origin, asked.host)
            if asked.path == wire.PATH:
                return self._rspp1(asked)
            door = self.others.get(asked.path) or self._by_prefix(asked.path)
            if door is None:
                raise Refused(404, "path", f"there is no WebSocket here: rspp/1 is spoken at {wire.PATH}")
            return door(asked)
        except Refused as refused:
            self._hub.tally.handshakes_refused[refused.code] += 1
            raise

    def _by_prefix(self, path: str) -> Door | None:
        return next(
            (door for prefix, door in self.others.items() if prefix.endswith("/") and path.startswith(prefix)), None
        )

    def _rspp1(self, asked: Handshake) -> Channel:
        subprotocol = wire.choose(asked.protocols)
        if subprotocol is None:
            raise Refused(400, "subprotocol", f"offer one of {', '.join(wire.SUBPROTOCOLS)}")
        grant = self._guard.take(asked.token, "talk")
        self._hub.find(grant)
        return self.enter(Channel(subprotocol), Rspp1(subprotocol, grant.session_id), grant)

    def enter(self, channel: Channel, dialect: Dialect, grant: Grant) -> Channel:
        """Waits for the channel's hello, for a while, and makes it the socket of its session's party."""
        loop = asyncio.get_running_loop()
        party: Party | None = None
        timer: asyncio.TimerHandle | None = None

        def too_late() -> None:
            channel.close(Close.TIMEOUT, "nobody said hello")

        def opened() -> None:
            nonlocal timer
            timer = loop.call_later(HELLO_S, too_late)

        def refuse(error: DialectError) -> None:
            self._hub.tally.refused[error.code] += 1
            for message in dialect.error(error):
                channel.send(message)
            if error.close:
                channel.close(error.close, error.reason)

        def first(message: Message) -> None:
            nonlocal party
            try:
                if len(message) > wire.HELLO_BYTES_MAX:
                    raise DialectError("too_long", "`hello` is too long", close=Close.TOO_LONG)
                word = dialect.receive(message)
                if word is None:
                    return
                if not isinstance(word, Hello):
                    raise DialectError("no_hello", "the first message is `hello`", "type", Close.MALFORMED)
                party = self._hub.enter(grant, channel, dialect, word)
            except Refused as refused:
                refuse(
                    DialectError(
                        refused.code, refused.reason, close=Close.RATE if refused.retry_after_ms else Close.TOKEN
                    )
                )
                return
            except DialectError as error:
                refuse(error)
                return
            if timer is not None:
                timer.cancel()
            channel.receive = party.message
            channel.alive = party.alive

        def lost() -> None:
            if timer is not None:
                timer.cancel()
            if party is not None:
                party.detach(channel)

        channel.opened, channel.receive, channel.lost = opened, first, lost
        return channel
