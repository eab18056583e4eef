"""Another process goes on with the session: what was open ends, what was hot is forgotten (F8)."""

from libc.stdint cimport int64_t

from rspp_runtime.kernel cimport circuits, context, edges, invocations, outputs, timers, turns
from rspp_runtime.kernel.codes cimport (
    SESSION_DEGRADED, SESSION_RUNNING, SIGNAL_LEASE_ROTATED, SIGNAL_LEFT,
    SIGNAL_MIGRATION_FINISH, SIGNAL_MIGRATION_START,
    SIGNAL_SESSION_HANDOFF, TURN_ACTIVE, TURN_OPENING,
)
from rspp_runtime.kernel.happened cimport Speech
from rspp_runtime.kernel.state cimport END_AUTHORITY, TIMER_FIRST, Core, bit

cdef enum:  # `Core.handed_over`
    KNOWN = 1
    BLANK = 2                # the new holder does not know what was said


cdef void leave(Core* core) noexcept nogil:
    """What is known is told, for whoever cannot execute the log: the conversation by the next drain."""
    outputs.decide(core, SIGNAL_LEFT, 0, -1, core.turn.serial, core.invocations)
    core.leaving = True


cdef void begin(Core* core, int64_t epoch, bint blank) noexcept nogil:
    """It has the authority from here on."""
    outputs.decide(core, SIGNAL_MIGRATION_START, 0, -1, core.epoch, 0)
    core.epoch = epoch
    core.revoked = False
    outputs.decide(core, SIGNAL_LEASE_ROTATED, 0, -1, epoch, 0)
    if core.state == SESSION_RUNNING:
        core.state = SESSION_DEGRADED
    core.turn.deferred = False
    core.handed_over = BLANK if blank else KNOWN


cdef void step(Core* core) noexcept nogil:
    """Ends what was open, then forgets what only the old process could have gone on with."""
    if core.turn.state == TURN_ACTIVE:
        core.turn.ends |= END_AUTHORITY
        turns.resolve_ends(core)
    elif core.turn.state == TURN_OPENING:
        turns.decide_opening(core)
    else:
        take_over(core)


cdef void take_over(Core* core) noexcept nogil:
    cdef int index
    core.hearing.finish_pending = False
    core.hearing.first_seq = 0
    context.empty(&core.join)
    for index in range(core.nodes_count):
        if core.effects & bit(index):
            invocations.cancel_all(core, index)
        elif core.hearing.endpointers & bit(index):
            timers.stop(core, timers.of_node(index, TIMER_FIRST))
        core.nodes[index].failures = 0
        circuits.close_all(core, index)
    for index in range(core.edges_count):
        edges.flush(core, index)
    if core.speech != NULL:
        be_quiet(core)
    core.snapshot = 0
    core.bindings_off = 0
    if core.handed_over == BLANK:
        context.forget(core)
    core.handed_over = 0
    outputs.decide(core, SIGNAL_SESSION_HANDOFF, 0, -1, core.epoch, core.turn.serial)
    outputs.decide(core, SIGNAL_MIGRATION_FINISH, 0, -1, core.epoch, 0)


cdef void be_quiet(Core* core) noexcept nogil:
    """Nobody speaks."""
    cdef Speech* speech = core.speech
    speech.onset_ns = 0
    speech.settled = 0
    speech.words = 0
    speech.idles = 0
    speech.turn = 0
    speech.acted = 0
    speech.speaking = False
    speech.due = False
    speech.quiet_ns = core.now_ns
