"""Judges every mutant of every pipeline of the project, or every Nth, and prints the figures.

    python tests/robust/all_mutants.py [--every N] [--until PASS] [--show N]

Exit code 1 when a mutant raised, took longer than five seconds, or fewer than 95 % of the first findings are within
three lines or in the same block as the damage. `--show` lists that many of those that are not.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "plugins"))

from corpus import files
from mutants import Judge, Verdict, damages, mutants
from rspp_compiler.driver import PASSES

SECONDS_MAX = 5.0
TOLD_MIN = 0.95


def main() -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--every", type=int, default=1, metavar="N")
    options.add_argument("--until", default="check", choices=[name for name, _, _ in PASSES])
    options.add_argument("--show", type=int, default=20, metavar="N")
    given = options.parse_args()
    began, raised = time.perf_counter(), 0
    judge = Judge(given.until)
    verdicts: list[Verdict] = []
    every = (one for path in files("pipelines", "tests/corpus") for one in mutants(path, damages(path)))
    for mutant in islice(every, 0, None, given.every):
        try:
            verdicts.append(judge(mutant))
        except Exception:
            raised += 1
            print(mutant, traceback.format_exc(), sep="\n")
    found = [verdict for verdict in verdicts if verdict.first]
    far = [verdict for verdict in found if not verdict.is_told]
    slowest = max(verdict.seconds for verdict in verdicts)
    for verdict in far[: given.show]:
        assert verdict.first
        print(f"{verdict.mutant}\n    {verdict.first.primary}: {verdict.first.code} {verdict.first.message}")
    print(
        f"{len(verdicts) + raised} mutants up to `{given.until}` in {time.perf_counter() - began:.0f} s, the slowest"
        f" {slowest * 1000:.0f} ms; {raised} raised\n"
        f"{len(found)} have findings, {sum(verdict.count for verdict in found) / len(found):.2f} each; the first is\n"
        f"  {sum(verdict.is_near for verdict in found) / len(found):.2%} within three lines of the damage\n"
        f"  {1 - len(far) / len(found):.2%} within three lines or in the same block"
    )
    return int(raised > 0 or slowest > SECONDS_MAX or 1 - len(far) / len(found) < TOLD_MIN)


if __name__ == "__main__":
    sys.exit(main())
