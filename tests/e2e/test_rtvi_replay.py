"""What the public RTVI client sent in one spoken turn, said again: for machines without Node or Chromium.

`tests/e2e/rtvi/turn.json.gz` was recorded by `tests/e2e/rtvi/record.py`, byte by byte.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from rspp_runtime.serving.rtvi import frames, framing
from served import served

RECORDING = Path(__file__).parent / "rtvi" / "turn.json.gz"
PAGE = "http://localhost:5173"


@pytest.fixture(scope="module")
def server(package: Path) -> Iterator[str]:
    with served(package, "--dev", "--origin", PAGE, "--max-lag", "1000") as address:
        yield address


def ask(
    server: str, body: bytes = b"{}", method: str = "POST", path: str = "/rtvi/connect", **headers: str
) -> tuple[int, dict[str, str], Any]:
    """Status, headers and body of an answer."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"{server}{path}", body, names, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            said = answer.read()
            return answer.status, dict(answer.headers), json.loads(said) if said else None
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), json.loads(error.read())


def address(server: str, **body: Any) -> str:
    """Where to connect."""
    status, _, said = ask(server, json.dumps(body).encode(), content_type="application/json")
    assert status == 200, said
    assert list(said) == ["ws_url"], "the client takes nothing else"
    found: str = said["ws_url"]
    return found


def recorded() -> list[tuple[int, bytes]]:
    lines = json.loads(gzip.decompress(RECORDING.read_bytes()))
    return [(at, base64.b64decode(message)) for at, message in lines]


async def converse(url: str, sent: list[tuple[int, bytes]], until: str) -> list[Any]:
    """Says again what was sent, at its times; returns what came, up to a message of that type."""
    came: list[Any] = []
    async with connect(url, max_size=None) as socket, asyncio.timeout(40):

        async def say() -> None:
            loop = asyncio.get_running_loop()
            began = loop.time()
            for at, message in sent:
                await asyncio.sleep(max(0.0, began + at / 1000 - loop.time()))
                await socket.send(message)
            while True:  # a microphone does not stop
                await asyncio.sleep(0.02)
                await socket.send(frames.audio(bytes(640), 16_000))

        saying = asyncio.create_task(say())
        try:
            async for message in socket:
                frame = frames.read(message) if isinstance(message, bytes) else frames.Message(message)
                came.append(json.loads(frame.text) if isinstance(frame, frames.Message) else frame)
                if isinstance(came[-1], dict) and came[-1]["type"] == until:
                    return came
        finally:
            saying.cancel()
    return came


def of(came: list[Any], kind: str) -> list[Any]:
    return [one.get("data") for one in came if isinstance(one, dict) and one["type"] == kind]


@pytest.mark.feature("F-084", "stream")
def test_the_recorded_turn_is_answered(server: str) -> None:
    sent = recorded()
    came = asyncio.run(converse(address(server, room="anything"), sent, "bot-stopped-speaking"))
    first = came[0]
    assert (first["type"], first["data"]["version"]) == ("bot-ready", "2.1.0")
    asked = frames.read(sent[0][1])
    assert isinstance(asked, frames.Message)
    assert first["id"] == json.loads(asked.text)["id"], "the answer has the number of what it answers"
    assert [one["text"] for one in of(came, "user-transcription") if one["final"]] == [
        "what is the weather like in london"
    ]
    answer = "In London it is raining softly, so bring an umbrella."
    assert "".join(one["text"] for one in of(came, "bot-llm-text")) == answer
    whole = [one for one in of(came, "bot-output") if one["spoken_status"] == "completed"]
    assert "".join(one["spoken_progress"]["accumulated_text"] for one in whole) == answer
    audio = [one for one in came if isinstance(one, frames.Audio)]
    assert {(one.rate_hz, one.channels, len(one.payload)) for one in audio} == {(24_000, 1, 960)}
    assert 2.5 < len(audio) * 0.02 < 6
    kinds = [one["type"] if isinstance(one, dict) else "audio" for one in came]
    order = ["bot-ready", "user-started-speaking", "user-stopped-speaking", "bot-started-speaking", "audio"]
    assert sorted(order, key=kinds.index) == order


