"""Edges: bounded rings of handles. What a full edge sheds is decided by its overflow order, which the generated package
spells out step by step; here are the steps.
"""

from libc.stdint cimport int64_t, uint32_t
from libc.string cimport memcpy, memmove

from rspp_runtime.kernel cimport items, outputs, pauses, sync, timers
from rspp_runtime.kernel.codes cimport (
    CAUSE_QUEUE_AGE, CAUSE_QUEUE_PRESSURE, CAUSE_SUPERSEDED, SIGNAL_DROP_NOTICE, SIGNAL_FLOW_XOFF, TURN_ACTIVE,
)
from rspp_runtime.kernel.state cimport NOTHING, OFF, TIMER_BLOCK, TIMER_HANDOFF, Core, Edge, Header, bit


cdef extern from *:
    """
    #define RSPP_STAGE() __asm__ volatile("" ::: "memory")
    """
    # What a node did to an item is in memory before the next one does something: no stage is folded away.
    void stage "RSPP_STAGE"() nogil


cdef inline bint is_on(Core* core, int edge_id) noexcept nogil:
    """The edge is not off in the present mode."""
    return (core.edges_off & bit(edge_id)) == 0


cdef inline int64_t waiting(Edge* edge) noexcept nogil:
    return edge.tail - edge.head


cdef inline Header* head(Core* core, Edge* edge) noexcept nogil:
    """The item that is next; the edge holds one."""
    return &core.headers[edge.ring[edge.head & edge.mask]]


cdef inline bint has_room(Edge* edge, int64_t size) noexcept nogil:
    return waiting(edge) < edge.items_max and edge.bytes + size <= edge.bytes_max


cdef inline bint would_block(Edge* edge, int64_t size) noexcept nogil:
    """The producer has to wait. Text for a hand-off may need room twice: for what is pending, and for itself."""
    if not edge.blocks or edge.shedding:
        return False
    if edge.credit_lot > 0:
        return edge.credit == 0 or edge.bytes + size > edge.bytes_max
    if edge.handoff:
        return not (waiting(edge) + 2 <= edge.items_max and edge.bytes + edge.pending_bytes + size <= edge.bytes_max)
    return not has_room(edge, size)


cdef inline bint has_space(Edge* edge, int64_t size, int64_t items_max, int64_t bytes_max) noexcept nogil:
    """`has_room` by bounds that the generated code knows."""
    return waiting(edge) < items_max and edge.bytes + size <= bytes_max


cdef inline void hold_back(Core* core, int edge_id) noexcept nogil:
    """The producer of this edge was told FULL: say so once, and give it only so long."""
    cdef Edge* edge = &core.edges[edge_id]
    cdef int slot = timers.of_edge(core, edge_id, TIMER_BLOCK)
    if not edge.xoff and not edge.silent:
        edge.xoff = True
        outputs.decide(core, SIGNAL_FLOW_XOFF, 0, edge_id, 0, 0)
    if pauses.is_on(core) and core.pause.audio_edges & bit(edge_id):
        return               # nobody is too slow while it is paused
    if edge.block_ns > 0 and not timers.is_on(core, slot):
        timers.start(core, slot, core.now_ns + edge.block_ns)


cdef inline Header* unlink(Core* core, int edge_id) noexcept nogil:
    """Takes the head off the ring. Its reference passes to the caller."""
    cdef Edge* edge = &core.edges[edge_id]
    cdef Header* item = head(core, edge)
    edge.head += 1
    edge.bytes -= item.size
    if edge.head == edge.tail:
        core.waiting_edges &= ~bit(edge_id)
    return item


cdef inline void drop_head(Core* core, int edge_id) noexcept nogil:
    cdef Edge* edge = &core.edges[edge_id]
    cdef uint32_t handle = edge.ring[edge.head & edge.mask]
    if edge.sync != NULL:
        sync.loses(core, edge_id, handle)
    unlink(core, edge_id)
    edge.dropped += 1
    items.release(core, handle)


cdef inline void lost(Core* core, int edge_id, int cause, int64_t first_seq, int64_t last_seq) noexcept nogil:
    """These were dropped from the head: their notice, and what follows for the edges of their sync domain."""
    if core.edges[edge_id].sync != NULL:
        last_seq = sync.rest_of_group(core, edge_id, last_seq)
    notice(core, edge_id, cause, first_seq, last_seq)
    if core.edges[edge_id].sync != NULL:
        sync.lost(core, edge_id, cause)


cdef inline void notice(Core* core, int edge_id, int cause, int64_t first_seq, int64_t last_seq) noexcept nogil:
    outputs.decide(core, SIGNAL_DROP_NOTICE, cause, edge_id, first_seq, last_seq)


cdef inline bint shed_expired(Core* core, int edge_id, int64_t age_ns_max) noexcept nogil:
    """Items that waited too long are worth nothing any more. True if there were any."""
    cdef Edge* edge = &core.edges[edge_id]
    cdef int64_t first_seq = 0
    cdef int64_t last_seq = 0
    while edge.head != edge.tail and core.now_ns - head(core, edge).at_ns > age_ns_max:
        last_seq = head(core, edge).seq
        if first_seq == 0:
            first_seq = last_seq
        drop_head(core, edge_id)
    if first_seq == 0:
        return False
    lost(core, edge_id, CAUSE_QUEUE_AGE, first_seq, last_seq)
    return True


