"""Our server, as `rspp serve` starts it, with a detector that hands what it hears to the voice of its session.

usage: ours.py PACKAGE LOG_DIR
"""

from __future__ import annotations

import asyncio
import sys
from contextvars import ContextVar
from pathlib import Path

import uvloop

from rspp_runtime.bench.stand_ins import SILENCE, Model
from rspp_runtime.providers.contract import Invocation
from rspp_runtime.serving.hub import Seat
from rspp_runtime.serving.server import Server
from rspp_runtime.serving.settings import Settings
from rspp_runtime.session.observer import Observer
from rspp_runtime.session.package import Bound, Package, load

VOICE: ContextVar[list[Invocation]] = ContextVar("voice")  # of the session, once it speaks


def with_voice(_: Seat) -> tuple[Observer, ...]:
    """Told of each session before it begins: its invocations will have the context of now."""
    VOICE.set([])
    return ()


class Standing:
    async def prepare(self) -> None: ...

    async def close(self) -> None: ...


class Ears(Standing):
    """What it hears, the voice says."""

    modality = "vad"

    async def invoke(self, call: Invocation) -> None:
        voice = VOICE.get()
        async for item in call.inputs():
            if voice:
                await voice[0].emit("audio", item.payload)


class Voice(Standing):
    """It has nothing to say of its own, and stays."""

    modality = "tts"

    async def invoke(self, call: Invocation) -> None:
        async for _ in call.inputs():
            break
        await call.emit("audio", SILENCE)  # on time, whenever the first frame comes
        VOICE.get().append(call)
        await asyncio.Event().wait()


async def prepared(package: Package) -> Bound:
    made = {"vad": Ears(), "llm": Model(), "tts": Voice()}
    kinds = {node.name: node.kind for node in package.plan.nodes}
    return {node: [(name, made[kinds[node]]) for name, _ in row] for node, row in package.providers.items()}


def main() -> None:
    package = load(sys.argv[1])
    settings = Settings(
        port=0,
        development=True,
        log_dir=Path(sys.argv[2]),
        max_sessions=100_000,
        attempts_per_second=100_000,
        tenant_attempts_per_second=100_000,
        server_attempts_per_second=100_000,
    )
    server = Server(package, settings, prepared)
    server.watchers.append(with_voice)
    with server.bind() as listening, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.serve(listening, lambda: print(server.port, flush=True)))


main()
