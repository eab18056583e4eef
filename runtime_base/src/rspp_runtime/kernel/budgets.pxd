"""What only pipelines have with budgets of paths."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t


cdef struct Path:
    # How far the budget of one path is used in a turn (`paths.pyx`). Masks are of edges and nodes of the turn.
    int64_t limit_ns
    int64_t warning_ns
    int64_t began_ns
    uint64_t edges           # on the way
    uint64_t nodes
    uint64_t modes           # in which the way is there
    int32_t progress         # PATH_*
    uint8_t hears            # the way leads through the recogniser
    uint8_t ends_heard       # … and ends there
    uint8_t from_input_end   # its time counts from the end of the input
    uint8_t unused           # makes the size a multiple of 8


cdef struct Paths:
    Path* rows
    int32_t count
    int32_t timer            # slot of the first
