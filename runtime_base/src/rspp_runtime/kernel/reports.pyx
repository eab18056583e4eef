"""Reports of playback: what is believed, and what is decided from it."""

from libc.stdint cimport int16_t, int64_t, uint32_t

from rspp_runtime.kernel cimport outputs
from rspp_runtime.kernel.codes cimport (
    BASIS_ACKED, BASIS_MARKED, BASIS_PACED, CAUSE_IMPOSSIBLE_REPORT, CAUSE_NOT_REPORTED, CAUSE_STALE_REPORT,
    RESULT_ACCEPTED, RESULT_REFUSED, SIGNAL_PLAYBACK_COMPLETED, SIGNAL_PLAYBACK_STARTED, SIGNAL_REPORT_REFUSED,
    TURN_ACTIVE,
)
from rspp_runtime.kernel.items cimport release
from rspp_runtime.kernel.ledger cimport Ledger
from rspp_runtime.kernel.state cimport OFF, Core, Output

cdef enum:
    MS_NS = 1000000


cdef void connected(Core* core, int64_t basis, int64_t interval_ns) noexcept nogil:
    """A party is there, and says what it will tell."""
    core.ledger.basis = <int> basis if basis == BASIS_ACKED or basis == BASIS_MARKED else BASIS_PACED
    core.ledger.interval_ns = max(0, interval_ns)


cdef int played(Core* core, int64_t turn, int64_t place_ns) noexcept nogil:
    """It has played so far. Believed as far as it can be true."""
    cdef Ledger* ledger = &core.ledger
    cdef int cause = 0
    if ledger.basis == BASIS_PACED:
        cause = CAUSE_IMPOSSIBLE_REPORT
    elif core.turn.state != TURN_ACTIVE or not core.turn.playing or turn != core.turn.serial:
        cause = CAUSE_STALE_REPORT
    elif place_ns < ledger.began_ns or place_ns < ledger.reported_ns:
        cause = CAUSE_STALE_REPORT
    elif place_ns > ledger.cursor_ns:
        cause = CAUSE_IMPOSSIBLE_REPORT
    if cause != 0:
        outputs.decide(core, SIGNAL_REPORT_REFUSED, cause, -1, turn, place_ns)
        return RESULT_REFUSED
    outputs.next_seq(core)
    ledger.reported_ns = place_ns
    ledger.reported_at_ns = core.now_ns
    return RESULT_ACCEPTED


cdef void decide(Core* core, int signal, int cause, int64_t words, int64_t bytes) noexcept nogil:
    """Says by what it is known, and of what was reported how far it may be off."""
    cdef Ledger* ledger = &core.ledger
    cdef Output* decision = outputs.decide(core, signal, cause, -1, words, bytes)
    cdef int64_t error_ns
    if ledger.basis == BASIS_PACED or ledger.reported_ns < 0:
        return
    error_ns = min(
        min(core.now_ns, ledger.cursor_ns) - ledger.reported_ns,
        max(ledger.interval_ns, core.now_ns - ledger.reported_at_ns),
    )
    decision.port = <int16_t> ledger.basis
    decision.invocation = (max(0, error_ns) + MS_NS - 1) // MS_NS


cdef void sends_first(Core* core, int64_t plays_ns) noexcept nogil:
    """The turn's first frame is sent. Where nothing is reported, that is when playback begins."""
    core.ledger.began_ns = plays_ns
    core.turn.started = core.ledger.basis == BASIS_PACED
    if core.turn.started:
        decide(core, SIGNAL_PLAYBACK_STARTED, 0, 0, 0)


cdef void begin(Core* core) noexcept nogil:
    """The party says that it has begun, or should have said so by now."""
    core.turn.started = True
    decide(core, SIGNAL_PLAYBACK_STARTED, 0 if core.ledger.reported_ns >= 0 else CAUSE_NOT_REPORTED, 0, 0)


cdef void settle(Core* core) noexcept nogil:
    """What was heard is needed now: by time, if nothing was reported of this turn."""
    if core.ledger.reported_ns < 0:
        heard_until(core, core.now_ns)
    else:
        update_ledger(core)


cdef void thin(Core* core) noexcept nogil:
    """The ledger is full: of entries that only wait for a report the one is forgotten whose neighbours are closest."""
    cdef Ledger* ledger = &core.ledger
    cdef uint32_t index = ledger.head
    cdef uint32_t least = ledger.head
    cdef int64_t before_ns = max(ledger.began_ns, ledger.reported_ns)
    cdef int64_t span_ns
    cdef int64_t least_ns = OFF
    if ledger.tail - ledger.head < ledger.max:
        return
    while index + 1 != ledger.tail and ledger.entries[index & ledger.mask].end_ns <= core.now_ns:
        span_ns = ledger.entries[(index + 1) & ledger.mask].end_ns - before_ns
        if span_ns < least_ns:
            least_ns = span_ns
            least = index
        before_ns = ledger.entries[index & ledger.mask].end_ns
        index += 1
    if core.pause != NULL:
        release(core, core.pause.frames[least & ledger.mask])
    while least != ledger.head:
        ledger.entries[least & ledger.mask] = ledger.entries[(least - 1) & ledger.mask]
        if core.pause != NULL:
            core.pause.frames[least & ledger.mask] = core.pause.frames[(least - 1) & ledger.mask]
        least -= 1
    ledger.head += 1


cdef int64_t word_that_plays(Core* core) noexcept nogil:
    """The word whose time it is, counted from 1; the last one, while only the party still plays."""
    cdef Ledger* ledger = &core.ledger
    cdef int64_t words = ledger.heard_words
    cdef uint32_t index = ledger.head
    while index != ledger.tail:
        if ledger.entries[index & ledger.mask].end_ns > core.now_ns:
            return words + 1
        words = ledger.entries[index & ledger.mask].words
        index += 1
    return words + 1 if ledger.cursor_ns > core.now_ns else max(1, words)


cdef int64_t wakes_ns(Core* core, int64_t deadline_ns) noexcept nogil:
    """The earlier of a deadline and of when what is playing is over, or is past its own deadlines."""
    cdef Ledger* ledger = &core.ledger
    if core.turn.state != TURN_ACTIVE or not core.turn.playing:
        return deadline_ns
    if ledger.cursor_ns > core.now_ns:
        deadline_ns = min(deadline_ns, ledger.cursor_ns)
    elif is_awaited(core):
        deadline_ns = min(deadline_ns, ledger.cursor_ns + ledger.stall_ns)
    if not core.turn.started:
        deadline_ns = min(deadline_ns, ledger.began_ns + ledger.stall_ns)
    return deadline_ns


cdef void decide_heard(Core* core, int signal, int cause) noexcept nogil:
    """Something about playback that says what was heard."""
    decide(core, signal, cause, core.ledger.heard_words, core.ledger.heard_bytes)


cdef void completed(Core* core) noexcept nogil:
    """All was played, or is past its deadline."""
    cdef Ledger* ledger = &core.ledger
    cdef bint late = ledger.basis != BASIS_PACED and ledger.reported_ns < ledger.cursor_ns
    decide_heard(core, SIGNAL_PLAYBACK_COMPLETED, CAUSE_NOT_REPORTED if late else 0)
