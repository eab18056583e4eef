"""`rspp simulate`: tries to break a pipeline's kernel."""

from __future__ import annotations

import json as json_module
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rspp_runtime.abi.messages import Handler, Session
from rspp_runtime.cli.failure import EXIT_FINDINGS, Failure, usage
from rspp_runtime.session.package import Package, PackageError, load
from rspp_runtime.simulation.campaign import Found, simulate
from rspp_runtime.simulation.faults import parse
from rspp_runtime.simulation.machine import Action, Opener
from rspp_runtime.simulation.minimise import minimise
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


def command(request: Request) -> None:
    """Raises `Failure`; exit code 1 if a promise was not kept."""
    if request.turns < 1:
        usage("--turns: at least 1")
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
    began = time.perf_counter()
    with _Progress(request.turns, shown=not request.json) as progress:
        tally, found = simulate(
            package.plan, opener, turns=request.turns, seed=request.seed, faults=faults, progress=progress.show
        )
    seconds = time.perf_counter() - began
    small = _minimised(package, opener, found) if found else []
    image = _picture(package, opener, found, small, request.picture) if found else None
    if request.json:
        data = as_data(tally, seconds, request.seed, faults, request.kernel)
        data["violation"] = _violation(found, small, request, image) if found else None
        print(json_module.dumps(data, indent=2, ensure_ascii=False))
    else:
        print(as_text(package.plan, tally, seconds, faults, request.kernel))
        if found:
            print(_told(package, found, small, request, image), file=sys.stderr)
    if found:
        raise SystemExit(EXIT_FINDINGS)


def _opener(package: Package, kernels: Sequence[str]) -> Opener:
    def opener(session_id: str, epoch: int, handlers: Sequence[Handler | None]) -> list[Session]:
        given = handlers or [None] * len(package.handlers)
        return [package.open_session(session_id, epoch, given, kernel) for kernel in kernels]

    return opener


def _minimised(package: Package, opener: Opener, found: Found) -> list[Action]:
    read = tables(package.plan)
    return minimise(package.plan, read, opener, found.seed, found.trace, found.violation.name)


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


class _Progress:
    """A bar on a terminal; nothing elsewhere."""

    def __init__(self, turns: int, *, shown: bool) -> None:
        self.turns = turns
        self.bar: Any = None
        self.show: Callable[[Tally], None] = lambda tally: None
        if shown and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            self.bar = Progress(
                TextColumn("simulate"), BarColumn(), TextColumn("{task.completed:.0f} of {task.total:.0f} turns"),
                TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), console=Console(stderr=True), transient=True,
            )  # fmt: skip

    def __enter__(self) -> _Progress:
        if self.bar is not None:
            self.bar.start()
            task = self.bar.add_task("turns", total=self.turns, rate="")
            began = time.perf_counter()

            def show(tally: Tally) -> None:
                rate = f"{tally.turns / max(1e-9, time.perf_counter() - began):.0f} turns/s"
                self.bar.update(task, completed=min(tally.turns, self.turns), rate=rate)

            self.show = show
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()
