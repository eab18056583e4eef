"""What is said about a turn that failed, in a turn of its own (`docs/kernel.md`, Apologies)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Cause, SessionState, Turn
from rspp_runtime.reference.state import State

EVENT = "turn.error"
_FAILURES = (
    Cause.RECORDING_EVIDENCE_UNAVAILABLE,
    Cause.NODE_TIMEOUT_OR_FAILURE,
    Cause.PROVIDER_FAILURE,
    Cause.BUDGET_EXHAUSTED,
)


def is_failure(s: State, cause: int) -> bool:
    """Whether the turn that aborts has failed, and is no apology itself."""
    return cause in _FAILURES and not s.turn.is_apology


def aborts(s: State, cause: Cause) -> None:
    """Count the turn if it has failed."""
    if is_failure(s, cause):
        s.failures += 1


def committed(s: State) -> None:
    """An answer was given: failures are counted anew. That an apology was heard changes nothing."""
    if not s.turn.is_apology:
        s.failures = 0


def is_due(s: State) -> bool:
    """Whether something may be said: the user has not gone on, and has not heard as much a moment ago."""
    in_progress = s.turn.state in (Turn.OPENING, Turn.ACTIVE)
    return not in_progress and s.state is SessionState.RUNNING and not s.ending and s.now >= s.apology_due_ns
