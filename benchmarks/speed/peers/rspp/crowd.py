"""Many sessions of one process: what they cost a core."""

from __future__ import annotations

import asyncio
import gc
from collections import deque
from typing import Any

from rspp_runtime.providers.contract import Cancelled, Invocation
from rspp_runtime.transports.contract import Ears
from speed.clocks import FRAME, in_real_time, now_ns, p50_and_p99, resident_bytes, run_loop
from speed.peers.rspp.calls import converse_with
from speed.peers.rspp.fakes import Party, Playing, typed


class Listener:
    """One session of `relay_5`: its voice speaks when the source says so, and each frame is met at the transport."""

    def __init__(self, latencies_ns: list[int]) -> None:
        self.counted = False
        self.speaking = asyncio.Event()
        self._latencies_ns = latencies_ns
        self._under_way: deque[int] = deque()
        self._call: Invocation | None = None
        self._over = asyncio.Event()
        self._party = Party(self._script)
        self._party.on_send = self._met

    async def run(self, config: str) -> None:
        providers = {"llm": Playing("llm", self._think), "voice": Playing("tts", self._speak)}
        await converse_with("relay_5", providers, self._party, config)

    async def push(self) -> None:
        """One frame from the voice."""
        assert self._call is not None
        self._under_way.append(now_ns())
        try:
            await self._call.emit("audio", FRAME)
        except Cancelled:
            raise RuntimeError("saturated: a turn has ended because a deadline was missed") from None

    def end(self) -> None:
        self._over.set()

    async def _think(self, call: Invocation) -> None:
        await call.emit("delta", b"Listen.")

    async def _speak(self, call: Invocation) -> None:
        self._call = call
        await self.push()
        self.speaking.set()
        await self._over.wait()

    async def _script(self, ears: Ears) -> None:
        await typed(ears, b"go")
        await self._over.wait()

    def _met(self, port: str, _: int) -> None:
        sent_ns = self._under_way.popleft()
        if self.counted:
            self._latencies_ns.append(now_ns() - sent_ns)


def sessions(command: dict[str, Any]) -> dict[str, Any]:
    """So many sessions of five Python nodes, a frame every 20 ms into each; latency from `emit` to `send`."""
    count, seconds = command["sessions"], command["seconds"]

    async def main() -> dict[str, Any]:
        gc.collect()
        before = resident_bytes()
        latencies_ns: list[int] = []
        listeners = [Listener(latencies_ns) for _ in range(count)]
        running = []
        for listener in listeners:
            running.append(asyncio.create_task(listener.run(command["config"])))
            await asyncio.wait_for(listener.speaking.wait(), 10)
        gc.collect()
        each_bytes = (resident_bytes() - before) / count

        def counting(on: bool) -> None:
            for listener in listeners:
                listener.counted = on

        figures = await in_real_time(count, seconds, lambda index: listeners[index].push(), counting)
        for listener in listeners:
            listener.end()
        done, _ = await asyncio.wait(running, timeout=20)
        for task in done:
            task.result()
        figures |= p50_and_p99(latencies_ns)
        return figures | {"session_bytes": each_bytes}

    return run_loop(main())
