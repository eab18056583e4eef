"""Effect nodes: beginning, finishing, cancelling and failing."""

from libc.stdint cimport int64_t, uint32_t
from libc.string cimport memset

from rspp_runtime.kernel cimport hearing, outputs, timers
from rspp_runtime.kernel.codes cimport (
    CAUSE_NODE_ERROR, CAUSE_NODE_TIMEOUT, CAUSE_NODE_TIMEOUT_OR_FAILURE,
    CAUSE_PROVIDER_FAILURE, OP_CANCEL, OP_CONTEXT, OP_FINISH, OP_FORCE, OP_INVOKE, OUTCOME_SUCCESS, OUTCOME_TIMEOUT,
    SCOPE_NODE, SIGNAL_CANCEL, SIGNAL_PROVIDER_ERROR, TURN_ACTIVE,
)
from rspp_runtime.kernel.state cimport (
    END_ERROR, TIMER_CHUNK, TIMER_FIRST, TIMER_GRACE, Core, Entry, Invocation, Node, Output, bit,
)

cdef enum:
    FAILURES_MAX = 3         # of a session-scoped node: at the third the session ends


cdef void begin(Core* core, int node_id) noexcept nogil:
    """Asks for a new invocation."""
    cdef Node* node = &core.nodes[node_id]
    cdef Output* output
    core.invocations += 1
    memset(&node.live, 0, sizeof(Invocation))
    node.live.id = core.invocations
    node.live.turn = outputs.active_turn(core) if node.turn_scoped else 0
    if node.voice:
        node.live.base_bytes = core.spoken.bytes
        node.live.base_words = core.spoken.words
    output = outputs.data(core, OP_INVOKE, node_id)
    output.turn = node.live.turn
    output.invocation = node.live.id


cdef void give_context(Core* core, int node_id) noexcept nogil:
    """The conversation as it was when the turn opened, oldest message first."""
    cdef int64_t index
    cdef uint32_t message
    cdef Output* output
    for index in range(core.turn.context_count):
        message = <uint32_t> ((core.context.head + index) % core.context.slots)
        output = outputs.data(core, OP_CONTEXT, node_id)
        output.turn = core.nodes[node_id].live.turn
        output.invocation = core.nodes[node_id].live.id
        output.x = core.context.messages[message].role
        output.ref = message


cdef void finish(Core* core, int node_id) noexcept nogil:
    """The live invocation gets no more input."""
    cdef Node* node = &core.nodes[node_id]
    cdef Output* output = outputs.data(core, OP_FINISH, node_id)
    output.turn = node.live.turn
    output.invocation = node.live.id
    node.ending = node.live
    node.live.id = 0
    node.inflight = 0
    if node.voice and node.chunk_ns > 0 and not core.blocked & bit(node_id):
        timers.start(core, timers.of_node(node_id, TIMER_CHUNK), core.now_ns + node.chunk_ns)


cdef void force(Core* core, int node_id) noexcept nogil:
    """The grace is over."""
    cdef Node* node = &core.nodes[node_id]
    cdef Output* output = outputs.control(core, OP_FORCE, node_id)
    output.invocation = node.cancelling
    node.cancelling = 0


cdef void cancel(Core* core, int node_id, Invocation* invocation) noexcept nogil:
    """Tells one invocation to stop. From now on nothing of it is accepted, and nothing more is given to it."""
    cdef Node* node = &core.nodes[node_id]
    cdef int64_t stopped = invocation.id
    cdef Output* output
    if stopped == 0:
        return
    if node.cancelling != 0:
        force(core, node_id)
    output = outputs.control(core, OP_CANCEL, node_id)
    output.turn = invocation.turn
    output.invocation = stopped
    output.x = core.now_ns + core.grace_ns
    node.cancelling = stopped
    timers.start(core, timers.of_node(node_id, TIMER_GRACE), core.now_ns + core.grace_ns)
    outputs.take_back(core, stopped)
    invocation.id = 0
    stop_timers(core, node_id)
    node.inflight = 0


