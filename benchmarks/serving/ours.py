"""Our server as in production (`python -m PACKAGE serve`), with a detector that hands what it hears to its voice.

usage: ours.py PACKAGE LOG_DIR
Prints its port, and a token for who asks for sessions.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextvars import ContextVar
from pathlib import Path

import uvloop

from rspp_runtime.bench.stand_ins import SILENCE, Model
from rspp_runtime.providers.contract import Invocation
from rspp_runtime.security.keys import new_key, write_private
from rspp_runtime.security.tokens import TTL_S_MAX, Issuer
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
    package, folder = load(sys.argv[1]), Path(sys.argv[2])
    key = folder / "signing.pem"
    if not key.exists():
        write_private(key, new_key())
    settings = Settings(
        port=0,
        signing_key=key,
        log_dir=folder,
        max_sessions=100_000,
        lag_ms_max=10_000,  # whoever is late shows by being late
        attempts_per_second=100_000,
        tenant_attempts_per_second=100_000,
        server_attempts_per_second=100_000,
    )
    server = Server(package, settings, prepared)
    server.watchers.append(with_voice)
    token = Issuer.load(key).issue(
        tenant="bench",
        session_id="",
        pipeline=package.plan.pipeline,
        pipeline_version=package.plan.pipeline_version,
        epoch=1,
        scopes={"issue"},
        ttl_s=TTL_S_MAX,
        now_s=int(time.time()),
    )
    with server.bind() as listening, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.serve(listening, lambda: print(server.port, token, flush=True)))


main()
