"""Timers: one deadline a slot, in one flat table. A slot that is off holds `OFF`."""

from libc.stdint cimport int64_t

from rspp_runtime.kernel.state cimport (
    OFF, TIMERS_EDGE, TIMERS_NODE, TIMERS_SESSION, TIMER_CHUNK, TIMER_FIRST, Core,
)


cdef inline int of_node(int node, int which) noexcept nogil:
    return TIMERS_SESSION + TIMERS_NODE * node + which


cdef inline int of_edge(Core* core, int edge, int which) noexcept nogil:
    return TIMERS_SESSION + TIMERS_NODE * core.nodes_count + TIMERS_EDGE * edge + which


cdef inline void start(Core* core, int slot, int64_t deadline_ns) noexcept nogil:
    core.timers[slot] = deadline_ns
    if deadline_ns < core.next_timer_ns:
        core.next_timer_ns = deadline_ns


cdef inline void stop(Core* core, int slot) noexcept nogil:
    # `next_timer_ns` may now be too early, which costs a look at the table and nothing else
    core.timers[slot] = OFF


cdef inline bint is_on(Core* core, int slot) noexcept nogil:
    return core.timers[slot] != OFF


cdef inline int64_t earliest(Core* core) noexcept nogil:
    """The earliest deadline, `OFF` if no timer is on."""
    cdef int64_t first = OFF
    cdef int slot
    for slot in range(core.timers_count):
        if core.timers[slot] < first:
            first = core.timers[slot]
    core.next_timer_ns = first
    return first


cdef inline int take_due(Core* core) noexcept nogil:
    """The slot of the timer that is due, switched off; -1 if none is. The earliest first, ties by slot."""
    cdef int64_t first
    cdef int slot
    if core.next_timer_ns > core.now_ns:
        return -1
    first = earliest(core)
    if first > core.now_ns:
        return -1
    for slot in range(core.timers_count):
        if core.timers[slot] == first:
            core.timers[slot] = OFF
            return slot
    return -1
