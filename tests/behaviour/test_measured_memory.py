"""A session takes what the compiler says: measured in the address space of this process."""

from __future__ import annotations

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
    plan, factory = plan_of(name), compiled(name)
    before = _mapped()
    sessions = [factory(plan, f"s{at}", 1, [None, None]) for at in range(SESSIONS)]
    grown = _mapped() - before
    figure = SESSIONS * plan.memory_bytes
    assert sum(session.stats()["memory_bytes"] for session in sessions) == figure
    assert figure - SLACK <= grown <= figure + SESSIONS * PAGE + SLACK


def _mapped() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * PAGE
