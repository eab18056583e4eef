"""Merges and selects: which of the flows into a node goes next."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from rspp_runtime.kernel.state cimport Core

cdef enum:  # rules
    RULE_TIMESTAMP = 0
    RULE_ROUND_ROBIN = 1
    RULE_PRIORITY = 2
    RULE_FIRST = 3           # from here on one flow is chosen, and the others are dropped
    RULE_HIGHEST = 4

cdef enum:  # what `highest` compares
    FIELD_NONE = 0
    FIELD_LENGTH = 1
    FIELD_WORDS = 2


cdef struct Join:
    # What a merge or select remembers from one item to the next.
    const int32_t* sources   # edges into it, in the order in which they count
    uint64_t waits_for       # edges
    int64_t within_ns        # for so long; 0: until its input has ended
    int64_t turn             # whose round it is; 0 outside of turns
    int64_t last_ns          # select: when the chosen flow last gave something
    int32_t count
    int32_t place            # merge in turns: the source that is next
    int32_t chosen           # select: the source that goes through; -1 for none yet
    uint8_t rule
    uint8_t field
    uint8_t over             # its input has ended: it waits for nothing any more
    uint8_t unused           # makes the size a multiple of 8


cdef inline bint is_loser(Join* join, int edge) noexcept nogil:
    """Another flow was chosen."""
    return join.chosen >= 0 and join.sources[join.chosen] != edge


cdef void lay_out(
    Join* join, const int32_t* sources, int count, int rule, int field, uint64_t waits_for, int64_t within_ns,
) noexcept nogil
cdef bint is_next(Core* core, Join* join, int node, int edge) noexcept nogil
cdef void shed(Core* core, int edge) noexcept nogil
cdef void took(Core* core, Join* join, int node, int edge, uint32_t handle) noexcept nogil
cdef bint end_input(Core* core, Join* join, int node) noexcept nogil
cdef int64_t patience(Core* core, Join* join, int node) noexcept nogil
