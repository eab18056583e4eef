"""Mechanical bugs, drawn with a seed, each hunted within a bound: `python tests/mutants/sweep.py twin|compiled`.

`sweep.py seeded` hunts those of `compiled_bugs.RUNTIME` in the same way: bugs of one line that somebody did think of.

Each is hunted in a process of its own by the random schedules that compare both kernels, then by the simulator, on
every stub plan, and then by the tests of `tests/behaviour`. A process that dies, or is not done in time, has found it
too. Prints a table of what found how many, and the survivors; each of those is either in `equivalent.py`, with the
reason, or a gap (exit code 1).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent / "behaviour", HERE.parents[1] / "runtime_base" / "tests" / "stub"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import build as stub_build  # noqa: E402
import kernels  # noqa: E402
import pytest  # noqa: E402
from changes import Change, sample  # noqa: E402
from compiled_bugs import RUNTIME as BUGS  # noqa: E402
from equivalent import reason  # noqa: E402
from hunt import REFERENCE, opener_of  # noqa: E402
from kernels import compiled, plan_of  # noqa: E402
from plans import PLANS  # noqa: E402
from schedule import Disagreement, Driver, handlers  # noqa: E402

import rspp_runtime.reference  # noqa: E402
from rspp_runtime.simulation.campaign import simulate  # noqa: E402
from rspp_runtime.simulation.faults import FAULTS  # noqa: E402

SECONDS = 300  # of the processor, for one bug; a busy machine makes none of them slower
SCHEDULES, STEPS, TURNS = 30, 200, 60
Factory = Callable[..., Any]


def chase(pairs: Callable[[str], tuple[Factory, Factory]], scale: int = 1) -> str:
    """What found the bug in the first kernel of each pair, beside the right one; "" if nothing did."""
    for name in PLANS:
        plan, (broken, right) = plan_of(name), pairs(name)
        for seed in range(SCHEDULES * scale):
            sessions = [make(plan, "x", 1, handlers(seed)) for make in (broken, right)]
            try:
                Driver(seed, plan, sessions).run(STEPS)
            except Disagreement:
                return "schedules"
            except Exception:
                return "raises"
    for name in PLANS:
        plan = plan_of(name)
        _, found = simulate(plan, opener_of(plan, pairs(name)), turns=TURNS * scale, seed=1, faults=tuple(FAULTS))
        if found:
            return f"simulator: {found.violation.name}"
    return ""


def examine(kernel: str) -> str:
    """The same from the tests of what a kernel does, by example; they ask `kernels` for the kernel."""
    arguments = [str(HERE.parent / "behaviour"), "-x", "-q", "-s", "-k", kernel, "-p", "no:cacheprovider",
                 f"--ignore-glob=*{os.sep}test_*agreement.py", f"--ignore-glob=*{os.sep}test_seeded_bugs.py",
                 f"--ignore-glob=*{os.sep}test_leaks.py"]  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        return "tests" if pytest.main(arguments) == pytest.ExitCode.TESTS_FAILED else ""


def in_a_child(work: Callable[[], str], seconds: int) -> str:
    """Its answer; "hangs" if the processor's time is over without one, "dies" if the process ended otherwise."""
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        os.close(reads)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
        sys.stderr = Path(os.devnull).open("w", encoding="ascii")  # noqa: SIM115 - until the process ends
        try:
            os.write(writes, (work() or "-").encode())
        except BaseException as error:
            os.write(writes, f"raises {type(error).__name__}".encode())
        os._exit(0)
    os.close(writes)
    told = os.read(reads, 200).decode()
    os.close(reads)
    _, status = os.waitpid(child, 0)
    if not told:
        return "hangs" if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU else "dies"
    return "" if told == "-" else told


