"""A timeline picture of a trace, by the code that draws a call's log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rspp_runtime.abi.plan import Plan
from rspp_runtime.abi.version import ABI_HASH
from rspp_runtime.evidence.entries import Entry, Header
from rspp_runtime.evidence.facts import read
from rspp_runtime.evidence.recorder import Recorder
from rspp_runtime.evidence.timeline import draw
from rspp_runtime.simulation.machine import Action, Machine, Opener
from rspp_runtime.simulation.minimise import replay
from rspp_runtime.simulation.tables import Tables


def picture(plan: Plan, read_tables: Tables, opener: Opener, seed: int, trace: Sequence[Action]) -> str:
    """HTML of the session in which the trace ends (what was before a crash is another session's)."""
    entries: list[Entry] = []
    recorder = Recorder(entries.append, plan, level="L2")

    def watch(machine: Machine) -> None:
        ingest, advance, drain, crash = machine.ingest, machine.advance, machine.drain, machine.crash
        stepped = [0, -1]

        def ingest_and_put(event: Any) -> int:
            result = ingest(event)
            recorder.on_input(event, machine.now, result)
            return result

        def advance_and_put() -> int:
            stepped[0], stepped[1] = machine.now, advance()
            return stepped[1]

        def drain_and_put() -> Any:
            outputs = drain()
            recorder.on_step(stepped[0], stepped[1], machine.now, outputs)
            return outputs

        def crash_and_forget(epoch: int) -> None:
            crash(epoch)
            entries.clear()

        machine.ingest, machine.advance = ingest_and_put, advance_and_put  # type: ignore[method-assign]
        machine.drain, machine.crash = drain_and_put, crash_and_forget  # type: ignore[method-assign]

    replay(plan, read_tables, opener, seed, trace, watch)
    header = Header(
        package=plan.pipeline, pipeline=plan.pipeline, pipeline_version=plan.pipeline_version, profile=plan.profile,
        template_hash=plan.template_hash, abi_hash=ABI_HASH, session_id=f"simulated-{seed}", epoch=1, seed=seed,
        level="L2", kernel="simulated", started_ms=0,
    )  # fmt: skip
    return draw(read(plan, entries), header)
