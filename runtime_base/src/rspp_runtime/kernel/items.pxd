"""Items: 64-byte headers, each with a payload slot of its pool, shared by counting references.

The compiler makes every pool as large as the most that its edges and outputs can hold, so taking a slot cannot fail;
should it fail nevertheless, the item is lost, `fault` is set and `advance` raises: memory is never touched.
"""

from libc.stdint cimport int64_t, uint16_t, uint32_t
from libc.string cimport memcpy

from rspp_runtime.kernel.state cimport LABEL_MAX, LABEL_SHIFT, NOTHING, Core, Header, Pool


cdef inline uint32_t take(Core* core, int pool_id, int64_t size) noexcept nogil:
    """A new item with room for `size` bytes and one reference, or `NOTHING`. Its attributes are the caller's to set."""
    cdef Pool* pool = &core.pools[pool_id]
    cdef uint32_t handle = pool.free
    cdef Header* item
    if handle != NOTHING:
        item = &core.headers[handle]
        pool.free = item.size
    elif pool.fresh < pool.end:
        handle = pool.fresh
        pool.fresh += 1
        item = &core.headers[handle]
        item.offset = pool.offset + (handle - pool.first) * pool.slot_bytes
        item.pool = <uint16_t> pool_id
    else:
        core.fault = 1
        return NOTHING
    if size > pool.slot_bytes:
        core.fault = 1
        size = 0
    item.refs = 1
    item.size = <uint32_t> size
    return handle


cdef inline uint32_t make(
    Core* core, int pool_id, int64_t seq, int64_t turn, const char* payload, int64_t size,
) noexcept nogil:
    """A new item with this payload; media time, attributes and flags are zero."""
    cdef uint32_t handle = take(core, pool_id, size)
    cdef Header* item
    if handle == NOTHING:
        return handle
    item = &core.headers[handle]
    item.seq = seq
    item.turn = <uint32_t> turn
    item.media_ns = 0
    item.flags = 0
    item.a = 0
    item.b = 0
    memcpy(core.payloads + item.offset, payload, item.size)
    return handle


cdef inline void mark(
    Core* core, uint32_t handle, int64_t media_ns, int64_t flags, int64_t a, int64_t b,
) noexcept nogil:
    """Sets what the item's source says about it."""
    cdef Header* item
    if handle == NOTHING:
        return
    item = &core.headers[handle]
    item.media_ns = media_ns
    item.flags = flags
    item.a = a
    item.b = b


cdef inline uint32_t again(Core* core, int pool_id, int64_t seq, uint32_t handle) noexcept nogil:
    """Another item like this one, under a sequence of its own."""
    cdef Header* item = &core.headers[handle]
    cdef uint32_t made = make(
        core, pool_id, seq, item.turn, <const char*> core.payloads + item.offset, item.size,
    )
    mark(core, made, item.media_ns, item.flags, item.a, item.b)
    return made


cdef inline void hold(Core* core, uint32_t handle) noexcept nogil:
    core.headers[handle].refs += 1


cdef inline void release(Core* core, uint32_t handle) noexcept nogil:
    """Gives one reference back; the last one frees the slot."""
    cdef Header* item
    if handle == NOTHING:
        return
    item = &core.headers[handle]
    item.refs -= 1
    if item.refs == 0:
        item.size = core.pools[item.pool].free
        core.pools[item.pool].free = handle


cdef inline uint32_t own(Core* core, int pool_id, uint32_t handle) noexcept nogil:
    """The item in a form that may be changed, for the reference to it: itself where nobody else has it, else a copy."""
    cdef Header* item = &core.headers[handle]
    cdef uint32_t made
    if item.refs == 1 and item.pool == pool_id:
        return handle
    made = again(core, pool_id, item.seq, handle)
    if made == NOTHING:
        return handle        # `fault` is set
    release(core, handle)
    return made


cdef inline int64_t labelled(int64_t flags, int64_t label) noexcept nogil:
    """The flags with this label, which takes bits 32 to 47."""
    return (flags & ~(LABEL_MAX << LABEL_SHIFT)) | (label << LABEL_SHIFT)
