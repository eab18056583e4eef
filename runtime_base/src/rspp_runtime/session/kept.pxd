"""What happened and was not told yet."""

from rspp_runtime.session.audience cimport Audience


cdef class Line:
    cdef object loop, serve
    cdef double pause_s, spread_s
    cdef Py_ssize_t round_max
    cdef list waiting
    cdef bint due                   # the loop was asked for a round

    cpdef join(self, one)


cdef class Kept:
    cdef readonly Audience audience
    cdef list waiting               # of tuples: whom to tell, and what
    cdef Py_ssize_t waiting_max
    cdef Line line                  # joined when something waits, after nothing
    cdef object failure             # what one of them raised
    cdef public bint keeps          # something, until the next flush

    cdef object add(self, tuple row)
