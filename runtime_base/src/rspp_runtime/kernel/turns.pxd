"""Turns: proposed, opened, ended; and the end of the session."""

from libc.stdint cimport int64_t, uint64_t

from rspp_runtime.kernel.state cimport Core

cdef void propose(Core* core, int origin, int trigger) noexcept nogil
cdef void begin(Core* core, int origin, int trigger, int64_t apologises_for) noexcept nogil
cdef void decide_opening(Core* core) noexcept nogil
cdef void cancel(Core* core, int cause) noexcept nogil
cdef void resolve_ends(Core* core) noexcept nogil
cdef void accept_cancel(Core* core) noexcept nogil
cdef void stop_playback(Core* core) noexcept nogil
cdef void commit(Core* core) noexcept nogil
cdef bint everything_played(Core* core) noexcept nogil
cdef void ask_for_evidence(Core* core) noexcept nogil
cdef void end_for_error(Core* core, int cause) noexcept nogil
cdef void degrade(Core* core, int mode, uint64_t nodes_off, uint64_t edges_off, int cause) noexcept nogil
cdef void end_session(Core* core) noexcept nogil
cdef void on_session_timer(Core* core, int slot) noexcept nogil
cdef void take_mode(Core* core) noexcept nogil
