"""RSPP: packages that `rsppc build` made from `benchmarks/pipelines/`, through the public interface and nothing else.

`packages`    the built packages, and sessions of them driven by hand: ingest, advance, drain
`fakes`       providers that take no time, and a transport that is the observer outside of the package
`calls`       a session under asyncio: with all evidence as a package runs, or with the bare driver
`hops`        a hop, by hand and under asyncio
`cancels`     a cancel with a backlog
`turns`       a turn: opening it, transcript to first audio, interruption
`openings`    opening a session
`crowd`       many sessions on one core
`memory`      what a session holds
`recording`   what the log costs
`counting`    what Python allocates
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from typing import Any

from speed.peers.rspp import cancels, counting, crowd, hops, memory, openings, recording, turns

CASES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "hop": hops.hop,
    "hop_asyncio": hops.hop_asyncio,
    "cancel": cancels.cancel,
    "cancel_asyncio": cancels.cancel_asyncio,
    "turn": turns.turn,
    "turn_open": turns.turn_open,
    "opening": openings.opening,
    "sessions": crowd.sessions,
    "memory": memory.memory,
    "recording": recording.recording,
    "allocations": counting.allocations,
}


def version() -> str:
    return f"rspp-runtime {metadata.version('rspp-runtime')}"
