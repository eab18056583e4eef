"""Turns (CONTRACTS §5): one turn is one response. Idle, Opening, Active, Terminal, Closed."""

from libc.stdint cimport int16_t, int64_t, uint64_t, uint8_t

from rspp_runtime.kernel cimport (
    apologies, circuits, context, edges, hearing, invocations, outputs, paths, pauses, planhash, reports, spending,
    stopping, timers, tools,
)
from rspp_runtime.kernel.codes cimport (
    CANCEL_MODE_HARD, CANCEL_MODE_SOFT, CAUSE_AUTHORITY_LOSS, CAUSE_BARGE_IN, CAUSE_BUDGET_EXHAUSTED, CAUSE_CANCELLED,
    CAUSE_PLAN_NOT_FREEZABLE,
    CAUSE_RECORDING_EVIDENCE_UNAVAILABLE, CAUSE_SESSION_NOT_RUNNING, CAUSE_SNAPSHOT_INCOMPATIBLE,
    CAUSE_SNAPSHOT_MISSING, CAUSE_SNAPSHOT_STALE, CAUSE_TRANSPORT_DISCONNECT_OR_STALL, CAUSE_TURN_ACTIVE,
    CAUSE_AUTHORITY_EPOCH_MISMATCH, OP_APPEND, OP_FLUSH, ORIGIN_SPEECH, ORIGIN_TEXT, SCOPE_TURN,
    SESSION_ENDED, SESSION_RUNNING, SIGNAL_ABORT, SIGNAL_BUDGET_EXHAUSTED, SIGNAL_BUDGET_WARNING, SIGNAL_CANCEL,
    SIGNAL_CLOSE, SIGNAL_COMMIT, SIGNAL_DEAUTHORIZED_DRAIN, SIGNAL_DEFER, SIGNAL_DEGRADE, SIGNAL_ENDED,
    SIGNAL_PLAYBACK_CANCELLED, SIGNAL_REJECT, SIGNAL_STALE_EPOCH_REJECT, SIGNAL_TURN_OPEN,
    SIGNAL_TURN_OPEN_PROPOSED, TURN_ACTIVE, TURN_CLOSED, TURN_IDLE, TURN_OPENING, TURN_TERMINAL,
)
from rspp_runtime.kernel.state cimport (
    END_AUTHORITY, END_BUDGET, END_CANCEL, END_ERROR, TIMERS_NODE, TIMERS_SESSION, TIMER_EVIDENCE, TIMER_GRACE,
    TIMER_TOTAL, TIMER_TURN, TIMER_WARNING, Core, Output, Proposal, Turn, lowest,
)

cdef enum:  # Control.SNAPSHOT
    SNAPSHOT_FRESH = 0
    SNAPSHOT_STALE = 1
    SNAPSHOT_MISSING = 2


# ---- proposing

cdef void propose(Core* core, int origin, int trigger) noexcept nogil:
    """Someone asks for a turn: the user by falling silent or by typing, the agent by a reaction."""
    cdef Turn* turn = &core.turn
    if core.state != SESSION_RUNNING or core.ending:
        outputs.decide(core, SIGNAL_REJECT, CAUSE_SESSION_NOT_RUNNING, -1, 0, 0)
        return
    if turn.state == TURN_OPENING or turn.state == TURN_ACTIVE:
        defer(core, origin, trigger)
        return
    begin(core, origin, trigger, 0)


cdef void begin(Core* core, int origin, int trigger, int64_t apologises_for) noexcept nogil:
    """Nothing is in its way. `apologises_for`: the turn that failed, 0 for none."""
    cdef Turn* turn = &core.turn
    turn.proposal.origin = origin
    turn.proposal.input_end_ns = core.now_ns
    turn.proposal.epoch = core.input_epoch
    turn.proposal.trigger = <int16_t> trigger
    turn.proposal.is_apology = apologises_for > 0
    turn.state = TURN_OPENING
    outputs.decide(core, SIGNAL_TURN_OPEN_PROPOSED, 0, -1, origin, apologises_for)


cdef void defer(Core* core, int origin, int trigger) noexcept nogil:
    """One turn at a time: the proposal is remembered until the present one is closed."""
    cdef Proposal* deferred = &core.deferred
    cdef bint first = not core.turn.deferred
    cdef bint by_user = deferred.origin == ORIGIN_SPEECH or deferred.origin == ORIGIN_TEXT
    if first:
        deferred.trigger = -1
    if first or trigger < 0 or not by_user:
        deferred.origin = origin
    if trigger >= 0:
        deferred.trigger = <int16_t> trigger
    deferred.epoch = core.input_epoch
    core.turn.deferred = True
    if first:
        outputs.decide(core, SIGNAL_DEFER, CAUSE_TURN_ACTIVE, -1, 0, 0)


