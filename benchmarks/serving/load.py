"""The clients: each sends 20 ms of audio fifty times a second, and looks how long it takes to come back.

One JSON line in, one out: {"kind", "port", "token", "pid", "sessions", "seconds"} -> what `hold` returns, or {"error"}.
The first eight bytes of a frame's audio say when it was due; what the client itself is late by counts for the server
no less than for everybody, and is told (`own_late_ms`). `pid` is the server's: what it takes while frames are counted.
"""

from __future__ import annotations

import asyncio
import gc
import json
import struct
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import msgpack
import uvloop
from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

FRAME_S = 0.02
REST = b"\1\0" * 316
STAMP = struct.Struct("<q")
OPEN_AT_ONCE = 16
TRIES_MAX = 10
AGAIN_S = 0.5
SETTLE_S = 1.0
REST_S = 0.3  # for the last frames to come back, and for the server to see that the clients are gone


class Client(WSListener):  # type: ignore[misc]
    """One connection. Subclasses write and read its protocol."""

    def __init__(self, results: Results) -> None:
        self.results = results
        self.transport: WSTransport | None = None
        self.ready = asyncio.get_running_loop().create_future()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        self.begin()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.transport = None
        said = transport.close_handshake
        reason = f"{said.recv.code} {said.recv.reason}" if said and said.recv else "closed"
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(reason))
            return
        self.results.gone += 1
        self.results.reason = reason

    def begin(self) -> None:
        self.ready.set_result(None)

    def send(self, due_ns: int) -> None:
        if self.transport is not None:
            self.transport.send(WSMsgType.BINARY, self.frame(STAMP.pack(due_ns) + REST))
            self.results.sent += 1

    def frame(self, audio: bytes) -> bytes:
        return audio

    def leave(self) -> None:
        """For good."""
        if self.transport is not None:
            self.transport.disconnect(False)

    def heard(self, audio: bytes) -> None:
        self.results.heard(STAMP.unpack_from(audio)[0])

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.BINARY:
            self.heard(frame.get_payload_as_bytes())
        else:
            self.answer(transport, frame)

    def answer(self, transport: WSTransport, frame: WSFrame) -> None:
        """What is not the protocol's."""
        if frame.msg_type == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()


class Bare(Client):
    pass


class Rspp(Client):
    """rspp/1 in MessagePack: a turn is opened by a text, and lasts."""

    sequence = 1

    def begin(self) -> None:
        self.say({"type": "hello", "protocol": "rspp/1"})

    def say(self, fields: dict[str, Any]) -> None:
        assert self.transport is not None
        self.transport.send(WSMsgType.BINARY, msgpack.packb(fields))

    def frame(self, audio: bytes) -> bytes:
        self.sequence += 1
        packed: bytes = msgpack.packb({"type": "audio", "seq": self.sequence, "payload": audio})
        return packed

    def leave(self) -> None:
        if self.transport is not None:
            self.say({"type": "bye"})

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.BINARY:
            self.answer(transport, frame)
            return
        fields = msgpack.unpackb(frame.get_payload_as_bytes())
        kind = fields["type"]
        if kind == "audio":
            self.heard(fields["payload"])
        elif kind == "welcome":
            self.say({"type": "text", "seq": 1, "text": "go"})
        elif kind == "signal" and fields["signal"] == "turn_open" and not self.ready.done():
            self.ready.set_result(None)


class Pipecat(Client):
    """Its protobuf framing, by hand: Frame { audio = 2 { audio = 3, sample_rate = 4, num_channels = 5 } }."""

    def frame(self, audio: bytes) -> bytes:
        inner = b"\x1a" + _varint(len(audio)) + audio + b"\x20" + _varint(16_000) + b"\x28\x01"
        return b"\x12" + _varint(len(inner)) + inner

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.BINARY:
            self.answer(transport, frame)
            return
        data = frame.get_payload_as_bytes()
        at = data.find(REST[:64])
        if at >= 8:
            self.heard(data[at - 8 : at])


class Results:
    def __init__(self) -> None:
        self.sent = self.gone = 0
        self.reason = ""  # of the last that was closed by the server
        self.recording = False
        self.recording_since_ns = 0  # frames that were due before do not count
        self.times_ns: list[int] = []
        self.late_ns = 0

    def heard(self, due_ns: int) -> None:
        if self.recording and due_ns >= self.recording_since_ns:
            self.times_ns.append(time.monotonic_ns() - due_ns)


