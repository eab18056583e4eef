"""Pausing playback: what was sent and not played yet is kept, and sent again when playback goes on (CONTRACTS §9)."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from rspp_runtime.kernel.cancels cimport Pause
from rspp_runtime.kernel.state cimport Core


cdef inline bint holds(Core* core) noexcept nogil:
    """Frames from the edges have to wait: playback is paused, or others are sent again first."""
    return core.pause != NULL and (core.pause.on or core.pause.unsent > 0)


cdef inline bint is_on(Core* core) noexcept nogil:
    return core.pause != NULL and core.pause.on


cdef inline uint32_t unsent(Core* core) noexcept nogil:
    """Entries at the end of the ledger that are to be sent again."""
    return core.pause.unsent if core.pause != NULL else 0


cdef void lay_out(
    Core* core, Pause* pause, uint32_t* frames, uint64_t audio_edges, int port, int64_t max_ns, int timer,
) noexcept nogil
cdef void pause(Core* core, int cause) noexcept nogil
cdef void resume(Core* core, int cause) noexcept nogil
cdef void too_long(Core* core) noexcept nogil
cdef bint send_again(Core* core, bint* outputs_full) noexcept nogil
cdef void forget(Core* core) noexcept nogil
