"""Who may look at what: tokens of scope `observe`, tenants and sessions, purposes; in development this machine."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loading import module_of
from rspp_runtime.security.keys import new_key, write_private
from rspp_runtime.serving.app import make_app
from rspp_runtime.serving.guard import Guard, Refused
from rspp_runtime.serving.inspection import Inspection
from rspp_runtime.serving.listener import Channel
from rspp_runtime.serving.settings import Settings
from rspp_runtime.session.clock import MonotonicClock

looking = module_of("serving_looking_inspection", Path(__file__).with_name("looking.py"))


class House:
    """An application with one live session `s-1` of tenant `ours`, and its recording."""

    def __init__(self, folder: Path, key: Path | None) -> None:
        package = looking.SCRIPTED.package(looking.SCRIPTED.plan())
        settings = Settings(development=key is None, log_dir=folder, signing_key=key)
        self.guard = Guard(package, settings)
        self.inspection = Inspection(package, settings, self.guard)
        connection = SimpleNamespace(state=SimpleNamespace(value="connected"))
        self.seat: Any = SimpleNamespace(
            session_id="s-1", tenant="ours", party=SimpleNamespace(connection=connection), clock=MonotonicClock(),
            epoch=1, log=folder / "s-1.rspplog", since_s=time.time(),
        )  # fmt: skip
        self.hub: Any = SimpleNamespace(seats={"s-1": self.seat}, draining=False, unready="")
        self.doors: Any = SimpleNamespace(others={})
        self.inspection.opened(self.hub, self.doors)
        self.feed = self.inspection.watch(self.seat)[0]
        self.app = make_app(self.hub, self.guard, self.inspection.routes, None)
        self.package = package

    def token(self, tenant: str = "ours", session_id: str = "", scope: str = "observe") -> str:
        assert self.guard.issuer is not None
        return self.guard.issuer.issue(
            tenant=tenant, session_id=session_id, pipeline=self.package.plan.pipeline,
            pipeline_version=self.package.plan.pipeline_version, epoch=1, scopes={scope}, now_s=int(time.time()),
        )  # fmt: skip

    def ask(self, path: str, token: str = "", method: str = "GET", body: bytes = b"", **headers: str) -> Any:
        """(status, headers, body) of a request over ASGI."""
        path, _, query = path.partition("?")
        given = {"host": "localhost:7860", **headers} | ({"authorization": f"Bearer {token}"} if token else {})
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            "client": ("127.0.0.1", 5), "server": ("localhost", 7860),
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        status = next(one["status"] for one in sent if one["type"] == "http.response.start")
        told = {name.decode(): value.decode() for one in sent for name, value in one.get("headers", [])}
        return status, told, b"".join(one.get("body", b"") for one in sent)

    def knock(self, path: str, token: str = "", origin: str | None = None) -> Channel:
        asked: Any = SimpleNamespace(
            path=path, token=token, origin=origin, host="localhost:7860", protocols=["rspp.1.json"], address="127.0.0.1"
        )
        return self.inspection.door(asked)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inspected")
    looking.held(reveals=True, log=folder / "s-1.rspplog", session_id="s-1")
    looking.held(reveals=True, log=folder / "s-0.rspplog", session_id="s-0")
    return folder


@pytest.fixture
def production(folder: Path, tmp_path: Path) -> House:
    write_private(tmp_path / "key.pem", new_key())
    return House(folder, tmp_path / "key.pem")


@pytest.fixture
def development(folder: Path) -> House:
    return House(folder, None)


def payloads(lines: bytes) -> list[Any]:
    """What was said in a log, of anybody: all payloads but a plan's hash."""
    rows = [json.loads(line) for line in lines.splitlines()]
    return [row["payload"] for row in rows if row.get("payload") and row.get("op") != "DECISION"]


PATHS = ["/v1/pipeline", "/v1/sessions", "/v1/sessions/s-1/log", "/v1/sessions/s-1/timeline"]


@pytest.mark.parametrize("path", PATHS)
def test_without_a_token_nothing_is_told(production: House, path: str) -> None:
    status, _, body = production.ask(path)
    assert status == 401
    assert json.loads(body)["code"] == "missing"
    assert production.ask(path, production.token(scope="issue"))[0] == 401
    assert production.ask(path, "not.a.token")[0] == 401


def test_the_plan_has_names_where_the_kernel_has_numbers(development: House) -> None:
    status, headers, body = development.ask("/v1/pipeline")
    plan = json.loads(body)
    assert status == 200
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert {node["name"] for node in plan["nodes"]} >= {"ears", "stt", "llm", "voice"}
    assert all({"source", "target", "items_max", "overflow"} <= set(edge) for edge in plan["edges"])
    assert any(one["on"].endswith("barge_in") and one["does"] == "cancel turn" for one in plan["reactions"])


def test_a_tenant_sees_its_sessions_and_no_others(production: House) -> None:
    ours = json.loads(production.ask("/v1/sessions", production.token())[2])["sessions"]
    assert [one["session_id"] for one in ours] == ["s-1"]
    assert ours[0]["state"] == "connected"
    assert json.loads(production.ask("/v1/sessions", production.token("theirs"))[2])["sessions"] == []