cdef inline void drop_oldest(Core* core, int edge_id, int64_t size) noexcept nogil:
    """From the head, until there is room."""
    cdef Edge* edge = &core.edges[edge_id]
    cdef int64_t first_seq = 0
    cdef int64_t last_seq = 0
    while edge.head != edge.tail and not has_room(edge, size):
        last_seq = head(core, edge).seq
        if first_seq == 0:
            first_seq = last_seq
        drop_head(core, edge_id)
    if first_seq != 0:
        lost(core, edge_id, CAUSE_QUEUE_PRESSURE, first_seq, last_seq)


cdef inline void drop_all(Core* core, int edge_id, int cause) noexcept nogil:
    """Whatever waits is gone."""
    cdef Edge* edge = &core.edges[edge_id]
    cdef int64_t first_seq = 0
    cdef int64_t last_seq = 0
    while edge.head != edge.tail:
        last_seq = head(core, edge).seq
        if first_seq == 0:
            first_seq = last_seq
        drop_head(core, edge_id)
    if first_seq != 0:
        lost(core, edge_id, cause, first_seq, last_seq)


cdef inline void keep_latest(Core* core, int edge_id) noexcept nogil:
    """Whatever waits is superseded."""
    drop_all(core, edge_id, CAUSE_SUPERSEDED)


cdef inline bint takes_largest(Edge* edge, int count) noexcept nogil:
    """The edge takes that many of its largest items; for a hand-off, and what is pending."""
    cdef int64_t slots = count + 1 if edge.handoff else count
    return (
        edge.tail - edge.head + slots <= edge.items_max
        and edge.bytes + edge.pending_bytes + count * edge.item_bytes_max <= edge.bytes_max
    )


cdef inline void drop_newest(Core* core, int edge_id, uint32_t handle) noexcept nogil:
    """The new item does not get in."""
    keep_out(core, edge_id, handle, CAUSE_QUEUE_PRESSURE)


cdef inline void keep_out(Core* core, int edge_id, uint32_t handle, int cause) noexcept nogil:
    cdef Edge* edge = &core.edges[edge_id]
    cdef int64_t first_seq = core.headers[handle].seq
    edge.dropped += 1
    if edge.sync != NULL:
        first_seq = sync.takes_group(core, edge_id, handle)
    notice(core, edge_id, cause, first_seq, core.headers[handle].seq)
    if edge.sync != NULL:
        sync.lost_new(core, edge_id, handle, cause)


cdef inline void lose(Core* core, int edge_id, uint32_t handle, int cause) noexcept nogil:
    """An item that left the edge reaches nobody."""
    core.edges[edge_id].dropped += 1
    notice(core, edge_id, cause, core.headers[handle].seq, core.headers[handle].seq)


cdef inline void append(Core* core, int edge_id, uint32_t handle) noexcept nogil:
    """Puts the item on the ring, which has room for it, with one more reference."""
    cdef Edge* edge = &core.edges[edge_id]
    cdef Header* item = &core.headers[handle]
    items.hold(core, handle)
    item.at_ns = core.now_ns
    edge.ring[edge.tail & edge.mask] = handle
    edge.tail += 1
    edge.bytes += item.size
    if waiting(edge) > edge.high:
        edge.high = waiting(edge)
    core.waiting_edges |= bit(edge_id)
    if edge.credit > 0:
        edge.credit -= 1
    if edge.gather_ns > 0 and not edge.open:
        if not timers.is_on(core, timers.of_edge(core, edge_id, TIMER_HANDOFF)):
            timers.start(core, timers.of_edge(core, edge_id, TIMER_HANDOFF), core.now_ns + edge.gather_ns)


cdef inline void enqueue(Core* core, int edge_id, uint32_t mask, uint32_t handle) noexcept nogil:
    """`append` to an edge that neither gathers nor gives credit."""
    cdef Edge* edge = &core.edges[edge_id]
    cdef Header* item = &core.headers[handle]
    item.refs += 1
    item.at_ns = core.now_ns
    edge.ring[edge.tail & mask] = handle
    edge.tail += 1
    edge.bytes += item.size
    if waiting(edge) > edge.high:
        edge.high = waiting(edge)
    core.waiting_edges |= bit(edge_id)


cdef inline void append_or_drop(Core* core, int edge_id, uint32_t handle) noexcept nogil:
    """The end of every overflow order: there is room now, or the new item does not get in."""
    if core.edges[edge_id].sync != NULL and sync.is_fallen(core, edge_id, handle):
        return
    if has_room(&core.edges[edge_id], core.headers[handle].size):
        append(core, edge_id, handle)
    else:
        drop_newest(core, edge_id, handle)


