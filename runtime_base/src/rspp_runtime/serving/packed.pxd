from libc.stdint cimport int64_t

cdef struct Packet:
    int64_t sequence
    int64_t index          # -1: the client gives none
    const unsigned char* payload
    Py_ssize_t size

cdef bint unpack(bytes message, Packet* packet) noexcept


cdef class Writer:
    cdef str _prefix
    cdef int64_t _turn
    cdef bytes _of_turn

    cpdef bytes audio(self, int64_t sequence, int64_t turn, int64_t pts_ms, bytes packet)