def test_in_json_and_at_another_rate(server: str) -> None:
    def said(kind: str, data: Any) -> bytes:
        text = framing.write({"type": kind, "id": "1", "data": data}, binary=False)
        assert isinstance(text, str)
        return text  # type: ignore[return-value]

    sent = [(0, said("client-ready", {"version": "2.1.0"})), (500, said("send-text", {"content": "hello"}))]
    came = asyncio.run(converse(address(server, playerSampleRate=48_000), sent, "bot-stopped-speaking"))
    assert all(isinstance(one, dict) for one in came), "text is answered by text"
    audio = of(came, "bot-tts-audio")
    assert {one["sample_rate"] for one in audio} == {48_000}
    assert {len(base64.b64decode(one["audio"])) for one in audio} == {1920}
    assert of(came, "user-llm-text") == [{"text": "hello"}]


def test_pages_of_others_are_told_nothing(server: str) -> None:
    status, headers, said = ask(server, origin="https://evil.example")
    assert (status, said["code"]) == (403, "origin")
    assert "access-control-allow-origin" not in {name.lower() for name in headers}
    assert said["info"] == said["reason"], "the client shows `info`"


def test_a_listed_page_asks_first_and_then_again(server: str) -> None:
    status, headers, _ = ask(server, b"", "OPTIONS", origin=PAGE, access_control_request_method="POST")
    assert status == 204
    assert headers["access-control-allow-origin"] == PAGE
    assert "content-type" in headers["access-control-allow-headers"]
    status, headers, _ = ask(server, origin=PAGE)
    assert status == 200
    assert headers["access-control-allow-origin"] == PAGE
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("rate", [11_025, "fast", None, [24_000]])
def test_a_rate_that_there_is_not_is_said_at_once(server: str, rate: object) -> None:
    status, _, said = ask(server, json.dumps({"playerSampleRate": rate}).encode())
    assert status == 400
    assert "playerSampleRate" in said["reason"]


@pytest.mark.feature("F-088", "rejected")
def test_a_token_is_good_once(server: str) -> None:
    url = address(server)

    async def twice() -> int:
        async with connect(url):
            with pytest.raises(InvalidStatus) as refused:
                await connect(url)
            return refused.value.response.status_code

    assert asyncio.run(twice()) == 401
    for wrong in ("", "?token=", "?token=rubbish"):
        with pytest.raises(InvalidStatus) as refused:
            asyncio.run(converse(url.partition("?")[0] + wrong, [], ""))
        assert refused.value.response.status_code == 401


def test_who_hangs_up_by_a_word_is_gone(server: str) -> None:
    sent = [frames.message(json.dumps({"label": "rtvi-ai", "type": kind, "id": "1", "data": {}})) for kind in
            ("client-ready", "disconnect-bot")]  # fmt: skip

    async def leave() -> int | None:
        async with connect(address(server)) as socket, asyncio.timeout(10):
            await socket.send(sent[0])
            await socket.recv()
            await socket.send(sent[1])
            async for _ in socket:
                pass
            return socket.close_code

    assert asyncio.run(leave()) == 1000


@pytest.mark.feature("F-088", "rejected", "mapped")
def test_in_production_whoever_asks_shows_a_token_of_scope_issue(package: Path, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    rspp = [sys.executable, "-m", "rspp_runtime.cli", "token"]
    subprocess.run([*rspp, "new-key", str(key)], check=True, capture_output=True, timeout=60)

    def token(scope: str) -> str:
        issue = [*rspp, "issue", "--key", str(key), "--tenant", "acme", "--pipeline", "voice_assistant"]
        done = subprocess.run(
            [*issue, "--version", "1.0.0", "--scope", scope], check=True, capture_output=True, text=True, timeout=60
        )
        return f"Bearer {done.stdout.strip()}"

    with served(package, "--signing-key", str(key), "--max-lag", "1000") as server:
        assert [ask(server)[0], ask(server, authorization=token("talk"))[0]] == [401, 401]
        status, _, said = ask(server, authorization=token("issue"))
        assert status == 200
        hello = framing.write({"type": "client-ready", "id": "1", "data": {"version": "2.1.0"}}, binary=True)
        assert isinstance(hello, bytes)
        came = asyncio.run(converse(said["ws_url"], [(0, hello)], "bot-ready"))
        assert came[0]["type"] == "bot-ready", came[0]
        assert came[0]["data"]["about"]["pipeline"] == "voice_assistant"
