"""The hash of a turn's frozen plan (CONTRACTS §6): what the build fixed, and what the turn adds."""

from libc.stdint cimport uint32_t

from rspp_runtime.kernel.state cimport Core

cdef uint32_t freeze(Core* core) noexcept nogil
cdef int prepare(Core* core, str template_hash, str mode, str session_id) except -1
