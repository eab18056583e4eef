"""Edges: what happens a few times in a turn."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from rspp_runtime.kernel cimport items, outputs, timers
from rspp_runtime.kernel.codes cimport (
    CAUSE_CANCEL_FLUSH, OP_RESUME, SIGNAL_DROP_NOTICE, SIGNAL_FLOW_XON,
)
from rspp_runtime.kernel.state cimport TIMER_BLOCK, TIMER_CHUNK, TIMER_HANDOFF, Core, Edge, Node, Output, bit, lowest


cdef void flush(Core* core, int edge_id) noexcept nogil:
    """Removes everything: the turn is over, or the edge is off in its new mode."""
    cdef Edge* edge = &core.edges[edge_id]
    cdef int64_t first_seq
    cdef int64_t last_seq
    cdef uint32_t handle
    if edge.head != edge.tail:
        first_seq = head(core, edge).seq
        last_seq = first_seq
        while edge.head != edge.tail:
            last_seq = head(core, edge).seq
            handle = edge.ring[edge.head & edge.mask]
            unlink(core, edge_id)
            items.release(core, handle)
            core.flushed_items += 1
        outputs.decide(core, SIGNAL_DROP_NOTICE, CAUSE_CANCEL_FLUSH, edge_id, first_seq, last_seq)
    edge.pending_bytes = 0
    edge.pending_words = 0
    edge.shedding = False
    timers.stop(core, timers.of_edge(core, edge_id, TIMER_HANDOFF))
    timers.stop(core, timers.of_edge(core, edge_id, TIMER_BLOCK))


cdef bint has_room_again(Core* core, Node* node) noexcept nogil:
    """No edge of the node's outputs would block, not even for the largest item; one that was full has drained a bit."""
    cdef uint64_t rest = node.edges_out & ~core.edges_off
    cdef Edge* edge
    while rest != 0:
        edge = &core.edges[lowest(rest)]
        rest &= rest - 1
        if would_block(edge, edge.item_bytes_max):
            return False
        if edge.xoff and not edge.shedding and waiting(edge) > edge.items_max - edge.items_max // 4:
            return False
    return True


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
                timers.stop(core, timers.of_edge(core, edge, TIMER_BLOCK))
        output = outputs.control(core, OP_RESUME, node_id)
        output.invocation = node.live.id if node.live.id != 0 else node.ending.id
        if node.chunk_ns > 0 and not node.recogniser and (
            (node.live.id != 0 and node.live.answered) or (node.ending.id != 0 and node.ending.answered)
        ):
            timers.start(core, timers.of_node(node_id, TIMER_CHUNK), core.now_ns + node.chunk_ns)
