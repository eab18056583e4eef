"""Pausing playback, and going on where it stopped."""

from libc.stdint cimport int64_t, uint32_t, uint64_t, uint8_t

from rspp_runtime.kernel cimport egress, outputs, reports, stopping, timers, turns
from rspp_runtime.kernel.cancels cimport Pause
from rspp_runtime.kernel.codes cimport (
    CAUSE_BARGE_IN, OP_FLUSH, OP_SEND, SIGNAL_PLAYBACK_PAUSED, SIGNAL_PLAYBACK_RESUMED, TURN_ACTIVE,
)
from rspp_runtime.kernel.items cimport release
from rspp_runtime.kernel.ledger cimport Ledger, Played
from rspp_runtime.kernel.state cimport NOTHING, TIMER_BLOCK, Core, Edge, Output, lowest


cdef void lay_out(
    Core* core, Pause* pause, uint32_t* frames, uint64_t audio_edges, int port, int64_t max_ns, int timer,
) noexcept nogil:
    """What a pipeline needs whose reactions pause."""
    core.pause = pause
    pause.frames = frames
    pause.port = port
    pause.audio_edges = audio_edges
    pause.max_ns = max_ns
    pause.timer = timer


cdef void take_back(Core* core) noexcept nogil:
    """What was sent, not played, and not even drained does not leave."""
    cdef Ledger* ledger = &core.ledger
    cdef uint32_t first = (ledger.tail - core.pause.unsent) & ledger.mask
    cdef int64_t first_ns
    cdef uint32_t index
    cdef Output* output
    first_ns = ledger.entries[first].end_ns - egress.length_ns(core, core.pause.frames[first])
    for index in range(core.data.count):
        output = &core.data.slots[index]
        if output.op == OP_SEND and output.port == core.pause.port and output.x >= first_ns:
            output.op = outputs.OP_VOID
            release(core, output.item)
            output.item = NOTHING


cdef uint32_t not_due(Core* core) noexcept nogil:
    """Entries that were sent, and whose time has not come."""
    cdef Ledger* ledger = &core.ledger
    cdef uint32_t end = ledger.tail - core.pause.unsent    # the rest waits since the last pause, whatever its time was
    cdef uint32_t index = ledger.head
    while index != end and ledger.entries[index & ledger.mask].end_ns <= core.now_ns:
        index += 1
    return end - index


cdef void pause(Core* core, int cause) noexcept nogil:
    """Plays nothing more, and keeps it: the user may have interrupted, or may not."""
    cdef Pause* pause = core.pause
    cdef uint64_t rest = pause.audio_edges
    cdef uint32_t ahead
    cdef Output* request
    if core.turn.state != TURN_ACTIVE or core.turn.evidence or stopping.is_on(core) or pause.on:
        return
    if core.exempt and cause == CAUSE_BARGE_IN:
        return
    reports.settle(core)
    pause.on = True
    pause.cause = <uint8_t> cause
    if reports.sounds(core):
        ahead = not_due(core)
        pause.unsent += ahead
        if ahead != 0:       # else what plays on is of a turn that has ended, or only the party still plays
            take_back(core)
        request = outputs.control(core, OP_FLUSH, core.egress)
        request.turn = core.turn.serial
        core.ledger.cursor_ns = min(core.ledger.cursor_ns, core.now_ns)
    while rest != 0:
        timers.stop(core, timers.of_edge(core, lowest(rest), TIMER_BLOCK))
        rest &= rest - 1
    timers.start(core, pause.timer, core.now_ns + pause.max_ns)
    reports.decide_heard(core, SIGNAL_PLAYBACK_PAUSED, cause)


cdef void resume(Core* core, int cause) noexcept nogil:
    """It was no interruption: goes on with the first frame that was not played to its end."""
    cdef Pause* pause = core.pause
    cdef uint64_t rest = pause.audio_edges
    cdef Edge* edge
    cdef int edge_id
    if not pause.on:
        return
    reports.update_ledger(core)
    pause.on = False
    if core.ledger.reported_ns >= 0 and core.ledger.reported_at_ns >= core.timers[pause.timer] - pause.max_ns:
        pause.unsent = core.ledger.tail - core.ledger.head    # the party has said where it stopped
    timers.stop(core, pause.timer)
    while rest != 0:
        edge_id = lowest(rest)
        rest &= rest - 1
        edge = &core.edges[edge_id]
        if edge.xoff and edge.block_ns > 0:
            timers.start(core, timers.of_edge(core, edge_id, TIMER_BLOCK), core.now_ns + edge.block_ns)
    reports.decide_heard(core, SIGNAL_PLAYBACK_RESUMED, cause)


cdef void too_long(Core* core) noexcept nogil:
    """Nobody has resumed it: it was an interruption."""
    if core.pause.on:
        turns.cancel(core, core.pause.cause)


cdef bint send_again(Core* core, bint* outputs_full) noexcept nogil:
    """Sends the first frame that was taken back. True if there was one that can go."""
    cdef Ledger* ledger = &core.ledger
    cdef Pause* pause = core.pause
    cdef Output* output
    cdef Played* entry
    cdef uint32_t place
    if pause.on or pause.unsent == 0 or egress.is_ahead(core):
        return False
    if outputs.data_slots(core) == 0:
        outputs_full[0] = True
        return False
    place = (ledger.tail - pause.unsent) & ledger.mask
    entry = &ledger.entries[place]
    pause.unsent -= 1
    if ledger.cursor_ns < core.now_ns:
        ledger.cursor_ns = core.now_ns
    output = outputs.data(core, OP_SEND, core.egress)
    output.port = pause.port
    output.turn = core.turn.serial
    output.x = ledger.cursor_ns
    output.y = core.headers[pause.frames[place]].b
    outputs.carry(core, output, pause.frames[place])
    ledger.cursor_ns += egress.length_ns(core, pause.frames[place])
    entry.end_ns = ledger.cursor_ns
    return True


cdef void forget(Core* core) noexcept nogil:
    """Nothing is paused, nothing has to be heard: the turn is over, or begins."""
    cdef Ledger* ledger = &core.ledger
    if core.pause != NULL:
        while ledger.head != ledger.tail:
            release(core, core.pause.frames[ledger.head & ledger.mask])
            ledger.head += 1
        core.pause.on = False
        core.pause.unsent = 0
        timers.stop(core, core.pause.timer)
    ledger.head = ledger.tail
