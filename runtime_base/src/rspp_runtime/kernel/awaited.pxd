"""What is asked of calls of tools everywhere: who is a tool, and which model waits (docs/kernel.md, Tools)."""

from libc.stdint cimport int64_t

from rspp_runtime.kernel.callers cimport Calling
from rspp_runtime.kernel.state cimport OFF, TIMER_FIRST, Core
from rspp_runtime.kernel cimport paths, timers


cdef inline bint is_tool(Core* core, int node_id) noexcept nogil:
    return core.calling != NULL and core.calling[node_id].tool


cdef inline bint waits(Core* core, int node_id) noexcept nogil:
    """A call of the model has no answer yet: nothing more is due of it."""
    return core.calling != NULL and core.calling[node_id].open > 0


cdef inline int64_t grace_end(Core* core, int node_id) noexcept nogil:
    """When what is cancelled now is forced: a soft tool may run to its own deadline."""
    cdef int64_t deadline = core.now_ns + core.grace_ns
    cdef int64_t first
    if core.calling != NULL and core.calling[node_id].soft:
        first = core.timers[timers.of_node(node_id, TIMER_FIRST)]
        if first != OFF and first > deadline:
            return first
    return deadline


cdef inline void gone(Core* core, int node_id) noexcept nogil:
    """A model's invocation is gone, and its calls with it."""
    cdef Calling* row
    if core.calling == NULL:
        return
    row = &core.calling[node_id]
    if row.filled > 0:
        paths.go_on(core, node_id, row.held_ns)
    row.open = 0
    row.filled = 0


cdef inline bint is_held(Core* core, int node_id, int64_t words) noexcept nogil:
    """The model has said something. True if its deadlines wait: then this much is still due of it."""
    cdef Calling* row
    if core.calling == NULL:
        return False
    row = &core.calling[node_id]
    if words > 0:
        row.held_speak_ns = 0
    if row.filled == 0:
        return False
    row.held_first_ns = row.held_speak_ns
    return True
