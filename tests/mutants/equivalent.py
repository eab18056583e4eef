"""Mechanical bugs that are none: what they change cannot be seen, and why."""

from __future__ import annotations

from changes import Change

REASONS: dict[tuple[str, str, str], str] = {
    ("gateway.pyx", "result.transport_sequence = field(fields, 5)", "pass"): (
        "the evidence keeps an input's transport sequence; the kernel decides nothing by it and never gives it back"
    ),
}
"""(file, the right line, the wrong line) → why nobody can tell the difference."""


def reason(change: Change) -> str:
    """Why a survivor is no gap; "" if it is one."""
    return REASONS.get((change.file, change.right.strip(), change.wrong.strip()), "")
