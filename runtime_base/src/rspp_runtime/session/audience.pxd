"""Who is told of what happens in a session."""

from cpython.object cimport PyObject

cdef enum:
    LATELY = 8

cdef struct Lately:                 # of one kind: the last place, and who is told
    Py_ssize_t kind, node, port
    PyObject* told                  # the audience's own


cdef class Audience:
    cdef Lately[LATELY] lately
    cdef list by_kind                                   # of input: who is told
    cdef list by_port                                   # the same by kind, node and port, where some are named
    cdef readonly tuple steps, moves, quiet_steps       # who is told of a step
    cdef readonly tuple handlers, calls, states, invocations
    cdef readonly bint every_call

    cpdef tuple of_input(self, event)
    cdef tuple told(self, Py_ssize_t kind, Py_ssize_t node, Py_ssize_t port)
    cpdef tuple of_step(self, outputs)
