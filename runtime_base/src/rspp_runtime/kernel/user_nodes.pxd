"""Python kernel nodes: the user's function is called inside `advance`, with an item, and returns what it emits."""

from libc.stdint cimport int64_t, uint32_t

from rspp_runtime.kernel.state cimport Core, Edge


cdef inline bint has_room_for(Edge* edge, int count) noexcept nogil:
    """The edge takes that many of its largest items; for a hand-off, and what is pending."""
    cdef int64_t items = count + 1 if edge.handoff else count
    return (
        edge.tail - edge.head + items <= edge.items_max
        and edge.bytes + edge.pending_bytes + count * edge.item_bytes_max <= edge.bytes_max
    )


cdef object call(object handler, Core* core, uint32_t handle, int port, int emissions_max, tuple item_bytes_max)
