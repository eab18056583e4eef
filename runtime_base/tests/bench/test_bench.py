"""`rspp bench`: its ramp finds the limit, its figures and its picture say what was seen."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rspp_runtime.bench.meter import Meter, Samples
from rspp_runtime.bench.picture import draw
from rspp_runtime.bench.ramp import CPU_MAX, LATE_NS_MAX, Point, next_step
from rspp_runtime.bench.report import as_data, as_text, capacity, verdict
from rspp_runtime.cli.app import run_app

STUB = Path(__file__).parents[1] / "stub"
if str(STUB) not in sys.path:
    sys.path.insert(0, str(STUB))

from plans import PLANS  # noqa: E402

MS = 1_000_000
PLAN = PLANS["stub_assistant"]()


def point(sessions: int, cpu: float, late_ns: int = MS) -> Point:
    meter = Meter(PLAN)
    meter.on = True
    meter.late(late_ns)
    return Point(sessions, cpu, 0, 1.0, meter)


@pytest.mark.parametrize(
    ("limit", "most", "tried"),
    [
        (1_000, 50, [1, 2, 5, 10, 20, 50]),
        (1_000, 30, [1, 2, 5, 10, 20, 30]),
        (12, 200, [1, 2, 5, 10, 20, 14, 12]),
        (0, 200, [1]),
        (1_000, 1, [1]),
    ],
)
def test_the_ramp_finds_the_limit(limit: int, most: int, tried: list[int]) -> None:
    """1, 2, 5 … until it is too much, then between the two until they are a quarter apart."""
    done: list[Point] = []
    while step := next_step(done, most):
        assert len(done) < 20
        done.append(point(step, 0.5 if step <= limit else 1.0))
    assert [one.sessions for one in done] == tried
    assert capacity(done) == max((step for step in tried if step <= limit), default=0)


def test_what_keeping_up_means() -> None:
    assert point(1, CPU_MAX).keeps_up
    assert not point(1, CPU_MAX + 0.01).keeps_up
    assert point(1, 0.1, LATE_NS_MAX).keeps_up
    assert not point(1, 0.1, LATE_NS_MAX + 1).keeps_up


def test_quantiles_of_samples() -> None:
    samples = Samples()
    assert samples.quantile(0.5) == 0
    for ns in range(100, 0, -1):
        samples.add(ns)
    assert (samples.quantile(0.5), samples.quantile(0.99), samples.longest_ns) == (51, 100, 100)
    assert (samples.count, samples.total_ns) == (100, 5050)


def test_the_verdict_says_whether_there_may_be_more() -> None:
    assert verdict([point(5, 0.5), point(10, 1.0)]) == "one core holds 5 sessions"
    assert verdict([point(5, 0.5)]) == "one core holds 5 sessions, or more"
    assert verdict([point(1, 0.5), point(2, 1.0)]) == "one core holds 1 session"
    assert "not one session" in verdict([point(1, 1.0)])


def test_figures_and_picture_say_the_same() -> None:
    points = [point(1, 0.1), point(2, 0.2), point(5, 1.0, 50 * MS)]
    data = json.loads(json.dumps(as_data(PLAN, points)))
    assert data["sessions_per_core"] == 2
    assert [one["keeps_up"] for one in data["points"]] == [True, True, False]
    assert as_text(PLAN, points).count("too many") == 1
    picture = ElementTree.fromstring(draw("a <b> & c", points))
    texts = ["".join(one.itertext()) for one in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[0] == "a <b> & c: one core holds 2 sessions"
    assert len(list(picture.iter("{http://www.w3.org/2000/svg}circle"))) == 2 * len(points)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--sessions", "0"), "--sessions: at least 1"),
        (("--seconds", "0"), "--seconds: 0.5 to 600"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    arguments: tuple[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        run_app(["bench", "generated/gone", *arguments])
    assert left.value.code == 2
    assert said in capsys.readouterr().err


def test_a_package_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        run_app(["bench", "generated/gone"])
    assert left.value.code == 1
    assert "generated/gone" in capsys.readouterr().err
