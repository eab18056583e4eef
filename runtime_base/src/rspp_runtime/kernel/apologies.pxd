"""What is said about a turn that failed, in a turn of its own."""

from libc.stdint cimport int64_t

from rspp_runtime.kernel cimport turns
from rspp_runtime.kernel.codes cimport (
    CAUSE_BUDGET_EXHAUSTED, CAUSE_NODE_TIMEOUT_OR_FAILURE, CAUSE_PROVIDER_FAILURE,
    CAUSE_RECORDING_EVIDENCE_UNAVAILABLE, ORIGIN_API, SESSION_RUNNING, TURN_ACTIVE, TURN_OPENING,
)
from rspp_runtime.kernel.state cimport Core, Output


cdef inline bint is_failure(Core* core, int cause) noexcept nogil:
    """The turn that aborts has failed, and is no apology itself."""
    if core.turn.proposal.is_apology:
        return False
    return (
        CAUSE_RECORDING_EVIDENCE_UNAVAILABLE <= cause <= CAUSE_PROVIDER_FAILURE or cause == CAUSE_BUDGET_EXHAUSTED
    )


cdef inline void aborts(Core* core, int cause) noexcept nogil:
    """Counts the turn if it has failed."""
    if core.apologies != NULL and is_failure(core, cause):
        core.apologies.failures += 1


cdef inline void committed(Core* core) noexcept nogil:
    """An answer was given: failures are counted anew. That an apology was heard changes nothing."""
    if core.apologies != NULL and not core.turn.proposal.is_apology:
        core.apologies.failures = 0


cdef inline void apologise(Core* core, int node) noexcept nogil:
    """Proposes a turn that says it, unless the user has gone on, or has heard as much a moment ago."""
    if core.turn.state == TURN_OPENING or core.turn.state == TURN_ACTIVE:
        return
    if core.state != SESSION_RUNNING or core.ending or core.now_ns < core.apologies.due_ns:
        return
    core.apologies.due_ns = core.now_ns + core.apologies.gap_ns
    turns.begin(core, ORIGIN_API, node, core.turn.serial)
