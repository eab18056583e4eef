"""A share of the campaign in every run of the tests: each pipeline of the corpus that runs, on the twin."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent / "behaviour", HERE.parents[1] / "runtime_base" / "tests" / "stub"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from plans import PLANS as STUBS  # noqa: E402
from run import Run, faults, table  # noqa: E402
from test_corpus_agreement import for_runtime  # noqa: E402

from good_corpus import CASES, compiled, is_run  # noqa: E402
from pipelines import value  # noqa: E402
from rspp_runtime.abi import Handler, Session  # noqa: E402
from rspp_runtime.reference import Session as Pure  # noqa: E402
from rspp_runtime.simulation.campaign import simulate  # noqa: E402
from rspp_runtime.simulation.faults import FAULTS  # noqa: E402
from rspp_runtime.simulation.legal import legal  # noqa: E402

TURNS, STUB_TURNS = 10, 40
NAMES = sorted(name for name in CASES if is_run(name))


@pytest.mark.parametrize("name", NAMES)
def test_no_promise_is_broken(name: str) -> None:
    plan = for_runtime(value(compiled(name), "freeze").layout.plan)
    python = sum(node.handler >= 0 for node in plan.nodes)

    def opener(session_id: str, epoch: int, handlers: Sequence[Handler | None]) -> list[Session]:
        return [Pure(plan, session_id, epoch, list(handlers) or [None] * python)]

    tally, found = simulate(plan, opener, turns=TURNS, seed=7, faults=tuple(FAULTS))
    assert found is None, found.violation if found else ""
    assert tally.turns >= TURNS
    assert tally.visited(legal(plan))


@pytest.mark.parametrize("name", sorted(STUBS))
def test_no_promise_is_broken_by_a_stub(name: str) -> None:
    """What is hunted on these plans (tests/mutants) is only found if they raise no alarm by themselves."""
    plan = STUBS[name]()

    def opener(session_id: str, epoch: int, handlers: Sequence[Handler | None]) -> list[Session]:
        return [Pure(plan, session_id, epoch, list(handlers) or [None, None])]

    tally, found = simulate(plan, opener, turns=STUB_TURNS, seed=1, faults=tuple(FAULTS))
    assert found is None, found.violation if found else ""
    assert tally.turns >= STUB_TURNS


def test_at_least_ten_pipelines_run() -> None:
    assert len(NAMES) >= 10


def figures(**changed: Any) -> dict[str, Any]:
    usual = {
        "turns": 1200, "seconds": 6.0, "turns_per_second": 200.0, "actions": 500_000, "violation": None,
        "data_events": {"p50": 140}, "invocations": {"p50": 3}, "substantial_share": 0.7, "disturbed_share": 0.6,
        "legal_pairs": 2, "legal_visited": ["Active × COMMIT"], "unvisited_pairs": ["Active × ABORT"],
        "state_signal_pairs": ["Active × COMMIT"],
    }  # fmt: skip
    return usual | changed


def test_the_table_adds_up_and_tells_what_is_missing() -> None:
    other = figures(legal_visited=["Active × COMMIT", "Active × ABORT"], unvisited_pairs=[],
                    state_signal_pairs=["Active × COMMIT", "Active × ABORT"])  # fmt: skip
    both = [Run("one", "compiled", figures()), Run("two", "both", other)]
    told = table(both, "")
    assert "1,200 turns compiled and 1,200 on both kernels" in told
    assert "2 of 2 pairs" in told
    assert "| one | compiled | 1,200 | 200 | 140 | 3 | 60% | 0 | 1 of 2 |" in told
    assert faults(both) == []
    assert faults(both[:1]) == ["never visited: Active × ABORT"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"violation": {"invariant": "one_terminal", "again": "rspp simulate x --seed 4"}}, "rspp simulate x --seed 4"),
        ({"substantial_share": 0.4}, "40% of the turns have 100 data events"),
        ({"disturbed_share": 0.1}, "10% of the turns"),
    ],
)
def test_what_the_campaign_promises_is_checked(changed: dict[str, Any], said: str) -> None:
    wrong = faults([Run("one", "compiled", figures(unvisited_pairs=[], **changed))])
    assert len(wrong) == 1
    assert said in wrong[0]
