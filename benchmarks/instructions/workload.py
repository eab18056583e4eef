"""What is counted: turns of the voice assistant, then frames of its voice.

    python benchmarks/instructions/workload.py FOLDER   (that has the built package voice_assistant)

Runs under callgrind (`count`), which is told to count inside of the session's methods only. `mark` says where one
stretch ends and the next begins.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from caller import Caller, load

TURNS = 3
FRAMES = 300


def mark() -> None:
    """Calls a function of the C library that nobody else here calls: callgrind writes its counters out before it."""
    os.getpgid(0)


def main() -> None:
    package = load("voice_assistant", Path(sys.argv[1]))
    caller = Caller(package, "compiled")
    caller.turn()  # the first one warms up
    mark()
    for _ in range(TURNS):
        caller.turn()
    mark()
    caller.ask()
    mark()
    caller.say(FRAMES)
    mark()


if __name__ == "__main__":
    main()
