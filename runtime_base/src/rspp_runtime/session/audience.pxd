"""Who is told of what happens in a session."""


cdef class Audience:
    cdef list by_kind                                   # of input: who is told
    cdef list by_port                                   # the same of items, by kind, node and port, where some are named
    cdef readonly tuple steps, moves, quiet_steps       # who is told of a step
    cdef readonly tuple handlers, calls, states, invocations
    cdef readonly bint every_call

    cpdef tuple of_input(self, event)
    cpdef tuple of_step(self, outputs)
