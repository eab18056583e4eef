"""The inbox: control inputs that were accepted and wait. It is emptied before any data moves."""

from libc.stdint cimport int64_t

from rspp_runtime.kernel.state cimport Core, Entry, Inbox


cdef inline bint is_empty(Core* core) noexcept nogil:
    return core.inbox.head == core.inbox.tail


cdef inline bint is_full(Core* core) noexcept nogil:
    return core.inbox.tail - core.inbox.head >= core.inbox.max


cdef inline Entry* put(Core* core, int kind, int64_t node, int64_t invocation) noexcept nogil:
    """A new entry: the input is accepted and takes its runtime sequence. The inbox has room."""
    cdef Inbox* inbox = &core.inbox
    cdef Entry* entry = &inbox.entries[inbox.tail & inbox.mask]
    inbox.tail += 1
    core.seq += 1
    entry.kind = kind
    entry.node = <int> node if 0 <= node < core.nodes_count else -1
    entry.port = 0
    entry.event = -1
    entry.invocation = invocation
    entry.a = 0
    entry.b = 0
    entry.seq = core.seq
    entry.epoch = core.epoch
    return entry


cdef void take(Core* core) noexcept nogil
