"""What the benchmark makes of measurements: rows, verdicts, the page, the pictures."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from speed.cases import cases
from speed.figures import Figure, Goal, Row, figures
from speed.options import Options
from speed.report import write
from speed.verdicts import Results, judge

ROWS = [Row("rspp", "g/rspp", ("cpu_ns",)), Row("peer", "g/peer", ("wall_ns", "cpu_ns"))]


def figure(*goals: Goal, statistic: Any = "p50") -> Figure:
    return Figure("g", "A figure", "Of something.", "g", ("cpu_ns",), "µs", 1e3, statistic, goals)


def measured(ours: list[float], peer: list[float]) -> Results:
    return {"g/rspp": [{"cpu_ns": ours}], "g/peer": [{"cpu_ns": peer}]}


@pytest.mark.parametrize("long", [False, True])
def test_every_goal_is_about_a_row_that_is_measured(long: bool) -> None:
    options = Options(sessions=(1, 100, 1000) if long else (1, 10, 100))
    names = [case.name for case in cases(options)]
    assert len(names) == len(set(names))
    for one in figures(options):
        labels = {row.label for row in one.rows(names)}
        assert labels, one.key
        for goal in one.goals:
            if "1000" in goal.row and not long:
                continue  # the long run's
            assert goal.row in labels, (one.key, goal)
            assert not goal.than or goal.than in labels, (one.key, goal)


@pytest.mark.parametrize(
    ("goal", "ratio"),
    [
        (Goal("rspp", "at most", 20), 2),
        (Goal("rspp", "at most", 5), 0.5),
        (Goal("rspp", "at least", 20), 0.5),
        (Goal("rspp", "times better", 25, "peer"), 4),
        (Goal("rspp", "within", 0.05, "peer"), 5),
    ],
)
def test_a_ratio_says_how_much_of_a_goal_was_reached(goal: Goal, ratio: float) -> None:
    verdict = judge(goal, figure(goal), ROWS, measured([5, 10, 1000], [1000]))
    assert verdict.value == 10
    assert verdict.ratio == pytest.approx(ratio)
    assert verdict.held is (ratio >= 1)


def test_nought_of_what_may_be_nought_is_held() -> None:
    goal = Goal("rspp", "at most", 0)
    assert judge(goal, figure(goal, statistic="most"), ROWS, measured([0, 0], [3])).held is True
    assert judge(goal, figure(goal, statistic="most"), ROWS, measured([0, 1], [3])).held is False


def test_percentiles_are_of_all_trials_of_a_run() -> None:
    results: Results = {"g/rspp": [{"cpu_ns": list(range(50))}, {"cpu_ns": list(range(50, 100))}]}
    goal = Goal("rspp", "at most", 95)
    assert judge(goal, figure(goal, statistic="p95"), ROWS, results).value == 95


def test_a_peer_that_is_missing_is_told_and_decides_nothing(tmp_path: Path) -> None:
    goal = Goal("rspp", "times better", 2, "peer")
    results: Results = {"g/rspp": [{"cpu_ns": 10.0}], "g/peer": [{"error": "no module of that name"}]}
    assert judge(goal, figure(goal), ROWS, results).held is None
    page = write(tmp_path, [figure(goal)], [results], ["g/rspp", "g/peer"], [("system", "x")], {}, "once").read_text()
    assert "| peer | – | no module of that name | |" in page
    assert "not measured" in page


def test_the_page_has_every_run_and_a_picture_with_the_goal(tmp_path: Path) -> None:
    goals = (Goal("rspp", "times better", 25, "peer"), Goal("rspp", "at most", 20_000))
    runs = [measured([10_000], [400_000]), measured([30_000], [400_000])]
    page = write(tmp_path, [figure(*goals)], runs, ["g/rspp", "g/peer"], [("system", "x")], {"rspp": "1"}, "twice")
    text = page.read_text(encoding="utf-8")
    assert "| A figure | rspp: ≤ 20 µs | 10 µs (2) | 30 µs (0.667) | held in some runs |" in text
    assert "| rspp | 10 µs | 30 µs | 10 µs to 30 µs |  |" in text
    picture = ElementTree.parse(tmp_path / "results" / "g.svg").getroot()
    bars = [rect for rect in picture.iter("{http://www.w3.org/2000/svg}rect") if rect.get("rx")]
    assert len(bars) == 2
    assert float(bars[0].get("width", 0)) < float(bars[1].get("width", 0))
