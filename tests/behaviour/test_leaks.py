"""Ten thousand conversations leave nothing behind: no object, no kernel's block, no memory of the process."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kernels import compiled, plan_of

from rspp_runtime.abi import Plan, Session
from rspp_runtime.kernel.session import live_blocks
from rspp_runtime.simulation.faults import FAULTS
from rspp_runtime.simulation.machine import ADVANCE, DRAIN, INGEST, Machine
from rspp_runtime.simulation.tables import tables
from rspp_runtime.simulation.tally import Tally
from rspp_runtime.simulation.world import World

SESSIONS = 10_000
CALLS = 200  # of each conversation
WARM = 200  # conversations after which caches are full
SLACK_OBJECTS = 50
SLACK_BYTES = 1_000_000  # what the process may grow by: an allocator's arena, not a byte for each session


def conversations(plan: Plan, factory: Callable[..., Session]) -> list[list[Any]]:
    """What the simulator's world did in a few cases: calls at times."""
    recorded = []
    for seed in range(8):
        machine = Machine(plan, tables(plan), lambda name, epoch, _: [factory(plan, name, epoch, [None, None])], seed)
        World(plan, machine.tables, machine, seed, tuple(FAULTS), Tally()).run()
        recorded.append([action for action in machine.trace if action[0] in (INGEST, ADVANCE, DRAIN)][:CALLS])
        machine.close()
    return recorded


def play(session: Session, calls: list[Any]) -> None:
    """A part of a trace is a legal use; what comes of it does not matter here."""
    for kind, now, what in calls:
        if kind == INGEST:
            session.ingest(what, now)
        elif kind == ADVANCE:
            session.advance(now)
        else:
            session.drain()


def resident() -> int:
    """Bytes of the process that are in memory."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


def measure(name: str) -> tuple[int, int, int]:
    """What is left of ten thousand: objects, blocks, bytes. A tenth is dropped without being closed."""
    plan, factory = plan_of(name), compiled(name)
    recorded = conversations(plan, factory)
    before: tuple[int, int, int] = (0, 0, 0)
    for at in range(-WARM, SESSIONS):
        if at == 0:
            gc.collect()
            before = len(gc.get_objects()), live_blocks(), resident()
        session = factory(plan, f"session {at}", 1, [None, None])
        play(session, recorded[at % len(recorded)])
        if at % 10:
            session.close()
    del session
    gc.collect()
    return len(gc.get_objects()) - before[0], live_blocks() - before[1], resident() - before[2]


@pytest.mark.feature("NF-004", "stable")
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("name", ["stub_assistant", "stub_switchyard"])
def test_nothing_is_left_of_ten_thousand_sessions(name: str) -> None:
    fresh = [sys.executable, __file__, name]
    done = subprocess.run(fresh, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    objects, blocks, grown = map(int, done.stdout.split())
    assert objects <= SLACK_OBJECTS
    assert blocks == 0
    assert grown <= SLACK_BYTES


def test_a_session_that_is_kept_is_counted() -> None:
    """The counters are no constants: an open session is one block, until it is closed or forgotten."""
    plan, factory = plan_of("stub_assistant"), compiled("stub_assistant")
    gc.collect()  # what another test left behind
    before = live_blocks()
    kept = [factory(plan, f"s{at}", 1, [None, None]) for at in range(3)]
    assert live_blocks() == before + 3
    kept[0].close()
    kept[0].close()
    assert live_blocks() == before + 2
    kept.clear()
    gc.collect()
    assert live_blocks() == before


if __name__ == "__main__":
    print(*measure(sys.argv[1]))
