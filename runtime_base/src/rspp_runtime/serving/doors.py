"""The WebSocket doors of a server: which path is which dialect, and who may come in by it.

A handshake is looked at in this order: how often the address comes, which page it is from, its token, whether there
is a place for its session. Only then is anything made for it; a session begins with `hello`, and a connection that does
not say it is closed.
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

    def broken(self) -> None:
        """Somebody's frames are none: its connection is over."""
        self._hub.tally.refused["frame"] += 1

    def _by_prefix(self, path: str) -> Door | None:
        return next(
            (door for prefix, door in self.others.items() if prefix.endswith("/") and path.startswith(prefix)), None
        )

    def _rspp1(self, asked: Handshake) -> Channel:
        subprotocol = wire.choose(asked.protocols)
        if subprotocol is None:
            raise Refused(400, "subprotocol", f"offer one of {', '.join(wire.SUBPROTOCOLS)}")
        grant = self._guard.look(asked.token, "talk")
        return self.enter(Channel(subprotocol), Rspp1(subprotocol, grant.session_id), grant)

    def enter(self, channel: Channel, dialect: Dialect, grant: Grant) -> Channel:
        """Waits for the channel's hello, for a while, and makes it the socket of its session's party. Raises
        `Refused` if there is no place for the session.

        The token is used up only where there is one: whoever is told to come again shows the same token.
        """
        visit = Visit(self._hub, self._guard, channel, dialect, grant)
        try:
            self._guard.use(grant)
        except Refused:
            visit.leave()
            raise
        return channel


class Visit:
    """A connection between its handshake and its hello, after which it is a party's. A place is kept for its
    session."""

    def __init__(self, hub: Hub, guard: Guard, channel: Channel, dialect: Dialect, grant: Grant) -> None:
        """Raises `Refused`."""
        self._hub = hub
        self._guard = guard
        self._channel = channel
        self._dialect = dialect
        self._grant = grant
        self._party: Party | None = None
        self._is_answered = False  # the other side has said something after its welcome: it has it
        self._has_place = hub.keep_place(grant)
        self._timer = asyncio.get_running_loop().call_later(HELLO_S, self._too_late)
        channel.receive, channel.lost = self._receive, self._lost

    def _receive(self, message: Message) -> None:
        channel = self._channel
        try:
            if len(message) > wire.HELLO_BYTES_MAX:
                raise DialectError("too_long", "`hello` is too long", close=Close.TOO_LONG)
            word = self._dialect.receive(message)
            if word is None:
                return
            if not isinstance(word, Hello):
                raise DialectError("no_hello", "the first message is `hello`", "type", Close.MALFORMED)
            has_place, self._has_place = self._has_place, False
            self._party = self._hub.enter(self._grant, channel, self._dialect, word, has_place=has_place)
        except Refused as refused:
            close = Close.RATE if refused.retry_after_ms else Close.TOKEN
            if refused.retry_after_ms:
                self._guard.give_back(self._grant)
            self._refuse(DialectError(refused.code, refused.reason, close=close), refused.retry_after_ms)
        except DialectError as error:
            self._refuse(error)
        else:
            self._timer.cancel()
            channel.receive, channel.alive = self._first, self._party.alive

    def _first(self, message: Message) -> None:
        """The first message after hello that its session takes; from then on they go to the party."""
        party = self._party
        assert party is not None
        if party.is_held:
            self._is_answered = True
            self._channel.receive = party.message
        party.message(message)

    def _refuse(self, error: DialectError, after_ms: int = 0) -> None:
        self._hub.tally.refused[error.code] += 1
        messages = self._dialect.error(error)
        if error.close:
            messages += self._dialect.goodbye(error.close, error.reason, "", 0, after_ms)
        for message in messages:
            self._channel.send(message)
        if error.close:
            self._channel.close(error.close, error.reason)
            self.leave()

    def _too_late(self) -> None:
        self._hub.tally.connections["no_hello"] += 1
        self._channel.close(Close.TIMEOUT, "nobody said hello")
        self.leave()

    def _lost(self) -> None:
        self.leave()
        if self._party is not None and not self._is_answered:
            self._guard.give_back(self._grant)
        if self._party is not None:
            self._party.detach(self._channel)

    def leave(self) -> None:
        """It is over, or has become a party's."""
        self._timer.cancel()
        if self._has_place:
            self._has_place = False
            self._hub.give_back(self._grant)
