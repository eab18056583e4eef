"""`rspp replay`: executes a log again."""

from __future__ import annotations

import json as json_module
from collections.abc import Sequence
from pathlib import Path

from rspp_runtime.cli.failure import EXIT_FINDINGS, EXIT_USAGE, Failure
from rspp_runtime.evidence.assumptions import Broken, as_data, check
from rspp_runtime.evidence.entries import Log, LogError
from rspp_runtime.evidence.log import read
from rspp_runtime.evidence.replay import Report
from rspp_runtime.evidence.replay import replay as execute
from rspp_runtime.session.package import Package, PackageError, load


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
    """The package that wrote the log. Raises `Failure`."""
    try:
        return load(reference or log.header.package)
    except PackageError as error:
        hint = "" if reference else " (--package FOLDER names it)"
        raise Failure(EXIT_FINDINGS, f"{error}{hint}") from None


def replay(path: Path, kernel: str | None, reference: str | None, json: bool) -> None:
    """Raises `Failure` with exit code 1 if anything differs."""
    log = read_log(path)
    package = package_of(log, reference)
    used = ""

    def open_session(session_id, epoch, handlers):  # type: ignore[no-untyped-def]
        nonlocal used
        session = package.open_session(session_id, epoch, handlers, kernel)
        used = package.kernel_of(session)
        return session

    try:
        report = execute(log, package.plan, open_session)
    except (PackageError, LogError) as error:
        raise Failure(EXIT_FINDINGS, f"{path}: {error}") from None
    found = check(package.plan, log.entries) if package.plan.template_hash == log.header.template_hash else ()
    print(json_module.dumps(_as_json(report, used, found), indent=2) if json else _as_text(report, used, log, found))
    if not report.identical:
        raise SystemExit(EXIT_FINDINGS)


def _as_text(report: Report, kernel: str, log: Log, found: Sequence[Broken]) -> str:
    lines = [
        f"replayed {report.inputs} inputs and {report.steps} steps on the {kernel} kernel "
        f"(recorded on the {log.header.kernel} one, at {report.level})"
        if kernel
        else "replayed nothing: the log is not of this package"
    ]
    if report.torn:
        lines.append(f"note: {report.torn}; everything before it was replayed")
    if report.identical:
        lines.append(f"identical: {report.decisions} decisions, {report.outputs} outputs")
        lines.append(f"proved: {report.proved}")
    else:
        counts = ", ".join(f"{count} {kind.value}" for kind, count in sorted(report.counts.items()))
        lines += ["", f"first difference: {report.differences[0]}", "", f"in all: {counts}", "proved: none"]
    lines += [f"assumption broken: {one}" for one in found]
    return "\n".join(lines)


def _as_json(report: Report, kernel: str, found: Sequence[Broken]) -> dict[str, object]:
    return {
        "identical": report.identical,
        "kernel": kernel,
        "level": report.level,
        "proved": report.proved,
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
