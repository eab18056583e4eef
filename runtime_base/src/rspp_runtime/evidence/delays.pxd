"""By how much clocks are behind."""

from libc.stdint cimport int64_t


cdef class Delay:
    cdef public int64_t window_ns, since_ns, least_ns, first_ns

    cpdef bint within(self, int64_t its_ns, int64_t now_ns) noexcept


cdef class Delays:
    cdef Delay stream
    cdef public int64_t next_ns
