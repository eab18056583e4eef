"""A share of the seeded bugs, in every run of the tests; `hunt.py` hunts all of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = str(Path(__file__).parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)

from compiled_bugs import COMPILED  # noqa: E402
from hunt import PLANS, REFERENCE, broken_twin, hunt, plan_of  # noqa: E402
from twin_bugs import TWIN  # noqa: E402

QUICK = (
    "unbounded_edge",
    "notice_off_by_one",
    "lost_resume",
    "newest_first",
    "leaked_credit",
    "window_off_by_one",
    "grace_one_ns_longer",
    "lost_close",
    "two_terminals",
    "cancel_ignored",
)
"""Found within a few turns of one plan."""


@pytest.mark.parametrize("name", QUICK)
def test_the_simulator_finds_it(name: str) -> None:
    assert any(hunt(plan_of(plan), [broken_twin(name)], 120)[0] for plan in PLANS)


@pytest.mark.parametrize("name", sorted(TWIN))
def test_every_bug_still_applies(name: str) -> None:
    """Exactly one place of the twin has the text that the bug replaces."""
    _, file, right, wrong = TWIN[name]
    assert (REFERENCE / file).read_text("utf-8").count(right) == 1
    assert right != wrong


def test_there_are_enough() -> None:
    assert len(TWIN) + len(COMPILED) >= 25