cdef void cancel_all(Core* core, int node_id) noexcept nogil:
    """The ending invocation, then the live one. What a recogniser was at counts as heard."""
    cancel(core, node_id, &core.nodes[node_id].ending)
    cancel(core, node_id, &core.nodes[node_id].live)
    if core.nodes[node_id].recogniser:
        hearing.heard(core)


cdef void stop_timers(Core* core, int node_id) noexcept nogil:
    """Nothing is expected of a node without invocations. What a recogniser still owes, `hearing` knows."""
    cdef Node* node = &core.nodes[node_id]
    if node.live.id != 0 or node.ending.id != 0:
        return
    timers.stop(core, timers.of_node(node_id, TIMER_CHUNK))
    if not node.recogniser:
        timers.stop(core, timers.of_node(node_id, TIMER_FIRST))


cdef void cancel_by(Core* core, int node_id, int cause) noexcept nogil:
    """A cancel of scope node."""
    outputs.decide(core, SIGNAL_CANCEL, cause, node_id, SCOPE_NODE, node_id)
    cancel_all(core, node_id)


cdef void done(Core* core, Entry* entry) noexcept nogil:
    """An invocation has ended: as it should, or not."""
    cdef int node_id = entry.node
    cdef int64_t ended = entry.invocation
    cdef Node* node
    cdef Invocation* slot
    if not is_effect(core, node_id) or ended == 0:
        return
    node = &core.nodes[node_id]
    if node.cancelling == ended:
        node.cancelling = 0
        timers.stop(core, timers.of_node(node_id, TIMER_GRACE))
        return
    slot = find(core, node_id, ended)
    if slot == NULL:
        return
    if slot == &node.live:
        node.inflight = 0
    slot.id = 0
    outputs.take_back(core, ended)
    stop_timers(core, node_id)
    if entry.a != OUTCOME_SUCCESS:
        fail(core, node_id, ended, entry.a, False)
        return
    if node.recogniser:
        hearing.heard(core)
    core.react(core, node.event_done)


cdef void fail(Core* core, int node_id, int64_t invocation, int64_t outcome, bint timeout) noexcept nogil:
    """A node failed. A reaction may say what happens then; without one a turn that needs the node ends."""
    cdef Node* node = &core.nodes[node_id]
    cdef bint was_waiting = core.turn.waiting
    cdef bint handled = node.timeout_handled if timeout else node.error_handled
    cdef int cause = CAUSE_NODE_TIMEOUT if timeout else CAUSE_NODE_ERROR
    cdef Output* decision
    if node.effect:
        decision = outputs.decide(core, SIGNAL_PROVIDER_ERROR, cause, node_id, outcome, 0)
        decision.invocation = invocation
    core.react(core, node.event_timeout if timeout else node.event_error)
    if node.recogniser:
        if timeout:
            core.hearing.finish_pending = False
        hearing.lost(core)
    if not handled and (node.turn_scoped or (node.recogniser and was_waiting)) and core.turn.state == TURN_ACTIVE:
        core.turn.ends |= END_ERROR
        core.turn.end_cause = (
            CAUSE_PROVIDER_FAILURE if node.effect and not timeout else CAUSE_NODE_TIMEOUT_OR_FAILURE
        )
    if node.effect and not node.turn_scoped and not node.recogniser:
        node.failures += 1
        if node.failures >= FAILURES_MAX:
            core.ending = True


cdef void late(Core* core, int node_id) noexcept nogil:
    """A deadline of the node has passed without output."""
    cdef Node* node = &core.nodes[node_id]
    cdef int64_t failed = node.ending.id if node.ending.id != 0 else node.live.id
    cancel(core, node_id, &node.ending)
    cancel(core, node_id, &node.live)
    fail(core, node_id, failed, OUTCOME_TIMEOUT, True)
