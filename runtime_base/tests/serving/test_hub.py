"""The hub and its doors, in real time: places, tokens, ages, and a process that cannot hold sessions."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rspp import wire
from rspp.wire import Close
from rspp_runtime.security.tokens import Grant
from rspp_runtime.serving import doors as doors_module
from rspp_runtime.serving import hub as hub_module
from rspp_runtime.serving.doors import Doors
from rspp_runtime.serving.guard import Guard, Refused
from rspp_runtime.serving.hub import Hub
from rspp_runtime.serving.listener import Handshake
from rspp_runtime.serving.server import ServeError, Server
from rspp_runtime.serving.settings import Settings

WAIT_S = 10.0


class Channel:
    """A connection without a network."""

    def __init__(self, subprotocol: str | None = None) -> None:
        self.receive: Callable[[Any], None] = lambda _: None
        self.lost: Callable[[], None] = lambda: None
        self.alive: Callable[[], None] = lambda: None
        self.came: list[dict[str, Any]] = []
        self.closed: int | None = None

    def send(self, message: wire.Message) -> None:
        self.came.append(wire.decode(message, wire.JSON))

    send_bytes = send

    def ping(self) -> None: ...

    def waiting_bytes(self) -> int:
        return 0

    def close(self, code: int, reason: str) -> None:
        if self.closed is None:
            self.closed = code
            self.receive = lambda _: None

    def say(self, **fields: Any) -> None:
        self.receive(json.dumps(fields))

    async def until(self, **wanted: Any) -> dict[str, Any]:
        end_s = time.monotonic() + WAIT_S
        while True:
            for fields in self.came:
                if fields.items() >= wanted.items():
                    return fields
            assert time.monotonic() < end_s, f"{wanted} did not come: {self.came}"
            await asyncio.sleep(0.005)


class House:
    """A hub with its doors, and providers of the test's."""

    def __init__(self, scripted: ModuleType, settings: Settings) -> None:
        self.plan = scripted.plan()
        package = scripted.package(self.plan)
        work = {"ears": scripted.listen, "stt": scripted.recognise, "voice": scripted.speak}
        work["llm"] = scripted.answer("It is four o'clock.")
        providers = {name: [(name, scripted.Fake("x", function))] for name, function in work.items()}
        self.guard = Guard(package, settings)
        self.hub = Hub(package, providers, settings, self.guard)
        self.doors = Doors(self.hub, self.guard)

    def grant(self, tenant: str = "acme", session_id: str = "s-1") -> Grant:
        token = self.guard.token(tenant, session_id, 1)
        return self.guard.look(token, "talk")

    def dial(self, grant: Grant) -> Channel:
        """A handshake that was taken."""
        from rspp_runtime.serving.rspp1 import Rspp1

        channel = Channel()
        self.doors.enter(channel, Rspp1(wire.JSON, grant.session_id), grant)  # type: ignore[arg-type]
        return channel

    async def come(self, grant: Grant, **hello: Any) -> Channel:
        channel = self.dial(grant)
        channel.say(type="hello", protocol=wire.PROTOCOL, **hello)
        await channel.until(type="welcome")
        return channel


def play(scripted: ModuleType, user: Callable[[House], Awaitable[None]], **settings: Any) -> House:
    async def main() -> House:
        house = House(scripted, replace(Settings(development=True), **settings))
        house.hub.start()
        try:
            await user(house)
        finally:
            await house.hub.close()
        assert house.hub.admission.sessions == 0, "every place was given back"
        assert house.hub.seats == {}
        return house

    return asyncio.run(main())


# ---- places


@pytest.mark.feature("F-088", "mapped")
def test_a_place_is_kept_between_handshake_and_hello(scripted: ModuleType) -> None:
    async def user(house: House) -> None:
        first = house.dial(house.grant(session_id="s-1"))
        assert house.hub.admission.sessions == 1
        with pytest.raises(Refused) as refused:
            house.dial(house.grant(session_id="s-2"))
        assert (refused.value.status, refused.value.code, refused.value.outcome) == (503, "capacity", "reject")
        first.lost()
        assert house.hub.admission.sessions == 0
        second = await house.come(house.grant(session_id="s-3"))
        assert house.hub.admission.sessions == 1
        assert house.hub.seats["s-3"].tenant == "acme"
        second.say(type="bye")
        await second.until(type="goodbye")
        assert house.hub.admission.sessions == 0

    play(scripted, user, max_sessions=1)


def test_who_comes_back_needs_no_other_place(scripted: ModuleType) -> None:
    async def user(house: House) -> None:
        first = await house.come(house.grant())
        second = await house.come(house.grant(), resume={"received": 1})
        assert first.closed == Close.TOKEN
        assert second.came[0]["resumed"] is True
        assert house.hub.admission.sessions == 1
        with pytest.raises(Refused) as refused:
            house.dial(house.grant(tenant="globex"))
        assert refused.value.code == "wrong_tenant"

    play(scripted, user, max_sessions=1)


