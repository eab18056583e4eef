"""A session takes what the compiler says: measured in the address space of a fresh process."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest
from kernels import compiled, plan_of
from plans import PLANS

SESSIONS = 1000
PAGE = 4096
WARM = 100  # sessions before the slope is taken
LOCK_FUTURE = 2  # of `mlockall`
SLACK = 4_000_000  # memory that the process had free before, and what Python itself takes


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("name", sorted(PLANS))
def test_many_sessions_take_their_blocks_and_little_more(name: str) -> None:
    fresh = [sys.executable, __file__, name]  # has no freed memory to give again
    done = subprocess.run(fresh, capture_output=True, text=True, check=True, timeout=120)
    figure, reported, grown = map(int, done.stdout.split())
    assert reported == figure
    assert figure - SLACK <= grown <= figure + SESSIONS * PAGE + SLACK


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("name", ["stub_assistant", "stub_workshop"])
def test_the_slope_of_what_is_resident_is_the_figure(name: str) -> None:
    """Each session adds its block to the resident set, and less than a page: its object, the allocator's share."""
    fresh = [sys.executable, __file__, name, "resident"]
    done = subprocess.run(fresh, capture_output=True, text=True, check=True, timeout=120)
    figure, slope = map(float, done.stdout.split())
    if slope < 0:
        pytest.skip("this process may not lock memory, so pages count only once they are used")
    assert figure <= slope <= figure + PAGE


def _slope(name: str) -> tuple[float, float]:
    """Of a session: what the plan says, and the resident bytes that each of a thousand adds; -1 where that is unknown.

    Memory is locked, so that a page is resident when it is mapped and not only when it is used.
    """
    plan, factory = plan_of(name), compiled(name)
    if ctypes.CDLL(None).mlockall(LOCK_FUTURE):
        return plan.memory_bytes, -1
    sessions = [factory(plan, f"w{at}", 1, [None, None]) for at in range(WARM)]
    before = _resident()
    sessions += [factory(plan, f"s{at}", 1, [None, None]) for at in range(SESSIONS)]
    return plan.memory_bytes, (_resident() - before) / SESSIONS


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE


def _taken(name: str) -> tuple[int, int, int]:
    """Of many sessions: what the plan says, what they say, and what the process grew by, in bytes."""
    plan, factory = plan_of(name), compiled(name)
    before = _mapped()
    sessions = [factory(plan, f"s{at}", 1, [None, None]) for at in range(SESSIONS)]
    grown = _mapped() - before
    return SESSIONS * plan.memory_bytes, sum(session.stats()["memory_bytes"] for session in sessions), grown


def _mapped() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * PAGE


if __name__ == "__main__":
    print(*(_slope if "resident" in sys.argv else _taken)(sys.argv[1]))
