"""Effect nodes: beginning, finishing, cancelling and failing."""

from libc.stdint cimport int64_t, uint32_t
from libc.string cimport memset

from rspp_runtime.kernel cimport attempts, awaited, circuits, events, hearing, outputs, spending, timers, tools
from rspp_runtime.kernel.codes cimport (
    CAUSE_BUDGET_EXHAUSTED, CAUSE_CIRCUIT_OPEN, CAUSE_NODE_ERROR, CAUSE_NODE_TIMEOUT, CAUSE_NODE_TIMEOUT_OR_FAILURE,
    CAUSE_PROVIDER_FAILURE,
    FOLLOW_NONE, FOLLOW_PROVIDER_SWITCH, OP_CANCEL, OP_CONTEXT, OP_FINISH, OP_FORCE, OP_INVOKE,
    OUTCOME_BLOCKED, OUTCOME_CANCELLED, OUTCOME_INFRASTRUCTURE_FAILURE, OUTCOME_SUCCESS, OUTCOME_TIMEOUT,
    SCOPE_NODE, SIGNAL_CANCEL, SIGNAL_PROVIDER_ERROR, SIGNAL_PROVIDER_SWITCH, TURN_ACTIVE,
)
from rspp_runtime.kernel.state cimport (
    END_BUDGET, END_ERROR, TIMER_CHUNK, TIMER_FIRST, TIMER_GRACE, Core, Entry, Invocation, Node, Output, bit,
)

cdef enum:
    FAILURES_MAX = 3         # of a session-scoped node: at the third the session ends


cdef void make(Core* core, int node_id, int candidate) noexcept nogil:
    """A new live invocation, at one of the node's providers."""
    cdef Node* node = &core.nodes[node_id]
    core.invocations += 1
    memset(&node.live, 0, sizeof(Invocation))
    node.live.id = core.invocations
    node.live.turn = outputs.active_turn(core) if node.turn_scoped else 0
    node.live.candidate = candidate
    node.live.began_ns = core.now_ns
    node.inflight = 0
    circuits.begins(core, node_id, &node.live)


cdef void ask(Core* core, int node_id, int64_t made) noexcept nogil:
    """INVOKE: which provider, and how many attempts were made before."""
    cdef Node* node = &core.nodes[node_id]
    cdef Output* output = outputs.data(core, OP_INVOKE, node_id)
    output.turn = node.live.turn
    output.invocation = node.live.id
    output.x = node.live.candidate
    output.y = made


cdef bint begin(Core* core, int node_id) noexcept nogil:
    """Asks for a new invocation, at the first provider that may be tried. If none may, the node fails: False."""
    cdef Node* node = &core.nodes[node_id]
    cdef int low = circuits.offered(core, node_id)
    cdef int candidate = circuits.choose(core, node_id, low)
    if candidate < 0:
        outputs.decide(
            core, SIGNAL_PROVIDER_ERROR, CAUSE_CIRCUIT_OPEN, node_id, OUTCOME_INFRASTRUCTURE_FAILURE, FOLLOW_NONE,
        )
        events.of_node(core, node_id, OUTCOME_INFRASTRUCTURE_FAILURE, False, -1)
        broken(core, node_id, False, False, END_ERROR)
        return False
    if not spending.may_begin(core, node_id, candidate):
        return False
    make(core, node_id, candidate)
    if node.voice:
        node.live.base_bytes = core.spoken.bytes
        node.live.base_words = core.spoken.words
        core.turn.spoke |= bit(node_id)
    attempts.begin(core, node_id)
    if candidate > low:
        outputs.decide_of(
            core, SIGNAL_PROVIDER_SWITCH, CAUSE_CIRCUIT_OPEN, node_id, 0, node.live.id, low, candidate,
        )
    core.happened.attempts = 1
    ask(core, node_id, 0)
    return True