cdef inline uint32_t pop(Core* core, int edge_id) noexcept nogil:
    """The head of the ring, which holds one. The caller releases it."""
    cdef Edge* edge = &core.edges[edge_id]
    cdef uint32_t handle
    cdef int slot
    handle = edge.ring[edge.head & edge.mask]
    unlink(core, edge_id)
    if edge.block_ns > 0:
        slot = timers.of_edge(core, edge_id, TIMER_BLOCK)
        if timers.is_on(core, slot):        # progress
            timers.start(core, slot, core.now_ns + edge.block_ns)
    moved(core, edge_id)
    return handle


cdef inline uint32_t take(Core* core, int edge_id, uint32_t mask) noexcept nogil:
    """`pop` from an edge without marks that neither gathers nor gives its producer a time."""
    cdef Edge* edge = &core.edges[edge_id]
    cdef uint32_t handle = edge.ring[edge.head & mask]
    edge.head += 1
    edge.bytes -= core.headers[handle].size
    if edge.head == edge.tail:
        core.waiting_edges &= ~bit(edge_id)
    return handle


cdef inline void passes_through(Core* core, int edge_id) noexcept nogil:
    """An item was on the edge for no time: what is left of that is that one has waited."""
    stage()
    if core.edges[edge_id].high == 0:
        core.edges[edge_id].high = 1


cdef inline void moved(Core* core, int edge_id) noexcept nogil:
    """Items have left: an edge that gathers begins anew once it is empty, and the low mark may be reached."""
    cdef Edge* edge = &core.edges[edge_id]
    if edge.gather_ns > 0 and edge.head == edge.tail:
        edge.open = False
        timers.stop(core, timers.of_edge(core, edge_id, TIMER_HANDOFF))
    if edge.watched:
        watch(core, edge_id)


cdef inline bint is_stale(Core* core, uint32_t handle) noexcept nogil:
    """The item belongs to a turn that is not the active one: the second lock behind the flush."""
    return core.turn.state != TURN_ACTIVE or core.headers[handle].turn != core.turn.serial


# ---- hand-off: text is collected until a sentence, a clause or a word ends

cdef inline uint32_t take_pending(Core* core, int edge_id, int pool, int64_t size) noexcept nogil:
    """The first `size` bytes that are pending, as one item; `NOTHING` if none are. The rest stays."""
    cdef Edge* edge = &core.edges[edge_id]
    cdef int slot = timers.of_edge(core, edge_id, TIMER_HANDOFF)
    cdef uint32_t handle
    if edge.pending_bytes == 0:
        return NOTHING
    handle = items.make(core, pool, edge.pending_seq, edge.pending_turn, edge.pending, size)
    if handle != NOTHING:
        core.headers[handle].media_ns = edge.pending_media_ns
        core.headers[handle].b = edge.pending_words
    edge.pending_words = 0
    edge.pending_bytes -= size
    timers.stop(core, slot)
    return handle


cdef inline int64_t mark_end(Core* core, Edge* edge, uint32_t handle) noexcept nogil:
    """Where in the pending text the last mark will be once the item is added; 0 if none is in it."""
    cdef Header* item = &core.headers[handle]
    if item.a <= 0:
        return 0
    return edge.pending_bytes + (item.a if item.a < item.size else item.size)


cdef inline void append_pending(Core* core, int edge_id, uint32_t handle, int64_t age_ns_max) noexcept nogil:
    """Adds an item's text to what is pending."""
    cdef Edge* edge = &core.edges[edge_id]
    cdef Header* item = &core.headers[handle]
    if edge.pending_bytes == 0:
        edge.pending_seq = item.seq
        edge.pending_media_ns = item.media_ns
        edge.pending_turn = item.turn
        if item.size > 0:
            timers.start(core, timers.of_edge(core, edge_id, TIMER_HANDOFF), core.now_ns + age_ns_max)
    memcpy(edge.pending + edge.pending_bytes, core.payloads + item.offset, item.size)
    edge.pending_bytes += item.size
    edge.pending_words += item.b


cdef inline void keep_rest(
    Core* core, int edge_id, uint32_t part, int64_t released, int64_t age_ns_max,
) noexcept nogil:
    """After a release at a mark: the rest comes from `part`, the item that was split."""
    cdef Edge* edge = &core.edges[edge_id]
    if edge.pending_bytes == 0:
        return
    memmove(edge.pending, edge.pending + released, edge.pending_bytes)
    edge.pending_seq = core.headers[part].seq
    edge.pending_media_ns = core.headers[part].media_ns
    edge.pending_turn = core.headers[part].turn
    timers.start(core, timers.of_edge(core, edge_id, TIMER_HANDOFF), core.now_ns + age_ns_max)


cdef bint keeps(Core* core, int edge_id, int percent, uint32_t handle) noexcept nogil
cdef void supersede_partials(Core* core, int edge_id, uint32_t handle) noexcept nogil
cdef bint concat(Core* core, int edge_id, uint32_t handle, bint text) noexcept nogil
cdef void watch(Core* core, int edge_id) noexcept nogil
cdef void flush(Core* core, int edge_id) noexcept nogil
cdef void grant(Core* core) noexcept nogil
cdef void resume(Core* core) noexcept nogil
