"""Memory goes back to the system when large blocks are freed, however they were mixed with small ones."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SESSIONS = """
import sys
from rspp_runtime.serving.memory import give_back
said = give_back() if sys.argv[1] == "yes" else False
held = []
for round in range(30):                   # blocks of sessions, and what outlives each of them
    blocks = [bytearray(700_000 + 10_000 * number) for number in range(40)]
    held += [bytearray(2_000) for _ in range(40)]
    del blocks
pages = int(open("/proc/self/statm").read().split()[1])
print(said, pages * 4096)
"""


def run(how: str, **environment: str) -> tuple[bool, int]:
    command = [sys.executable, "-c", SESSIONS, how]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | environment, timeout=60)
    said, in_use = done.stdout.split()
    return said == "True", int(in_use)


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_what_sessions_held_goes_back() -> None:
    said, with_it = run("yes")
    if not said:
        pytest.skip("another C library than glibc")
    assert with_it <= run("no")[1]
    assert with_it < 60 * 2**20


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_who_has_said_otherwise_is_heard() -> None:
    assert not run("yes", MALLOC_ARENA_MAX="4")[0]
