"""`rspp timeline`: draws a log, or prints it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from rspp_runtime.abi.plan import Plan
from rspp_runtime.cli.failure import EXIT_FINDINGS, Failure, usage
from rspp_runtime.cli.replay import package_of, read_log
from rspp_runtime.evidence.cursor import Place
from rspp_runtime.evidence.entries import Log, to_json


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture that is asked for: its file, and the times between which it is drawn (`5.2s`)."""

    out: Path
    start: str | None = None
    end: str | None = None


def timeline(
    path: Path, drawing: Drawing | None, jsonl: bool, signals: bool, plans: bool, reference: str | None
) -> None:
    """Raises `Failure`."""
    if not (drawing or jsonl or signals or plans):
        usage("say what you want: -o FILE.html or FILE.svg draws the log, --jsonl, --signals and --plans print it")
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
    if drawing is not None:
        _draw(drawing, log, package_of(log, reference).plan)


def _draw(drawing: Drawing, log: Log, plan: Plan) -> None:
    from rspp_runtime.evidence.facts import read
    from rspp_runtime.evidence.summary import broken_assumptions
    from rspp_runtime.evidence.timeline import draw_for, window_of

    conversation = read(plan, log.entries)
    start_ns, end_ns = _time("--from", drawing.start), _time("--to", drawing.end)
    try:
        window = window_of(conversation, start_ns or 0, end_ns)
    except ValueError as error:
        usage(f"{error}: the conversation is {conversation.end_ns / 1e9:.3f} s long")
    text = draw_for(drawing.out, conversation, log.header, window)
    try:
        drawing.out.parent.mkdir(parents=True, exist_ok=True)
        drawing.out.write_text(text, "utf-8")
    except OSError as error:
        raise Failure(EXIT_FINDINGS, f"{drawing.out} cannot be written: {error.strerror}") from None
    print(drawing.out)
    for line in broken_assumptions(conversation):
        print(line, file=sys.stderr)


def _time(option: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        place = Place.parse(text)
    except ValueError:
        place = Place()
    if place.t_ns < 0:
        usage(f"{option} {text!r} is no time: write seconds, as in 5.54s")
    return place.t_ns
