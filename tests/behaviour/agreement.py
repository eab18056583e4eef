"""One random schedule of one stub plan, played on the compiled kernel and on its twin."""

from __future__ import annotations

from kernels import compiled, plan_of
from schedule import Driver, handlers

from rspp_runtime.reference import Session as Pure

STEPS = 200


def agree(name: str, seed: int, steps: int = STEPS) -> None:
    """Raises at the first difference."""
    plan = plan_of(name)
    sessions = [factory(plan, "conversation", 1, handlers(seed)) for factory in (compiled(name), Pure)]
    Driver(seed, plan, sessions).run(steps)
    for session in sessions:
        session.close()
