"""What is kept of a conversation: W06."""

from __future__ import annotations

from collections.abc import Iterator

from rspp_compiler.diagnostics import Sink
from rspp_compiler.diagnostics.fixes import setting_in
from rspp_compiler.ir import ast
from rspp_compiler.lint.subject import Subject, setting

KEEP = "keep = 30d"


def keep(subject: Subject, sink: Sink) -> None:
    """W0601: recordings without an end are a debt to everybody who is in them."""
    for line in _recordings(subject):
        if setting(line.settings, "keep") is None:
            block = line.settings.span if line.settings else None
            sink.add(
                "W0601",
                f"what {line.level.text} records is kept without an end",
                line.span,
                help=f"say how long it is needed: `{KEEP}`",
                fix=setting_in(subject.source(line.span), line.span, block, KEEP),
            )


def region(subject: Subject, sink: Sink) -> None:
    """W0602: where recordings lie decides whose law protects them."""
    for line in _recordings(subject):
        if setting(line.settings, "region") is None:
            sink.add(
                "W0602",
                f"what {line.level.text} records lies wherever the machine stands",
                line.span,
                help='say where it has to stay: `region = "…"`',
            )


def _recordings(subject: Subject) -> Iterator[ast.Record]:
    """Every line that records more than decisions."""
    for item in subject.items():
        lines = item.lines if isinstance(item, ast.Pipeline) else item.rules if isinstance(item, ast.Policy) else ()
        yield from (line for line in lines if isinstance(line, ast.Record) and line.level.text != "L0")
