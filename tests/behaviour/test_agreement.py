"""The compiled kernel and its pure twin give the same answers to the same inputs at the same times (docs/kernel.md).

A few schedules of each plan, the same ones every time; `tests/campaign/schedules.py` plays as many as one likes.
"""

from __future__ import annotations

import pytest
from agreement import STEPS, agree
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels import compiled, plan_of
from plans import PLANS
from reached import Coverage
from schedule import Driver, handlers

from rspp_runtime.abi import Signal, Unit
from rspp_runtime.abi.codes import Basis, Follow

SCHEDULES, BLOCK = 40, 20
SCHEDULES_TO_REACH_ALL = 300
RARE = ("stub_switchboard", "stub_tollgate")  # in which what few schedules reach is reached


@pytest.mark.parametrize("name", sorted(PLANS))
@pytest.mark.parametrize("first", range(0, SCHEDULES, BLOCK))
def test_same_answers_under_random_schedules(name: str, first: int) -> None:
    for seed in range(first, first + BLOCK):
        agree(name, seed)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**63), steps=st.integers(1, 400), name=st.sampled_from(sorted(PLANS)))
def test_same_answers_under_any_schedule(seed: int, steps: int, name: str) -> None:
    agree(name, seed, steps)


CAUSES = {
    "ABORT": {
        "CANCELLED",
        "AUTHORITY_LOSS",
        "RECORDING_EVIDENCE_UNAVAILABLE",
        "NODE_TIMEOUT_OR_FAILURE",
        "PROVIDER_FAILURE",
        "TRANSPORT_DISCONNECT_OR_STALL",
        "BUDGET_EXHAUSTED",
    },
    "DROP_NOTICE": {
        "QUEUE_PRESSURE",
        "QUEUE_AGE",
        "SUPERSEDED",
        "CANCEL_FLUSH",
        "SAMPLED",
        "COALESCED",
        "NOT_SELECTED",
        "SYNC_LOSS",
        "BUDGET_EXHAUSTED",
        "CALLER_GONE",
    },
    "PLAYBACK_STARTED": {"NONE", "NOT_REPORTED"},
    "PLAYBACK_COMPLETED": {"NONE", "NOT_REPORTED"},
    "REPORT_REFUSED": {"STALE_REPORT", "IMPOSSIBLE_REPORT"},
    "PROVIDER_SWITCH": {"NODE_ERROR", "NODE_TIMEOUT", "CIRCUIT_OPEN"},
    "CIRCUIT_EVENT": {"NODE_ERROR", "NODE_TIMEOUT", "PROBE_DUE", "PROBE_ANSWERED"},
}
"""Every cause that a signal can have."""

AMONG = {
    ("REJECT", "DUPLICATE"),
    ("REJECT", "TOO_MANY_CALLS"),
    ("DEFER", "TURN_ACTIVE"),
    ("DEFER", "SNAPSHOT_STALE"),
    ("REJECT", "SNAPSHOT_MISSING"),
    ("REJECT", "SNAPSHOT_INCOMPATIBLE"),
    ("REJECT", "PLAN_NOT_FREEZABLE"),
}
"""Some that must be among those of their signal."""

HEARD = {f"PLAYBACK_{name}" for name in ("STARTED", "COMPLETED", "CANCELLED", "PAUSED")}
OPS = {"FORCE", "FLUSH", "RESUME", "CONTEXT", "TAP", "METRIC", "DEAD_LETTER", "SEND"}


def missing(coverage: Coverage) -> set[object]:
    """What the schedules have not reached yet."""
    wanted: set[object] = {(signal, cause) for signal, causes in CAUSES.items() for cause in causes} | AMONG
    reached: set[object] = set(coverage.signals)
    return (
        (wanted - reached)
        | ({signal.name for signal in Signal} - {signal for signal, _ in coverage.signals})
        | (set(Follow) - coverage.follows)
        | ({0, *Unit} - coverage.exhausted)
        | (OPS - coverage.ops.keys())
        | ({(name, basis) for name in HEARD for basis in Basis} - coverage.heard.keys())
        | ({"ACCEPTED", "FULL", "REFUSED"} - {answer.split(":")[1] for answer in coverage.results})
    )


def test_schedules_reach_every_signal_and_every_cause_of_an_end() -> None:
    """The agreement is worth as much as what the schedules reach."""
    coverage = Coverage()
    for seed in range(SCHEDULES_TO_REACH_ALL):
        for name in PLANS if seed < SCHEDULES else RARE:
            plan = plan_of(name)
            Driver(seed, plan, [compiled(name)(plan, "conversation", 1, handlers(seed))], coverage).run(STEPS)
        if not missing(coverage):
            break
    assert not missing(coverage)
    for name, causes in CAUSES.items():
        assert {cause for signal, cause in coverage.signals if signal == name} == causes
