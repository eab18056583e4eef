"""Another process goes on with the session."""

from libc.stdint cimport int64_t

from rspp_runtime.kernel.state cimport Core

cdef void leave(Core* core) noexcept nogil
cdef void begin(Core* core, int64_t epoch, bint blank) noexcept nogil
cdef void step(Core* core) noexcept nogil
