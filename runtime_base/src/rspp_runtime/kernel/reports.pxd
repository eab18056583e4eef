"""What a party reports to have played, on the media clock, and what follows from it (CONTRACTS §9)."""

from libc.stdint cimport int64_t

from rspp_runtime.kernel cimport pauses
from rspp_runtime.kernel.codes cimport BASIS_PACED, TURN_ACTIVE
from rspp_runtime.kernel.items cimport release
from rspp_runtime.kernel.ledger cimport Ledger, Played
from rspp_runtime.kernel.state cimport Core


cdef inline void heard_until(Core* core, int64_t until_ns) noexcept nogil:
    """Moves entries from the ledger to what was heard."""
    cdef Ledger* ledger = &core.ledger
    cdef Played* entry
    while ledger.tail - ledger.head > pauses.unsent(core):
        entry = &ledger.entries[ledger.head & ledger.mask]
        if entry.end_ns > until_ns:
            return
        if core.pause != NULL:
            release(core, core.pause.frames[ledger.head & ledger.mask])
        ledger.heard_words = entry.words
        ledger.heard_bytes = entry.bytes
        ledger.head += 1


cdef inline void update_ledger(Core* core) noexcept nogil:
    """What has been heard by now, as far as is known."""
    if core.ledger.basis == BASIS_PACED:
        heard_until(core, core.now_ns)
    else:
        heard_until(core, min(core.now_ns, core.ledger.reported_ns))


cdef inline bint is_awaited(Core* core) noexcept nogil:
    """The party has still to say that it has played all that was sent, and has time for it."""
    cdef Ledger* ledger = &core.ledger
    if ledger.basis == BASIS_PACED or not core.turn.playing:
        return False
    return ledger.reported_ns < ledger.cursor_ns and core.now_ns < ledger.cursor_ns + ledger.stall_ns


cdef inline bint sounds(Core* core) noexcept nogil:
    """Something of what was sent may still be heard."""
    return core.ledger.cursor_ns > core.now_ns or is_awaited(core)


cdef inline bint has_room(Core* core) noexcept nogil:
    """One more frame can be sent: an entry that only waits for a report makes room (`thin`)."""
    cdef Ledger* ledger = &core.ledger
    return (
        ledger.tail - ledger.head < ledger.max
        or ledger.entries[ledger.head & ledger.mask].end_ns <= core.now_ns
    )


cdef inline bint is_beginning(Core* core) noexcept nogil:
    """PLAYBACK_STARTED is to be decided: the party says so, or should have by now."""
    if core.turn.started or not core.turn.playing or core.turn.state != TURN_ACTIVE:
        return False
    return core.ledger.reported_ns >= 0 or core.now_ns >= core.ledger.began_ns + core.ledger.stall_ns


cdef void connected(Core* core, int64_t basis, int64_t interval_ns) noexcept nogil
cdef int played(Core* core, int64_t turn, int64_t place_ns) noexcept nogil
cdef void sends_first(Core* core, int64_t plays_ns) noexcept nogil
cdef void begin(Core* core) noexcept nogil
cdef void settle(Core* core) noexcept nogil
cdef void thin(Core* core) noexcept nogil
cdef int64_t word_that_plays(Core* core) noexcept nogil
cdef int64_t wakes_ns(Core* core, int64_t deadline_ns) noexcept nogil
cdef void decide_heard(Core* core, int signal, int cause) noexcept nogil
cdef void completed(Core* core) noexcept nogil
