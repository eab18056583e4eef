"""Circuit breakers: a provider that keeps failing is left alone for a while, then tried once."""

from libc.stdint cimport int64_t

from rspp_runtime.kernel.state cimport Core, Invocation

cdef void close_all(Core* core, int node_id) noexcept nogil
cdef bint allows(Core* core, int node_id, int candidate) noexcept nogil
cdef int choose(Core* core, int node_id, int first) noexcept nogil
cdef void begins(Core* core, int node_id, Invocation* invocation) noexcept nogil
cdef void works(Core* core, int node_id, int64_t invocation, int64_t candidate) noexcept nogil
cdef bint count(Core* core, int node_id, int64_t invocation, int64_t candidate, int64_t outcome) noexcept nogil
cdef void opened(Core* core, int node_id, int64_t invocation, int64_t candidate, int cause) noexcept nogil
cdef void cancelled(Core* core, int node_id, int64_t invocation, int64_t candidate) noexcept nogil
cdef int first_offered(Core* core, int node_id, int* end) noexcept nogil
cdef int offered(Core* core, int node_id) noexcept nogil
cdef bint is_possible(Core* core) noexcept nogil