def twin_with(change: Change, folder: Path) -> Factory:
    """The session class of a copy of the twin that has this bug."""
    package = f"twin_{abs(hash(change))}"
    shutil.copytree(REFERENCE, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (folder / package).glob("*.py"):
        text = path.read_text("utf-8")
        text = change.apply(text) if path.name == change.file else text
        path.write_text(text.replace("rspp_runtime.reference", package), "utf-8")
    sys.path.insert(0, str(folder))
    factory: Factory = importlib.import_module(package).Session
    return factory


def sweep_twin(count: int, seed: int, scale: int) -> list[tuple[Change, str]]:
    texts = {path.name: path.read_text("utf-8") for path in REFERENCE.glob("*.py") if path.name != "__init__.py"}
    for name in PLANS:
        plan_of(name)
    results = []
    for change in sample(texts, count, seed):
        with tempfile.TemporaryDirectory(prefix="rspp-mutant-") as folder:

            def work(change: Change = change, folder: str = folder) -> str:
                twin = twin_with(change, Path(folder))
                kernels.pure = lambda _name: twin
                return chase(lambda name: (twin, compiled(name)), scale) or examine("pure")

            results.append((change, tell(change, in_a_child(work, SECONDS * scale))))
    return results


def sweep_compiled(count: int, seed: int, scale: int) -> list[tuple[Change, str]]:
    return hunt_compiled(sample(sources(), count, seed), scale)


def sweep_seeded(_count: int, _seed: int, scale: int) -> list[tuple[Change, str]]:
    return hunt_compiled(seeded(sources()), scale)


def sources() -> dict[str, str]:
    """The runtime's part of the compiled kernel."""
    from switched import RUNTIME

    return {path.name: path.read_text("utf-8") for path in (RUNTIME / "kernel").glob("*.pyx")}


def seeded(texts: Mapping[str, str]) -> list[Change]:
    """The bugs of `compiled_bugs.RUNTIME`, under their names. Raises `LookupError` where a line is not there once."""
    found = []
    for name, (_, file, right, wrong) in BUGS.items():
        lines = texts[file].split("\n")
        if lines.count(right) != 1:
            raise LookupError(f"{name}: {file} has the line {lines.count(right)} times: {right!r}")
        found.append(Change(file, lines.index(right) + 1, name, right, wrong))
    return found


def hunt_compiled(bugs: Sequence[Change], scale: int) -> list[tuple[Change, str]]:
    """Builds a copy of the runtime with all bugs in it, and hunts in a process that imports that one."""
    from switched import build_runtime

    drawn = list(enumerate(bugs, 1))
    results = []
    with tempfile.TemporaryDirectory(prefix="rspp-mutants-") as folder:
        kept = build_runtime(Path(folder), drawn)
        results = [(c, tell(c, "the compiler")) for number, c in drawn if (number, c) not in kept]
        numbers = [f"{number}:{Path(change.file).stem}" for number, change in kept]
        command = [sys.executable, __file__, "--switched", str(scale), *numbers]
        paths = os.pathsep.join([folder, *filter(None, [os.environ.get("PYTHONPATH")])])
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths}
        ) as run:
            by_number = dict(kept)
            for line in run.stdout or ():
                number, _, by = line.rstrip("\n").partition(" ")
                results.append((by_number[int(number)], tell(by_number[int(number)], by)))
        if run.returncode or len(results) != len(drawn):
            raise RuntimeError(f"the hunt ended with {run.returncode} after {len(results)} of {len(drawn)}")
    return results


def hunt_switched(scale: int, numbers: Sequence[str]) -> None:
    """In the process that has the mutated runtime: one child for each bug."""
    stub_build.FLAGS = "-O0"
    for name in PLANS:
        plan_of(name)
    for entry in numbers:
        number, _, module = entry.partition(":")

        def work(module: str = module, number: str = number) -> str:
            importlib.import_module(f"rspp_runtime.kernel.{module}").set_mutant(int(number))
            return chase(lambda name: (compiled(name), rspp_runtime.reference.Session), scale) or examine("compiled")

        print(number, in_a_child(work, SECONDS * scale), flush=True)


def tell(change: Change, by: str) -> str:
    print(f"{by or 'SURVIVES':<40} {change}", file=sys.stderr, flush=True)
    return by


def table(kernel: str, results: Sequence[tuple[Change, str]], seconds: float) -> str:
    found = Counter(by.split(":")[0] for _, by in results if by)
    survivors = [change for change, by in results if not by]
    lines = [f"{kernel}: {len(results)} bugs in {seconds / 60:.0f} minutes; found by " +
             ", ".join(f"{name} {number}" for name, number in found.most_common()) +
             f"; {len(survivors)} survive"]  # fmt: skip
    lines += [f"- {change}: {reason(change) or '**a gap**'}" for change in survivors]
    return "\n".join(lines)


SWEEPS = {"twin": sweep_twin, "compiled": sweep_compiled, "seeded": sweep_seeded}


def main() -> int:
    if sys.argv[1:2] == ["--switched"]:
        hunt_switched(int(sys.argv[2]), sys.argv[3:])
        return 0
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kernel", choices=SWEEPS)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=int, default=1, help="times as much hunting for each")
    asked = parser.parse_args()
    began = time.monotonic()
    results = SWEEPS[asked.kernel](asked.count, asked.seed, asked.scale)
    print(table(asked.kernel, results, time.monotonic() - began))
    return 1 if any(not by and not reason(change) for change, by in results) else 0


if __name__ == "__main__":
    sys.exit(main())
