"""Providers that take no time, and a transport that looks at the session from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from rspp_runtime.abi.codes import Control
from rspp_runtime.providers.contract import Invocation
from rspp_runtime.transports.contract import Ears
from speed.clocks import FRAME, TOKENS

Play = Callable[[Invocation], Awaitable[None]]


class Provider:
    """What all of them have. `modality` is of its node."""

    def __init__(self, modality: str) -> None:
        self.modality = modality

    async def prepare(self) -> None: ...

    async def close(self) -> None: ...

    async def invoke(self, call: Invocation) -> None:
        async for _ in call.inputs():
            pass


class Playing(Provider):
    """Takes its whole input, then does what it is told."""

    def __init__(self, modality: str, play: Play) -> None:
        super().__init__(modality)
        self.play = play

    async def invoke(self, call: Invocation) -> None:
        async for _ in call.inputs():
            pass
        await self.play(call)


class Open(Provider):
    """A detector or a recogniser: its call stays open, and the benchmark speaks through it."""

    def __init__(self, modality: str) -> None:
        super().__init__(modality)
        self.call: Invocation | None = None
        self.ready = asyncio.Event()

    async def invoke(self, call: Invocation) -> None:
        self.call = call
        self.ready.set()
        async for _ in call.inputs():
            pass


class Model(Provider):
    """Ten tokens, at once."""

    def __init__(self) -> None:
        super().__init__("llm")

    async def invoke(self, call: Invocation) -> None:
        async for _ in call.inputs():
            pass
        for token in TOKENS:
            await call.emit("delta", token.encode())
        await call.emit("final", "".join(TOKENS).encode(), final=True)


class Voice(Provider):
    """`frames` of audio for each text that it is given."""

    def __init__(self, frames: int = 2) -> None:
        super().__init__("tts")
        self.frames = frames

    async def invoke(self, call: Invocation) -> None:
        given = words = 0
        async for item in call.inputs():
            given += len(item.payload)
            words += len(item.payload.split())
            for _ in range(self.frames):
                await call.emit("audio", FRAME, text_end=given, words=words)


class Party:
    """The observer: a transport that does what `script` says between connecting and hanging up.

    `on_send(port, play_at_ns)` and `on_flush()` are called when the session hands something out.
    """

    def __init__(self, script: Callable[[Ears], Awaitable[None]]) -> None:
        self._script = script
        self.on_send: Callable[[str, int], object] = lambda port, play_at_ns: None
        self.on_flush: Callable[[], object] = lambda: None

    async def run(self, ears: Ears) -> None:
        await ears.control(Control.CONNECTED)
        await self._script(ears)
        await ears.control(Control.ENDED)

    def send(self, port: str, turn: int, payload: bytes, play_at_ns: int) -> None:
        self.on_send(port, play_at_ns)

    def flush(self, turn: int, now_ns: int) -> None:
        self.on_flush()

    async def close(self) -> None: ...


async def typed(ears: Ears, text: bytes) -> Any:
    """The user types."""
    return await ears.media("text", text, ears.clock.now_ns())
