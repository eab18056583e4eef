"""A server as an operator starts it: `rspp serve FOLDER --json` in a process of its own, and clients of the test's."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from rspp import wire
from rspp.client import Conversation
from rspp_runtime.security.tokens import Issuer

START_S = 60.0
WAIT_S = 30.0
FRAME_BYTES = 640
VERSION = "1.0.0"
PIPELINE = "voice_assistant"


class Served:
    """One server. `key` signs tokens, its own and the test's."""

    def __init__(
        self, package: Path, folder: Path, key: Path, *options: str, dev: bool = True, logs: str = "logs"
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.logs = folder / logs
        self.key = key
        self._stderr = folder / f"stderr-{uuid.uuid4().hex[:6]}"
        command = [sys.executable, "-m", "rspp_runtime.cli", "serve", str(package), "--port", "0", "--json"]
        command += [
            "--log-dir",
            str(self.logs),
            "--signing-key",
            str(key),
            "--log-format",
            "json",
            "--max-lag",
            "2000",
            *options,
        ]
        with self._stderr.open("w") as stderr:
            self.process = subprocess.Popen(
                command + (["--dev"] if dev else []),
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env=os.environ | {"NO_COLOR": "1"},
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self._stderr.read_text()
        self.url: str = json.loads(line)["url"].rstrip("/")
        self.port: int = json.loads(line)["port"]

    # ---- its end

    def stop(self, code: int = 0) -> float:
        """SIGTERM, and how long it took, in s. What it wrote to stderr is lines of JSON, and none is an error."""
        begun_s = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.ended(code)
        return time.monotonic() - begun_s

    def ended(self, code: int = 0) -> None:
        assert self.process.wait(WAIT_S) == code, self._stderr.read_text()
        assert self.process.stdout is not None
        assert self.process.stdout.read() == "", "one line on stdout, where it listens, and nothing else"
        self.process.stdout.close()
        assert [line for line in self.log_lines() if line["level"] in ("error", "critical")] == []

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(WAIT_S)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def log_lines(self) -> list[dict[str, Any]]:
        """What it wrote to stderr: JSON, a line each, or the test fails."""
        return [json.loads(line) for line in self._stderr.read_text().splitlines()]

    # ---- HTTP

    def ask(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """Status and body, as JSON where it is that."""
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers or {})
        try:
            with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text.decode()

    def sample(self, name: str, **labels: str) -> float:
        """A figure of /metrics; 0 if there is none."""
        _, text = self.ask("/metrics")
        found = 0.0
        for line in text.splitlines():
            head, _, value = line.rpartition(" ")
            if head.partition("{")[0] == name and all(f'{key}="{label}"' in head for key, label in labels.items()):
                found += float(value)
        return found

    # ---- clients

    def token(self, **changes: Any) -> str:
        claims = {
            "tenant": "acme", "session_id": f"s-{uuid.uuid4().hex[:12]}", "pipeline": PIPELINE,
            "pipeline_version": VERSION, "epoch": 1, "scopes": {"talk"}, "now_s": int(time.time()),
        }  # fmt: skip
        return Issuer.load(self.key).issue(**claims | changes)

    @property
    def socket_url(self) -> str:
        return f"ws://localhost:{self.port}{wire.PATH}"

    def dial(self, token: str = "", *, subprotocol: str = wire.JSON, path: str = wire.PATH, **headers: str) -> connect:
        """A bare WebSocket."""
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return connect(
            f"ws://localhost:{self.port}{path}", subprotocols=[subprotocol], additional_headers=headers,  # type: ignore[list-item]
            compression=None, proxy=None, ping_interval=None, max_size=None,
        )  # fmt: skip

    @asynccontextmanager
    async def greeted(self, token: str = "", **hello: Any) -> AsyncIterator[ClientConnection]:
        """A bare WebSocket whose hello was taken."""
        async with self.dial(token or self.token()) as socket:
            await socket.send(json.dumps({"type": "hello", "protocol": wire.PROTOCOL, **hello}))
            assert json.loads(await socket.recv())["type"] == "welcome"
            yield socket


async def until(conversation: Conversation, seen: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    """The next message with these fields; all that come are put into `seen`."""
    async with asyncio.timeout(WAIT_S):
        async for message in conversation:
            seen.append(message)
            if message.items() >= wanted.items():
                return message
    raise AssertionError(f"{wanted} did not come: {[one for one in seen if one['type'] != 'audio']}")


async def close_code(socket: ClientConnection) -> int:
    """That with which the server ends the connection; whatever it says before is passed over."""
    try:
        async with asyncio.timeout(WAIT_S):
            while True:
                await socket.recv()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 1006


async def speak(conversation: Conversation, pcm: bytes) -> None:
    """As a microphone does: a frame every 20 ms."""
    loop = asyncio.get_running_loop()
    due_s = loop.time()
    for at in range(0, len(pcm), FRAME_BYTES):
        await conversation.audio(pcm[at : at + FRAME_BYTES].ljust(FRAME_BYTES, b"\0"), at // 2)
        due_s += 0.02
        await asyncio.sleep(max(0.0, due_s - loop.time()))
