"""The share of schedules that CI plays: bounded, from any seed, and a difference can be seen again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = str(Path(__file__).parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)

import schedules  # noqa: E402


def test_so_many_schedules_are_played(capsys: pytest.CaptureFixture[str]) -> None:
    assert schedules.main(["--only", "stub_assistant", "--first", "77", "--schedules", "2"]) == 0
    assert capsys.readouterr().out == "2 schedules from seed 77: both kernels give the same answers\n"


def test_it_ends_in_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert schedules.main(["--seconds", "0"]) == 0
    assert capsys.readouterr().out.startswith("0 schedules ")


def test_a_difference_is_told_with_its_seed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def differ(name: str, seed: int) -> None:
        assert seed < 5, "they differ"

    monkeypatch.setattr(schedules, "agree", differ)
    assert schedules.main(["--only", "stub_shop", "--first", "3"]) == 1
    told = capsys.readouterr().err
    assert "python tests/campaign/schedules.py --only stub_shop --first 5 --schedules 1" in told
    assert "they differ" in told
