"""The kernels agree on what the compiler lays out, on pipelines of the corpus that use what others do not."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from build import build
from reached import Coverage
from schedule import Driver, handlers

from good_corpus import CASES
from pipelines import compile_file, value
from rspp_compiler.emit.kernel_view import kernel_files
from rspp_runtime.abi import plan
from rspp_runtime.reference import Session as Pure

SCHEDULES, MOST, STEPS = 15, 120, 300  # more than the first only until everything was reached


def for_runtime(made: Any) -> Any:
    """The compiler's plan tables as the runtime's: the same fields under the same names."""
    if dataclasses.is_dataclass(made) and not isinstance(made, type):
        fields = {field.name: for_runtime(getattr(made, field.name)) for field in dataclasses.fields(made)}
        return getattr(plan, type(made).__name__)(**fields)
    if isinstance(made, tuple):
        return tuple(for_runtime(entry) for entry in made)
    return made


# What the schedules must have reached: pairs of a signal and its cause.
REACHED = {
    "front_desk": {("BARGE_IN", "BARGE_IN"), ("ABORT", "CANCELLED"), ("FALLBACK", "NODE_ERROR")},
    "help_line": {("ABORT", "PROVIDER_FAILURE"), ("ABORT", "NODE_TIMEOUT_OR_FAILURE"), ("PLAYBACK_CANCELLED", "NONE")},
    "kiosk": {("DROP_NOTICE", cause) for cause in ("SAMPLED", "COALESCED", "QUEUE_AGE")},
    "lip_sync": {("DROP_NOTICE", "SAMPLED"), ("DISCONTINUITY", "SAMPLED")},
    "lost_and_found": {("ABORT", "NODE_TIMEOUT_OR_FAILURE"), ("FALLBACK", "NODE_TIMEOUT"), ("DEGRADE", "NODE_ERROR")},
    "night_porter": {("ENTERED", "USER"), ("DEGRADE", "NODE_ERROR"), ("DEGRADE", "USER")},
    "patient_host": {
        ("PLAYBACK_PAUSED", "BARGE_IN"),
        ("PLAYBACK_RESUMED", "USER"),
        ("CANCEL_PENDING", "USER"),
        ("ABORT", "CANCELLED"),
    },
    "punctual_host": {
        (name, "BUDGET_EXHAUSTED") for name in ("BUDGET_WARNING", "BUDGET_EXHAUSTED", "FALLBACK", "DEGRADE")
    },
    "push_to_talk": {("CANCEL", "USER"), ("DEFER", "TURN_ACTIVE")},
    "two_tenants": {("BARGE_IN", "BARGE_IN"), ("DEGRADE", "NODE_ERROR"), ("TURN_OPEN", "NONE")},
    "notes": {("COMMIT", "NONE")},
    "phone_menu": {("SELECTED", "NONE"), ("FALLBACK", "NODE_TIMEOUT"), ("TURN_OPEN", "NONE")},
    "reading_room": {("BARGE_IN", "BARGE_IN"), ("ABORT", "CANCELLED"), ("COMMIT", "NONE")},
    "second_opinion": {("SELECTED", "NONE"), ("DROP_NOTICE", "NOT_SELECTED")},
    "prepaid": {(signal, "BUDGET_EXHAUSTED") for signal in ("BUDGET_EXHAUSTED", "DROP_NOTICE", "FALLBACK")},
}


@pytest.mark.parametrize("name", sorted(REACHED))
def test_same_answers_on_a_pipeline_of_the_corpus(name: str) -> None:
    layout = value(compile_file(CASES[name], until="freeze"), "freeze").layout
    files = {"__init__.py": "", **kernel_files(layout.plan, f"{name}.rspp")}
    factory, rows, coverage = build(layout.plan.pipeline, files).Session, for_runtime(layout.plan), Coverage()
    for seed in range(MOST):
        if seed >= SCHEDULES and coverage.signals.keys() >= REACHED[name]:
            break
        nodes = handlers(seed)[: sum(node.handler >= 0 for node in rows.nodes)]
        sessions = [factory(rows, "corpus", 1, nodes), Pure(rows, "corpus", 1, nodes)]
        Driver(seed, rows, sessions, coverage).run(STEPS)
    assert coverage.signals.keys() >= REACHED[name]
