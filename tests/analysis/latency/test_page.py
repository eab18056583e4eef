"""The worked example of docs/analyses.md is what the compiler finds."""

from __future__ import annotations

import re
from pathlib import Path

from pipelines import compile_text, value
from rspp_compiler.ir.proofs.latency import Latency, PathLatency

PAGE = Path(__file__).parents[3] / "docs" / "analyses.md"
MS = 1_000_000


def example() -> tuple[str, str]:
    """The pipeline of the section, and the paths that it prints."""
    section = PAGE.read_text(encoding="utf-8").partition("## Latency")[2]
    pipeline, paths = re.findall(r"```(?:rspp|text)\n(.*?)```", section, re.DOTALL)[:2]
    return pipeline, paths


def shown(path: PathLatency) -> str:
    cause = f"{path.cause}, " if path.cause else ""
    rows = [f"{f'{step.ns // MS}ms':>8}  {step.subject} ({step.what})" for step in path.steps]
    return "\n".join([f"{cause}to {path.output}", *rows, f"{f'{path.total_ns // MS}ms':>8}  in all"])


def test_the_worked_example() -> None:
    text, paths = example()
    found: Latency = value(compile_text(text, until="analyze"), "analyze").latency
    known = {path.cause: path for path in found.paths}
    assert (
        paths
        == "\n\n".join(shown(known[cause]) for cause in ("", "brain.timeout -> spare", "spare.timeout -> sorry")) + "\n"
    )
    first = next(row for row in found.fallbacks if row.cause == "brain.timeout -> spare")
    assert (first.needs_ns, first.latest_ns) == (950 * MS, 1050 * MS)
