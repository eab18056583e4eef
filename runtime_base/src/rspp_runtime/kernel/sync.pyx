"""Sync domains: what happens when something is lost, and how peers move as one."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from rspp_runtime.kernel cimport edges, items, outputs
from rspp_runtime.kernel.codes cimport CAUSE_SYNC_LOSS, SIGNAL_DISCONTINUITY
from rspp_runtime.kernel.state cimport NO_KEY, Core, Edge, bit, lowest


# ---- what is lost

cdef void cut(Core* core, int edge_id, uint32_t start, uint32_t end) noexcept nogil:
    """Removes the items from one place, counted from the head, to before another; what stands behind moves up."""
    cdef Edge* edge = &core.edges[edge_id]
    cdef uint32_t place
    cdef uint32_t handle
    for place in range(start, end):
        handle = edge.ring[(edge.head + place) & edge.mask]
        if edge.sync.first == 0:
            edge.sync.first = core.headers[handle].seq
        edge.sync.last = core.headers[handle].seq
        edge.bytes -= core.headers[handle].size
        edge.dropped += 1
        items.release(core, handle)
    if start == 0:
        edge.head += end
    else:
        for place in range(end, edge.tail - edge.head):
            edge.ring[(edge.head + start + place - end) & edge.mask] = edge.ring[(edge.head + place) & edge.mask]
        edge.tail -= end - start
    if edge.head == edge.tail:
        core.waiting_edges &= ~bit(edge_id)


cdef bint find(Core* core, Edge* edge, int64_t wanted, uint32_t* start, uint32_t* end) noexcept nogil:
    """Where the items of a group stand: from the first to behind the last. False if there are none."""
    cdef bint found = False
    cdef uint32_t place
    for place in range(edge.tail - edge.head):
        if key_at(core, edge, place) == wanted:
            if not found:
                start[0] = place
            end[0] = place + 1
            found = True
    return found


cdef void tell(Core* core, int edge_id) noexcept nogil:
    """One notice for all that the edge has just lost with others."""
    cdef Edge* edge = &core.edges[edge_id]
    if edge.sync.first == 0:
        return
    edges.notice(core, edge_id, CAUSE_SYNC_LOSS, edge.sync.first, edge.sync.last)
    edge.sync.first = 0
    edges.moved(core, edge_id)


cdef void tell_all(Core* core, int edge_id, int64_t fallen) noexcept nogil:
    """The notices of the other peers; what else of the group may come is kept out."""
    cdef uint64_t rest = peers(core, &core.edges[edge_id])
    cdef int peer
    while rest != 0:
        peer = lowest(rest)
        rest &= rest - 1
        tell(core, peer)
        core.edges[peer].sync.fallen = fallen


cdef void mark(Core* core, int edge_id, int cause) noexcept nogil:
    """Something is missing from here on, on all edges of the domain."""
    cdef uint64_t rest = peers(core, &core.edges[edge_id])
    core.discontinuities += 1
    outputs.decide(core, SIGNAL_DISCONTINUITY, cause, edge_id, core.discontinuities, 0)
    while rest != 0:
        core.edges[lowest(rest)].sync.gap = True
        rest &= rest - 1


cdef void loses(Core* core, int edge_id, uint32_t handle) noexcept nogil:
    """This item is about to be dropped from the head: what the others hold of its group goes, and what is before."""
    cdef Edge* edge = &core.edges[edge_id]
    cdef int64_t gone = key(core, edge, handle)
    cdef uint64_t rest = peers(core, edge) & ~bit(edge_id)
    cdef uint32_t start = 0
    cdef uint32_t end = 0
    cdef int peer
    if not edge.sync.atomic:
        return
    edge.sync.fallen = gone
    while rest != 0:
        peer = lowest(rest)
        rest &= rest - 1
        if find(core, &core.edges[peer], gone, &start, &end):
            cut(core, peer, 0, end)


cdef int64_t rest_of_group(Core* core, int edge_id, int64_t last_seq) noexcept nogil:
    """What follows at the head with the key of the last one dropped goes too. The last sequence that is lost."""
    cdef Edge* edge = &core.edges[edge_id]
    while edge.sync.atomic and edge.head != edge.tail and key_at(core, edge, 0) == edge.sync.fallen:
        last_seq = edges.head(core, edge).seq
        edges.drop_head(core, edge_id)
    return last_seq


cdef void lost(Core* core, int edge_id, int cause) noexcept nogil:
    """What was dropped from the head is told: now the others."""
    if core.edges[edge_id].sync.atomic:
        tell_all(core, edge_id, core.edges[edge_id].sync.fallen)
    else:
        mark(core, edge_id, cause)


cdef int64_t takes_group(Core* core, int edge_id, uint32_t handle) noexcept nogil:
    """An item is kept out, and what waits of its group goes with it. The first sequence that is lost."""
    cdef Edge* edge = &core.edges[edge_id]
    cdef int64_t first_seq = core.headers[handle].seq
    cdef uint32_t start = 0
    cdef uint32_t end = 0
    if edge.sync.atomic and find(core, edge, key(core, edge, handle), &start, &end):
        cut(core, edge_id, start, end)
        first_seq = edge.sync.first
        edge.sync.first = 0
    return first_seq


cdef void lost_new(Core* core, int edge_id, uint32_t handle, int cause) noexcept nogil:
    """That an item was kept out is told: now the others."""
    cdef Edge* edge = &core.edges[edge_id]
    cdef int64_t gone = key(core, edge, handle)
    cdef uint64_t rest = peers(core, edge) & ~bit(edge_id)
    cdef uint32_t start = 0
    cdef uint32_t end = 0
    cdef int peer
    if not edge.sync.atomic:
        mark(core, edge_id, cause)
        return
    while rest != 0:
        peer = lowest(rest)
        rest &= rest - 1
        if find(core, &core.edges[peer], gone, &start, &end):
            cut(core, peer, start, end)
    tell_all(core, edge_id, gone)


cdef bint is_fallen(Core* core, int edge_id, uint32_t handle) noexcept nogil:
    """The rest of the item's group was lost: it is kept out, which is told."""
    cdef Edge* edge = &core.edges[edge_id]
    if edge.sync.fallen == NO_KEY or key(core, edge, handle) != edge.sync.fallen:
        return False
    edge.dropped += 1
    edges.notice(core, edge_id, CAUSE_SYNC_LOSS, core.headers[handle].seq, core.headers[handle].seq)
    return True


