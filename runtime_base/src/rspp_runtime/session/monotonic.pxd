"""Real time."""

from libc.stdint cimport int64_t


cdef class MonotonicClock:
    cdef readonly int64_t start_ns

    cdef int64_t read(self) noexcept


cdef class Watch:
    cdef MonotonicClock monotonic
    cdef readonly object now_ns

    cdef int64_t read(self) except? -1
