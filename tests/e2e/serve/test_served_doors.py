"""Who comes in, and who does not: tokens, origins, places, limits; each refusal before anything is spent on anybody."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import msgpack
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from rspp import wire
from rspp.client import Conversation, Refused, talk
from rspp_runtime.security.keys import new_key
from rspp_runtime.security.tokens import Issuer

HELLO = json.dumps({"type": "hello", "protocol": wire.PROTOCOL})


async def refused(dialled: Any) -> tuple[int, dict[str, Any]]:
    """Status and body of a handshake that is not taken."""
    with pytest.raises(InvalidStatus) as error:
        async with dialled:
            pass
    body: dict[str, Any] = json.loads(error.value.response.body)
    return error.value.response.status_code, body


def tampered(token: str, **claims: Any) -> str:
    head, body, signature = token.split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "=="))
    changed = base64.urlsafe_b64encode(json.dumps(said | claims).encode()).rstrip(b"=").decode()
    return f"{head}.{changed}.{signature}"


@pytest.mark.feature("F-088", "rejected")
@pytest.mark.feature("F-119", "tampered", "expired")
def test_a_token_that_is_not_good_is_refused_before_there_is_a_session(server: Any) -> None:
    now_s = int(time.time())
    stranger = Issuer(new_key()).issue(
        tenant="acme", session_id="s-x", pipeline="voice_assistant", pipeline_version="1.0.0", epoch=1,
        scopes={"talk"}, now_s=now_s,
    )  # fmt: skip
    good = server.token()
    cases = [
        ("", "missing"),
        ("not a token", "malformed"),
        (stranger, "forged"),
        (tampered(good, tenant_id="globex"), "forged"),
        (tampered(good, pipeline_version="2.0.0"), "forged"),
        (tampered(good, exp=now_s + 3600), "forged"),
        (server.token(now_s=now_s - 3600), "expired"),
        (server.token(now_s=now_s + 600), "not_yet"),
        (server.token(pipeline="another"), "wrong_pipeline"),
        (server.token(pipeline_version="9.9.9"), "wrong_version"),
        (server.token(scopes={"observe"}), "wrong_scope"),
    ]
    logs = set(server.logs.iterdir())
    before = {code: server.sample("rspp_handshakes_refused_total", code=code) for _, code in cases}

    async def main() -> None:
        for token, code in cases:
            status, body = await refused(server.dial(token))
            assert (status, body["code"]) == (401, code)
            assert token not in json.dumps(body) or not token

    asyncio.run(main())
    for code in before:
        after = server.sample("rspp_handshakes_refused_total", code=code)
        assert after - before[code] == [one for _, one in cases].count(code), code
    assert set(server.logs.iterdir()) == logs


@pytest.mark.feature("F-119", "expired")
def test_a_token_is_used_once(server: Any) -> None:
    async def main() -> None:
        token = server.token()
        async with server.dial(token) as socket:
            await socket.close()
        assert (await refused(server.dial(token)))[1]["code"] == "replayed"

    asyncio.run(main())


@pytest.mark.feature("F-088", "rejected", "mapped")
def test_a_session_belongs_to_its_tenant(serving: ModuleType, server: Any) -> None:
    async def main() -> None:
        async with server.greeted(server.token(session_id="s-acme")):
            status, body = await refused(server.dial(server.token(session_id="s-acme", tenant="globex")))
            assert (status, body["code"]) == (401, "wrong_tenant")
            with pytest.raises(Refused) as error:  # without `resume` nobody takes over a session that is here
                await Conversation.open(server.socket_url, server.token(session_id="s-acme"))
            assert error.value.code == "wrong_session"
        with pytest.raises(Refused) as error:
            await Conversation.open(server.socket_url, server.token(session_id="s-never"), resume=3)
        assert error.value.code == "gone"

    asyncio.run(main())


def test_browsers_bring_their_token_as_a_subprotocol_and_only_from_pages_that_may(server: Any) -> None:
    async def main() -> None:
        from websockets.asyncio.client import connect

        token = wire.BEARER + server.token()
        async with connect(
            server.socket_url, subprotocols=[wire.JSON, token], origin=f"http://localhost:{server.port}", proxy=None
        ) as socket:
            assert socket.subprotocol == wire.JSON
        evil = server.dial(server.token(), Origin="https://evil.example")
        assert (await refused(evil))[0] == 403
        assert (await refused(server.dial(server.token(), Origin="null")))[0] == 403

    asyncio.run(main())
    assert server.ask("/v1/sessions", {}, {"Origin": "https://evil.example"})[0] == 403
    status, body = server.ask("/v1/sessions", {}, {"Host": "evil.example"})  # a name that was bent to this machine
    assert (status, body["code"]) == (401, "missing")


def test_paths_and_subprotocols_that_are_not_there(server: Any) -> None:
    async def main() -> None:
        assert (await refused(server.dial(server.token(), path="/v2/session")))[0] == 404
        status, body = await refused(server.dial(server.token(), subprotocol="chat"))
        assert (status, body["code"]) == (400, "subprotocol")

    asyncio.run(main())


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/nowhere", None, 404, "http"),
        ("/healthz", {}, 405, "http"),
        ("/v1/sessions", b"{", 400, "malformed"),
        ("/v1/sessions", b"[]", 400, "malformed"),
        ("/v1/sessions", b'{"a":' * 3_000, 400, "malformed"),
        ("/v1/sessions", {"tenant": "acme"}, 400, "schema_validation_error"),
        ("/v1/sessions", b" " * 20_000, 413, "too_long"),
        ("/v1/session", None, 404, "http"),
    ],
)
def test_http_errors_are_json(server: Any, path: str, body: Any, status: int, code: str) -> None:
    found, said = server.ask(path, body)
    assert (found, said["code"]) == (status, code)
    assert said["reason"]


def test_a_session_is_asked_for(server: Any) -> None:
    status, said = server.ask("/v1/sessions", {})
    assert status == 201
    assert said["outcome_kind"] == "admit"
    assert said["url"] == f"ws://localhost:{server.port}/v1/session"
    assert said["protocols"] == list(wire.SUBPROTOCOLS)
    assert server.ask("/healthz") == (200, {"status": "alive"})
    assert server.ask("/readyz")[1]["status"] == "ready"


@pytest.mark.feature("NF-013", "refused", "stable")
@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("x" * (wire.HELLO_BYTES_MAX + 1), wire.Close.TOO_LONG),
        ("x" * (wire.MESSAGE_BYTES_MAX + 1), wire.Close.TOO_LONG),
        ("{}", wire.Close.MALFORMED),
        (b"\xff\xff", wire.Close.MALFORMED),
        ('{"type": "text", "seq": 1, "text": "hello"}', wire.Close.MALFORMED),
        ('{"type": "hello", "protocol": "rspp/9"}', wire.Close.MALFORMED),
    ],
)
def test_what_is_no_hello_ends_the_connection(serving: ModuleType, server: Any, message: Any, code: int) -> None:
    async def main() -> None:
        async with server.dial(server.token()) as socket:
            await socket.send(message)
            assert await serving.close_code(socket) == code

    sessions = server.sample("rspp_sessions_active")
    asyncio.run(main())
    assert server.sample("rspp_sessions_active") <= sessions


@pytest.mark.feature("NF-013", "refused", "stable", "discreet")
def test_garbage_in_a_session_disturbs_nobody_else(serving: ModuleType, server: Any) -> None:
    logged = len(server.log_lines())

    async def main() -> None:
        async with await talk(server.url) as other:
            await other.text("hello")
            for garbage, code in (
                ("{" * 1000, wire.Close.MALFORMED),
                ("x" * (wire.MESSAGE_BYTES_MAX + 1), wire.Close.TOO_LONG),
                (b"secret 4111 1111", wire.Close.MALFORMED),
                (msgpack.packb({"type": "ping"}), wire.Close.MALFORMED),  # not what was agreed
            ):
                async with server.greeted() as socket:
                    await socket.send(garbage)
                    assert await serving.close_code(socket) == code
            async with server.greeted() as socket:
                for wrong in ({"type": "audio", "seq": 1, "payload": "AAA"}, {"type": "shout"}, {"type": "text"}):
                    await socket.send(json.dumps(wrong))
                    while (answer := json.loads(await socket.recv()))["type"] != "error":
                        pass
                    assert answer["code"] in ("schema_validation_error", "unknown_type")
                await socket.send(json.dumps({"type": "ping", "t": 5}))
                while (answer := json.loads(await socket.recv()))["type"] != "pong":
                    pass
                await socket.send(json.dumps({"type": "bye"}))
            await serving.until(other, [], type="audio")

    asyncio.run(main())
    told = json.dumps(server.log_lines()[logged:])
    assert "4111" not in told
    assert "Traceback" not in told


def test_a_message_in_many_frames_is_one_message_and_no_longer_than_one(serving: ModuleType, server: Any) -> None:
    async def parts(text: str, count: int) -> Any:
        size = -(-len(text) // count)
        for at in range(0, len(text), size):
            yield text[at : at + size]

    async def main() -> None:
        async with server.dial(server.token()) as socket:
            await socket.send(parts(HELLO, 5))
            assert json.loads(await socket.recv())["type"] == "welcome"
            await socket.send(parts("x" * (wire.MESSAGE_BYTES_MAX + 1), 9))
            assert await serving.close_code(socket) == wire.Close.TOO_LONG

    asyncio.run(main())


def test_too_many_messages_end_a_connection(serving: ModuleType, server: Any) -> None:
    async def main() -> None:
        async with server.greeted() as socket:
            with contextlib.suppress(ConnectionClosed):
                for _ in range(2_000):
                    await socket.send('{"type":"ping"}')
            assert await serving.close_code(socket) == wire.Close.RATE

    asyncio.run(main())


def test_who_says_no_hello_is_not_waited_for(serving: ModuleType, server: Any) -> None:
    async def main() -> float:
        async with server.dial(server.token()) as socket:
            begun_s = time.monotonic()
            assert await serving.close_code(socket) == wire.Close.TIMEOUT
            return time.monotonic() - begun_s

    assert 4.5 < asyncio.run(main()) < 7.0


def test_who_finds_no_place_is_told_when_to_ask_again(serving: ModuleType, serve: Callable[..., Any]) -> None:
    server = serve("--max-sessions", "2", "--max-tenant-sessions", "1", "--max-session", "1")

    async def main() -> None:
        async with server.greeted(server.token(tenant="a")):
            status, body = await refused(server.dial(server.token(tenant="a")))
            assert (status, body["code"]) == (503, "tenant_capacity")
            async with server.dial(server.token(tenant="b")) as waiting:  # has not said hello: its place is kept
                status, body = await refused(server.dial(server.token(tenant="c")))
                assert (status, body["code"]) == (503, "capacity")
                assert body["retry_after_ms"] > 0
                status, body = await asyncio.to_thread(server.ask, "/v1/sessions", {})
                assert (status, body["code"], body["outcome_kind"]) == (503, "capacity", "reject")
                await waiting.close()
            for _ in range(50):
                if server.sample("rspp_sessions_active") == 0:  # a session lasts a second here
                    break
                await asyncio.sleep(0.1)
            async with server.greeted(server.token(tenant="c")) as socket:
                while (said := json.loads(await socket.recv()))["type"] != "goodbye":
                    pass
                assert (said["code"], said["resume"]) == (wire.Close.DONE, None)
                assert said["reason"] == "the session has lasted as long as it may"

    asyncio.run(main())
    server.stop()


def test_a_server_on_ipv6(serving: ModuleType, serve: Callable[..., Any]) -> None:
    server = serve("--host", "::1")
    assert server.url == f"http://[::1]:{server.port}"

    async def main() -> None:
        async with await talk(server.url) as conversation:
            await conversation.text("hello")
            await serving.until(conversation, [], type="text")

    asyncio.run(main())
    server.stop()