cdef void take_deferred(Core* core) noexcept nogil:
    """The proposal that had to wait begins now, and only now its budget runs."""
    if not core.turn.deferred or core.state != SESSION_RUNNING or core.ending:
        return
    core.turn.deferred = False
    core.turn.proposal = core.deferred
    core.turn.proposal.input_end_ns = core.now_ns
    core.turn.state = TURN_OPENING
    outputs.decide(core, SIGNAL_TURN_OPEN_PROPOSED, 0, -1, core.deferred.origin, 0)


# ---- opening

cdef void refuse_opening(Core* core, int signal, int cause, int64_t x) noexcept nogil:
    """No turn comes of the proposal. A deferral keeps what was heard for the next one."""
    core.turn.state = TURN_IDLE
    outputs.decide(core, signal, cause, -1, x, 0)
    if signal != SIGNAL_DEFER:
        context.empty(&core.join)
        core.hearing.first_seq = 0
    take_deferred(core)


cdef void decide_opening(Core* core) noexcept nogil:
    """T2 to T5a: authority, epoch, snapshots, bindings; then the plan is frozen and the turn opens."""
    if core.revoked:
        refuse_opening(core, SIGNAL_DEAUTHORIZED_DRAIN, CAUSE_AUTHORITY_LOSS, 0)
    elif core.turn.proposal.epoch != core.epoch:
        refuse_opening(core, SIGNAL_STALE_EPOCH_REJECT, CAUSE_AUTHORITY_EPOCH_MISMATCH, core.turn.proposal.epoch)
    elif core.state != SESSION_RUNNING or core.ending:
        refuse_opening(core, SIGNAL_REJECT, CAUSE_SESSION_NOT_RUNNING, 0)
    elif core.snapshot == SNAPSHOT_STALE:
        refuse_opening(core, SIGNAL_DEFER, CAUSE_SNAPSHOT_STALE, 0)
    elif core.snapshot == SNAPSHOT_MISSING:
        refuse_opening(core, SIGNAL_REJECT, CAUSE_SNAPSHOT_MISSING, 0)
    elif core.snapshot != SNAPSHOT_FRESH:
        refuse_opening(core, SIGNAL_REJECT, CAUSE_SNAPSHOT_INCOMPATIBLE, 0)
    elif (core.bindings_off & core.effects) != 0 or not choose(core):
        refuse_opening(core, SIGNAL_REJECT, CAUSE_PLAN_NOT_FREEZABLE, 0)
    else:
        open_turn(core)


cdef bint choose(Core* core) noexcept nogil:
    """Which policy applies, and which providers may be tried. False if some node has none."""
    if core.choose == NULL:
        return True
    core.choose(core)
    return circuits.is_possible(core)


cdef void open_turn(Core* core) noexcept nogil:
    """Freezes the plan and starts to answer."""
    cdef Turn* turn = &core.turn
    cdef int origin = turn.proposal.origin
    cdef int trigger = turn.proposal.trigger
    cdef Output* decision
    turn.serial += 1
    turn.state = TURN_ACTIVE
    turn.ends = 0
    turn.cancel_cause = 0
    core.exempt = False
    turn.waiting = False
    turn.output_seen = False
    turn.audio_sent = False
    turn.playing = False
    turn.started = False
    turn.evidence = 0
    turn.spoke = 0
    tools.turn_opens(core)
    take_mode(core)
    turn.context_count = context.messages(core)
    turn.first_seq = turn.last_seq
    if 0 < core.hearing.first_seq < turn.last_seq:
        turn.first_seq = core.hearing.first_seq
    context.empty(&core.spoken)
    pauses.forget(core)
    core.ledger.heard_words = 0
    core.ledger.heard_bytes = 0
    core.ledger.reported_ns = -1
    decision = outputs.decide_of(core, SIGNAL_TURN_OPEN, 0, -1, core.policy, 0, turn.first_seq, turn.last_seq)
    decision.ref = planhash.freeze(core)
    if core.turn_ns > 0:
        timers.start(core, TIMER_TURN, turn.proposal.input_end_ns + core.turn_ns)
    if core.turn_warning_ns > 0:
        timers.start(core, TIMER_WARNING, turn.proposal.input_end_ns + core.turn_warning_ns)
    if core.turn_total_ns > 0:
        timers.start(core, TIMER_TOTAL, core.now_ns + core.turn_total_ns)
    if trigger >= 0:
        core.say(core, trigger)
    if origin == ORIGIN_TEXT:
        hearing.release(core)
    elif origin == ORIGIN_SPEECH or trigger < 0:
        if hearing.is_pending(core):
            turn.waiting = True
            paths.waits(core)
        else:
            hearing.release(core)


# ---- modes

