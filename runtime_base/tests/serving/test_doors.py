"""The door: a token is used up by who gets in, not by who is told to come again."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from rspp import wire
from rspp_runtime.security.tokens import Grant, Replays, TokenError
from rspp_runtime.serving.doors import Doors
from rspp_runtime.serving.guard import Refused

GRANT = Grant("acme", "s-1", "p", "1", 1, frozenset({"talk"}), "", "token-number-1", 2_000)


class Guard:
    """Takes any token; each once."""

    def __init__(self) -> None:
        self.replays = Replays()

    def from_page(self, *_: object) -> None:
        return None

    def look(self, *_: object) -> Grant:
        return GRANT

    def use(self, grant: Grant) -> None:
        try:
            self.replays.use(grant, 1_000)
        except TokenError as error:
            raise Refused(401, error.code, str(error)) from None


class Hub:
    """Has as many places as it is given."""

    def __init__(self) -> None:
        self.places = 0
        self.tally = SimpleNamespace(handshakes_refused={"loop_lag": 0, "replayed": 0}, connections={"no_hello": 0})

    def knock(self, address: str) -> None:
        return None

    def keep_place(self, grant: Grant) -> bool:
        if not self.places:
            raise Refused(503, "loop_lag", "this server is late", 500, "defer")
        self.places -= 1
        return True

    def give_back(self, grant: Grant) -> None:
        self.places += 1


def asked() -> Any:
    return SimpleNamespace(
        path=wire.PATH, address="", origin=None, host="", token="t", query={}, protocols=[wire.MSGPACK]
    )


def test_a_token_is_good_again_after_no_for_now() -> None:
    async def come() -> None:
        hub, guard = Hub(), Guard()
        doors = Doors(hub, guard)  # type: ignore[arg-type]
        for _ in range(2):
            with pytest.raises(Refused) as refused:
                doors.answer(asked())
            assert refused.value.code == "loop_lag"
        assert len(guard.replays) == 0
        hub.places = 1
        channel = doors.answer(asked())
        assert hub.places == 0
        channel.lost()
        assert hub.places == 1

    asyncio.run(come())


def test_a_token_that_was_used_keeps_no_place() -> None:
    async def come() -> None:
        hub, guard = Hub(), Guard()
        hub.places = 2
        doors = Doors(hub, guard)  # type: ignore[arg-type]
        doors.answer(asked()).lost()
        with pytest.raises(Refused) as refused:
            doors.answer(asked())
        assert refused.value.code == "replayed"
        assert hub.places == 2

    asyncio.run(come())
