"""What a debug or sanitized build is put through: `python exercise.py FLAG…`, in a process that imports such a runtime.

The stub kernels are compiled with the same flags; each is compared with the twin under random schedules, then attacked
by the simulator. Ends with `fine`, and how many lines of the kernel a trace function saw.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FrameType
from typing import Any

for _variable in ("LD_PRELOAD", "PYTHONMALLOC"):  # this process has them; the compilers that it starts need not
    os.environ.pop(_variable, None)

ROOT = Path(__file__).parents[2]
for folder in ("tests/behaviour", "tests/mutants", "runtime_base/tests/stub"):
    sys.path.insert(0, str(ROOT / folder))

import build as stub_build  # noqa: E402

SCHEDULES, STEPS, TURNS = 6, 150, 12
NAMES = ("stub_assistant", "stub_switchyard")


def main(flags: list[str], *, traced: bool) -> None:
    stub_build.FLAGS = " ".join(flags)
    stub_build.SETUP = stub_build.SETUP.replace('"{flags}"', '*"{flags}".split()')
    if traced:
        written = stub_build.committed
        header = (
            "# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True, linetrace=True\n"
        )

        def with_trace(name: str) -> dict[str, str]:
            files = written(name)
            return files | {"_kernel.pyx": header + files["_kernel.pyx"].split("\n", 1)[1]}

        stub_build.committed = with_trace
    import kernels
    from hunt import opener_of
    from schedule import Driver, handlers

    from rspp_runtime.reference import Session as Pure
    from rspp_runtime.simulation.campaign import simulate
    from rspp_runtime.simulation.faults import FAULTS

    kernels.committed = stub_build.committed
    lines = 0

    def see(frame: FrameType, event: str, _arg: Any) -> Any:
        nonlocal lines
        lines += event == "line" and frame.f_code.co_filename.endswith(".pyx")
        return see

    for name in NAMES:
        plan, factory = kernels.plan_of(name), kernels.compiled(name)
        for seed in range(SCHEDULES):
            sessions = [factory(plan, "x", 1, handlers(seed)), Pure(plan, "x", 1, handlers(seed))]
            sys.settrace(see if traced and seed == 0 else None)
            Driver(seed, plan, sessions).run(STEPS if seed else 20)
            sys.settrace(None)
            for session in sessions:
                session.close()
        _, found = simulate(plan, opener_of(plan, [factory]), turns=TURNS, seed=1, faults=tuple(FAULTS))
        assert found is None, found.violation if found else ""
    print("fine", lines)


if __name__ == "__main__":
    main([flag for flag in sys.argv[1:] if flag != "--traced"], traced="--traced" in sys.argv)
