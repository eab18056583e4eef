"""`rspp simulate`: tries to break a pipeline's kernel."""

from __future__ import annotations

import itertools
import json as json_module
import sys
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rspp_runtime.abi.messages import Handler, Session
from rspp_runtime.abi.plan import Plan
from rspp_runtime.cli.failure import EXIT_FINDINGS, EXIT_INTERRUPTED, Failure, usage
from rspp_runtime.cli.progress import Progress
from rspp_runtime.session.package import Package, PackageError, load
from rspp_runtime.simulation.campaign import Found, Played, cases, gather
from rspp_runtime.simulation.faults import parse
from rspp_runtime.simulation.machine import Action, Opener
from rspp_runtime.simulation.minimise import minimise
from rspp_runtime.simulation.parallel import Died, in_processes
from rspp_runtime.simulation.report import as_data, as_text, told_action
from rspp_runtime.simulation.tables import tables
from rspp_runtime.simulation.tally import Tally
from rspp_runtime.simulation.violation import Violation

KERNELS = {"compiled": ("compiled",), "pure": ("pure",), "both": ("compiled", "pure")}


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for."""

    package: str
    turns: int
    seed: int
    faults: str
    kernel: str
    picture: Path | None
    json: bool
    jobs: int = 1


def command(request: Request) -> None:
    """Raises `Failure`; exit code 1 if a promise was not kept."""
    if request.turns < 1:
        usage("--turns: at least 1")
    if request.jobs < 1:
        usage("--jobs: at least 1")
    try:
        faults = parse(request.faults)
    except ValueError as error:
        usage(str(error))
    try:
        package = load(request.package)
        opener = _opener(package, KERNELS[request.kernel])
        for session in opener("probe", 1, [None] * len(package.handlers)):
            session.close()
    except PackageError as error:
        raise Failure(EXIT_FINDINGS, str(error)) from None
    tally, found, is_whole = Tally(), None, True
    began = time.perf_counter()
    try:
        with Progress(request.turns, shown=not request.json) as progress:
            found = gather(_played(request, package, opener, faults), request.turns, tally, progress.show)
    except KeyboardInterrupt:
        is_whole = False
    except Died as died:
        raise Failure(EXIT_FINDINGS, f"{died}; find it with --jobs 1 --seed {died.first}") from None
    seconds = time.perf_counter() - began
    small = _minimised(package, opener, found) if found else []
    image = _picture(package, opener, found, small, request.picture) if found else None
    if request.json:
        data = as_data(package.plan, tally, seconds, request.seed, faults, request.kernel)
        data["violation"] = _violation(found, small, request, image) if found else None
        print(json_module.dumps(data, indent=2, ensure_ascii=False))
    else:
        print(as_text(package.plan, tally, seconds, faults, request.kernel))
        print(f"\n{'' if is_whole else 'interrupted; '}to go on: --seed {request.seed + tally.cases}")
        if found:
            print(_told(package, found, small, request, image), file=sys.stderr)
    if found:
        raise SystemExit(EXIT_FINDINGS)
    if not is_whole:
        raise SystemExit(EXIT_INTERRUPTED)


def _played(request: Request, package: Package, opener: Opener, faults: tuple[str, ...]) -> Generator[Played]:
    kernels = KERNELS[request.kernel]
    if request.jobs == 1:
        return cases(package.plan, opener, itertools.count(request.seed), faults)
    return in_processes(request.jobs, load_kernels, request.package, kernels, request.seed, faults)


def load_kernels(reference: str, kernels: Sequence[str]) -> tuple[Plan, Opener]:
    """For a process of its own."""
    package = load(reference)
    return package.plan, _opener(package, kernels)


def _opener(package: Package, kernels: Sequence[str]) -> Opener:
    def opener(session_id: str, epoch: int, handlers: Sequence[Handler | None]) -> list[Session]:
        given = handlers or [None] * len(package.handlers)
        return [package.open_session(session_id, epoch, given, kernel) for kernel in kernels]

    return opener


def _minimised(package: Package, opener: Opener, found: Found) -> list[Action]:
    read = tables(package.plan)
    return minimise(package.plan, read, opener, found.seed, found.trace, found.violation)


def _picture(package: Package, opener: Opener, found: Found, trace: list[Action], path: Path | None) -> Path | None:
    """Draws the trace that failed; returns where, or None if nobody asked."""
    if path is None:
        return None
    from rspp_runtime.simulation.picture import picture

    try:
        page = picture(package.plan, tables(package.plan), opener, found.seed, trace)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, "utf-8")
    except OSError as error:
        raise Failure(EXIT_FINDINGS, f"{path} cannot be written: {error.strerror}") from None
    return path


def _again(found: Found, request: Request) -> str:
    return (
        f"rspp simulate {request.package} --turns 1 --seed {found.seed} --faults {request.faults} "
        f"--kernel {request.kernel}"
    )


def _told(package: Package, found: Found, trace: list[Action], request: Request, image: Path | None) -> str:
    lines = [
        "",
        f"violation of {found.violation.name}: {found.violation.seen}",
        f"  case {found.seed} ({found.workload}), {len(found.trace)} actions, of which {len(trace)} suffice:",
        "",
        *(f"  {told_action(action, package.plan)}" for action in trace[-60:]),
        "",
        f"again: {_again(found, request)}",
    ]
    if len(trace) > 60:
        lines.insert(4, f"  … {len(trace) - 60} before")
    if image:
        lines.append(f"drawn: {image}")
    return "\n".join(lines)


def _violation(found: Found, trace: list[Action], request: Request, image: Path | None) -> dict[str, Any]:
    violation: Violation = found.violation
    return {
        "invariant": violation.name,
        "seen": violation.seen,
        "seed": found.seed,
        "workload": found.workload,
        "actions": len(found.trace),
        "trace": [told_action(action) for action in trace],
        "again": _again(found, request),
        "picture": str(image) if image else None,
    }
