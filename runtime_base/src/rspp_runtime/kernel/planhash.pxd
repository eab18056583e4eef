"""The hash of a turn's frozen plan (CONTRACTS §6): what the build fixed, and what the turn adds."""

from libc.stdint cimport uint32_t

from rspp_runtime.kernel.state cimport Core

cdef uint32_t freeze(Core* core) noexcept nogil
cdef tuple prepare(Core* core, str template_hash, tuple modes, str session_id)
cdef tuple choices(Core* core, tuple policies, tuple nodes)
