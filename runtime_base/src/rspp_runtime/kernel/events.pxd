"""Events: decisions that raise them, and what a user who speaks makes happen. Which do, the generated package says."""

from libc.stdint cimport int64_t

from rspp_runtime.kernel.codes cimport TURN_ACTIVE
from rspp_runtime.kernel.happened cimport Speech
from rspp_runtime.kernel.state cimport Core, Output, bit, lowest


cdef inline void of_node(
    Core* core, int node_id, int64_t outcome, bint retryable, int64_t began_ns,
) noexcept nogil:
    """What guards may read of an event of a node; `began_ns` is -1 where no invocation had begun."""
    core.happened.outcome = <int> outcome
    core.happened.retryable = retryable
    core.happened.attempts = attempts(core, node_id) if began_ns >= 0 else 0
    core.happened.elapsed_ns = core.now_ns - began_ns if began_ns >= 0 else 0


cdef inline int attempts(Core* core, int node_id) noexcept nogil:
    """How many attempts of a node's call have begun."""
    if core.nodes[node_id].attempts == NULL:
        return 1
    return core.nodes[node_id].attempts.made - core.nodes[node_id].attempts.again


cdef inline int take(Core* core) noexcept nogil:
    """The first event that decisions have raised; what it brings is `core.happened`."""
    cdef int which = lowest(core.raised_events)
    core.raised_events &= core.raised_events - 1
    core.chain |= bit(which)
    core.happened = core.raised[which]
    core.input_seq = core.happened.seq
    core.input_epoch = core.happened.epoch
    return which


# ---- what the user is saying

cdef inline void said(Core* core, int64_t words, bint final) noexcept nogil:
    """The recogniser has understood more."""
    cdef Speech* speech = core.speech
    if not speech.speaking:
        return
    speech.words = speech.settled + words
    if final:
        speech.settled = speech.words
    goes_on(core)


cdef inline void goes_on(Core* core) noexcept nogil:
    """The user speaks on: reactions to the interruption that wait for more are asked again."""
    if core.speech.waits and core.speech.speaking and core.speech.turn != 0:
        core.speech.due = True


cdef inline bint is_due(Core* core) noexcept nogil:
    """They are to be asked now."""
    return core.speech.due and core.turn.state == TURN_ACTIVE and core.turn.serial == core.speech.turn


cdef void remember(Core* core, int which, Output* decision) noexcept nogil
cdef void speech_begins(Core* core) noexcept nogil
cdef void speech_ends(Core* core) noexcept nogil
