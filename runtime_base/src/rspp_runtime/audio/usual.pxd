from libc.stdint cimport int64_t


cdef class Usual:
    cdef public int64_t next
    cdef public int64_t index
    cdef public int64_t last_ns
    cdef public int64_t until_ns
    cdef int64_t _ahead_ns
    cdef int64_t _end_ns
    cdef int64_t _sample
    cdef int64_t _lowest_ns
    cdef int64_t _passed
    cdef bytes _before
    cdef bytes _last

    cdef int64_t take(self, bytes packet, int64_t sequence, int64_t index, int64_t now_ns) except? -2


cdef class Through:
    cdef public bint is_native
    cdef public bint is_empty

    cdef bint passes(self, bytes pcm) noexcept
