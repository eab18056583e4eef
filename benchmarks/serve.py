"""How many conversations over WebSocket one core holds, ours beside Pipecat's transport and a bare echo (F-085's edge).

    python serve.py [--quick]        run from this folder; writes results/serve.md, or out/bench/serve/ with --quick

One run for all: for each number of sessions, each that still keeps up takes its turn, with a process of its own on one
core and the clients on the other.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from serving.report import write
from serving.run import alone, climb, contestants
from speed.machine import describe
from speed.prepare import OUT, ROOT, build, peers

SESSIONS = (10, 25, 50, 75, 100, 125, 150, 175, 200, 250, 300, 350, 400, 450, 500, 550, 600, 700, 800, 900, 1000)
SECONDS = 3.0
QUICK, QUICK_SECONDS = (5, 10), 0.5
PIPELINE = ROOT / "benchmarks" / "pipelines" / "echo.rspp"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="conversations over WebSocket on one core")
    parser.add_argument("--quick", action="store_true", help="whether everything runs: small counts, into out/bench")
    parser.add_argument("--sessions", type=int, nargs="+", help="these numbers, in place of the usual ones")
    options = parser.parse_args()
    sessions = options.sessions or (QUICK if options.quick else SESSIONS)
    seconds = QUICK_SECONDS if options.quick else SECONDS
    folder = OUT / "serve" if options.quick else ROOT / "benchmarks" / "results"
    machine = describe()
    OUT.mkdir(parents=True, exist_ok=True)
    peers(say)
    build([PIPELINE])
    with tempfile.TemporaryDirectory() as logs, (OUT / "serve.log").open("w") as log:
        rows = contestants(OUT / "packages" / "echo", Path(logs))
        for one in rows:
            alone(one, seconds, log)
        for count in sessions:
            for one in rows:
                if not one.is_over:
                    step = climb(one, count, seconds, log)
                    say(f"{one.label:18} {count:5} sessions  {step['late'] or 'in time'}")
    say(f"written: {write(folder, rows, machine, seconds)}")


if __name__ == "__main__":
    main()
