"""Calls of tools (docs/kernel.md, Tools)."""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from rspp_runtime.kernel cimport (
    attempts, awaited, circuits, context, edges, gateway, invocations, items, outputs, paths, stopping,
    timers,
)
from rspp_runtime.kernel.callers cimport Calling
from rspp_runtime.kernel.codes cimport (
    CAUSE_CALLER_GONE, CAUSE_TOO_MANY_CALLS, FLAG_FAILED, OP_FEED, RESULT_ACCEPTED, RESULT_REFUSED, SIGNAL_REJECT,
)
from rspp_runtime.kernel.context cimport ROLE_TOOL
from rspp_runtime.kernel.state cimport (
    MOVED, NOTHING, OFF, OUTPUTS_FULL, TIMER_CHUNK, TIMER_FIRST, WAITS, Header, Node, Output, bit, lowest,
)


cdef void lay_out_tool(Core* core, int node_id, bint soft, bint filler, int pool) noexcept nogil:
    cdef Calling* row = &core.calling[node_id]
    row.tool = True
    row.soft = soft
    row.filler = filler
    row.pool = pool


cdef void lay_out_model(Core* core, int node_id, int calls_max, int port) noexcept nogil:
    core.calling[node_id].calls_max = calls_max
    core.calling[node_id].port = <uint8_t> port


cdef void turn_opens(Core* core) noexcept nogil:
    """Calls are counted by the turn."""
    cdef int node_id
    if core.calling != NULL:
        for node_id in range(core.nodes_count):
            core.calling[node_id].calls = 0


# ---- the way there

cdef int called(Core* core, int node_id, int edge_id, int pool, Invocation* invocation, Inbound* event) noexcept nogil:
    """A model wants to call: the call waits before its tool, or is one too many."""
    cdef Calling* row = &core.calling[node_id]
    cdef uint32_t handle
    if row.calls >= row.calls_max or not edges.is_on(core, edge_id) or not edges.has_room(
        &core.edges[edge_id], event.size,
    ):
        outputs.decide_of(
            core, SIGNAL_REJECT, CAUSE_TOO_MANY_CALLS, node_id, event.port, invocation.id, row.calls, 0,
        )
        return RESULT_REFUSED
    handle = gateway.take(core, event, outputs.next_seq(core), pool, turn_of(core, edge_id))
    items.mark(core, handle, invocation.id, event.flags, event.a, 0)
    edges.append(core, edge_id, handle)
    items.release(core, handle)
    row.calls += 1
    row.open += 1
    timers.stop(core, timers.of_node(node_id, TIMER_CHUNK))
    attempts.answered(core, node_id, invocation)
    circuits.works(core, node_id, invocation.id, invocation.candidate)
    return RESULT_ACCEPTED


cdef int64_t turn_of(Core* core, int edge_id) noexcept nogil:
    return outputs.active_turn(core) if core.turn_edges & bit(edge_id) else 0


# ---- the run

cdef int can_begin(Core* core, int node_id, int model, int64_t invocation) noexcept nogil:
    """Whether the call of this invocation can begin, or is nobody's any more."""
    cdef Node* node = &core.nodes[node_id]
    if is_orphan(core, model, invocation):
        return MOVED
    if node.live.id != 0 or node.ending.id != 0 or node.cancelling != 0 or stopping.holds(core, node_id):
        return WAITS
    return MOVED if outputs.data_slots(core) >= core.invoke_slots else OUTPUTS_FULL


cdef bint is_orphan(Core* core, int model, int64_t invocation) noexcept nogil:
    """The model's invocation that made a call is gone; a reaction waits for nothing."""
    return core.calling[model].calls_max > 0 and invocations.find(core, model, invocation) == NULL


cdef bint takes(Core* core, int node_id, int model, int edge_id, uint32_t handle) noexcept nogil:
    """Remembers who waits. False if nobody does: then the call is lost, and does not begin."""
    cdef Header* item = &core.headers[handle]
    cdef Calling* row = &core.calling[node_id]
    if is_orphan(core, model, item.media_ns):
        edges.lose(core, edge_id, handle, CAUSE_CALLER_GONE)
        return False
    row.model = model
    row.invocation = item.media_ns
    row.number = item.a
    if row.filler and row.invocation != 0:
        hold(core, model)
    return True


