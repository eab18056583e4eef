"""The Python nodes of the measured pipelines: a stage that passes on what it gets, and one that keeps the core busy."""

from __future__ import annotations

import time

from rspp_runtime.nodes import Emit, Item, Stage

BUSY_NS = 1_000_000


def stage(item: Item, emit: Emit) -> None:
    """Reads one attribute, emits one payload."""
    emit(item.payload)


async def staying(stage: Stage) -> None:
    """The same as a coroutine that lives as long as its session."""
    while True:
        stage.emit((await stage.item()).payload)


def busy(item: Item, emit: Emit) -> None:
    """The same, after a millisecond in which nothing else of the process runs."""
    end_ns = time.perf_counter_ns() + BUSY_NS
    while time.perf_counter_ns() < end_ns:
        pass
    emit(item.payload)
