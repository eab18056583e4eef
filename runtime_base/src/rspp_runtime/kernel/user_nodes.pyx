"""Python kernel nodes."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint32_t

from rspp_runtime.kernel.state cimport Core, Header

from rspp_runtime.abi.messages import Emission, Item


cdef object call(object handler, Core* core, uint32_t handle, int port, int emissions_max, tuple item_bytes_max):
    """Calls the handler; the emissions as a list of `Emission`, or None if the node failed.

    `item_bytes_max` has one bound for each output port. Nothing is emitted by a call of which one emission is wrong.
    """
    cdef Header* item = &core.headers[handle]
    cdef object emitted
    cdef object emission
    cdef list emissions = []
    emitted = handler(Item(
        port, item.turn, item.seq, item.media_ns, item.flags, item.a, item.b,
        PyBytes_FromStringAndSize(<const char*> core.payloads + item.offset, item.size),
    ))
    if emitted is None or len(emitted) > emissions_max:
        return None
    for emission in emitted:
        emission = Emission(*emission)
        if not 0 <= emission.port < len(item_bytes_max) or len(emission.payload) > item_bytes_max[emission.port]:
            return None
        emissions.append(emission)
    return emissions