cdef void begin_again(Core* core, int node_id) noexcept nogil:
    """Asks for the attempt that is due. Nothing begins that had not begun, so no reaction is told."""
    cdef Node* node = &core.nodes[node_id]
    spending.tries_again(core, node_id, node.attempts.candidate)
    make(core, node_id, node.attempts.candidate)
    node.live.base_bytes = node.attempts.base_bytes
    node.live.base_words = node.attempts.base_words
    node.attempts.kept = node.live.id
    node.attempts.again = False
    ask(core, node_id, node.attempts.made - 1)
    if node.attempts.context:
        give_context(core, node_id)


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
    end_input(core, node_id)


cdef void end_input(Core* core, int node_id) noexcept nogil:
    """The live invocation has all the input that it gets: a voice owes the rest of its audio."""
    cdef Node* node = &core.nodes[node_id]
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
    """Tells one invocation to stop. Nothing more of it is accepted or given to it, and nobody tries again."""
    cdef Node* node = &core.nodes[node_id]
    if invocation.id == 0:
        return
    if invocation == &node.live or attempts.keeps(core, node_id, invocation.id):
        attempts.let_go(core, node_id)
    circuits.cancelled(core, node_id, invocation.id, invocation.candidate)
    stop(core, node_id, invocation)
    tools.over(core, node_id, invocation.answered, OUTCOME_CANCELLED)


cdef void stop(Core* core, int node_id, Invocation* invocation) noexcept nogil:
    """CANCEL: it must end within the grace."""
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
    output.x = awaited.grace_end(core, node_id)
    node.cancelling = stopped
    timers.start(core, timers.of_node(node_id, TIMER_GRACE), output.x)
    outputs.take_back(core, stopped)
    invocation.id = 0
    stop_timers(core, node_id)
    node.inflight = 0


cdef void cancel_all(Core* core, int node_id) noexcept nogil:
    """The ending invocation, then the live one. What a recogniser was at counts as heard."""
    cancel(core, node_id, &core.nodes[node_id].ending)
    cancel(core, node_id, &core.nodes[node_id].live)
    attempts.let_go(core, node_id)
    if core.nodes[node_id].recogniser:
        hearing.heard(core)


cdef void stop_timers(Core* core, int node_id) noexcept nogil:
    """Nothing is expected of a node without invocations. What a recogniser still owes, `hearing` knows."""
    cdef Node* node = &core.nodes[node_id]
    if node.live.id != 0 or node.ending.id != 0:
        return
    awaited.gone(core, node_id)
    node.speak_due_ns = 0
    if not attempts.is_backing_off(core, node_id):
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
    cdef int64_t candidate
    cdef int64_t began_ns
    cdef bint was_live
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
    candidate = slot.candidate
    began_ns = slot.began_ns
    was_live = slot == &node.live
    if was_live:
        node.inflight = 0
    slot.id = 0
    outputs.take_back(core, ended)
    stop_timers(core, node_id)
    tools.over(core, node_id, slot.answered, entry.a)
    if was_live and not attempts.keeps(core, node_id, ended):
        attempts.let_go(core, node_id)
    if entry.a != OUTCOME_SUCCESS:
        fail_attempt(core, node_id, ended, candidate, began_ns, entry.a, False, entry.b != 0, not was_live, False)
        return
    if attempts.keeps(core, node_id, ended):
        attempts.let_go(core, node_id)
    circuits.works(core, node_id, ended, candidate)
    if node.recogniser:
        hearing.heard(core)
    events.of_node(core, node_id, 0, False, began_ns)
    core.react(core, node.event_done)


