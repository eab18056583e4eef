"""Hearing: from the end of an utterance to its text. It runs outside turns; a turn waits for it."""

from libc.stdint cimport int64_t

from rspp_runtime.kernel.state cimport Core

cdef void end_utterance(Core* core, int origin) noexcept nogil
cdef bint can_finish(Core* core) noexcept nogil
cdef bint needs_output(Core* core) noexcept nogil
cdef void finish(Core* core) noexcept nogil
cdef bint is_pending(Core* core) noexcept nogil
cdef void heard(Core* core) noexcept nogil
cdef void lost(Core* core) noexcept nogil
cdef void release(Core* core) noexcept nogil
