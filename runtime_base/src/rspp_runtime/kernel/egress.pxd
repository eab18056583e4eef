"""Playing out: at most `lead_ns` ahead, with a ledger from which follows what was heard."""

from libc.stdint cimport int64_t, uint32_t

from rspp_runtime.kernel cimport context, outputs, pauses, reports, stopping, timers
from rspp_runtime.kernel.codes cimport OP_SEND, SIGNAL_OUTPUT_ACCEPTED
from rspp_runtime.kernel.items cimport hold
from rspp_runtime.kernel.ledger cimport Ledger, Played
from rspp_runtime.kernel.state cimport (
    MOVED, OUTPUTS_FULL, TIMER_TURN, TIMER_WARNING, WAITS, Core, Header, Output,
)


cdef inline int64_t length_ns(Core* core, uint32_t frame) noexcept nogil:
    """How long a frame plays."""
    return <int64_t> core.headers[frame].size * 1000000000 // core.audio_bytes_per_second


cdef inline int64_t ahead_ns(Core* core) noexcept nogil:
    """How much of what was sent has not been played yet."""
    return core.ledger.cursor_ns - core.now_ns if core.ledger.cursor_ns > core.now_ns else 0


cdef inline bint is_ahead(Core* core) noexcept nogil:
    """The next frame would be more than `lead_ns` early."""
    return ahead_ns(core) > core.lead_ns


cdef inline int can_play(Core* core) noexcept nogil:
    """`MOVED` if one more item can be sent, else what it waits for."""
    if pauses.holds(core) or (stopping.is_on(core) and stopping.word_is_over(core)):
        return WAITS
    reports.update_ledger(core)
    if is_ahead(core) or not reports.has_room(core):
        return WAITS
    return MOVED if outputs.data_slots(core) > 0 else OUTPUTS_FULL


cdef inline void first_output(Core* core) noexcept nogil:
    """The turn's budget is kept: something of it has passed."""
    if core.turn.output_seen:
        return
    core.turn.output_seen = True
    outputs.decide(core, SIGNAL_OUTPUT_ACCEPTED, 0, -1, 0, 0)
    timers.stop(core, TIMER_TURN)
    timers.stop(core, TIMER_WARNING)


cdef inline void play(Core* core, int port, uint32_t handle) noexcept nogil:
    """Sends an item to be played right after what was sent before."""
    cdef Ledger* ledger = &core.ledger
    cdef Header* item = &core.headers[handle]
    cdef Output* output = outputs.data(core, OP_SEND, core.egress)
    cdef Played* entry
    reports.thin(core)
    if ledger.cursor_ns < core.now_ns:
        ledger.cursor_ns = core.now_ns
    output.port = port
    output.turn = item.turn
    output.x = ledger.cursor_ns
    output.y = item.b
    outputs.carry(core, output, handle)
    ledger.cursor_ns += length_ns(core, handle)
    entry = &ledger.entries[ledger.tail & ledger.mask]
    entry.end_ns = ledger.cursor_ns
    entry.words = item.b
    entry.bytes = item.a
    if core.pause != NULL:
        hold(core, handle)
        core.pause.frames[ledger.tail & ledger.mask] = handle
    ledger.tail += 1
    if not core.turn.audio_sent:
        core.turn.audio_sent = True
        core.turn.playing = True
        first_output(core)
        reports.sends_first(core, output.x)


cdef inline void show(Core* core, int port, uint32_t handle, bint is_reply) noexcept nogil:
    """Sends a text. Where no voice is on, it is the reply itself, and counts as heard when it is sent."""
    cdef Header* item = &core.headers[handle]
    cdef Output* output = outputs.data(core, OP_SEND, core.egress)
    output.port = port
    output.turn = item.turn
    output.y = item.b
    outputs.carry(core, output, handle)
    if is_reply:
        context.speak(core, core.payloads + item.offset, item.size, item.b)
        core.ledger.heard_bytes = core.spoken.bytes
        core.ledger.heard_words = core.spoken.words
        first_output(core)
