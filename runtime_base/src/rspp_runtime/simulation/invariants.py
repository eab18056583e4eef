"""All invariants by name, with what each says."""

from __future__ import annotations

from rspp_runtime.simulation import (
    calls,
    credit,
    domains,
    flows,
    leases,
    letters,
    paths,
    reports,
    spending,
    tools,
    turns,
)

MACHINE = {
    "both_kernels_agree": "The compiled kernel and its twin answer every call alike (`--kernel both`).",
    "the_next_deadline_is_not_past": "`advance` never answers a time that is past.",
    "a_step_ends": "A step that is drained comes to its end.",
    "a_log_builds_the_session": "What was recorded of a session, executed again, builds it as it was.",
    "nothing_raises": "Whatever the world does, no call raises.",
}
_ROOMS = (turns, paths, calls, tools, flows, reports, domains, credit, spending, leases, letters)
ROOMS = tuple(room.CHECKS for room in _ROOMS)
NAMES: dict[str, str] = {name: says for room in ROOMS for name, says in room.names.items()} | MACHINE
