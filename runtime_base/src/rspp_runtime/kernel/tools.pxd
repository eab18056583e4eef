"""Calls of tools: the way there, the run, and the way back (docs/kernel.md, Tools)."""

from libc.stdint cimport int64_t, uint32_t

from rspp_runtime.kernel.gateway cimport Inbound
from rspp_runtime.kernel.state cimport Core, Invocation


cdef void lay_out_tool(Core* core, int node_id, bint soft, bint filler, int pool) noexcept nogil
cdef void lay_out_model(Core* core, int node_id, int calls_max, int port) noexcept nogil
cdef void turn_opens(Core* core) noexcept nogil
cdef int called(Core* core, int node_id, int edge_id, int pool, Invocation* invocation, Inbound* event) noexcept nogil
cdef int can_begin(Core* core, int node_id, int model, int64_t invocation) noexcept nogil
cdef bint takes(Core* core, int node_id, int model, int edge_id, uint32_t handle) noexcept nogil
cdef int said(Core* core, int node_id, Invocation* invocation, Inbound* event) noexcept nogil
cdef void over(Core* core, int node_id, bint answered, int64_t outcome) noexcept nogil
cdef int can_answer(Core* core, int node_id, int64_t invocation) noexcept nogil
cdef void answer(Core* core, int node_id, int tool, int edge_id, uint32_t handle) noexcept nogil