def test_a_hello_that_is_refused_gives_its_place_back(scripted: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors_module, "HELLO_S", 0.1)

    async def user(house: House) -> None:
        wrong = house.dial(house.grant(session_id="s-1"))
        wrong.say(type="hello", protocol="rspp/9")
        assert wrong.closed == Close.MALFORMED
        gone = house.dial(house.grant(session_id="s-2"))
        gone.say(type="hello", protocol=wire.PROTOCOL, resume={"received": 4})
        assert gone.closed == Close.TOKEN
        assert [one["type"] for one in gone.came] == ["error", "goodbye"]
        assert gone.came[0]["code"] == "gone"
        silent = house.dial(house.grant(session_id="s-3"))
        await asyncio.sleep(0.2)
        assert silent.closed == Close.TIMEOUT
        assert house.hub.admission.sessions == 0
        for channel in (wrong, gone, silent):
            channel.lost()  # which comes later

    house = play(scripted, user)
    assert house.hub.tally.connections == {"no_hello": 1}


@pytest.mark.parametrize("field", ["audio_in", "audio_out"])
def test_a_codec_that_is_not_spoken_is_refused_before_a_session_begins(scripted: ModuleType, field: str) -> None:
    async def user(house: House) -> None:
        asks = house.dial(house.grant())
        asks.say(type="hello", protocol=wire.PROTOCOL, **{field: {"encoding": "opus", "rate_hz": 48_000}})
        assert asks.closed == Close.MALFORMED
        assert [one["type"] for one in asks.came] == ["error", "goodbye"]
        assert asks.came[0]["code"] == "no_codec"
        assert asks.came[0]["reason"] == f"{field}.encoding: opus is not spoken here; there is pcm16, ulaw"
        assert house.hub.seats == {}
        assert house.hub.admission.sessions == 0
        await house.come(house.grant(session_id="s-2"), **{field: {"encoding": "ulaw", "rate_hz": 8000}})

    play(scripted, user, codecs=("ulaw",))


