"""Cases, one seed after another, until so many turns were accepted."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass

from rspp_runtime.abi.plan import Plan
from rspp_runtime.simulation.machine import Action, Machine, Opener
from rspp_runtime.simulation.tables import Tables, tables
from rspp_runtime.simulation.tally import Tally
from rspp_runtime.simulation.violation import Violation
from rspp_runtime.simulation.world import World

IDLE_MAX = 200  # cases without a turn, after which there is none to wait for
COLLECT = 20  # cases between two collections of garbage: a case leaves few cycles, and looking for them costs a tenth


@dataclass(frozen=True, slots=True)
class Found:
    """A promise that was not kept: in which case, and everything that the world did until then."""

    seed: int
    workload: str
    violation: Violation
    trace: list[Action]


Played = tuple[Tally, Found | None]
"""What came of one case, or of several."""


def play(plan: Plan, read: Tables, opener: Opener, seed: int, faults: tuple[str, ...], tally: Tally) -> Found | None:
    """One case: one person, one session (or more, after crashes), a dozen turns at most."""
    machine = Machine(plan, read, opener, seed)
    machine.seen.append(tally.see)
    world = World(plan, read, machine, seed, faults, tally)
    tally.cases += 1
    tally.workloads[world.workload.name] += 1
    try:
        world.run()
    except Violation as violation:
        return Found(seed, world.workload.name, violation, machine.trace)
    except (AssertionError, RuntimeError, IndexError, KeyError, OverflowError, ZeroDivisionError) as error:
        raised = Violation("nothing_raises", f"{type(error).__name__}: {error}")
        raised.__cause__ = error
        return Found(seed, world.workload.name, raised, machine.trace)
    finally:
        tally.actions += len(machine.trace)
        machine.close()
    return None


def cases(plan: Plan, opener: Opener, seeds: Iterable[int], faults: tuple[str, ...]) -> Generator[Played]:
    """Plays one case for each seed."""
    read = tables(plan)
    was_on = gc.isenabled()
    gc.disable()
    try:
        for count, seed in enumerate(seeds):
            tally = Tally()
            found = play(plan, read, opener, seed, faults, tally)
            if count % COLLECT == 0:
                gc.collect()
            yield tally, found
    finally:
        if was_on:
            gc.enable()


def simulate(
    plan: Plan,
    opener: Opener,
    *,
    turns: int,
    seed: int,
    faults: tuple[str, ...],
) -> Played:
    """Plays cases `seed`, `seed + 1`, … until `turns` are closed; stops at the first violation."""
    tally = Tally()
    return tally, gather(cases(plan, opener, itertools.count(seed), faults), turns, tally)


def gather(played: Generator[Played], turns: int, tally: Tally, progress: Callable[[Tally], None] | None = None
           ) -> Found | None:  # fmt: skip
    """Adds up cases, in the order of their seeds, until `turns` are closed; returns the first violation.

    What was played so far is in `tally` if the user interrupts it.
    """
    idle = 0
    try:
        while tally.turns < turns and idle < IDLE_MAX:
            case, found = next(played)
            tally.add(case)
            if found is not None:
                return found
            idle = 0 if case.turns else idle + 1
            if progress is not None:
                progress(tally)
    finally:
        played.close()
    return None