cdef void fail_attempt(
    Core* core, int node_id, int64_t invocation, int64_t candidate, int64_t began_ns, int64_t outcome,
    bint timeout, bint retryable, bint was_ending, bint exhausted,
) noexcept nogil:
    """An attempt failed: another one follows if that can be, else the node has failed. 0 is no invocation."""
    cdef Node* node = &core.nodes[node_id]
    cdef int cause = CAUSE_NODE_TIMEOUT if timeout else CAUSE_NODE_ERROR
    cdef int follow = FOLLOW_NONE
    cdef bint opens = False
    if invocation != 0:
        opens = circuits.count(core, node_id, invocation, candidate, outcome)
        follow = attempts.follow(core, node_id, invocation, retryable, was_ending)
        if attempts.keeps(core, node_id, invocation):
            attempts.let_go(core, node_id)
    outputs.decide_of(
        core, SIGNAL_PROVIDER_ERROR, cause, node_id, candidate if invocation != 0 else 0, invocation, outcome, follow,
    )
    if opens:
        circuits.opened(core, node_id, invocation, candidate, cause)
    if follow == FOLLOW_PROVIDER_SWITCH:
        outputs.decide_of(
            core, SIGNAL_PROVIDER_SWITCH, cause, node_id, 0, invocation, candidate, node.attempts.candidate,
        )
    if follow == FOLLOW_NONE:
        events.of_node(core, node_id, outcome, retryable, began_ns if invocation != 0 else -1)
        broken(core, node_id, timeout, exhausted, END_ERROR)


cdef void fail(Core* core, int node_id) noexcept nogil:
    """A node that runs here failed."""
    events.of_node(core, node_id, 0, False, -1)
    broken(core, node_id, False, False, END_ERROR)


cdef void overspent(Core* core, int node_id, int64_t invocation) noexcept nogil:
    """A cap left the node nothing at all: it has failed, and another attempt would fare no better."""
    outputs.decide_of(
        core, SIGNAL_PROVIDER_ERROR, CAUSE_BUDGET_EXHAUSTED, node_id, 0, invocation, OUTCOME_BLOCKED, FOLLOW_NONE,
    )
    events.of_node(core, node_id, OUTCOME_BLOCKED, False, -1)
    broken(core, node_id, False, False, END_BUDGET)


cdef void broken(Core* core, int node_id, bint timeout, bint exhausted, int end) noexcept nogil:
    """A node failed. A reaction may say what happens then; if none acts, a turn that needs the node ends."""
    cdef Node* node = &core.nodes[node_id]
    cdef bint was_waiting = core.turn.waiting
    cdef bint handled = False
    if exhausted:
        core.happened.cause = CAUSE_BUDGET_EXHAUSTED
        handled = core.react(core, node.event_exhausted)
    if core.react(core, node.event_timeout if timeout else node.event_error):
        handled = True
    if node.recogniser:
        if timeout:
            core.hearing.finish_pending = False
        hearing.lost(core)
    if awaited.is_tool(core, node_id):
        return               # it hurts only its call
    if not handled and (node.turn_scoped or (node.recogniser and was_waiting)) and core.turn.state == TURN_ACTIVE:
        core.turn.ends |= end
        if end == END_ERROR:
            core.turn.end_cause = (
                CAUSE_PROVIDER_FAILURE if node.effect and not timeout else CAUSE_NODE_TIMEOUT_OR_FAILURE
            )
    if node.effect and not node.turn_scoped and not node.recogniser:
        node.failures += 1
        if node.failures >= FAILURES_MAX:
            core.ending = True


cdef void late(Core* core, int node_id, bint exhausted) noexcept nogil:
    """A deadline of the node has passed without output, perhaps that of its budget."""
    cdef Node* node = &core.nodes[node_id]
    cdef bint was_ending = node.ending.id != 0
    cdef Invocation* slot = &node.ending if was_ending else &node.live
    cdef int64_t failed = slot.id
    cdef int64_t candidate = slot.candidate
    cdef int64_t began_ns = slot.began_ns
    if was_ending and node.live.id != 0:
        circuits.cancelled(core, node_id, node.live.id, node.live.candidate)
    stop(core, node_id, &node.ending)
    stop(core, node_id, &node.live)
    tools.over(core, node_id, slot.answered, OUTCOME_TIMEOUT)
    if not attempts.keeps(core, node_id, failed):
        attempts.let_go(core, node_id)
    fail_attempt(
        core, node_id, failed, candidate, began_ns, OUTCOME_TIMEOUT, True, True, was_ending, exhausted,
    )