cdef int said(Core* core, int node_id, Invocation* invocation, Inbound* event) noexcept nogil:
    """A tool answers: whoever called is given it."""
    cdef Calling* row = &core.calling[node_id]
    cdef int64_t seq = outputs.next_seq(core)
    cdef uint32_t handle
    invocation.answered = True
    if row.invocation != 0 and invocations.find(core, row.model, row.invocation) != NULL:
        handle = gateway.take(core, event, seq, row.pool, 0)
        give_back(core, node_id, handle, event.flags)
    return RESULT_ACCEPTED


cdef void over(Core* core, int node_id, bint answered, int64_t outcome) noexcept nogil:
    """An invocation of a tool is gone: who still waits for its answer is told so."""
    cdef Calling* row
    cdef uint32_t handle
    if not awaited.is_tool(core, node_id):
        return
    row = &core.calling[node_id]
    if row.invocation != 0 and not answered and invocations.find(core, row.model, row.invocation) != NULL:
        handle = items.make(core, row.pool, outputs.next_seq(core), 0, NULL, 0)
        give_back(core, node_id, handle, FLAG_FAILED | outcome << 8)
    row.invocation = 0


cdef void give_back(Core* core, int node_id, uint32_t handle, int64_t flags) noexcept nogil:
    """The answer waits before the model."""
    cdef Calling* row = &core.calling[node_id]
    cdef int edge_id = lowest(core.nodes[node_id].edges_out & core.nodes[row.model].edges_in)
    if handle == NOTHING:
        return
    core.headers[handle].turn = <uint32_t> turn_of(core, edge_id)
    items.mark(core, handle, row.invocation, flags, row.number, 0)
    if edges.is_on(core, edge_id):
        edges.append_or_drop(core, edge_id, handle)
    items.release(core, handle)


# ---- the way back

cdef int can_answer(Core* core, int node_id, int64_t invocation) noexcept nogil:
    """Whether an answer for this invocation can be given, or is nobody's any more."""
    if invocations.find(core, node_id, invocation) == NULL:
        return MOVED
    if stopping.holds(core, node_id):
        return WAITS
    return MOVED if core.data.count == 0 else OUTPUTS_FULL


cdef void answer(Core* core, int node_id, int tool, int edge_id, uint32_t handle) noexcept nogil:
    """Hands an answer to the invocation that waits for it; its deadlines run again."""
    cdef Node* node = &core.nodes[node_id]
    cdef Calling* row = &core.calling[node_id]
    cdef Header* item = &core.headers[handle]
    cdef Invocation* invocation = invocations.find(core, node_id, item.media_ns)
    cdef Output* output
    if invocation == NULL:
        edges.lose(core, edge_id, handle, CAUSE_CALLER_GONE)
        return
    output = outputs.data(core, OP_FEED, node_id)
    output.port = row.port
    output.turn = invocation.turn
    output.invocation = invocation.id
    output.x = item.a
    output.y = item.flags
    outputs.carry(core, output, handle)
    row.open -= 1
    if item.size > 0 and (item.flags & FLAG_FAILED) == 0:
        context.remember(
            core, ROLE_TOOL, <const char*> core.payloads + item.offset, min(item.size, core.context.bytes_max),
        )
    if core.calling[tool].filler:
        let_run(core, node_id)
    if row.open == 0 and node.chunk_ns > 0 and not timers.is_on(core, timers.of_node(node_id, TIMER_FIRST)):
        timers.start(core, timers.of_node(node_id, TIMER_CHUNK), core.now_ns + node.chunk_ns)


# ---- the model's deadlines, while something is said

cdef void hold(Core* core, int model) noexcept nogil:
    """They wait."""
    cdef Calling* row = &core.calling[model]
    cdef int first = timers.of_node(model, TIMER_FIRST)
    row.filled += 1
    if row.filled > 1:
        return
    row.held_ns = core.now_ns
    row.held_first_ns = core.timers[first] if timers.is_on(core, first) else 0
    row.held_speak_ns = core.nodes[model].speak_due_ns
    timers.stop(core, first)


cdef void let_run(Core* core, int model) noexcept nogil:
    """They run again, later by what has passed."""
    cdef Calling* row = &core.calling[model]
    cdef Node* node = &core.nodes[model]
    cdef int64_t waited = core.now_ns - row.held_ns
    row.filled -= 1
    if row.filled > 0:
        return
    paths.go_on(core, model, row.held_ns)
    if row.held_first_ns > 0:
        timers.start(core, timers.of_node(model, TIMER_FIRST), row.held_first_ns + waited)
        node.speak_due_ns = row.held_speak_ns + waited if row.held_speak_ns > 0 else 0
        if node.attempts != NULL and node.attempts.due_ns != OFF:
            node.attempts.due_ns += waited
