"""Edges: what happens a few times in a turn."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint8_t, uint64_t
from libc.string cimport memcpy

from rspp_runtime.kernel cimport awaited, items, outputs, timers
from rspp_runtime.kernel.codes cimport (
    CAUSE_CANCEL_FLUSH, CAUSE_COALESCED, CAUSE_QUEUE_PRESSURE, CAUSE_SAMPLED, FLAG_FINAL, OP_RESUME, SIGNAL_DROP_NOTICE,
    SIGNAL_CREDIT_GRANT, SIGNAL_FLOW_XON, SIGNAL_WATERMARK,
)
from rspp_runtime.kernel.state cimport (
    NO_KEY, NOTHING, TIMER_BLOCK, TIMER_CHUNK, TIMER_HANDOFF, Core, Edge, Header, Node, Output, bit, lowest,
)


cdef extern from *:
    """
    #define RSPP_PREFETCH(address) __builtin_prefetch(address, 1)
    """
    void prefetch "RSPP_PREFETCH"(const void* address) nogil

cdef enum:
    AHEAD = 8                # items, between fetching a header and changing it


cdef bint keeps(Core* core, int edge_id, int percent, uint32_t handle) noexcept nogil:
    """The next item is one that a sample keeps; one that is not is dropped and told."""
    cdef Edge* edge = &core.edges[edge_id]
    cdef int reached = edge.sampled + percent
    if reached >= 100:
        edge.sampled = <uint8_t> (reached - 100)
        return True
    edge.sampled = <uint8_t> reached
    keep_out(core, edge_id, handle, CAUSE_SAMPLED)
    return False


cdef void joined(Core* core, int edge_id, int64_t first_seq, int64_t last_seq, int64_t into) noexcept nogil:
    """These items live on in another."""
    cdef Output* decision = outputs.decide(
        core, SIGNAL_DROP_NOTICE, CAUSE_COALESCED, edge_id, first_seq, last_seq,
    )
    decision.invocation = into


cdef void supersede_partials(Core* core, int edge_id, uint32_t handle) noexcept nogil:
    """What waits at the tail and may be revised gives way to the new item."""
    cdef Edge* edge = &core.edges[edge_id]
    cdef uint32_t last
    cdef int64_t first_seq = 0
    cdef int64_t last_seq = 0
    while edge.head != edge.tail:
        last = edge.ring[(edge.tail - 1) & edge.mask]
        if (core.headers[last].flags & FLAG_FINAL) != 0:
            break
        first_seq = core.headers[last].seq
        if last_seq == 0:
            last_seq = first_seq
        edge.tail -= 1
        edge.bytes -= core.headers[last].size
        edge.merged += 1
        items.release(core, last)
    if edge.head == edge.tail:
        core.waiting_edges &= ~bit(edge_id)
    if first_seq != 0:
        joined(core, edge_id, first_seq, last_seq, core.headers[handle].seq)


cdef bint concat(Core* core, int edge_id, uint32_t handle, bint text) noexcept nogil:
    """Joins the new item to the one at the tail, if there is one and both fit in one slot. Other edges keep theirs."""
    cdef Edge* edge = &core.edges[edge_id]
    cdef Header* one
    cdef Header* two = &core.headers[handle]
    cdef Header* both
    cdef uint32_t last
    cdef uint32_t made
    if edge.head == edge.tail:
        return False
    last = edge.ring[(edge.tail - 1) & edge.mask]
    one = &core.headers[last]
    if <int64_t> one.size + two.size > edge.item_bytes_max or edge.bytes + two.size > edge.bytes_max:
        return False
    made = items.take(core, one.pool, <int64_t> one.size + two.size)
    if made == NOTHING:
        return True
    both = &core.headers[made]
    both.seq = one.seq
    both.turn = one.turn
    both.at_ns = one.at_ns
    both.media_ns = one.media_ns
    both.flags = two.flags
    both.a = two.a
    both.b = two.b
    if text:
        both.a = one.size + two.a if two.a > 0 else one.a
        both.b = one.b + two.b
    memcpy(core.payloads + both.offset, core.payloads + one.offset, one.size)
    memcpy(core.payloads + both.offset + one.size, core.payloads + two.offset, two.size)
    edge.ring[(edge.tail - 1) & edge.mask] = made
    edge.bytes += two.size
    edge.merged += 1
    joined(core, edge_id, two.seq, two.seq, one.seq)
    items.release(core, last)
    return True


cdef void watch(Core* core, int edge_id) noexcept nogil:
    """Tells when the high mark is reached, and when the low one is: each once a crossing."""
    cdef Edge* edge = &core.edges[edge_id]
    cdef int64_t count = waiting(edge)
    cdef int64_t age = 0
    cdef bint crossed
    if count > 0:
        age = core.now_ns - head(core, edge).at_ns
    if edge.above:
        crossed = (edge.high_items == 0 or count <= edge.low_items) and (edge.high_ns == 0 or age <= edge.low_ns)
    else:
        crossed = (edge.high_items > 0 and count >= edge.high_items) or (edge.high_ns > 0 and age >= edge.high_ns)
    if crossed:
        edge.above = not edge.above
        outputs.decide(core, SIGNAL_WATERMARK, CAUSE_QUEUE_PRESSURE, edge_id, edge.above, count)


cdef void flush(Core* core, int edge_id) noexcept nogil:
    """Removes everything: the turn is over, or the edge is off in its new mode."""
    cdef Edge* edge = &core.edges[edge_id]
    cdef int64_t first_seq
    cdef int64_t last_seq
    cdef uint32_t place
    if edge.head != edge.tail:
        first_seq = head(core, edge).seq
        last_seq = core.headers[edge.ring[(edge.tail - 1) & edge.mask]].seq
        place = edge.head
        while place != edge.tail:
            # headers lie anywhere: the one that comes in a moment is fetched now. (Behind the tail is an old handle.)
            prefetch(&core.headers[edge.ring[(place + AHEAD) & edge.mask]])
            items.release(core, edge.ring[place & edge.mask])
            place += 1
        core.flushed_items += waiting(edge)
        edge.head = edge.tail
        edge.bytes = 0
        core.waiting_edges &= ~bit(edge_id)
        outputs.decide(core, SIGNAL_DROP_NOTICE, CAUSE_CANCEL_FLUSH, edge_id, first_seq, last_seq)
    edge.pending_bytes = 0
    edge.pending_words = 0
    edge.shedding = False
    edge.open = False
    if edge.sync != NULL:
        edge.sync.fallen = NO_KEY
        edge.sync.gap = False
    timers.stop(core, timers.of_edge(core, edge_id, TIMER_HANDOFF))
    timers.stop(core, timers.of_edge(core, edge_id, TIMER_BLOCK))
    if edge.watched:
        watch(core, edge_id)


cdef bint has_room_again(Core* core, Node* node) noexcept nogil:
    """No edge of the node's outputs would block, not even for the largest item; one that was full has drained a bit."""
    cdef uint64_t rest = node.edges_out & ~core.edges_off
    cdef Edge* edge
    while rest != 0:
        edge = &core.edges[lowest(rest)]
        rest &= rest - 1
        if would_block(edge, edge.item_bytes_max):
            return False
        if edge.xoff and not edge.shedding and waiting(edge) > edge.resume_items:
            return False
    return True


