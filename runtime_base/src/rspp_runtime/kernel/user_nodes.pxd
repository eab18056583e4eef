"""Python kernel nodes: the user's function is called inside `advance`, with an item, and returns what it emits."""

from libc.stdint cimport uint32_t

from rspp_runtime.kernel.state cimport Core


cdef object call(object handler, Core* core, uint32_t handle, int port, int emissions_max, tuple item_bytes_max)
