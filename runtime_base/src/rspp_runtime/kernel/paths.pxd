"""Budgets of paths: from what enters one to what leaves it at its end. Masks are of paths, one bit each."""

from libc.stdint cimport int64_t, uint64_t

from rspp_runtime.kernel.state cimport Core

cdef enum:
    FIRST_PATH = -4          # `y` of a decision about path 0; each further path is one below


cdef enum:
    PATH_NOT_BEGUN = 0
    PATH_BEGUN = 1
    PATH_WARNED = 2
    PATH_OVER = 3            # it was kept, or used up


cdef void lay_out(
    Core* core, int path_id, int64_t limit_ns, int64_t warning_ns, uint64_t edges, uint64_t nodes, uint64_t modes,
    bint hears, bint ends_heard, bint from_input_end,
) noexcept nogil
cdef void begin(Core* core, uint64_t which) noexcept nogil
cdef void end(Core* core, uint64_t which) noexcept nogil
cdef void waits(Core* core) noexcept nogil
cdef void heard(Core* core) noexcept nogil
cdef void go_on(Core* core, int model, int64_t held_ns) noexcept nogil
cdef void forget(Core* core) noexcept nogil
cdef void fired(Core* core, int path_id) noexcept nogil
