"""A failing trace made small: delta debugging over the list of what the world did.

A trace is replayed without its world: the same calls at the same times. Any sub-list is again a legal use of the
protocol, so the invariants hold for it or show the same fault. `ddmin` of Zeller and Hildebrandt, bounded by time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rspp_runtime.abi.messages import Inbound
from rspp_runtime.abi.plan import Plan
from rspp_runtime.simulation.machine import ADVANCE, CRASH, INGEST, REBUILD, Action, Machine, Opener
from rspp_runtime.simulation.tables import Tables
from rspp_runtime.simulation.violation import Violation

SECONDS = 20.0


def replay(plan: Plan, read: Tables, opener: Opener, seed: int, trace: Sequence[Action],
           watch: Callable[[Machine], None] | None = None) -> Violation | None:  # fmt: skip
    """Does again what the world did; returns the promise that is not kept, if one is not."""
    machine = Machine(plan, read, opener, seed)
    if watch is not None:
        watch(machine)
    try:
        for kind, now, what in trace:
            machine.now = now
            if kind == INGEST:
                assert isinstance(what, Inbound)
                machine.ingest(what)
            elif kind == ADVANCE:
                machine.advance()
            elif kind == CRASH:
                assert isinstance(what, int)
                machine.crash(what)
            elif kind == REBUILD:
                machine.rebuild()
            else:
                machine.drain()
    except Violation as violation:
        return violation
    except Exception as error:
        return Violation("nothing_raises", f"{type(error).__name__}: {error}")
    finally:
        machine.close()
    return None


def minimise(
    plan: Plan,
    read: Tables,
    opener: Opener,
    seed: int,
    trace: list[Action],
    broken: Violation,
    seconds: float = SECONDS,
) -> list[Action]:
    """The smallest part of a trace found within `seconds` that breaks the same promise, seen alike but for numbers."""
    until = time.monotonic() + seconds
    same = broken.alike()

    def breaks(part: Sequence[Action]) -> bool:
        found = replay(plan, read, opener, seed, part)
        return found is not None and found.alike() == same

    if not breaks(trace):
        return trace  # it needs the world: told as it was
    chunks = 2
    while len(trace) > 1 and time.monotonic() < until:
        size = -(-len(trace) // chunks)
        for start in range(0, len(trace), size):
            rest = trace[:start] + trace[start + size :]
            if breaks(rest):
                trace, chunks = rest, max(2, chunks - 1)
                break
            if time.monotonic() > until:
                break
        else:
            if size == 1:
                break
            chunks = min(len(trace), chunks * 2)
    return trace
