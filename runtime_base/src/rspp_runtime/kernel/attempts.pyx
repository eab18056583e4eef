"""Another attempt after a failure: the same provider again, or the next one."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from rspp_runtime.kernel cimport circuits, invocations, items, outputs, spending, timers
from rspp_runtime.kernel.codes cimport FOLLOW_NONE, FOLLOW_PROVIDER_SWITCH, FOLLOW_RETRY
from rspp_runtime.kernel.state cimport (
    OFF, TIMER_CHUNK, TIMER_FIRST, Attempts, Core, Invocation, Node, lowest,
)

cdef enum:
    PORT_SHIFT = 32          # a retained item: its port above, its handle below


cdef void begin(Core* core, int node_id) noexcept nogil:
    """A first attempt: from now on the input of the live invocation is retained, and of no other."""
    cdef Node* node = &core.nodes[node_id]
    cdef Attempts* attempts = node.attempts
    if attempts == NULL:
        return
    let_go(core, node_id)
    attempts.kept = node.live.id
    attempts.candidate = <int> node.live.candidate
    attempts.tries = 1
    attempts.made = 1
    attempts.due_ns = OFF
    attempts.base_bytes = node.live.base_bytes
    attempts.base_words = node.live.base_words


cdef void retain(Core* core, int node_id, int port, uint32_t handle) noexcept nogil:
    """Keeps an item that was fed for the first time; if one does not fit, none is kept any more."""
    cdef Attempts* attempts = core.nodes[node_id].attempts
    if not keeps(core, node_id, core.nodes[node_id].live.id):
        return
    if attempts.end - attempts.first >= attempts.retain_max:
        let_go(core, node_id)
        return
    items.hold(core, handle)
    attempts.retained[attempts.end] = (<uint64_t> port << PORT_SHIFT) | handle
    attempts.end += 1
    attempts.given += 1


cdef void release_given(Core* core, Attempts* attempts) noexcept nogil:
    """What the present attempt was given is not needed any more."""
    while attempts.first < attempts.given:
        items.release(core, <uint32_t> attempts.retained[attempts.first])
        attempts.first += 1


cdef void answered(Core* core, int node_id, Invocation* invocation) noexcept nogil:
    """Its first output was taken: nobody else will need what it was given."""
    if keeps(core, node_id, invocation.id):
        core.nodes[node_id].attempts.kept = 0
        release_given(core, core.nodes[node_id].attempts)


cdef void let_go(Core* core, int node_id) noexcept nogil:
    """Nothing is retained any more, and no attempt is due."""
    cdef Node* node = &core.nodes[node_id]
    cdef Attempts* attempts = node.attempts
    if attempts == NULL:
        return
    if attempts.again and not node.recogniser:
        timers.stop(core, timers.of_node(node_id, TIMER_FIRST))
    if attempts.backing_off:
        timers.stop(core, timers.of_node(node_id, TIMER_CHUNK))
    attempts.given = attempts.end
    release_given(core, attempts)
    attempts.first = 0
    attempts.given = 0
    attempts.end = 0
    attempts.kept = 0
    attempts.again = False
    attempts.backing_off = False


cdef int64_t deadline(Core* core, int node_id) noexcept nogil:
    """When the attempt that begins must have its first output; the budget begins with the first attempt. Or OFF."""
    cdef Node* node = &core.nodes[node_id]
    cdef Attempts* attempts = node.attempts
    if attempts == NULL:
        return core.now_ns + node.first_output_ns if node.first_output_ns > 0 else OFF
    if attempts.due_ns == OFF and node.first_output_ns > 0:
        attempts.due_ns = core.now_ns + node.first_output_ns
    if attempts.first_chunk_ns > 0:
        return min(attempts.due_ns, core.now_ns + attempts.first_chunk_ns)
    return attempts.due_ns


cdef bint budget_is_over(Core* core, int node_id) noexcept nogil:
    """The deadline that passed is that of the node, and not only of one attempt."""
    cdef Node* node = &core.nodes[node_id]
    return node.attempts == NULL or node.recogniser or core.now_ns >= node.attempts.due_ns


cdef int follow(
    Core* core, int node_id, int64_t invocation, bint retryable, bint was_ending,
) noexcept nogil:
    """What follows the failure of an attempt; if another one does, it is due from now on."""
    cdef Node* node = &core.nodes[node_id]
    cdef Attempts* attempts = node.attempts
    cdef int found = FOLLOW_RETRY
    cdef int candidate
    cdef int64_t due_ns
    cdef int64_t wait_ns
    if not keeps(core, node_id, invocation) or attempts.end == attempts.first:
        return FOLLOW_NONE
    due_ns = core.timers[timers.of_node(node_id, TIMER_FIRST)] if node.recogniser else attempts.due_ns
    wait_ns = attempts.backoff_ns << (attempts.tries - 1)
    if (
        retryable and attempts.tries < attempts.times and core.now_ns + wait_ns < due_ns
        and circuits.allows(core, node_id, attempts.candidate)
        and spending.may_try_again(core, node_id, attempts.candidate)
    ):
        attempts.tries += 1
    else:
        found = FOLLOW_PROVIDER_SWITCH
        wait_ns = 0
        candidate = circuits.choose(core, node_id, attempts.candidate + 1)
        if candidate < 0 or core.now_ns >= due_ns or not spending.may_try_again(core, node_id, candidate):
            return FOLLOW_NONE
        attempts.candidate = candidate
        attempts.tries = 1
    attempts.made += 1
    attempts.given = attempts.first
    attempts.kept = 0
    attempts.again = True
    if node.recogniser:
        if was_ending:
            core.hearing.finish_pending = True
    elif due_ns != OFF:
        timers.start(core, timers.of_node(node_id, TIMER_FIRST), due_ns)
    if wait_ns > 0:
        attempts.backing_off = True
        timers.start(core, timers.of_node(node_id, TIMER_CHUNK), core.now_ns + wait_ns)
    return found


cdef void give(Core* core, int node_id) noexcept nogil:
    """The next of the retained items, to the present attempt."""
    cdef Attempts* attempts = core.nodes[node_id].attempts
    cdef uint64_t entry = attempts.retained[attempts.given]
    attempts.given += 1
    invocations.give(core, node_id, <int> (entry >> PORT_SHIFT), <uint32_t> entry)
    if attempts.kept == 0:
        release_given(core, attempts)


cdef bint feed_again(Core* core, bint* outputs_full) noexcept nogil:
    """Gives one retained item of the lowest node that can take it to its next attempt."""
    cdef uint64_t rest = core.retries
    cdef int node_id
    cdef Node* node
    while rest != 0:
        node_id = lowest(rest)
        rest &= rest - 1
        node = &core.nodes[node_id]
        if not has_rest(core, node_id) or node.attempts.backing_off:
            continue
        if node.live.id != 0 and node.inflight >= node.attempts.window:
            continue
        if outputs.data_slots(core) < core.invoke_slots:
            outputs_full[0] = True
            continue
        if node.live.id == 0:
            invocations.begin_again(core, node_id)
        give(core, node_id)
        return True
    return False