@pytest.mark.parametrize("what", ["log?purpose=x", "timeline?purpose=x"])
def test_a_recording_is_its_tenants_and_whose_it_is_not_cannot_tell_it_from_none(production: House, what: str) -> None:
    theirs = production.ask(f"/v1/sessions/s-1/{what}", production.token("theirs"))
    none = production.ask(f"/v1/sessions/s-99/{what}", production.token("theirs"))
    of_another_process = production.ask(f"/v1/sessions/s-0/{what}", production.token())
    assert theirs[0] == none[0] == of_another_process[0] == 404
    assert theirs[2] == none[2] == of_another_process[2]
    assert production.ask(f"/v1/sessions/s-1/{what}", production.token(session_id="s-2"))[0] == 401
    assert production.ask(f"/v1/sessions/s-1/{what}", production.token(session_id="s-1"))[0] == 200


def test_in_production_a_recording_needs_a_purpose_has_no_payloads_and_is_on_record(
    production: House, caplog: pytest.LogCaptureFixture
) -> None:
    token = production.token()
    assert json.loads(production.ask("/v1/sessions/s-1/log", token)[2])["code"] == "purpose"
    refused = production.ask("/v1/sessions/s-1/log?purpose=complaint&fidelity=L2", token)
    assert json.loads(refused[2])["code"] == "fidelity"
    with caplog.at_level(logging.INFO, "rspp_runtime.serving.inspection"):
        status, headers, body = production.ask("/v1/sessions/s-1/log?purpose=complaint", token)
    assert status == 200
    assert headers["content-disposition"] == 'attachment; filename="s-1.jsonl"'
    assert headers["cache-control"] == "no-store"
    assert payloads(body) == []
    record = caplog.records[-1]
    assert (record.session_id, record.tenant, record.purpose) == ("s-1", "ours", "complaint")  # type: ignore[attr-defined]


def test_in_development_pages_of_this_machine_see_everything(development: House) -> None:
    assert payloads(development.ask("/v1/sessions/s-1/log")[2])
    assert development.ask("/v1/sessions/s-0/log", origin="http://localhost:7860")[0] == 200
    assert development.ask("/v1/sessions/s-0/log", origin="https://evil.example")[0] == 403
    assert development.ask("/v1/sessions/s-0/log", host="evil.example")[0] == 401


@pytest.mark.parametrize("name", ["..%2fs-1", "../s-1", ".s-1", "s-1.rspplog%00", "a" * 65, "%2e%2e", "s 1", "-s"])
def test_what_is_no_name_of_a_session_is_not_looked_up(development: House, name: str) -> None:
    for what in ("log", "timeline"):
        assert development.ask(f"/v1/sessions/{name}/{what}")[0] == 404
    assert development.ask(f"/v1/sessions/{name}/replay", method="POST")[0] == 404


def test_a_replay_is_asked_for_with_a_turn_or_nothing(development: House) -> None:
    def replay(body: Any) -> Any:
        status, _, said = development.ask("/v1/sessions/s-1/replay", method="POST", body=json.dumps(body).encode())
        return status, json.loads(said)

    assert replay({})[1]["identical"]
    assert replay({"turn": 1})[1]["identical"]
    assert replay({"turn": 99})[0] == 422
    for wrong in ({"turn": "1"}, {"turn": -1}, {"turn": True}, {"turn": 1.5}, {"x": 1}, {"turn": 1 << 31}):
        assert replay(wrong)[0] == 400, wrong
    assert development.ask("/v1/sessions/s-1/replay", method="POST", body=b"[1]")[0] == 400


def test_the_feed_is_behind_the_same_door(production: House, development: House) -> None:
    def refused(house: House, path: str, token: str = "") -> str:
        with pytest.raises(Refused) as error:
            house.knock(path, token)
        return error.value.code

    events = "/v1/sessions/s-1/events"
    assert refused(production, events) == "missing"
    assert refused(production, events, production.token("theirs")) == "no_session"
    assert refused(production, "/v1/sessions/s-99/events", production.token()) == "no_session"
    assert refused(production, "/v1/sessions/s-1/other", production.token()) == "path"
    assert refused(production, "/v1/sessions/../events", production.token()) == "no_session"
    assert isinstance(production.knock(events, production.token()), Channel)
    assert development.knock(events).subprotocol == "rspp.1.json"
    with pytest.raises(Refused):
        development.knock(events, origin="https://evil.example")


def test_a_watcher_gets_the_feed_until_the_session_is_over(development: House) -> None:
    sent: list[str] = []
    closed: list[int] = []

    async def look() -> None:
        channel = development.knock("/v1/sessions/s-1/events")
        channel.send = sent.append  # type: ignore[method-assign,assignment]
        channel.close = lambda code, reason: closed.append(code)  # type: ignore[method-assign]
        channel.opened()
        await asyncio.sleep(0.15)
        development.hub.seats.clear()
        async with asyncio.timeout(5):
            while not closed:
                await asyncio.sleep(0.02)
        channel.lost()

    asyncio.run(look())
    kinds = [json.loads(one)["type"] for one in sent]
    assert kinds[0] == "feed"
    assert kinds[-1] == "over"
    assert closed == [1000]


def test_a_watcher_that_goes_leaves_nothing_behind(development: House) -> None:
    async def look() -> None:
        channel = development.knock("/v1/sessions/s-1/events")
        channel.send = lambda text: None  # type: ignore[method-assign,assignment]
        channel.opened()
        await asyncio.sleep(0.1)
        assert development.feed.watchers == 1  # type: ignore[attr-defined]
        channel.lost()
        await asyncio.sleep(0.1)
        assert development.feed.watchers == 0  # type: ignore[attr-defined]

    asyncio.run(look())
