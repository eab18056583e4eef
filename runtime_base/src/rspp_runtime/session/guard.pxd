"""A coroutine that is not ours."""


cdef class Guarded:
    cdef object coroutine
    cdef public bint last, resumed
    cdef bint told
