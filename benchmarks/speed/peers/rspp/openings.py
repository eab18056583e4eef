"""Opening a session: what a call costs before its first input."""

from __future__ import annotations

from typing import Any

from rspp_runtime.session.clock import MonotonicClock
from rspp_runtime.session.handlers import Calls, make_handlers
from rspp_runtime.transports.contract import Ears
from speed.clocks import now_ns, run_loop
from speed.peers.rspp.calls import converse_with
from speed.peers.rspp.fakes import Model, Open, Party, Voice
from speed.peers.rspp.packages import package


def opening(command: dict[str, Any]) -> dict[str, Any]:
    """`kernel`: `open_session` with its handlers, and nothing else; `session`: until the transport is connected."""
    trials, name = command["trials"], command["package"]
    return {"up_ns": _kernels(name, trials) if command["what"] == "kernel" else run_loop(_sessions(name, trials))}


def _kernels(name: str, trials: int) -> list[int]:
    made = package(name)
    up_ns = []
    for trial in range(trials + 1):  # the first one warms up
        began_ns = now_ns()
        session = made.open_session("bench", 1, make_handlers(made.plan, made.handlers, MonotonicClock(), Calls()))
        if trial:
            up_ns.append(now_ns() - began_ns)
        session.close()
    return up_ns


async def _sessions(name: str, trials: int) -> list[int]:
    up_ns = []
    providers = {"ears": Open("vad"), "stt": Open("stt"), "llm": Model(), "voice": Voice()}

    async def connected(ears: Ears) -> None:
        up_ns.append(now_ns() - began_ns)

    for _ in range(trials + 1):
        began_ns = now_ns()
        await converse_with(name, providers, Party(connected))
    return up_ns[1:]
