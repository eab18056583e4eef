"""The command: `python -m speed.run`, from `benchmarks/` (`make bench` does it).

A run takes its cases round by round, in an order that is shuffled each time, so that a machine which slows down slows
everybody. The first round of each run warms up and is thrown away. Processes live as long as a run.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from speed import machine, report
from speed.cases import Case, cases
from speed.figures import figures
from speed.options import Options
from speed.prepare import OUT, ROOT, prepare, python_of
from speed.process import Worker
from speed.progress import Progress

Results = dict[str, list[dict[str, Any]]]


class Bench:
    """One run after the other; keeps what was measured."""

    def __init__(self, options: Options, made: Sequence[Case], log: IO[str], progress: Progress) -> None:
        self.versions: dict[str, str] = {}
        self._options = options
        self._cases = made
        self._log = log
        self._progress = progress
        self._workers: dict[str, Worker] = {}

    def run(self, seed: int) -> Results:
        """Every case in every round, in processes that are new."""
        shuffled = random.Random(seed)
        results: Results = {case.name: [] for case in self._cases}
        try:
            for round_number in range(-1, self._options.rounds):
                order = list(self._cases)
                shuffled.shuffle(order)
                for case in order:
                    if round_number < 0 and (case.fresh or case.rounds == 1):
                        continue  # nothing of it would be kept warm
                    if case.rounds and round_number >= case.rounds:
                        continue
                    result = self._measure(case)
                    if round_number >= 0:
                        results[case.name].append(result)
        finally:
            for worker in self._workers.values():
                worker.stop()
            self._workers.clear()
        return results

    def _measure(self, case: Case) -> dict[str, Any]:
        self._progress.at(case.name)
        worker = None if case.fresh else self._workers.get(case.peer)
        if worker is None:
            worker = Worker(python_of(case.peer), case.peer, self._log)
            if worker.version:
                self.versions[case.peer] = worker.version
        began = time.monotonic()
        result = {**worker.measure(case.command), "took_s": time.monotonic() - began}
        if case.fresh:
            worker.stop()
        elif "error" in result:  # whatever state it is in: the next case gets a new one
            worker.stop()
            self._workers.pop(case.peer, None)
        else:
            self._workers[case.peer] = worker
        self._progress.done(result.get("error"))
        return result


def measurements(made: Sequence[Case], options: Options) -> int:
    """How many there will be in all runs."""
    each = 0
    for case in made:
        rounds = min(case.rounds or options.rounds, options.rounds)
        each += rounds + (0 if case.fresh or case.rounds == 1 else 1)
    return each * options.runs


def main() -> None:
    options, given = _arguments()
    os.environ["RSPP_BENCH"] = str(OUT)
    if not given.no_prepare:
        prepare(lambda what: print(f"bench  {what}", flush=True))
    made = cases(options)
    if not made:
        sys.exit(f"bench  no case is called like {', '.join(options.only)}")
    described = machine.describe()
    began = time.monotonic()
    OUT.mkdir(parents=True, exist_ok=True)
    with (OUT / "peers.log").open("w", encoding="utf-8") as log:
        progress = Progress(measurements(made, options))
        bench = Bench(options, made, log, progress)
        runs = [bench.run(seed) for seed in range(options.runs)]
        progress.close()
    described += [("load after", machine.load())]
    how = f"{options.runs} runs of {options.rounds} rounds, {time.monotonic() - began:.0f} s" + (
        ", quick: these figures say only that everything runs" if options.quick else ""
    )
    if options.only:
        how += f", only {', '.join(options.only)}"
    kept = {"options": asdict(options), "machine": described, "versions": bench.versions, "how": how, "runs": runs}
    (OUT / "results.json").write_text(json.dumps(kept), encoding="utf-8")
    page = report.write(
        given.output, figures(options), runs, [case.name for case in made], described, bench.versions, how
    )
    print(f"bench  {page}")


def _arguments() -> tuple[Options, argparse.Namespace]:
    parser = argparse.ArgumentParser(prog="speed.run", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small counts: whether everything runs")
    parser.add_argument("--only", action="append", default=[], metavar="PART", help="cases with PART in their name")
    parser.add_argument("--runs", type=int, help="kept apart in the report (3; quick: 1)")
    parser.add_argument("--rounds", type=int, help="of each run (3; quick: 1)")
    parser.add_argument("--long", action="store_true", help="up to 1,000 sessions, 8 s each")
    parser.add_argument("--no-prepare", action="store_true", help="with what was built before")
    parser.add_argument("--output", type=Path, help="folder of RESULTS.md (benchmarks; quick or only: out/bench)")
    given = parser.parse_args()
    whole = not given.quick and not given.only
    given.output = given.output or (ROOT / "benchmarks" if whole else OUT)
    options = Options(
        quick=given.quick,
        runs=given.runs or (1 if given.quick else 3),
        rounds=given.rounds or (1 if given.quick else 3),
        only=tuple(given.only),
        sessions=(10,) if given.quick else (1, 10, 100, 200, 500, 1000) if given.long else (10, 100),
        seconds=1.0 if given.quick else 8.0 if given.long else 2.0,
    )
    return options, given


if __name__ == "__main__":
    main()
