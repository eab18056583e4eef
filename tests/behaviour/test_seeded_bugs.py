"""A bug in one kernel alone shows against the other: each of these is seeded on purpose and must be found."""

from __future__ import annotations

import dataclasses

import pytest
from build import build, committed
from kernels import compiled, plan_of
from schedule import Disagreement, Driver, handlers

from rspp_runtime.abi import Plan, Session
from rspp_runtime.reference import Session as Pure

NAME = "stub_assistant"
BUGS = {
    "interruption_ignored": ("_kernel.pyx", "    reactions.cancel_turn(core, CAUSE_BARGE_IN)\n", "    pass\n"),
    "grace_too_long": ("_layout.pxd", "GRACE_NS        =    75000000", "GRACE_NS        =    75000001"),
    "marks_stay_relative": ("_kernel.pyx", "        gateway.make_marks_absolute(event, invocation)\n", ""),
    "stages_in_any_order": ("_kernel.pyx", " & ~complete) == 0 and (complete", " & ~complete) == 0 or (complete"),
    "commit_before_it_was_played": ("_kernel.pyx", " and turns.everything_played(core):", ":"),
    "hand_off_forgets_the_rest": ("_kernel.pyx", "        edges.keep_rest(\n", "        0 and edges.keep_rest(\n"),
}
# Of the switchyard: constants, which its kernel has folded into its code.
YARD = "stub_switchyard"
YARD_BUGS = {
    "guard_off_by_one": ("_kernel.pyx", "(words <= 2)", "(words < 2)"),
    "sample_keeps_more": (
        "_kernel.pyx",
        "edges.keeps(core, EDGE_INGRESS_AUDIO__WATCH, 60,",
        "edges.keeps(core, EDGE_INGRESS_AUDIO__WATCH, 61,",
    ),
    "mark_too_high": ("_kernel.pyx", "edge.high_items = 6", "edge.high_items = 7"),
}
# Of the sorter: what its kernel does not ask again, and where items do not stop.
SORTER = "stub_sorter"
_READY = "    if not edges.takes_largest(\n        &core.edges[EDGE_NEAR__STT], 1,\n    ):\n"
SORTER_BUGS = {
    "straight_on_though_it_is_full": ("_kernel.pyx", _READY, "    if False:\n"),
    "straight_on_and_never_there": ("_kernel.pyx", "    edges.passes_through(core, EDGE_ASKED__AGAIN)\n", ""),
    "a_label_on_what_others_have": ("_kernel.pyx", "    item = items.own(core, POOL_TEXT, item)\n", ""),
    "a_label_too_high": (
        "_kernel.pyx",
        "items.labelled(core.headers[item].flags, 7)",
        "items.labelled(core.headers[item].flags, 8)",
    ),
}


# What a node's `attempts` say, and what a wrong twin would have in its place.
WRONG_ATTEMPTS: dict[str, object] = {
    "providers": ("large",),
    "times": 1,
    "first_chunk_ns": 151_000_000,
    "backoff_ns": 0,
    "retain_items": 0,
    "circuit": None,
}


def first_difference(sessions_of: object, plan: Plan, other: Plan, schedules: int = 150) -> str:
    """The first disagreement of two kernels within so many schedules; "" if there is none."""
    one, two = sessions_of  # type: ignore[misc]
    for seed in range(schedules):
        sessions: list[Session] = [one(plan, "x", 1, handlers(seed)), two(other, "x", 1, handlers(seed))]
        try:
            Driver(seed, plan, sessions).run(200)
        except Disagreement as difference:
            return str(difference)
    return ""


@pytest.mark.parametrize(
    ("name", "bug"),
    [(NAME, bug) for bug in sorted(BUGS)]
    + [(YARD, bug) for bug in sorted(YARD_BUGS)]
    + [(SORTER, bug) for bug in sorted(SORTER_BUGS)],
)
def test_bug_in_the_compiled_kernel_is_found(name: str, bug: str) -> None:
    file, right, wrong = (BUGS | YARD_BUGS | SORTER_BUGS)[bug]
    files = committed(name)
    assert right in files[file], "the seeded bug no longer applies: the template has changed"
    files[file] = files[file].replace(right, wrong)
    plan = plan_of(name)
    try:
        assert first_difference((build(name, files).Session, Pure), plan, plan)
    finally:
        build(name, committed(name))  # the right one is what the next test imports


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lead_ns", 220_000_000),
        ("evidence_ns", 500_000_001),
        ("barge_in", -1),
        ("stages", (3, 5, 6, 8, 7)),
        ("ledger_max", 11),
    ],
)
def test_bug_in_the_twin_is_found(field: str, value: object) -> None:
    """The twin reads its tables: a wrong one is a twin that does the wrong thing."""
    plan = plan_of(NAME)
    assert first_difference((compiled(NAME), Pure), plan, dataclasses.replace(plan, **{field: value}))


@pytest.mark.parametrize("field", sorted(WRONG_ATTEMPTS))
def test_bug_in_the_attempts_is_found(field: str) -> None:
    name = "stub_switchboard"
    plan = plan_of(name)
    wrong = {field: WRONG_ATTEMPTS[field]}
    nodes = tuple(
        dataclasses.replace(node, attempts=dataclasses.replace(node.attempts, **wrong))
        if node.name == "llm" and node.attempts
        else node
        for node in plan.nodes
    )
    assert first_difference((compiled(name), Pure), plan, dataclasses.replace(plan, nodes=nodes))