cdef void take_mode(Core* core) noexcept nogil:
    """The mode that was entered holds now."""
    core.mode = core.entered
    core.nodes_off = core.entered_nodes_off
    core.edges_off = core.entered_edges_off


cdef void degrade(Core* core, int mode, uint64_t nodes_off, uint64_t edges_off, int cause) noexcept nogil:
    """Goes on with less, until the turn is over: what is off in the mode stops, what waits for it is gone."""
    cdef uint64_t rest = nodes_off & core.effects
    if core.turn.state != TURN_ACTIVE or (nodes_off & core.nodes_off) != core.nodes_off or nodes_off == core.nodes_off:
        return
    core.mode = mode
    core.nodes_off = nodes_off
    core.edges_off = edges_off
    outputs.decide(core, SIGNAL_DEGRADE, cause, -1, mode, 0)
    while rest != 0:
        invocations.cancel_all(core, lowest(rest))
        rest &= rest - 1
    rest = edges_off
    while rest != 0:
        edges.flush(core, lowest(rest))
        rest &= rest - 1


# ---- ending

cdef void end_for_error(Core* core, int cause) noexcept nogil:
    if core.turn.state == TURN_ACTIVE:
        core.turn.ends |= END_ERROR
        core.turn.end_cause = cause


cdef void cancel(Core* core, int cause) noexcept nogil:
    """Somebody wants the turn to end; the first one's reason is on record."""
    if core.turn.state != TURN_ACTIVE or (core.exempt and cause == CAUSE_BARGE_IN):
        return
    if not core.turn.ends & END_CANCEL and not stopping.is_on(core):
        core.turn.cancel_cause = <uint8_t> cause
    core.turn.ends |= END_CANCEL


cdef void accept_cancel(Core* core) noexcept nogil:
    """T7: at once, or at the end of a segment."""
    cdef Output* decision = outputs.decide(core, SIGNAL_CANCEL, core.turn.cancel_cause, -1, SCOPE_TURN, 0)
    decision.port = CANCEL_MODE_SOFT if stopping.is_on(core) else CANCEL_MODE_HARD
    abort(core, CAUSE_CANCELLED)


cdef void resolve_ends(Core* core) noexcept nogil:
    """When several ends fall together: authority, cancel, budget, error, disconnect (CONTRACTS §5)."""
    cdef int ends = core.turn.ends
    core.turn.ends = 0
    if core.turn.state != TURN_ACTIVE:
        return
    if ends & END_AUTHORITY:
        outputs.decide(core, SIGNAL_DEAUTHORIZED_DRAIN, CAUSE_AUTHORITY_LOSS, -1, 0, 0)
        abort(core, CAUSE_AUTHORITY_LOSS)
    elif ends & END_CANCEL or stopping.is_on(core):
        # beside another end there is no time, or nobody, for the rest of a segment
        if stopping.is_on(core) or ends != END_CANCEL or not stopping.begin(core):
            accept_cancel(core)
    elif ends & END_BUDGET:
        abort(core, CAUSE_BUDGET_EXHAUSTED)
    elif ends & END_ERROR:
        abort(core, <int> core.turn.end_cause)
    else:
        abort(core, CAUSE_TRANSPORT_DISCONNECT_OR_STALL)


cdef void stop_work(Core* core) noexcept nogil:
    """What waits is gone, who works is told to stop."""
    cdef uint64_t rest = core.turn_edges
    while rest != 0:
        edges.flush(core, lowest(rest))
        rest &= rest - 1
    rest = core.turn_nodes & core.effects
    while rest != 0:
        invocations.cancel_all(core, lowest(rest))
        rest &= rest - 1


cdef void stop_playback(Core* core) noexcept nogil:
    """The transport forgets what has not been played; what was heard stays heard."""
    cdef Output* request
    reports.settle(core)
    if core.turn.audio_sent and reports.sounds(core):
        request = outputs.control(core, OP_FLUSH, core.egress)
        request.turn = core.turn.serial
        core.ledger.cursor_ns = min(core.ledger.cursor_ns, core.now_ns)
        pauses.forget(core)
    if core.turn.playing:
        reports.decide_heard(core, SIGNAL_PLAYBACK_CANCELLED, 0)
        core.turn.playing = False


cdef void abort(Core* core, int cause) noexcept nogil:
    """Stops everything of the turn, at once and in this order: what waits, who works, what plays."""
    stop_work(core)
    stop_playback(core)
    core.turn.state = TURN_TERMINAL
    apologies.aborts(core, cause)
    outputs.decide(core, SIGNAL_ABORT, cause, -1, 0, 0)
    outputs.decide(core, SIGNAL_CLOSE, 0, -1, 0, 0)
    close(core, True)


