"""Cases, one seed after another, until so many turns were accepted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rspp_runtime.abi.plan import Plan
from rspp_runtime.simulation.machine import Action, Machine, Opener
from rspp_runtime.simulation.tables import Tables, tables
from rspp_runtime.simulation.tally import Tally
from rspp_runtime.simulation.violation import Violation
from rspp_runtime.simulation.world import World


@dataclass(frozen=True, slots=True)
class Found:
    """A promise that was not kept: in which case, and everything that the world did until then."""

    seed: int
    workload: str
    violation: Violation
    trace: list[Action]


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


def simulate(
    plan: Plan,
    opener: Opener,
    *,
    turns: int,
    seed: int,
    faults: tuple[str, ...],
    progress: Callable[[Tally], None] | None = None,
    tally: Tally | None = None,
) -> tuple[Tally, Found | None]:
    """Plays cases `seed`, `seed + 1`, … until `turns` are closed; stops at the first violation."""
    read = tables(plan)
    tally = tally or Tally()
    idle = 0
    while tally.turns < turns and idle < 200:
        before = tally.turns
        found = play(plan, read, opener, seed, faults, tally)
        if found is not None:
            return tally, found
        idle = idle + 1 if tally.turns == before else 0
        seed += 1
        if progress is not None:
            progress(tally)
    return tally, None
