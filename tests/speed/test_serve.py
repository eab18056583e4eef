"""Conversations over WebSocket: what counts as late, what is made of steps, the page and the curves."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from serving.report import curve, slope_kib, write
from serving.run import Contestant, verdict

IN_TIME = {"sessions": 10, "frames": 500, "expected": 500, "gone": 0, "reason": "", "p50_ms": 1.0, "p99_ms": 2.0,
           "worst_ms": 21.0, "own_late_ms": 0.5, "cpu_us": 50.0, "cores": 0.1, "rss_kib": 80_000}  # fmt: skip


def step(sessions: int, **other: Any) -> dict[str, Any]:
    return {**IN_TIME, "late": "", "sessions": sessions, **other}


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({}, ""),
        ({"worst_ms": 21.1}, "a frame took 21.1 ms"),
        ({"frames": 499}, "1 of 500 frames did not come back"),
        ({"gone": 2, "reason": "1011"}, "2 connections were closed: 1011"),
        ({"error": "OSError: full"}, "OSError: full"),
    ],
)
def test_a_step_with_one_late_or_lost_frame_is_not_kept_up_with(other: dict[str, Any], why: str) -> None:
    found = verdict({**IN_TIME, **other}, 21.0)
    assert found.startswith(why)
    assert bool(found) is bool(why)


def test_memory_is_the_slope_of_what_was_kept_up_with() -> None:
    steps = [step(10, rss_kib=80_100), step(20, rss_kib=80_200), step(40, rss_kib=999_999, late="late")]
    assert slope_kib(steps) == pytest.approx(10.0)


def test_a_run_is_a_page_with_a_verdict_and_its_curves(tmp_path: Path) -> None:
    ours = Contestant("ours", "rspp", [], [step(10), step(500), step(700, late="a frame took 30.0 ms")])
    peer = Contestant("peer", "Pipecat", [], [step(10), step(100), step(150, late="gone")])
    bare = Contestant("bare", "floor: bare echo", [], why="no picows")
    page = write(tmp_path, [bare, ours, peer], [("when", "now")], 3.0).read_text(encoding="utf-8")
    assert "500 : 100 is **5.0 ×**: met." in page
    assert "| floor: bare echo | — | — | — | no picows |" in page
    for picture in tmp_path.glob("*.svg"):
        assert f"({picture.name})" in page
        ElementTree.fromstring(picture.read_text(encoding="utf-8"))


def test_a_curve_of_nothing_is_still_a_picture() -> None:
    ElementTree.fromstring(curve("Nothing", "ms", [("rspp", "#000", [])]))
