"""The compiled kernel beside its pure twin: the same turns, side by side in one run, as ratios.

    python benchmarks/kernel.py [--turns 40] [--rounds 7]

One turn is a user who speaks for a second and an answer of two: 50 frames in, 12 words, 100 frames out, all through
`ingest`, `advance` and `drain`, with the clock of a simulation. The two kernels take turns round by round, so that a
machine that slows down slows both; what counts is the ratio. Providers and transports are left out: this is the kernel
alone.
"""

from __future__ import annotations

import argparse
import statistics
import time
from types import ModuleType

from caller import Caller, load


def measure(package: ModuleType, kernel: str, turns: int) -> float:
    """CPU seconds per turn."""
    caller = Caller(package, kernel)
    caller.turn()  # the first one warms up
    began = time.process_time()
    for _ in range(turns):
        caller.turn()
    spent = time.process_time() - began
    assert caller.session.stats()["turns"] == turns + 1
    caller.session.close()
    return spent / turns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    package = load("voice_assistant")
    rounds = [
        (measure(package, "compiled", options.turns), measure(package, "pure", options.turns))
        for _ in range(options.rounds)
    ]
    compiled, pure = (statistics.median(times) for times in zip(*rounds, strict=True))
    ratios = sorted(slow / fast for fast, slow in rounds)
    print("a turn: 50 frames in, 12 words, 100 frames out")
    print(f"{options.rounds} interleaved rounds of {options.turns} turns")
    print(f"compiled   {compiled * 1e6:9.0f} µs CPU a turn, the benchmark's own Python included")
    print(f"pure       {pure * 1e6:9.0f} µs CPU a turn")
    print(f"ratio      {statistics.median(ratios):9.1f} median ({ratios[0]:.1f} to {ratios[-1]:.1f})")


if __name__ == "__main__":
    main()