KINDS: dict[str, tuple[type[Client], str]] = {
    "bare": (Bare, "/"),
    "ours": (Rspp, "/v1/session"),
    "peer": (Pipecat, "/"),
}


async def connected(kind: str, port: int, token: str, results: Results) -> Client:
    """One client more. Who is asked to come back a little later does."""
    for _ in range(TRIES_MAX - 1):
        try:
            return await _connected(kind, port, token, results)
        except (ConnectionError, urllib.error.HTTPError, WSError):
            await asyncio.sleep(AGAIN_S)
    return await _connected(kind, port, token, results)


async def _connected(kind: str, port: int, token: str, results: Results) -> Client:
    client, path = KINDS[kind]
    headers = {}
    if kind == "ours":
        asked = await asyncio.to_thread(_ask, port, token)
        headers = {"Authorization": f"Bearer {asked['token']}", "Sec-WebSocket-Protocol": "rspp.1.msgpack"}
    _, listener = await ws_connect(
        lambda: client(results), f"ws://127.0.0.1:{port}{path}", extra_headers=headers, websocket_handshake_timeout=20
    )
    await asyncio.wait_for(listener.ready, 20)
    found: Client = listener
    return found


def _ask(port: int, token: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/sessions", b"{}", headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


async def hold(kind: str, port: int, token: str, pid: int, sessions: int, seconds: float) -> dict[str, Any]:
    results = Results()
    clients: list[Client] = []
    for first in range(0, sessions, OPEN_AT_ONCE):
        count = min(OPEN_AT_ONCE, sessions - first)
        clients += await asyncio.gather(*(connected(kind, port, token, results) for _ in range(count)))
    gc.collect()
    gc.disable()  # its pauses are not the server's
    began_ns = time.monotonic_ns() + 50_000_000
    settled = int(SETTLE_S / FRAME_S)
    rounds = settled + int(seconds / FRAME_S)
    cpu_s = 0.0
    slots = 10  # of 2 ms: callers do not all speak at once
    for number in range(rounds):
        for slot in range(slots):
            offset_s = (number + slot / slots) * FRAME_S
            due_ns = began_ns + int(offset_s * 1e9)
            pause_s = (due_ns - time.monotonic_ns()) / 1e9
            if pause_s > 0:
                await asyncio.sleep(pause_s)
            if number == settled and not results.recording:
                results.recording_since_ns, results.recording, cpu_s = due_ns, True, _cpu_s(pid)
            if results.recording:
                results.late_ns = max(results.late_ns, time.monotonic_ns() - due_ns)
            for client in clients[slot::slots]:
                client.send(due_ns)
    cpu_s = _cpu_s(pid) - cpu_s
    await asyncio.sleep(REST_S)
    results.recording = False
    gone, reason = results.gone, results.reason
    rss_kib = _rss_kib(pid)
    for client in clients:
        client.leave()
    await asyncio.sleep(REST_S)
    times = sorted(results.times_ns)
    expected = (rounds - settled) * sessions
    return {
        "sessions": sessions,
        "frames": len(times),
        "expected": expected,
        "gone": gone,
        "reason": reason,
        "p50_ms": _at(times, 0.5),
        "p99_ms": _at(times, 0.99),
        "worst_ms": _at(times, 1.0),
        "own_late_ms": results.late_ns / 1e6,
        "cpu_us": cpu_s * 1e6 / expected,
        "cores": cpu_s / seconds,
        "rss_kib": rss_kib,
    }


def _cpu_s(pid: int) -> float:
    """Processor time of all of a process's threads that are there."""
    took = (task.read_text().split()[0] for task in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(int(ns) for ns in took) / 1e9


def _rss_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def _at(times: list[int], part: float) -> float:
    return times[min(len(times) - 1, int(part * len(times)))] / 1e6 if times else float("nan")


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def main() -> None:
    for line in sys.stdin:
        command = json.loads(line)
        try:
            result = uvloop.run(hold(**command))
        except Exception as error:
            result = {"sessions": command["sessions"], "error": f"{type(error).__name__}: {error}"}
        print(json.dumps(result), flush=True)


main()
