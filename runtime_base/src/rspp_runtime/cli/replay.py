"""`rspp replay`: executes a log again, in one of four modes, as a whole or step by step."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rspp_runtime.cli.failure import EXIT_FINDINGS, EXIT_USAGE, Failure, usage
from rspp_runtime.evidence.assumptions import Broken, as_data, check
from rspp_runtime.evidence.cursor import Cursor, Place, seek, tell, walk
from rspp_runtime.evidence.entries import Entry, Log, LogError
from rspp_runtime.evidence.execution import Execution
from rspp_runtime.evidence.log import read
from rspp_runtime.evidence.modes import Mode, check_served, replay_decisions
from rspp_runtime.evidence.replay import Report, other_template
from rspp_runtime.session.handlers import NodeError
from rspp_runtime.session.package import Package, PackageError, load


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asked for. `start`, `end` are places; `save`, `resume` files of cursors."""

    path: Path
    kernel: str | None
    package: str | None
    mode: Mode
    start: str | None
    end: str | None
    step: bool
    save: Path | None
    resume: Path | None
    json: bool

    @property
    def is_partial(self) -> bool:
        return any(part is not None for part in (self.start, self.end, self.save, self.resume)) or self.step


def read_log(path: Path) -> Log:
    """Raises `Failure`."""
    try:
        return read(path)
    except FileNotFoundError:
        raise Failure(EXIT_USAGE, f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise Failure(EXIT_USAGE, f"{path} is a folder; name a log") from None
    except OSError as error:
        raise Failure(EXIT_FINDINGS, f"{path} cannot be read: {error.strerror}") from None
    except LogError as error:
        raise Failure(EXIT_FINDINGS, f"{path}: {error}") from None


def package_of(log: Log, reference: str | None) -> Package:
    """The package that wrote the log: where rsppc builds it if it is there, else as installed. Raises `Failure`."""
    name = log.header.package
    if reference is None and not name.isidentifier():  # a log from elsewhere names no path that would be run here
        raise Failure(EXIT_FINDINGS, f"its header names the package {name!r}, which is no name (--package FOLDER)")
    built = Path("generated") / name
    try:
        return load(reference or (str(built) if built.is_dir() else name))
    except PackageError as error:
        hint = "" if reference else " (--package FOLDER names it)"
        raise Failure(EXIT_FINDINGS, f"{error}{hint}") from None


def replay(request: Request) -> None:
    """Raises `Failure`, and `SystemExit` 1 if anything differs."""
    start, end = _place("--from", request.start), _place("--to", request.end)
    if request.resume is not None and start is not None:
        usage("--resume says where to begin; --from does too: take one")
    if request.json and request.step:
        usage("--step is for people, and --json for programs: take one")
    log = read_log(request.path)
    package = package_of(log, request.package)
    try:
        if request.mode in (Mode.REPLAY_DECISIONS, Mode.RE_SIMULATE):
            _whole(request, log, package)
        else:
            _execute(request, log, package, start, end)
    except (PackageError, NodeError, LogError) as error:
        raise Failure(EXIT_FINDINGS, f"{request.path}: {error}") from None


def _place(option: str, text: str | None) -> Place | None:
    try:
        return None if text is None else Place.parse(text)
    except ValueError as error:
        usage(f"{option} {error}")


def _execute(request: Request, log: Log, package: Package, start: Place | None, end: Place | None) -> None:
    """The modes in which the kernel executes the log. Raises `LogError`, `PackageError`."""
    if package.plan.template_hash != log.header.template_hash:
        _show(request, other_template(log, package.plan), "", log, ())
    cursor = None if request.resume is None else _load(request.resume)
    check_served(log, request.mode, cursor.record if cursor else start.record if start else 1)
    used = ""

    def open_session(session_id, epoch, handlers):  # type: ignore[no-untyped-def]
        nonlocal used
        session = package.open_session(session_id, epoch, handlers, request.kernel)
        used = package.kernel_of(session)
        return session

    execution = Execution(log, package.plan, open_session)
    try:
        if cursor is not None:
            seek(execution, cursor)
        walk(execution, start, end, _stepper(package, execution) if request.step else None)
        if start is not None and not execution.compares:
            raise Failure(EXIT_USAGE, f"--from {request.start}: the log ends before it")
        if request.save is not None:
            _save(request.save, Cursor.of(execution, request.mode))
    finally:
        execution.close()
    found = () if request.is_partial else check(package.plan, log.entries)
    if request.is_partial and not request.json:
        print(f"stopped before record {execution.record}, at {execution.now_ns / 1e9:.3f} s")
    _show(request, execution.report, used, log, found)


def _whole(request: Request, log: Log, package: Package) -> None:
    """The modes that take a log as a whole. Raises `LogError`, `PackageError`, `NodeError`."""
    if request.is_partial:
        usage(f"--mode {request.mode} takes the log as a whole, without --from, --to, --step, --save, --resume")
    check_served(log, request.mode)
    if request.mode is Mode.REPLAY_DECISIONS:
        _show(request, replay_decisions(log, package.plan), "", log, ())
        return
    from rspp_runtime.cli.resimulate import resimulate

    pairs = resimulate(log, package, request.kernel)
    differing = [pair for pair in pairs if pair.differs]
    if request.json:
        turns = [{"turn": p.turn, "before": p.before, "now": p.now, "differs": p.differs} for p in pairs]
        print(json_module.dumps({"mode": request.mode, "identical": not differing, "turns": turns}, indent=2))
    else:
        for pair in pairs:
            waits = [figures.get("first_output_ms") for figures in (pair.before, pair.now)]
            told = " → ".join("none" if wait is None else f"{wait:g} ms" for wait in waits)
            print(f"turn {pair.turn}: {', '.join(pair.differs) or 'nothing'} differs; first output {told}")
            for name in pair.differs:
                print(f"  {name}\n    recorded  {pair.before.get(name)}\n    now       {pair.now.get(name)}")
        print(f"re-simulated {len(pairs)} turns, {len(differing)} differ")
    if differing:
        raise SystemExit(EXIT_FINDINGS)


def _stepper(package: Package, execution: Execution):  # type: ignore[no-untyped-def]
    """Prints each entry; at a terminal waits for Enter, and stops at `q`."""
    waits = sys.stdin.isatty() and sys.stdout.isatty()

    def each(record: int, row: Entry) -> bool:
        print(tell(package.plan, execution, record, row))
        return not (waits and input().strip().lower() == "q")

    return each


def _load(path: Path) -> Cursor:
    """Raises `Failure`."""
    try:
        return Cursor.from_json(path.read_text("utf-8"))
    except FileNotFoundError:
        raise Failure(EXIT_USAGE, f"{path}: there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(EXIT_FINDINGS, f"{path} cannot be read: {error}") from None
    except LogError as error:
        raise Failure(EXIT_FINDINGS, f"{path}: {error}") from None


def _save(path: Path, cursor: Cursor) -> None:
    """Raises `Failure`."""
    try:
        path.write_text(cursor.to_json(), "utf-8")
    except OSError as error:
        raise Failure(EXIT_FINDINGS, f"{path} cannot be written: {error.strerror}") from None


def _show(request: Request, report: Report, used: str, log: Log, found: Sequence[Broken]) -> None:
    if request.json:
        print(json_module.dumps(_as_json(request.mode, report, used, found), indent=2))
    else:
        print(_as_text(request.mode, report, used, log, found))
    if not report.identical:
        raise SystemExit(EXIT_FINDINGS)


def _as_text(mode: Mode, report: Report, kernel: str, log: Log, found: Sequence[Broken]) -> str:
    lines = [
        f"replayed {report.inputs} inputs and {report.steps} steps on the {kernel} kernel "
        f"(recorded on the {log.header.kernel} one, at {report.level})"
        if kernel
        else f"read {report.decisions} decisions as they are recorded"
        if report.stretches
        else "replayed nothing: the log is not of this package"
    ]
    if report.torn:
        lines.append(f"note: {report.torn}; everything before it was replayed")
    if report.identical:
        lines.append(f"identical: {report.decisions} decisions, {report.outputs} outputs")
        lines.append(f"proved: {_proved(mode, report)}")
        if len(report.stretches) > 1 and mode is not Mode.REPLAY_DECISIONS:
            lines += [f"  from record {s.record}, {s.from_ns / 1e9:.3f} s: {s.proved}" for s in report.stretches]
    else:
        counts = ", ".join(f"{count} {kind.value}" for kind, count in sorted(report.counts.items()))
        lines += ["", f"first difference: {report.differences[0]}", "", f"in all: {counts}", "proved: none"]
    lines += [f"assumption broken: {one}" for one in found]
    return "\n".join(lines)


def _proved(mode: Mode, report: Report) -> str:
    if mode is Mode.REPLAY_DECISIONS:
        return "the decisions are a legal history" if report.identical else "none"
    return report.proved


def _as_json(mode: Mode, report: Report, kernel: str, found: Sequence[Broken]) -> dict[str, object]:
    return {
        "mode": mode.value,
        "identical": report.identical,
        "kernel": kernel,
        "level": report.level,
        "proved": _proved(mode, report),
        "stretches": [
            {"record": s.record, "from_ns": s.from_ns, "level": s.level, "left_out": s.but} for s in report.stretches
        ],
        "torn": report.torn,
        "inputs": report.inputs,
        "steps": report.steps,
        "decisions": report.decisions,
        "outputs": report.outputs,
        "broken_assumptions": as_data(found),
        "counts": {kind.value: count for kind, count in sorted(report.counts.items())},
        "differences": [
            {
                "class": difference.kind.value,
                "record": difference.record,
                "t_ns": difference.t_ns,
                "recorded": difference.recorded,
                "replayed": difference.replayed,
                "diff_ms": difference.diff_ms,
            }
            for difference in report.differences
        ],
    }
