"""Applies each bug to a copy of a kernel and lets the simulator hunt it: `python tests/mutants/hunt.py [NAME …]`.

A bug counts as found by an invariant when the simulator sees it on the broken kernel alone, by comparison when only
the right kernel beside it tells; what neither finds is left to the random schedules that compare both kernels.
All hunts are bounded: fixed seeds, at most `TURNS` turns and `SCHEDULES` schedules of each stub plan; what is left
then is hunted by the simulator once more, for `LONGER` times as many turns.
"""

from __future__ import annotations

import importlib
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent / "behaviour", HERE.parents[1] / "runtime_base" / "tests" / "stub"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from build import build, committed  # noqa: E402
from compiled_bugs import COMPILED  # noqa: E402
from kernels import compiled, plan_of  # noqa: E402
from plans import PLANS as STUBS  # noqa: E402
from schedule import Disagreement, Driver, handlers  # noqa: E402
from twin_bugs import TWIN  # noqa: E402

import rspp_runtime.reference  # noqa: E402
from rspp_runtime.abi import Handler, Plan, Session  # noqa: E402
from rspp_runtime.simulation.campaign import simulate  # noqa: E402
from rspp_runtime.simulation.faults import FAULTS  # noqa: E402

TURNS = 150
LONGER = 8
SCHEDULES, STEPS = 150, 200
SEED, SEEDS_EACH = 1, 1000  # each plan is hunted with other cases: other people, who listen otherwise
PLANS = (
    "stub_assistant",
    "stub_junction",
    "stub_workshop",
    "stub_patience",
    "stub_attendant",
    "stub_sorter",
    "stub_studio",
    "stub_tollgate",
    "stub_shop",
)
REFERENCE = Path(rspp_runtime.reference.__file__).parent


@dataclass(frozen=True, slots=True)
class Result:
    """How a bug was found: `by` is an invariant's name; "" if it was not."""

    name: str
    about: str
    by: str
    turns: int
    seconds: float


def opener_of(plan: Plan, factories: Sequence[Any]) -> Any:
    def opener(session_id: str, epoch: int, handlers: Sequence[Handler | None]) -> list[Session]:
        return [factory(plan, session_id, epoch, list(handlers) or [None, None]) for factory in factories]

    return opener


def hunt(plan: Plan, factories: Sequence[Any], turns: int = TURNS, seed: int = SEED) -> tuple[str, int]:
    """The invariant that failed, or "", and after how many turns."""
    tally, found = simulate(plan, opener_of(plan, factories), turns=turns, seed=seed, faults=tuple(FAULTS))
    return (found.violation.name if found else ""), tally.turns


def broken_twin(name: str) -> Any:
    """The session class of a copy of the twin with this bug in it."""
    _, file, right, wrong = TWIN[name]
    package = f"twin_with_{name}"
    folder = Path(tempfile.mkdtemp(prefix="rspp-mutant-"))
    shutil.copytree(REFERENCE, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (folder / package).glob("*.py"):
        text = path.read_text("utf-8")
        if path.name == file:
            if text.count(right) != 1:
                raise LookupError(f"{name}: {file} has the text {text.count(right)} times: {right!r}")
            text = text.replace(right, wrong)
        path.write_text(text.replace("rspp_runtime.reference", package), "utf-8")
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(package).Session
    finally:
        sys.path.remove(str(folder))
        shutil.rmtree(folder)


def compare(name: str, factories: Sequence[Any]) -> str:
    """What random schedules of a stub plan found between two kernels; "" if nothing."""
    plan = plan_of(name)
    for seed in range(SCHEDULES):
        try:
            Driver(seed, plan, [make(plan, "x", 1, handlers(seed)) for make in factories]).run(STEPS)
        except Disagreement:
            return "random schedules"
    return ""


def hunt_twin(name: str, turns: int = TURNS) -> Result:
    """Alone first, on every plan; then beside the compiled kernel."""
    began, played = time.monotonic(), 0
    twin = broken_twin(name)
    for beside in (False, True):
        for place, plan_name in enumerate(PLANS):
            factories = [compiled(plan_name), twin] if beside else [twin]
            by, count = hunt(plan_of(plan_name), factories, turns, SEED + place * SEEDS_EACH)
            played += count
            if by:
                return Result(name, TWIN[name][0], by, played, time.monotonic() - began)
    for plan_name in STUBS:
        if by := compare(plan_name, [compiled(plan_name), twin]):
            return Result(name, TWIN[name][0], by, played, time.monotonic() - began)
    for place, plan_name in enumerate(PLANS):
        by, count = hunt(plan_of(plan_name), [twin], turns * LONGER, SEED + place * SEEDS_EACH)
        played += count
        if by:
            return Result(name, TWIN[name][0], by, played, time.monotonic() - began)
    return Result(name, TWIN[name][0], "", played, time.monotonic() - began)


def hunt_compiled(name: str, turns: int = TURNS) -> Result:
    """Alone first; then beside the twin."""
    about, file, right, wrong = COMPILED[name]
    began, played = time.monotonic(), 0
    files = committed(PLANS[0])
    if right not in files[file]:
        raise LookupError(f"{name}: {file} has no longer the text {right!r}")
    files[file] = files[file].replace(right, wrong)
    plan = plan_of(PLANS[0])
    try:
        kernel = build(PLANS[0], files).Session
        for factories in ([kernel], [kernel, rspp_runtime.reference.Session]):
            by, count = hunt(plan, factories, turns)
            played += count
            if by:
                return Result(name, about, by, played, time.monotonic() - began)
        if by := compare(PLANS[0], [kernel, rspp_runtime.reference.Session]):
            return Result(name, about, by, played, time.monotonic() - began)
    finally:
        build(PLANS[0], committed(PLANS[0]))  # the right one is what comes next
    return Result(name, about, "", played, time.monotonic() - began)


def main(names: Sequence[str]) -> int:
    """Prints a table; returns the number of bugs that were not found."""
    missed = 0
    for kernel, bugs, chase in (("twin", TWIN, hunt_twin), ("compiled", COMPILED, hunt_compiled)):
        for name in bugs:
            if names and name not in names:
                continue
            result = chase(name)
            missed += not result.by
            print(
                f"| {kernel} | `{name}` | {result.about} | {result.by or '**not found**'} | {result.turns} |",
                flush=True,
            )
    print(f"{missed} not found")
    return missed


if __name__ == "__main__":
    sys.exit(min(1, main(sys.argv[1:])))