cdef bint begins_fallen(Core* core, int edge_id, uint32_t handle) noexcept nogil:
    """As above, of an item that comes; one of another group ends that."""
    if is_fallen(core, edge_id, handle):
        return True
    core.edges[edge_id].sync.fallen = NO_KEY
    return False


# ---- going on together

cdef bint goes_alone(Core* core, int edge_id) noexcept nogil:
    """The group of the head has gone on before."""
    cdef Edge* edge = &core.edges[edge_id]
    if edge.head == edge.tail or edge.sync.gone == NO_KEY:
        return False
    return key_at(core, edge, 0) == edge.sync.gone


cdef bint some_go_alone(Core* core, uint64_t group) noexcept nogil:
    while group != 0:
        if goes_alone(core, lowest(group)):
            return True
        group &= group - 1
    return False


cdef int64_t common_key(Core* core, uint64_t group) noexcept nogil:
    """The first key on the lowest edge that every edge of the group holds; `NO_KEY` if there is none."""
    cdef Edge* edge = &core.edges[lowest(group)]
    cdef uint64_t rest
    cdef uint32_t place
    cdef uint32_t start = 0
    cdef uint32_t end = 0
    if (group & ~core.waiting_edges) != 0:
        return NO_KEY                                # one of them holds nothing
    for place in range(edge.tail - edge.head):
        rest = group & (group - 1)
        while rest != 0 and find(core, &core.edges[lowest(rest)], key_at(core, edge, place), &start, &end):
            rest &= rest - 1
        if rest == 0:
            return key_at(core, edge, place)
    return NO_KEY


cdef bint part_unmatched(Core* core, uint64_t group, int64_t wanted) noexcept nogil:
    """Removes what stands before that key. True if there was anything."""
    cdef bint parted = False
    cdef uint32_t start = 0
    cdef uint32_t end = 0
    cdef int peer
    while group != 0:
        peer = lowest(group)
        group &= group - 1
        find(core, &core.edges[peer], wanted, &start, &end)
        if start != 0:
            cut(core, peer, 0, start)
            tell(core, peer)
            parted = True
    return parted


cdef void go_on(Core* core, uint64_t group, int64_t wanted) noexcept nogil:
    """The items of this group go on."""
    while group != 0:
        core.edges[lowest(group)].sync.gone = wanted
        group &= group - 1


cdef bint is_next(Core* core, int edge_id, int64_t wanted) noexcept nogil:
    """The head is still of this group: no reaction to one that moved before has flushed it."""
    cdef Edge* edge = &core.edges[edge_id]
    return edge.head != edge.tail and key_at(core, edge, 0) == wanted


cdef bint give_up(Core* core, int edge_id, uint64_t complete) noexcept nogil:
    """Removes what waits for others that nobody brings any more: every node before the peers is complete."""
    cdef Edge* edge = &core.edges[edge_id]
    cdef uint64_t group = peers(core, edge)
    cdef int node
    if edge.head == edge.tail or (group & (group - 1)) == 0:
        return False
    if some_go_alone(core, group) or common_key(core, group) != NO_KEY:
        return False
    for node in range(core.nodes_count):
        if (core.nodes[node].edges_out & group) != 0 and (complete & bit(node)) == 0:
            return False
    cut(core, edge_id, 0, edge.tail - edge.head)
    tell(core, edge_id)
    return True
