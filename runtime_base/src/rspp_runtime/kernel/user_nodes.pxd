"""Python kernel nodes: the user's function is called inside `advance`, with an item, and returns what it emits."""

from libc.stdint cimport int64_t, uint32_t

from rspp_runtime.kernel.state cimport Core


cdef struct Emitted:
    int port
    int64_t flags, a, b


cdef class Emissions:
    """What one call of a node has emitted, without a Python object but the payloads; its next call fills it again."""

    cdef Emitted* rows
    cdef list payloads
    cdef int count
    cdef int most

    cdef int add(self, int port, bytes payload, int64_t flags, int64_t a, int64_t b) except -1
    cdef int take(self, emission) except -1
    cdef bytes payload(self, int index)
    cdef list as_list(self)


cdef Emissions call(object handler, Core* core, uint32_t handle, int port, int emissions_max, tuple item_bytes_max)
