"""Another attempt after a failure: the same provider again, or the next one.

What an invocation was fed is retained until its first output, so that whoever tries next gets all of it.
"""

from libc.stdint cimport int64_t, uint32_t

from rspp_runtime.kernel.state cimport Attempts, Core, Invocation


cdef inline bint has_rest(Core* core, int node_id) noexcept nogil:
    """There is input that the present attempt, or the next, has still to get."""
    cdef Attempts* attempts = core.nodes[node_id].attempts
    return attempts != NULL and attempts.end > attempts.given


cdef inline bint is_due(Core* core, int node_id) noexcept nogil:
    """Another attempt will be made, and has not begun."""
    cdef Attempts* attempts = core.nodes[node_id].attempts
    return attempts != NULL and attempts.again


cdef inline bint is_backing_off(Core* core, int node_id) noexcept nogil:
    """It waits until then."""
    cdef Attempts* attempts = core.nodes[node_id].attempts
    return attempts != NULL and attempts.backing_off


cdef inline bint keeps(Core* core, int node_id, int64_t invocation) noexcept nogil:
    """The input that is retained is that of this invocation."""
    cdef Attempts* attempts = core.nodes[node_id].attempts
    return attempts != NULL and invocation != 0 and attempts.kept == invocation


cdef void begin(Core* core, int node_id) noexcept nogil
cdef void retain(Core* core, int node_id, int port, uint32_t handle) noexcept nogil
cdef void answered(Core* core, int node_id, Invocation* invocation) noexcept nogil
cdef void let_go(Core* core, int node_id) noexcept nogil
cdef int64_t deadline(Core* core, int node_id) noexcept nogil
cdef bint budget_is_over(Core* core, int node_id) noexcept nogil
cdef int follow(
    Core* core, int node_id, int64_t invocation, bint retryable, bint was_ending,
) noexcept nogil
cdef bint feed_again(Core* core, bint* outputs_full) noexcept nogil
