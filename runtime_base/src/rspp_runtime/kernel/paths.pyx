"""Budgets of paths: one timer each, which warns first and then ends what takes too long (CONTRACTS §7)."""

from libc.stdint cimport int64_t, uint64_t

from rspp_runtime.kernel cimport attempts, outputs, timers
from rspp_runtime.kernel.budgets cimport Path
from rspp_runtime.kernel.codes cimport (
    CAUSE_BUDGET_EXHAUSTED, SIGNAL_BUDGET_EXHAUSTED, SIGNAL_BUDGET_WARNING, TURN_ACTIVE,
)
from rspp_runtime.kernel.state cimport END_BUDGET, Core, Node, bit, lowest


cdef void lay_out(
    Core* core, int path_id, int64_t limit_ns, int64_t warning_ns, uint64_t edges, uint64_t nodes, uint64_t modes,
    bint hears, bint ends_heard, bint from_input_end,
) noexcept nogil:
    cdef Path* path = &core.paths.rows[path_id]
    path.limit_ns = limit_ns
    path.warning_ns = warning_ns
    path.edges = edges
    path.nodes = nodes
    path.modes = modes
    path.hears = hears
    path.ends_heard = ends_heard
    path.from_input_end = from_input_end


cdef bint leads(Core* core, Path* path) noexcept nogil:
    """The present mode has the way."""
    return (path.modes & bit(core.mode)) != 0


cdef void begin(Core* core, uint64_t which) noexcept nogil:
    """Something enters these paths: those that had not begun in this turn do."""
    cdef int path_id
    cdef Path* path
    if core.turn.state != TURN_ACTIVE or core.turn.evidence:
        return
    while which != 0:
        path_id = lowest(which)
        which &= which - 1
        path = &core.paths.rows[path_id]
        if path.progress == PATH_NOT_BEGUN and leads(core, path):
            path.progress = PATH_BEGUN
            path.began_ns = core.turn.proposal.input_end_ns if path.from_input_end else core.now_ns
            timers.start(core, core.paths.timer + path_id, path.began_ns + path.warning_ns)


cdef void end(Core* core, uint64_t which) noexcept nogil:
    """Something has left these paths at their end: their budgets are kept."""
    cdef int path_id
    cdef Path* path
    while which != 0:
        path_id = lowest(which)
        which &= which - 1
        path = &core.paths.rows[path_id]
        if path.progress == PATH_BEGUN or path.progress == PATH_WARNED:
            path.progress = PATH_OVER
            timers.stop(core, core.paths.timer + path_id)


cdef void waits(Core* core) noexcept nogil:
    """The turn opened, and waits for its utterance: paths through the recogniser have begun."""
    cdef int path_id
    if core.paths == NULL:
        return
    for path_id in range(core.paths.count):
        if core.paths.rows[path_id].hears:
            begin(core, bit(path_id))


cdef void heard(Core* core) noexcept nogil:
    """The turn does not wait for its utterance any more."""
    cdef int path_id
    if core.paths == NULL:
        return
    for path_id in range(core.paths.count):
        if core.paths.rows[path_id].ends_heard:
            end(core, bit(path_id))


cdef void forget(Core* core) noexcept nogil:
    """The turn has nothing more to say: none has begun."""
    cdef int path_id
    if core.paths == NULL:
        return
    for path_id in range(core.paths.count):
        core.paths.rows[path_id].progress = PATH_NOT_BEGUN
        timers.stop(core, core.paths.timer + path_id)


cdef void go_on(Core* core, int model, int64_t held_ns) noexcept nogil:
    """Something was said since then while tools of a model ran: paths through it have so much longer."""
    cdef int path_id
    cdef Path* path
    if core.paths == NULL:
        return
    for path_id in range(core.paths.count):
        path = &core.paths.rows[path_id]
        if (path.nodes & bit(model)) == 0 or (path.progress != PATH_BEGUN and path.progress != PATH_WARNED):
            continue
        path.began_ns += core.now_ns - max(held_ns, path.began_ns)
        timers.start(
            core, core.paths.timer + path_id,
            path.began_ns + (path.warning_ns if path.progress == PATH_BEGUN else path.limit_ns),
        )


cdef bint stands_still(Core* core, Path* path) noexcept nogil:
    """Something is said while a tool of a model on the way runs."""
    cdef uint64_t rest = path.nodes
    if core.calling == NULL:
        return False
    while rest != 0:
        if core.calling[lowest(rest)].filled > 0:
            return True
        rest &= rest - 1
    return False


cdef bint is_at_work(Core* core, int node_id) noexcept nogil:
    cdef Node* node = &core.nodes[node_id]
    if node.live.id != 0 or node.ending.id != 0:
        return True
    return attempts.is_due(core, node_id) or attempts.has_rest(core, node_id)


cdef bint is_on_the_way(Core* core, Path* path) noexcept nogil:
    """Something of the turn could still come out at its end."""
    cdef uint64_t rest = path.edges
    if (path.hears and core.turn.waiting) or (core.waiting_edges & rest) != 0:
        return True
    while rest != 0:
        if core.edges[lowest(rest)].pending_bytes > 0:
            return True
        rest &= rest - 1
    rest = path.nodes
    while rest != 0:
        if is_at_work(core, lowest(rest)):
            return True
        rest &= rest - 1
    return False


cdef void fired(Core* core, int path_id) noexcept nogil:
    """The warning or the limit has come. Where nothing is on the way any more, it has not begun after all."""
    cdef Path* path = &core.paths.rows[path_id]
    if not leads(core, path) or not is_on_the_way(core, path):
        path.progress = PATH_NOT_BEGUN
        return
    if stands_still(core, path):
        return               # see `go_on`
    if path.progress == PATH_BEGUN:
        outputs.decide(core, SIGNAL_BUDGET_WARNING, CAUSE_BUDGET_EXHAUSTED, -1, 0, FIRST_PATH - path_id)
        path.progress = PATH_WARNED
        timers.start(core, core.paths.timer + path_id, path.began_ns + path.limit_ns)
        return
    path.progress = PATH_OVER
    outputs.decide(core, SIGNAL_BUDGET_EXHAUSTED, CAUSE_BUDGET_EXHAUSTED, -1, 0, FIRST_PATH - path_id)
    core.happened.cause = CAUSE_BUDGET_EXHAUSTED
    core.happened.provider = path_id
    if not core.react(core, core.exhausted):
        core.turn.ends |= END_BUDGET
