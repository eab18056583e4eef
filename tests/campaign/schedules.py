"""Both kernels under many random schedules of every stub plan: `python tests/campaign/schedules.py [--first SEED]`.

tests/behaviour/test_agreement.py plays a few of them on every run of the tests; here it goes on until `--schedules` of
each plan, or `--seconds`. CI plays a bounded share, from another seed with every commit. Exit code 1 at the first
difference, and how to see it again.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from itertools import count
from pathlib import Path

BEHAVIOUR = str(Path(__file__).parents[1] / "behaviour")
if BEHAVIOUR not in sys.path:
    sys.path.insert(0, BEHAVIOUR)

from agreement import agree  # noqa: E402
from plans import PLANS  # noqa: E402


def play(asked: argparse.Namespace) -> int:
    """How many schedules were played. Raises `AssertionError` at a difference, after saying where."""
    names = [name for name in sorted(PLANS) if not asked.only or name in asked.only]
    ends = time.monotonic() + asked.seconds
    played = 0
    for seed in count(asked.first):
        for name in names:
            if time.monotonic() > ends:
                return played
            try:
                agree(name, seed)
            except BaseException:
                again = f"python tests/campaign/schedules.py --only {name} --first {seed} --schedules 1"
                print(f"the kernels of {name} differ, seed {seed}: {again}", file=sys.stderr)
                raise
            played += 1
            if sys.stderr.isatty():
                print(f"\r{played:,} schedules, {max(0, ends - time.monotonic()):.0f} s left ", end="", file=sys.stderr)
        if seed + 1 >= asked.first + asked.schedules:
            return played
    raise AssertionError("seeds have no end")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=1_000, help="the first seed")
    parser.add_argument("--schedules", type=int, default=1_000, help="of each plan, at most")
    parser.add_argument("--seconds", type=float, default=float(24 * 3600), help="at most")
    parser.add_argument("--only", nargs="*", default=[], help="of these plans")
    asked = parser.parse_args(arguments)
    try:
        played = play(asked)
    except Exception:
        traceback.print_exc()
        return 1
    print(f"{played:,} schedules from seed {asked.first}: both kernels give the same answers")
    return 0


if __name__ == "__main__":
    sys.exit(main())
