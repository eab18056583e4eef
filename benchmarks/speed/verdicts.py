"""Whether a goal holds in a run, and by how much: statistics of what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from speed.clocks import percentile
from speed.figures import Figure, Goal, Row

Results = Mapping[str, Sequence[Mapping[str, Any]]]
"""Of one run: for each case, by name, what each round gave."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A goal in one run. `ratio` is what was reached of it: 1 and more is held, 0.5 is missed by a factor of two."""

    goal: Goal
    value: float | None
    ratio: float | None

    @property
    def held(self) -> bool | None:
        return None if self.ratio is None else self.ratio >= 1


def values(row: Row, results: Results) -> list[float]:
    """Everything that was measured of a row, in base units: each trial of each round."""
    found: list[float] = []
    for result in results.get(row.case, ()):
        metric = next((one for one in row.metrics if one in result), None)
        if metric is not None:
            given = result[metric]
            found += given if isinstance(given, list) else [given]
    return found


def value(row: Row, figure: Figure, results: Results) -> float | None:
    """What a run says of a row; None if it has nothing."""
    found = values(row, results)
    if not found:
        return None
    match figure.statistic:
        case "p50":
            return statistics.median(found)
        case "most":
            return max(found)
        case "least":
            return min(found)
        case name:
            return percentile(found, int(name[1:]) / 100)


def spread(row: Row, runs: Sequence[Results]) -> tuple[float, float] | None:
    """The middle half of everything that was measured of a row in all runs."""
    found = [one for results in runs for one in values(row, results)]
    return (percentile(found, 0.25), percentile(found, 0.75)) if found else None


def why_not(row: Row, runs: Sequence[Results]) -> str:
    """Why a row has no value."""
    errors = [str(result["error"]) for results in runs for result in results.get(row.case, ()) if "error" in result]
    return errors[0] if errors else "not measured"


def judge(goal: Goal, figure: Figure, rows: Sequence[Row], results: Results) -> Verdict:
    """One goal in one run."""
    by_label = {row.label: value(row, figure, results) for row in rows}
    own, other = by_label.get(goal.row), by_label.get(goal.than)
    if own is None or (goal.than and other is None):
        return Verdict(goal, own, None)
    if goal.kind == "at least":
        return Verdict(goal, own, own / goal.number)
    if goal.kind == "at most":
        allowed = goal.number
    elif goal.kind == "within":
        allowed = goal.number * (other or 0.0)
    else:
        allowed = (other or 0.0) / goal.number
    if own <= 0:
        return Verdict(goal, own, float("inf") if allowed > 0 else 1.0)
    return Verdict(goal, own, allowed / own)
