"""Hearing: from the end of an utterance to its text."""

from libc.stdint cimport uint64_t

from rspp_runtime.kernel cimport attempts, context, edges, invocations, paths, timers, turns
from rspp_runtime.kernel.state cimport TIMER_FIRST, Core, Hearing, Node, lowest


cdef void end_utterance(Core* core, int origin) noexcept nogil:
    """The user's input has ended: the recogniser finishes, and a turn is proposed that will wait for it."""
    cdef Hearing* hearing = &core.hearing
    cdef Node* recogniser
    core.turn.last_seq = core.input_seq
    if core.recogniser >= 0:
        recogniser = &core.nodes[core.recogniser]
        if (
            recogniser.live.id != 0
            or attempts.is_due(core, core.recogniser)
            or (recogniser.edges_in & core.waiting_edges) != 0
        ):
            hearing.finish_pending = True
            hearing.finish_seq = core.input_seq
            if recogniser.first_output_ns > 0:
                timers.start(
                    core, timers.of_node(core.recogniser, TIMER_FIRST), core.now_ns + recogniser.first_output_ns,
                )
    turns.propose(core, origin, -1)


cdef bint can_finish(Core* core) noexcept nogil:
    """Everything of the utterance that ended has been fed to the recogniser."""
    cdef uint64_t rest
    cdef int edge
    if not core.hearing.finish_pending or attempts.has_rest(core, core.recogniser):
        return False
    rest = core.nodes[core.recogniser].edges_in & core.waiting_edges
    while rest != 0:
        edge = lowest(rest)
        rest &= rest - 1
        if edges.head(core, &core.edges[edge]).seq <= core.hearing.finish_seq:
            return False
    return True


cdef bint needs_output(Core* core) noexcept nogil:
    """An invocation is to be told, which takes one data output."""
    return core.nodes[core.recogniser].live.id != 0


cdef void finish(Core* core) noexcept nogil:
    """The recogniser gets no more of this utterance."""
    cdef Node* recogniser = &core.nodes[core.recogniser]
    core.hearing.finish_pending = False
    if recogniser.live.id == 0:
        heard(core)
        return
    invocations.cancel(core, core.recogniser, &recogniser.ending)
    invocations.finish(core, core.recogniser)


cdef bint is_pending(Core* core) noexcept nogil:
    """An utterance has ended and is not recognised yet."""
    return core.hearing.finish_pending or (core.recogniser >= 0 and core.nodes[core.recogniser].ending.id != 0)


cdef void heard(Core* core) noexcept nogil:
    """An utterance is recognised; with the last one, the turn that waits gets the text."""
    if is_pending(core):
        return
    timers.stop(core, timers.of_node(core.recogniser, TIMER_FIRST))
    if core.turn.waiting:
        release(core)


cdef void lost(Core* core) noexcept nogil:
    """The recogniser failed at an utterance; a turn does not wait for what will not come."""
    if is_pending(core):
        return
    timers.stop(core, timers.of_node(core.recogniser, TIMER_FIRST))
    core.turn.waiting = False
    paths.heard(core)


cdef void release(Core* core) noexcept nogil:
    """The text of the utterance goes to the turn, and into the conversation."""
    core.turn.waiting = False
    paths.heard(core)
    core.hearing.first_seq = 0
    if core.join.bytes == 0:
        return
    core.utter(core, core.join.text, core.join.bytes, core.join.words)
    context.remember(core, context.ROLE_USER, core.join.text, core.join.bytes)
    context.empty(&core.join)