cdef void grant(Core* core) noexcept nogil:
    """Lets producers know of places that became free, a quarter of the edge at a time."""
    cdef int edge_id
    cdef Edge* edge
    cdef int64_t owed
    for edge_id in range(core.edges_count):
        edge = &core.edges[edge_id]
        if edge.credit_lot == 0 or not is_on(core, edge_id):
            continue
        owed = edge.items_max - waiting(edge) - edge.credit
        if owed >= edge.credit_lot:
            edge.credit += <int32_t> owed
            outputs.decide(core, SIGNAL_CREDIT_GRANT, 0, edge_id, owed, 0)


cdef void resume(Core* core) noexcept nogil:
    """Tells the producers that were told FULL and may offer again."""
    cdef uint64_t blocked = core.blocked
    cdef uint64_t rest
    cdef int node_id
    cdef int edge
    cdef Node* node
    cdef Output* output
    while blocked != 0:
        node_id = lowest(blocked)
        blocked &= blocked - 1
        node = &core.nodes[node_id]
        if not has_room_again(core, node):
            continue
        core.blocked &= ~bit(node_id)
        rest = node.edges_out & ~core.edges_off
        while rest != 0:
            edge = lowest(rest)
            rest &= rest - 1
            if core.edges[edge].xoff:
                core.edges[edge].xoff = False
                outputs.decide(core, SIGNAL_FLOW_XON, 0, edge, 0, 0)
            if core.edges[edge].blocks:
                timers.stop(core, timers.of_edge(core, edge, TIMER_BLOCK))
        output = outputs.control(core, OP_RESUME, node_id)
        output.invocation = node.live.id if node.live.id != 0 else node.ending.id
        if node.chunk_ns > 0 and not node.recogniser and not awaited.waits(core, node_id) and (
            (node.live.id != 0 and node.live.answered) or (node.ending.id != 0 and node.ending.answered)
        ):
            timers.start(core, timers.of_node(node_id, TIMER_CHUNK), core.now_ns + node.chunk_ns)