def test_a_server_that_lacks_what_its_clients_will_speak_does_not_start(
    scripted: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rspp_runtime.serving.server.spoken_here", lambda: ("pcm16", "ulaw"))
    package = scripted.package(scripted.plan())
    with pytest.raises(ServeError, match=r"pip install 'rspp-runtime\[opus\]'"):
        Server(package, Settings(development=True, codecs=("ulaw", "opus")))
    assert Server(package, Settings(development=True, codecs=("ulaw",))).settings.codecs == ("ulaw",)


def test_who_comes_back_while_the_session_is_being_left_asks_again(scripted: ModuleType, tmp_path: Path) -> None:
    async def user(house: House) -> None:
        first = await house.come(house.grant())
        house.hub.seats["s-1"].party.cut()
        late = house.dial(house.grant())
        late.say(type="hello", protocol=wire.PROTOCOL, resume={"received": 1})
        assert late.closed == Close.RATE
        assert late.came[-1]["after_ms"] > 0
        assert (await first.until(type="goodbye"))["code"] == Close.DRAINING

    play(scripted, user, log_dir=tmp_path)


# ---- the passing of time


def test_the_token_to_come_back_with_is_renewed(scripted: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    async def user(house: House) -> None:
        channel = await house.come(house.grant())
        first = channel.came[0]["resume"]["token"]
        house.hub.seats["s-1"].token_s -= hub_module.RENEW_S
        renewed = await channel.until(type="token")
        assert renewed["token"] != first
        assert renewed["within_ms"] == 32_000
        await asyncio.sleep(0.3)
        assert len([one for one in channel.came if one["type"] == "token"]) == 1
        for token in (renewed["token"], first):
            back = await house.come(house.guard.look(token, "talk"), resume={"received": renewed["seq"]})
            assert back.came[0]["session_id"] == "s-1"
        with pytest.raises(Refused):
            house.dial(house.guard.look(first, "talk"))

    play(scripted, user)


@pytest.mark.parametrize("busy", [False, True])
def test_a_session_ends_when_it_has_lasted_long_enough(scripted: ModuleType, busy: bool) -> None:
    async def user(house: House) -> None:
        channel = await house.come(house.grant())
        if busy:
            channel.say(type="text", seq=1, text="hello")
            await channel.until(signal="turn_open")
        house.hub.seats["s-1"].since_s -= 7_201
        goodbye = await channel.until(type="goodbye")
        assert (goodbye["code"], goodbye["reason"]) == (Close.DONE, hub_module.TOO_OLD)
        if busy:
            await channel.until(signal="commit")

    play(scripted, user)


def test_nobody_talks_on_for_ever(scripted: ModuleType) -> None:
    """However busy the session is."""

    async def user(house: House) -> None:
        channel = await house.come(house.grant())
        channel.say(type="text", seq=1, text="hello")
        await channel.until(signal="turn_open")
        house.hub.seats["s-1"].since_s -= 7_200 + house.plan.turn_total_ns / 1e9 + 1
        await channel.until(type="goodbye")
        await channel.until(signal="abort")

    play(scripted, user)


def test_one_partys_trouble_is_not_the_others(
    scripted: ModuleType, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def user(house: House) -> None:
        one, other = await house.come(house.grant(session_id="s-1")), await house.come(house.grant(session_id="s-2"))
        monkeypatch.setattr(house.hub.seats["s-1"].party.connection, "_patience", None)
        await one.until(type="goodbye")
        other.say(type="text", seq=1, text="hello")
        await other.until(signal="commit")

    play(scripted, user)
    assert "tick failed" in caplog.text


# ---- a process that cannot hold sessions


@pytest.mark.feature("F-108", "apart")
def test_sessions_that_cannot_be_held_make_a_process_unready_and_one_that_can_heals_it(
    scripted: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "logs"  # it is not there: as a disk that is gone

    async def user(house: House) -> None:
        for number in range(3):
            assert house.hub.unready == ""
            channel = house.dial(house.grant(session_id=f"s-{number}"))
            channel.say(type="hello", protocol=wire.PROTOCOL)
            goodbye = await channel.until(type="goodbye")
            assert (goodbye["code"], goodbye["reason"]) == (Close.SERVER, f"the session failed: s-{number}")
        assert "the last 3 sessions failed" in house.hub.unready
        folder.mkdir()
        await house.come(house.grant(session_id="s-9"))
        assert house.hub.unready == ""

        folder.rename(tmp_path / "away")
        for number in range(10, 13):
            channel = house.dial(house.grant(session_id=f"s-{number}"))
            channel.say(type="hello", protocol=wire.PROTOCOL)
            await channel.until(type="goodbye")
        assert house.hub.unready
        monkeypatch.setattr(hub_module, "UNREADY_S", 0.0)  # nobody is sent here: so it has to be tried again
        assert house.hub.unready == ""

    house = play(scripted, user, log_dir=folder)
    assert house.hub.ended["failed"] == 6


def test_a_log_that_cannot_be_gone_on_with_is_that_sessions_trouble(scripted: ModuleType, tmp_path: Path) -> None:
    async def user(house: House) -> None:
        for number in range(4):
            (tmp_path / f"s-{number}.rspplog").write_bytes(b"not a log")
            channel = house.dial(house.grant(session_id=f"s-{number}"))
            channel.say(type="hello", protocol=wire.PROTOCOL, resume={"received": 0})
            assert (channel.closed, channel.came[0]["code"]) == (Close.TOKEN, "gone")
        assert house.hub.unready == ""

    play(scripted, user, log_dir=tmp_path)


# ---- tokens without a key


def test_a_server_that_only_trusts_others_still_lets_its_parties_come_back(
    scripted: ModuleType, tmp_path: Path
) -> None:
    from rspp_runtime.security import keys
    from rspp_runtime.security.tokens import Issuer

    key = keys.new_key()
    (tmp_path / "keys.jwks").write_text(json.dumps(keys.jwks({key.kid: key.public})))
    backend = Issuer(key)

    async def user(house: House) -> None:
        token = backend.issue(
            tenant="acme", session_id="s-1", pipeline="scripted", pipeline_version="1.0.0", epoch=1, scopes={"talk"},
            now_s=int(time.time()),
        )  # fmt: skip
        assert house.guard.token("acme", "s-2", 1) == "", "it gives no tokens to strangers"
        channel = await house.come(house.guard.look(token, "talk"))
        again = house.guard.look(channel.came[0]["resume"]["token"], "talk")
        assert (again.tenant, again.session_id) == ("acme", "s-1")
        await house.come(again, resume={"received": 0})

    play(scripted, user, development=False, trusted_keys=(tmp_path / "keys.jwks",))


def test_handshakes_that_are_refused_are_counted(scripted: ModuleType) -> None:
    async def user(house: House) -> None:
        asked = Handshake.__new__(Handshake)
        asked.address, asked.origin, asked.host, asked.path = "192.0.2.1", None, "localhost", "/nowhere"
        asked.token, asked.protocols, asked.query = "", [wire.JSON], {}
        for path, code in (("/nowhere", "path"), (wire.PATH, "missing")):
            asked.path = path
            with pytest.raises(Refused) as refused:
                house.doors.answer(asked)
            assert refused.value.code == code
        codes = set()
        for _ in range(300):
            with pytest.raises(Refused) as refused:
                house.doors.answer(asked)
            codes.add((refused.value.status, refused.value.code))
        assert (429, "attempt_rate") in codes

    house = play(scripted, user)
    counted = house.hub.tally.handshakes_refused
    assert sum(counted.values()) == 302
    assert counted["path"] == 1
