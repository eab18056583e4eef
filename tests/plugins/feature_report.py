"""Writes docs/FEATURES.md: which features are shown, and by which tests. `make features`.

A feature is *shown* when passing tests name every one of its acceptance steps, *partly* when they name some (or
only the feature), else *not yet*. Same catalogue and results, same bytes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from feature_catalogue import CATALOGUE, Feature, load

ROOT = CATALOGUE.parents[1]
RESULTS = ROOT / "out" / "features.json"
REPORT = ROOT / "docs" / "FEATURES.md"


@dataclass(frozen=True)
class Standing:
    feature: Feature
    tests: tuple[str, ...]  # passing tests that name the feature
    missing: tuple[str, ...]  # steps that no passing test names

    @property
    def state(self) -> str:
        if not self.tests:
            return "not yet"
        return "partly" if self.missing else "shown"


def standings(features: Mapping[str, Feature], tests: Mapping[str, Mapping[str, object]]) -> list[Standing]:
    """One for each feature, in the catalogue's order. `tests` is the record that feature_marks writes."""
    result = []
    for feature in features.values():
        shown: set[str] = set()
        passing = []
        for test, record in sorted(tests.items()):
            shows: dict[str, list[str]] = record["shows"]  # type: ignore[assignment]
            if record["passed"] and feature.id in shows:
                passing.append(test)
                shown.update(shows[feature.id])
        missing = tuple(step for step in feature.steps if step not in shown)
        result.append(Standing(feature, tuple(passing), missing))
    return result


def render(all_standings: Iterable[Standing]) -> str:
    rows = list(all_standings)
    groups = list(dict.fromkeys(row.feature.group for row in rows))  # in the catalogue's order
    rows.sort(key=lambda row: groups.index(row.feature.group))
    lines = [
        "# Features",
        "",
        "What RSPP is to do, and which passing tests show it. Written by `make features` from",
        "[features.toml](features.toml) and the last run of the whole test suite; not edited by hand.",
        "",
        "**shown**: passing tests name every acceptance step. **partly**: some steps are named, the rest listed.",
        "**not yet**: no passing test names the feature.",
        "",
        "| phase | features | shown | partly | not yet |",
        "|---|---:|---:|---:|---:|",
    ]
    for phase in ("mvp", "later"):
        states = [row.state for row in rows if row.feature.phase == phase]
        counts = " | ".join(str(states.count(state)) for state in ("shown", "partly", "not yet"))
        lines.append(f"| {phase} | {len(states)} | {counts} |")
    for group, members in groupby(rows, key=lambda standing: standing.feature.group):
        lines += ["", f"## {group}", "", "| id | feature | state | tests |", "|---|---|---|---|"]
        for row in members:
            later = " *(later)*" if row.feature.phase == "later" else ""
            state = f"partly, without: {', '.join(row.missing)}" if row.state == "partly" else row.state
            tests = "<br>".join(f"`{test}`" for test in row.tests)
            lines.append(f"| {row.feature.id} | {_cell(row.feature.line)}{later} | {state} | {tests} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    if not RESULTS.exists():
        print("no out/features.json yet: `make test` writes it", file=sys.stderr)
        return 2
    rows = standings(load(), json.loads(RESULTS.read_text(encoding="utf-8"))["tests"])
    REPORT.write_text(render(rows), encoding="utf-8", newline="\n")
    states = [row.state for row in rows]
    counts = ", ".join(f"{states.count(state)} {state}" for state in ("shown", "partly", "not yet"))
    print(f"features  {counts}: {REPORT.relative_to(Path.cwd()) if REPORT.is_relative_to(Path.cwd()) else REPORT}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
