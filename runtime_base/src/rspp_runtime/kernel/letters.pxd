"""Dead letters: what a node could not work on, for whoever watches. Each node that is shown has a ring."""

from libc.stdint cimport int16_t, int64_t, uint32_t, uint64_t, uint8_t

from rspp_runtime.kernel cimport invocations, items, outputs
from rspp_runtime.kernel.codes cimport FLAG_DISCONTINUITY, OP_DEAD_LETTER
from rspp_runtime.kernel.state cimport Core, Header, Output, bit

cdef enum:
    PORT_SHIFT = 32          # an entry: the item's port above, its handle below


cdef struct Letters:
    # What a node is working on, as far as it has room.
    uint64_t* entries
    uint32_t max
    uint32_t first           # the oldest
    uint32_t count
    uint32_t unused


cdef inline void lay_out(Letters* letters, uint64_t* entries, uint32_t most) noexcept nogil:
    letters.entries = entries
    letters.max = most


cdef inline void drop(Core* core, Letters* letters, int64_t count) noexcept nogil:
    """The oldest are not kept any more."""
    while count > 0 and letters.count > 0:
        items.release(core, <uint32_t> letters.entries[letters.first])
        letters.first = (letters.first + 1) % letters.max
        letters.count -= 1
        count -= 1


cdef inline void keep(Core* core, Letters* letters, bint anew, int port, uint32_t handle) noexcept nogil:
    """The node is given an item; with `anew`, it begins with it."""
    if anew:
        drop(core, letters, letters.count)
    elif letters.count == letters.max:
        drop(core, letters, 1)
    items.hold(core, handle)
    letters.entries[(letters.first + letters.count) % letters.max] = (<uint64_t> port << PORT_SHIFT) | handle
    letters.count += 1


cdef inline void done(Core* core, Letters* letters, int node_id, int64_t invocation, int64_t count) noexcept nogil:
    """The node is done with so many items."""
    if invocations.find(core, node_id, invocation) != NULL:
        drop(core, letters, count)


cdef inline void show(Core* core, Letters* letters, int tap, int node_id, int cause) noexcept nogil:
    """The node failed: what it was working on goes to the tap. Nobody waits for that, so it is dropped when full."""
    cdef uint32_t index
    cdef uint64_t entry
    cdef uint32_t handle
    cdef Output* output
    if (core.nodes_off & bit(tap)) != 0:
        return
    for index in range(letters.count):
        if core.telemetry.count == core.telemetry.max:
            return
        entry = letters.entries[(letters.first + index) % letters.max]
        handle = <uint32_t> entry
        output = outputs.blank(core, &core.telemetry.slots[core.telemetry.count], OP_DEAD_LETTER)
        core.telemetry.count += 1
        output.node = <int16_t> tap
        output.port = <int16_t> (entry >> PORT_SHIFT)
        output.turn = core.headers[handle].turn
        output.code = <int16_t> node_id
        output.cause = <uint8_t> cause
        output.x = core.headers[handle].media_ns
        output.y = core.headers[handle].flags & ~FLAG_DISCONTINUITY
        outputs.carry(core, output, handle)
