"""Timers, end-pointers and collectors of keys."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t

from rspp_runtime.kernel cimport timers
from rspp_runtime.kernel.state cimport TIMER_FIRST, Core

cdef enum:
    KEYS_MAX = 64


cdef struct Keys:
    # What a collector of keys has gathered.
    int64_t timeout_ns       # from one key to the next
    int32_t digits           # it is complete with so many
    int32_t until            # the key that ends it; -1 for none
    int32_t count
    uint8_t opens            # what was gathered proposes a turn
    uint8_t ready            # it is complete, and waits for its turn
    uint16_t unused          # makes the size a multiple of 8
    char pressed[64]


cdef inline void after(Core* core, int node, int64_t wait_ns) noexcept nogil:
    """The node's time comes then."""
    timers.start(core, timers.of_node(node, TIMER_FIRST), core.now_ns + wait_ns)


cdef void lay_out(Keys* keys, int digits, int until, int64_t timeout_ns, bint opens) noexcept nogil
cdef void hear(Core* core, int node, uint32_t handle, int64_t min_ns, int64_t max_ns) noexcept nogil
cdef bint can_press(Core* core, Keys* keys, int node) noexcept nogil
cdef bint press(Core* core, Keys* keys, int node, uint32_t handle) noexcept nogil
cdef void propose(Core* core, Keys* keys, int node) noexcept nogil
cdef void forget(Keys* keys) noexcept nogil
