"""What the kernel took for a turn."""

from libc.stdint cimport int64_t


cdef class Laps:
    cdef public int64_t steps, kernel_ns, longest_ns
    cdef public dict nodes_ns

    cpdef int add(self, int64_t own_ns, dict nodes_ns) except -1
