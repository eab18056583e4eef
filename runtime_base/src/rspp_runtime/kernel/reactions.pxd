"""What a reaction (`on EVENT -> ACTION`) can do. Which does what, the generated package spells out line by line."""

from libc.stdint cimport uint64_t

from rspp_runtime.kernel cimport invocations, outputs, stopping, turns
from rspp_runtime.kernel.codes cimport (
    SCOPE_SESSION, SESSION_ENDED, SIGNAL_CANCEL, SIGNAL_ENTERED, SIGNAL_FALLBACK, TURN_ACTIVE,
)
from rspp_runtime.kernel.state cimport Core

cdef enum:
    NO_FALLBACK = -1         # the event is neither an error nor a timeout


cdef inline void cancel_turn(Core* core, int cause) noexcept nogil:
    turns.cancel(core, cause)


cdef inline void abort_turn(Core* core, int cause) noexcept nogil:
    turns.end_for_error(core, cause)


cdef inline void open_turn(Core* core, int origin) noexcept nogil:
    turns.propose(core, origin, -1)


cdef inline void cancel_session(Core* core, int cause) noexcept nogil:
    if core.state == SESSION_ENDED:
        return
    outputs.decide(core, SIGNAL_CANCEL, cause, -1, SCOPE_SESSION, 0)
    cancel_turn(core, cause)
    core.ending = True


cdef inline void cancel_node(Core* core, int node, int cause) noexcept nogil:
    if invocations.is_effect(core, node) and not stopping.cancel_node(core, node, cause):
        invocations.cancel_by(core, node, cause)


cdef inline void end_session(Core* core) noexcept nogil:
    if core.state != SESSION_ENDED:
        core.ending = True


cdef inline void degrade(Core* core, int mode, uint64_t nodes_off, uint64_t edges_off, int cause) noexcept nogil:
    turns.degrade(core, mode, nodes_off, edges_off, cause)


cdef inline void enter(Core* core, int mode, uint64_t nodes_off, uint64_t edges_off, int cause) noexcept nogil:
    """From the next turn on."""
    if mode == core.entered or core.state == SESSION_ENDED:
        return
    core.entered = mode
    core.entered_nodes_off = nodes_off
    core.entered_edges_off = edges_off
    outputs.decide(core, SIGNAL_ENTERED, cause, -1, mode, 0)
    if core.turn.state != TURN_ACTIVE:
        turns.take_mode(core)


cdef inline void say(Core* core, int node, int origin, int reaction, int cause) noexcept nogil:
    """Says it in the turn that is active, as a fallback if something failed; else, or if that turn has said and played
    everything and only its evidence is waited for, proposes a turn that says it."""
    if core.turn.state != TURN_ACTIVE or core.turn.evidence:
        turns.propose(core, origin, node)
        return
    if reaction != NO_FALLBACK:
        outputs.decide(core, SIGNAL_FALLBACK, cause, -1, reaction, 0)
    core.say(core, node)
