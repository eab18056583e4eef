"""`rspp recover`: ends what a killed session left open, in its log."""

from __future__ import annotations

import json as json_module
from dataclasses import asdict
from pathlib import Path

from rspp_runtime.cli.failure import EXIT_FINDINGS, Failure
from rspp_runtime.cli.replay import package_of, read_log
from rspp_runtime.evidence.entries import LogError
from rspp_runtime.evidence.recover import Recovery
from rspp_runtime.evidence.recover import recover as execute
from rspp_runtime.session.package import PackageError


def recover(path: Path, kernel: str | None, reference: str | None, epoch: int | None, json: bool) -> None:
    """Raises `Failure`."""
    package = package_of(read_log(path), reference)
    try:
        done = execute(
            path,
            package.plan,
            package.resolved,
            lambda session_id, held, handlers: package.open_session(session_id, held, handlers, kernel),
            epoch,
        )
    except (PackageError, LogError) as error:
        raise Failure(EXIT_FINDINGS, f"{path}: {error}") from None
    except OSError as error:
        raise Failure(EXIT_FINDINGS, f"{path} cannot be written: {error.strerror}") from None
    if json:
        print(json_module.dumps({"recovered": done is not None, **(asdict(done) if done else {})}, indent=2))
    else:
        print(f"{path} has its end: nothing to recover" if done is None else _as_text(path, done))


def _as_text(path: Path, done: Recovery) -> str:
    lines = [f"{path}: {done.records} whole records; {done.torn}"]
    lines += [f"turn {turn}: abort (authority_loss), close" for turn in done.turns]
    if done.proposals:
        lines.append("a proposed turn: stale_epoch_reject")
    lines.append(f"the session is ended at epoch {done.epoch}, and the log is whole: rspp replay {path}")
    return "\n".join(lines)
