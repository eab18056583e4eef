"""Caps and budgets of cost: what providers use is counted before they use it."""

from libc.stdint cimport int64_t, uint64_t

from rspp_runtime.kernel.accounts cimport Meter, Spending
from rspp_runtime.kernel.gateway cimport Inbound
from rspp_runtime.kernel.state cimport Core


cdef inline bint is_spent(Core* core, int node_id) noexcept nogil:
    """The node begins nothing any more in this turn."""
    cdef Meter* meter = core.nodes[node_id].meter
    return meter != NULL and meter.spent and core.nodes[node_id].live.id == 0


cdef int use(Core* core, Inbound* event) noexcept nogil
cdef bint may_begin(Core* core, int node_id, int candidate) noexcept nogil
cdef bint may_try_again(Core* core, int node_id, int candidate) noexcept nogil
cdef void tries_again(Core* core, int node_id, int candidate) noexcept nogil
cdef void cut_one(Core* core) noexcept nogil
cdef void turn_closed(Core* core) noexcept nogil
