"""A session takes what the compiler says: measured in the address space of a fresh process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from kernels import compiled, plan_of
from plans import PLANS

SESSIONS = 1000
PAGE = 4096
SLACK = 4_000_000  # memory that the process had free before, and what Python itself takes


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("name", sorted(PLANS))
def test_many_sessions_take_their_blocks_and_little_more(name: str) -> None:
    fresh = [sys.executable, __file__, name]  # has no freed memory to give again
    done = subprocess.run(fresh, capture_output=True, text=True, check=True, timeout=120)
    figure, reported, grown = map(int, done.stdout.split())
    assert reported == figure
    assert figure - SLACK <= grown <= figure + SESSIONS * PAGE + SLACK


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
    print(*_taken(sys.argv[1]))
