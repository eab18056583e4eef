"""`rspp timeline`: draws a log, or prints it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rspp_runtime.cli.failure import EXIT_FINDINGS, Failure, usage
from rspp_runtime.cli.replay import package_of, read_log
from rspp_runtime.evidence.entries import to_json


def timeline(path: Path, out: Path | None, jsonl: bool, signals: bool, plans: bool, reference: str | None) -> None:
    """Raises `Failure`."""
    if not (out or jsonl or signals or plans):
        usage("say what you want: -o FILE.html draws the log, --jsonl, --signals and --plans print it")
    log = read_log(path)
    if jsonl:
        print(to_json(log.header))
        for entry in log.entries:
            print(to_json(entry))
    if signals:
        from rspp_runtime.evidence.records import records

        for record in records(log, package_of(log, reference).plan):
            print(json.dumps(record, ensure_ascii=False))
    if plans:
        from rspp_runtime.evidence.plans import plans as plans_of

        for plan in plans_of(log, package_of(log, reference).resolved):
            print(json.dumps(plan, ensure_ascii=False))
    if out is not None:
        from rspp_runtime.evidence.facts import read
        from rspp_runtime.evidence.summary import broken_assumptions
        from rspp_runtime.evidence.timeline import draw

        conversation = read(package_of(log, reference).plan, log.entries)
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(draw(conversation, log.header), "utf-8")
        except OSError as error:
            raise Failure(EXIT_FINDINGS, f"{out} cannot be written: {error.strerror}") from None
        print(out)
        for line in broken_assumptions(conversation):
            print(line, file=sys.stderr)
