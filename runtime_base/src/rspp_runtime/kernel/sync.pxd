"""Sync domains: edges whose items stand or fall together, or that mark what is missing.

Items of one group have the same key. What one edge loses its peers lose as well, or mark; peers that are atomic move as
one.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from rspp_runtime.kernel.state cimport NO_KEY, Core, Edge, Header


cdef inline int64_t key(Core* core, Edge* edge, uint32_t handle) noexcept nogil:
    """The group of an item."""
    return core.headers[handle].media_ns if edge.sync.by_media else core.headers[handle].seq


cdef inline int64_t key_at(Core* core, Edge* edge, uint32_t place) noexcept nogil:
    """The group of the item at a place, counted from the head."""
    return key(core, edge, edge.ring[(edge.head + place) & edge.mask])


cdef inline uint64_t peers(Core* core, Edge* edge) noexcept nogil:
    """The edges that are on and share what this one loses."""
    return edge.sync.peers & ~core.edges_off


cdef inline bint goes_with_others(Core* core, Edge* edge) noexcept nogil:
    """More than one edge of its domain is on, and they move as one."""
    cdef uint64_t group = peers(core, edge)
    return (group & (group - 1)) != 0


cdef inline int64_t begin_marked(Core* core, Edge* edge, uint32_t handle) noexcept nogil:
    """Marks an item that moves after a gap, for this way only. Its flags, to be put back."""
    cdef Header* item = &core.headers[handle]
    cdef int64_t flags = item.flags
    if edge.sync.gap:
        edge.sync.gap = False
        item.flags = item.flags | 2                  # FLAG_DISCONTINUITY
    return flags


cdef void loses(Core* core, int edge_id, uint32_t handle) noexcept nogil
cdef int64_t rest_of_group(Core* core, int edge_id, int64_t last_seq) noexcept nogil
cdef void lost(Core* core, int edge_id, int cause) noexcept nogil
cdef int64_t takes_group(Core* core, int edge_id, uint32_t handle) noexcept nogil
cdef void lost_new(Core* core, int edge_id, uint32_t handle, int cause) noexcept nogil
cdef bint is_fallen(Core* core, int edge_id, uint32_t handle) noexcept nogil
cdef bint begins_fallen(Core* core, int edge_id, uint32_t handle) noexcept nogil
cdef bint goes_alone(Core* core, int edge_id) noexcept nogil
cdef bint some_go_alone(Core* core, uint64_t group) noexcept nogil
cdef int64_t common_key(Core* core, uint64_t group) noexcept nogil
cdef bint part_unmatched(Core* core, uint64_t group, int64_t wanted) noexcept nogil
cdef void go_on(Core* core, uint64_t group, int64_t wanted) noexcept nogil
cdef bint is_next(Core* core, int edge_id, int64_t wanted) noexcept nogil
cdef bint give_up(Core* core, int edge_id, uint64_t complete) noexcept nogil
