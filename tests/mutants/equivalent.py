"""Mechanical bugs that the hunts do not find: they change nothing that can be seen, or a test of its own finds them."""

from __future__ import annotations

from changes import Change

REASONS: dict[tuple[str, str, str], str] = {
    ("edges.py", "edge.open = False", "pass"): (
        "of a flush: found by tests/behaviour/test_gathering_in_turns.py, for no stub gathers inside of turns"
    ),
    ("gateway.pyx", "result.transport_sequence = field(fields, 5)", "pass"): (
        "the evidence keeps an input's transport sequence; the kernel decides nothing by it and never gives it back"
    ),
    (
        "joins.py",
        "return min((ns for ns in times if ns > s.now), default=-1)",
        "return min((ns for ns in times if ns > s.now), default=-2)",
    ): "a deadline below zero is none, whatever it is",
    ("sync.py", "return 3 + s.plan.context_items_max", "return 3 - s.plan.context_items_max"): (
        "each edge of a group has asked for its own room before, which is more than all of them use: "
        "a group that the sum would hold back goes one step earlier, and has room"
    ),
    ("hearing.pyx", "if core.recogniser >= 0:", "if core.recogniser >= 1:"): "node 0 is the ingress, if there is one",
    (
        "inbox.pyx",
        "if core.state == SESSION_CREATED or core.state == SESSION_DEGRADED:",
        "if core.state == SESSION_CREATED and core.state == SESSION_DEGRADED:",
    ): "Cython makes the same `switch` of both",
    ("state.py", "self.outputs_full = False", "self.outputs_full = True"): "every step sets it before anybody asks",
    ("session.pyx", "attempts.high = candidates", "pass"): (
        "every start asks `circuits.offered`, which sets it; nobody reads it before"
    ),
}
"""(file, the right line, the wrong line) → why nobody can tell the difference, or the test that can."""


def reason(change: Change) -> str:
    """Why a survivor is no gap; "" if it is one."""
    return REASONS.get((change.file, change.right.strip(), change.wrong.strip()), "")
