"""Effect nodes: an invocation is asked for, fed, finished or cancelled; what it produces comes back by `ingest`."""

from libc.stdint cimport int64_t, uint32_t

from rspp_runtime.kernel cimport attempts, awaited, circuits, context, outputs, stopping, timers
from rspp_runtime.kernel.codes cimport OP_FEED
from rspp_runtime.kernel.state cimport (
    MOVED, OFF, OUTPUTS_FULL, TIMER_CHUNK, TIMER_FIRST, WAITS, Core, Entry, Header, Invocation, Node, Output, bit,
)


cdef inline bint is_node(Core* core, int64_t node) noexcept nogil:
    return 0 <= node < core.nodes_count


cdef inline bint is_effect(Core* core, int64_t node) noexcept nogil:
    return is_node(core, node) and core.nodes[node].effect


cdef inline Invocation* find(Core* core, int node_id, int64_t invocation) noexcept nogil:
    """The node's live or ending invocation of that id, or NULL."""
    cdef Node* node = &core.nodes[node_id]
    if invocation == 0:
        return NULL
    if node.live.id == invocation:
        return &node.live
    if node.ending.id == invocation:
        return &node.ending
    return NULL


cdef inline int can_take(Core* core, int node_id, int64_t window, int64_t head_seq) noexcept nogil:
    """`MOVED` if the node can be fed the item `head_seq`, else what it waits for."""
    cdef Node* node = &core.nodes[node_id]
    if node.live.id == 0 and node.ending.id != 0 and not node.recogniser:
        return WAITS
    if attempts.has_rest(core, node_id):
        return WAITS         # comes first
    if stopping.holds(core, node_id):
        return WAITS         # it is to stop
    if node.inflight >= window:
        return WAITS
    if node.recogniser and core.hearing.finish_pending and head_seq > core.hearing.finish_seq:
        return WAITS         # belongs to the next utterance
    return MOVED if outputs.data_slots(core) >= core.invoke_slots else OUTPUTS_FULL


cdef inline void feed(Core* core, int node_id, int port, uint32_t handle) noexcept nogil:
    """Hands an item to the live invocation, for the first time."""
    cdef Header* item = &core.headers[handle]
    if core.nodes[node_id].live.id == 0:
        return               # a reaction to its start has cancelled it
    if core.nodes[node_id].voice:
        context.speak(core, core.payloads + item.offset, item.size, item.b)
    give(core, node_id, port, handle)
    attempts.retain(core, node_id, port, handle)


cdef inline void give(Core* core, int node_id, int port, uint32_t handle) noexcept nogil:
    """Hands an item to the live invocation."""
    cdef Node* node = &core.nodes[node_id]
    cdef Header* item = &core.headers[handle]
    cdef Output* output
    cdef int64_t deadline
    output = outputs.data(core, OP_FEED, node_id)
    output.port = port
    output.turn = node.live.turn
    output.invocation = node.live.id
    output.x = item.media_ns
    output.y = item.flags
    outputs.carry(core, output, handle)
    node.inflight += 1
    if node.each_item:
        if not timers.is_on(core, timers.of_node(node_id, TIMER_FIRST)):
            timers.start(core, timers.of_node(node_id, TIMER_FIRST), core.now_ns + node.first_output_ns)
    elif not node.recogniser and not node.live.fed:
        deadline = attempts.deadline(core, node_id)
        if node.speakable_ns > 0:
            node.speak_due_ns = core.now_ns + node.speakable_ns
            deadline = min(deadline, node.speak_due_ns)
        if deadline != OFF:
            timers.start(core, timers.of_node(node_id, TIMER_FIRST), deadline)
    node.live.fed = True
    node.live.fed_bytes += item.size
    node.live.fed_words += item.b
    if node.voice and node.live.answered and node.chunk_ns > 0 and not core.blocked & bit(node_id):
        timers.start(core, timers.of_node(node_id, TIMER_CHUNK), core.now_ns + node.chunk_ns)


cdef inline void credit(Core* core, int node_id, int64_t invocation, int64_t count) noexcept nogil:
    """The invocation took `count` items, and has room for as many more."""
    cdef Node* node = &core.nodes[node_id]
    if invocation != 0 and node.live.id == invocation:
        node.inflight -= count if count < node.inflight else node.inflight
    if node.each_item and count > 0 and find(core, node_id, invocation) != NULL:
        if node.inflight > 0 or node.ending.id == invocation:
            timers.start(core, timers.of_node(node_id, TIMER_FIRST), core.now_ns + node.first_output_ns)
        else:
            timers.stop(core, timers.of_node(node_id, TIMER_FIRST))


cdef inline void answered(Core* core, int node_id, Invocation* invocation, int64_t words) noexcept nogil:
    """Something that it produced was taken: its first output is there, and the next one is due, or its first word."""
    cdef Node* node = &core.nodes[node_id]
    cdef int chunk = timers.of_node(node_id, TIMER_CHUNK)
    stopping.said(core, node_id)
    if not invocation.answered:
        attempts.answered(core, node_id, invocation)
        circuits.works(core, node_id, invocation.id, invocation.candidate)
    invocation.answered = True
    if words > 0:
        node.speak_due_ns = 0
    if awaited.is_held(core, node_id, words):
        timers.stop(core, timers.of_node(node_id, TIMER_FIRST))
    elif node.speak_due_ns > 0:
        timers.start(core, timers.of_node(node_id, TIMER_FIRST), node.speak_due_ns)
    elif not node.recogniser and not node.each_item:
        timers.stop(core, timers.of_node(node_id, TIMER_FIRST))
    if node.chunk_ns == 0 or awaited.waits(core, node_id):
        return
    if node.voice and invocation == &node.live and invocation.voiced >= invocation.fed_bytes:
        timers.stop(core, chunk)         # it said all it was given
    else:
        timers.start(core, chunk, core.now_ns + node.chunk_ns)


cdef bint begin(Core* core, int node_id) noexcept nogil
cdef void begin_again(Core* core, int node_id) noexcept nogil
cdef void give_context(Core* core, int node_id) noexcept nogil
cdef void finish(Core* core, int node_id) noexcept nogil
cdef void cancel(Core* core, int node_id, Invocation* invocation) noexcept nogil
cdef void cancel_all(Core* core, int node_id) noexcept nogil
cdef void cancel_by(Core* core, int node_id, int cause) noexcept nogil
cdef void done(Core* core, Entry* entry) noexcept nogil
cdef void end_input(Core* core, int node_id) noexcept nogil
cdef void fail(Core* core, int node_id) noexcept nogil
cdef void overspent(Core* core, int node_id, int64_t invocation) noexcept nogil
cdef void late(Core* core, int node_id, bint exhausted) noexcept nogil
cdef void force(Core* core, int node_id) noexcept nogil
