"""Clients that no server should have to meet: `python abuse.py KIND URL SECONDS [SEED]`. Says how often it did what.

They speak WebSocket by hand, so that they can do it wrongly.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
import os
import random
import socket
import struct
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9
HELLO = {"type": "hello", "protocol": "rspp/1", "audio_in": None, "audio_out": None, "playback": "none"}


class Client:
    """One connection. `chance` decides what is left to it."""

    def __init__(self, url: str, chance: random.Random) -> None:
        self._url = url
        self._port = int(url.rpartition(":")[2])
        self.chance = chance
        self.status = 0

    async def connect(self, receive_bytes: int = 0) -> None:
        """TCP alone."""
        raw = socket.socket()
        if receive_bytes:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", self._port))
        self.raw = raw
        self.reader, self.writer = await asyncio.open_connection(sock=raw, limit=4096 if receive_bytes else 2**16)

    def request(self, token: str) -> bytes:
        key = base64.b64encode(self.chance.randbytes(16)).decode()
        return (
            f"GET /v1/session HTTP/1.1\r\nHost: localhost:{self._port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: rspp.1.json\r\nAuthorization: Bearer {token}\r\n\r\n"
        ).encode()

    async def upgrade(self, token: str) -> int:
        """The status of the handshake."""
        self.writer.write(self.request(token))
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)
        self.status = int(head.split()[1])
        return self.status

    async def open(self, receive_bytes: int = 0, **hello: Any) -> None:
        """A session of its own, of which nothing is read yet."""
        token = await asyncio.to_thread(token_of, self._url)
        await self.connect(receive_bytes)
        assert await self.upgrade(token) == 101
        self.say({**HELLO, **hello})

    def say(self, message: Any) -> None:
        self.frame(TEXT, json.dumps(message).encode())

    def frame(self, kind: int, payload: bytes, *, fin: bool = True, masked: bool = True, length: int = -1) -> None:
        """One frame; `length` is what its head says, if that is a lie."""
        said = len(payload) if length < 0 else length
        head = bytes([(0x80 if fin else 0) | kind])
        bit = 0x80 if masked else 0
        long = struct.pack(">H", said) if said < 65_536 else struct.pack(">Q", said)
        head += bytes([bit | said]) if said < 126 else bytes([bit | (126 if len(long) == 2 else 127)]) + long
        mask = self.chance.randbytes(4) if masked else b""
        body = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload)) if masked else payload
        self.writer.write(head + mask + body)

    async def read_some(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(seconds):
                while await self.reader.read(65_536):
                    pass

    def kill(self) -> None:
        """As a process that was killed: a reset, without a word."""
        self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def token_of(url: str) -> str:
    request = urllib.request.Request(url + "/v1/sessions", method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(json.loads(answer.read())["token"])


# ---- kinds of abuse: each is one client's life


async def kills(client: Client) -> str:
    """Talks, and is killed at some moment."""
    await client.open()
    client.say({"type": "text", "seq": 1, "text": "hello"})
    await client.read_some(client.chance.uniform(0, 1.5))
    client.kill()
    return "killed"


async def half_open(client: Client) -> str:
    """Begins something and does not go on: a handshake, a hello, a frame."""
    match client.chance.randrange(4):
        case 0:
            await client.connect()
            client.writer.write(client.request("x")[: client.chance.randrange(1, 150)])
        case 1:
            await client.connect()
        case 2:
            token = await asyncio.to_thread(token_of, client._url)
            await client.connect()
            await client.upgrade(token)
        case _:
            await client.open()
            client.frame(TEXT, b'{"type": "te', length=5_000)
    await client.read_some(client.chance.uniform(0.5, 2.5))
    if client.chance.random() < 0.5:
        client.kill()
    else:
        client.writer.close()
    return "left halfway"


async def slow_readers(client: Client) -> str:
    """Asks, and does not read what it is told."""
    await client.open(receive_bytes=2_048, audio_out={"encoding": "pcm16", "rate_hz": 48_000, "channels": 2})
    client.say({"type": "text", "seq": 1, "text": "what is the weather like in london"})
    await asyncio.sleep(4)
    client.kill()
    return "did not read"


async def garbage(client: Client) -> str:
    """Messages that are none, frames that are none."""
    await client.open()
    chance = client.chance
    for _ in range(chance.randrange(1, 20)):
        match chance.randrange(9):
            case 0:
                client.frame(TEXT, chance.randbytes(chance.randrange(200)))
            case 1:
                client.frame(BINARY, chance.randbytes(chance.randrange(2_000)))
            case 2:
                client.frame(TEXT, b"[" * 3_000)
            case 3:
                kind = chance.choice(["audio", "text", "delivery", "ack", "hello", "nonsense"])
                sequence = chance.choice([-1, 0, 2**80, 1.5, "1", None])
                client.say({"type": kind, "seq": sequence, "payload": "!", "text": 5})
            case 4:
                client.frame(chance.randrange(3, 8), b"reserved")
            case 5:
                client.frame(TEXT, b'{"type": "ping"}', masked=False)
            case 6:
                client.frame(0, b"continues nothing")
            case 7:
                client.frame(CLOSE, chance.randbytes(chance.randrange(126)))
            case _:
                client.writer.write(chance.randbytes(chance.randrange(1, 500)))
        await asyncio.sleep(0.01)
    await client.read_some(0.2)
    client.writer.close()
    return "talked rubbish"


async def oversized(client: Client) -> str:
    """What is longer than it may be, or says that it is."""
    await client.open()
    match client.chance.randrange(4):
        case 0:
            client.frame(TEXT, json.dumps({"type": "text", "seq": 1, "text": "x" * 1_000_000}).encode())
        case 1:
            client.frame(BINARY, b"x", length=2**62)
        case 2:
            client.frame(TEXT, b"x" * 1_000, fin=False)
            for _ in range(2_000):
                client.frame(0, b"y" * 1_000, fin=False)
                if client.chance.random() < 0.05:
                    await client.writer.drain()
        case _:
            for number in range(1, 1_500):
                client.say({"type": "ping", "t": number})
    with contextlib.suppress(ConnectionError):
        await asyncio.wait_for(client.writer.drain(), 2)
    await client.read_some(0.3)
    client.writer.close()
    return "said too much"


async def storm(client: Client) -> str:
    """An attempt to connect, with a token that is none."""
    await client.connect()
    try:
        return str(await client.upgrade("eyJhbGciOiJub25lIn0.e30." + "A" * 86))
    finally:
        client.writer.close()


KINDS: dict[str, tuple[Callable[[Client], Awaitable[str]], float]] = {
    "kills": (kills, 8), "half_open": (half_open, 12), "slow_readers": (slow_readers, 2), "garbage": (garbage, 12),
    "oversized": (oversized, 6), "storm": (storm, 170),
}  # fmt: skip
"""What a client does, and how many of them come in a second: 170 are 10,000 a minute."""


async def abuse(kind: str, url: str, seconds: float, seed: int) -> Counter[str]:
    live, per_s = KINDS[kind]
    done: Counter[str] = Counter()

    async def one(number: int) -> None:
        client = Client(url, random.Random(f"{seed}/{number}"))
        try:
            async with asyncio.timeout(20):
                done[await live(client)] += 1
        except (OSError, TimeoutError, asyncio.IncompleteReadError, AssertionError, asyncio.LimitOverrunError) as error:
            done[f"was stopped: {type(error).__name__}"] += 1
        finally:
            if hasattr(client, "writer"):
                client.writer.transport.abort()

    tasks = set()
    start_s = time.monotonic()
    number = 0
    while (passed_s := time.monotonic() - start_s) < seconds:
        while number < passed_s * per_s:
            tasks.add(asyncio.create_task(one(number)))
            number += 1
        await asyncio.sleep(0.01)
    await asyncio.gather(*tasks)
    return done


def main(kind: str, url: str, seconds: str, seed: str = "1") -> None:
    logging.disable()  # asyncio's, of sockets that were reset
    os.nice(5)  # it is the server that is tested, on a machine that both share
    print(json.dumps(asyncio.run(abuse(kind, url, float(seconds), int(seed)))))


if __name__ == "__main__":
    main(*sys.argv[1:])