cdef void commit(Core* core) noexcept nogil:
    """Everything was said, played and recorded. What a late reaction began was never heard: it stops."""
    stop_work(core)
    core.turn.state = TURN_TERMINAL
    apologies.committed(core)
    outputs.decide(core, SIGNAL_COMMIT, 0, -1, 0, 0)
    outputs.decide(core, SIGNAL_CLOSE, 0, -1, 0, 0)
    close(core, False)


cdef void close(Core* core, bint aborted) noexcept nogil:
    """Remembers what the user heard, and makes room for the next turn."""
    cdef int64_t heard = core.ledger.heard_bytes
    cdef int edge
    cdef Output* request
    if heard > core.spoken.bytes:
        heard = core.spoken.bytes
    if heard > 0:
        context.remember(core, context.ROLE_ASSISTANT, core.spoken.text, heard)
    for edge in range(core.edges_count):
        outputs.metric(core, edge)
    if aborted:
        request = outputs.control(core, OP_APPEND, -1)
        request.turn = core.turn.serial
    pauses.forget(core)
    stopping.forget(core)
    core.turn.state = TURN_CLOSED
    core.turn.ends = 0
    core.turn.waiting = False
    take_mode(core)
    spending.turn_closed(core)
    timers.stop(core, TIMER_TURN)
    timers.stop(core, TIMER_WARNING)
    timers.stop(core, TIMER_TOTAL)
    timers.stop(core, TIMER_EVIDENCE)
    paths.forget(core)
    take_deferred(core)


# ---- finishing

cdef bint everything_played(Core* core) noexcept nogil:
    """Nothing of the turn waits anywhere, and what was sent has been played."""
    cdef uint64_t rest = core.turn_edges
    cdef int edge
    if core.turn.evidence or (core.waiting_edges & core.turn_edges) != 0:
        return False
    while rest != 0:
        edge = lowest(rest)
        rest &= rest - 1
        if core.edges[edge].pending_bytes > 0:
            return False
    return not core.turn.playing or not (reports.sounds(core) or pauses.unsent(core) > 0)


cdef void ask_for_evidence(Core* core) noexcept nogil:
    """T6: all is played; the turn commits once its record is durable."""
    cdef Output* request
    reports.settle(core)
    if core.turn.playing:
        reports.completed(core)
        core.turn.playing = False
    pauses.forget(core)
    request = outputs.control(core, OP_APPEND, -1)
    request.turn = core.turn.serial
    core.turn.evidence = 1
    if core.evidence_ns > 0:
        timers.start(core, TIMER_EVIDENCE, core.now_ns + core.evidence_ns)
    timers.stop(core, TIMER_TURN)
    timers.stop(core, TIMER_WARNING)
    paths.forget(core)


# ---- budgets

cdef void on_session_timer(Core* core, int slot) noexcept nogil:
    """A deadline of the turn has passed."""
    if slot == TIMER_WARNING:
        outputs.decide(core, SIGNAL_BUDGET_WARNING, CAUSE_BUDGET_EXHAUSTED, -1, 0, -1)
    elif slot == TIMER_EVIDENCE:
        end_for_error(core, CAUSE_RECORDING_EVIDENCE_UNAVAILABLE)
    else:
        outputs.decide(core, SIGNAL_BUDGET_EXHAUSTED, CAUSE_BUDGET_EXHAUSTED, -1, 0, -1 if slot == TIMER_TURN else -2)
        if core.turn.state != TURN_ACTIVE:
            return
        core.happened.cause = CAUSE_BUDGET_EXHAUSTED
        core.happened.provider = -1      # it is no path's
        if slot != TIMER_TURN or not core.react(core, core.exhausted):
            core.turn.ends |= END_BUDGET


# ---- the end of the session

cdef bint is_grace(Core* core, int slot) noexcept nogil:
    """The slot belongs to an invocation that was told to stop."""
    if slot < TIMERS_SESSION or slot >= TIMERS_SESSION + TIMERS_NODE * core.nodes_count:
        return False
    return (slot - TIMERS_SESSION) % TIMERS_NODE == TIMER_GRACE


cdef void end_session(Core* core) noexcept nogil:
    """No turn is open any more: what still runs is cancelled, and nothing moves again."""
    cdef uint64_t rest = core.effects
    cdef int slot
    while rest != 0:
        invocations.cancel_all(core, lowest(rest))
        rest &= rest - 1
    outputs.decide(core, SIGNAL_ENDED, 0, -1, 0, 0)
    core.state = SESSION_ENDED
    context.empty(&core.join)
    core.turn.deferred = False
    core.hearing.first_seq = 0
    core.hearing.finish_pending = False
    for slot in range(core.timers_count):
        if not is_grace(core, slot):
            timers.stop(core, slot)
    core.ending = False
