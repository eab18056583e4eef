"""Where sentences end in a text, and how many words it has."""

from libc.stdint cimport int64_t


cdef bint ascii_mark(const char* text, int64_t size, int64_t* end, int64_t* words) noexcept nogil
