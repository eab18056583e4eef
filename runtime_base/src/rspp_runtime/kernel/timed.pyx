"""Timers, end-pointers and collectors of keys (docs/kernel.md, Clocks and keys)."""

from libc.stdint cimport int64_t, uint32_t

from rspp_runtime.kernel cimport hearing, timers, turns
from rspp_runtime.kernel.codes cimport ORIGIN_DTMF, TURN_OPENING
from rspp_runtime.kernel.state cimport TIMER_FIRST, Core, Header


cdef void lay_out(Keys* keys, int digits, int until, int64_t timeout_ns, bint opens) noexcept nogil:
    keys.digits = digits
    keys.until = until
    keys.timeout_ns = timeout_ns
    keys.opens = opens


cdef void hear(Core* core, int node, uint32_t handle, int64_t min_ns, int64_t max_ns) noexcept nogil:
    """Something was recognised: the user is done a while after a sentence that ends, or a longer while after."""
    cdef Header* item = &core.headers[handle]
    if item.size == 0 or hearing.is_pending(core):
        return
    if item.a > 0 and item.size - item.a <= 1:
        after(core, node, min_ns)
    else:
        after(core, node, max_ns)


cdef bint can_press(Core* core, Keys* keys, int node) noexcept nogil:
    """There is room for a key: what was complete before has gone to its turn, or no turn came of it."""
    if not keys.ready:
        return True
    if core.turn.state == TURN_OPENING and core.turn.proposal.trigger == node:
        return False
    if core.turn.deferred and core.deferred.trigger == node:
        return False
    forget(keys)
    return True


cdef bint press(Core* core, Keys* keys, int node, uint32_t handle) noexcept nogil:
    """One more key. True if that completes them. Which key it is decides nothing, but that it is the one that ends."""
    cdef Header* item = &core.headers[handle]
    cdef bint ends = item.a > 0 and item.a == keys.until
    if item.size > 0 and not ends:
        keys.pressed[keys.count] = <char> core.payloads[item.offset]
        keys.count += 1
    if (ends and keys.count > 0) or keys.count >= keys.digits:
        timers.stop(core, timers.of_node(node, TIMER_FIRST))
        if keys.opens:
            core.turn.last_seq = item.seq
        return True
    if keys.count > 0 and keys.timeout_ns > 0:
        after(core, node, keys.timeout_ns)
    return False


cdef void propose(Core* core, Keys* keys, int node) noexcept nogil:
    """They are complete: a turn is to answer them."""
    keys.ready = True
    turns.propose(core, ORIGIN_DTMF, node)


cdef void forget(Keys* keys) noexcept nogil:
    keys.count = 0
    keys.ready = False
