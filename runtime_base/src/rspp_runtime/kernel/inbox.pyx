"""The inbox: one control input after the other."""

from rspp_runtime.kernel cimport events, handoff, hearing, invocations, outputs, reactions, reports, turns
from rspp_runtime.kernel.codes cimport (
    CAUSE_BARGE_IN, CAUSE_RECORDING_EVIDENCE_UNAVAILABLE, CAUSE_USER, CONTROL_ATTRIBUTE, CONTROL_BINDING,
    CONTROL_BUTTON_DOWN, CONTROL_BUTTON_UP, CONTROL_CANCEL_NODE, CONTROL_DTMF,
    CONTROL_CANCEL_SESSION, CONTROL_CANCEL_TURN, CONTROL_CONNECTED, CONTROL_DISCONNECTED, CONTROL_END_UTTERANCE,
    CONTROL_ENDED, CONTROL_EVIDENCE_APPENDED, CONTROL_EVIDENCE_FAILED, CONTROL_HANDOFF, CONTROL_LEASE_REVOKED,
    CONTROL_LEASE_ROTATED,
    CONTROL_SNAPSHOT, ORIGIN_API, ORIGIN_SPEECH, ORIGIN_TEXT, SESSION_CREATED, SESSION_DEGRADED, SESSION_ENDED,
    SESSION_RUNNING,
    SIGNAL_BARGE_IN, SIGNAL_CONNECTED, SIGNAL_DISCONNECTED, SIGNAL_HEARD, SIGNAL_LEASE_ROTATED, TURN_ACTIVE,
)
from rspp_runtime.kernel.happened cimport ATTRIBUTES
from rspp_runtime.kernel.state cimport (
    END_AUTHORITY, END_DISCONNECT, ENTRY_CONTROL, ENTRY_DONE, ENTRY_EVENT, Core, Entry, bit,
)


cdef void take(Core* core) noexcept nogil:
    """Takes the next entry and does it."""
    cdef Entry* entry = &core.inbox.entries[core.inbox.head & core.inbox.mask]
    core.inbox.head += 1
    core.chain = 0
    core.input_seq = entry.seq
    core.input_epoch = entry.epoch
    if entry.kind == ENTRY_EVENT:
        on_event(core, entry)
    elif entry.kind == ENTRY_DONE:
        invocations.done(core, entry)
    elif entry.kind == ENTRY_CONTROL:
        on_control(core, entry)
    else:
        core.turn.last_seq = core.input_seq
        turns.propose(core, ORIGIN_TEXT, -1)


cdef void on_event(Core* core, Entry* entry) noexcept nogil:
    """A node reports something: speech begins (and may interrupt), the utterance ends, or what reactions name."""
    if entry.node != core.ingress and invocations.find(core, entry.node, entry.invocation) == NULL:
        return
    if entry.event >= 0 and entry.event == core.speech_start:
        if core.speech != NULL:
            events.speech_begins(core)
        if core.hearing.first_seq == 0:
            core.hearing.first_seq = entry.seq
        outputs.decide(core, SIGNAL_HEARD, 0, -1, core.hearing.first_seq, 0)
        core.react(core, entry.event)
        if core.turn.state == TURN_ACTIVE and core.barge_in >= 0:
            outputs.decide(core, SIGNAL_BARGE_IN, CAUSE_BARGE_IN, -1, 0, 0)
            if core.speech != NULL:
                core.speech.turn = core.turn.serial
            core.react(core, core.barge_in)
        return
    if entry.event >= 0 and entry.event == core.turn_owner:
        hearing.end_utterance(core, ORIGIN_SPEECH)
    if core.speech != NULL and entry.event == core.speech.event_idle:
        core.speech.idles += 1
    core.react(core, entry.event)
    if core.speech != NULL and entry.event == core.speech.event_end:
        events.speech_ends(core)


cdef bint asked_for_evidence(Core* core, Entry* entry) noexcept nogil:
    return core.turn.state == TURN_ACTIVE and core.turn.evidence and entry.a == core.turn.serial


cdef void on_control(Core* core, Entry* entry) noexcept nogil:
    """From the transport, the control plane, the API, or the evidence recorder."""
    if entry.port == CONTROL_CONNECTED:
        if core.state == SESSION_CREATED or core.state == SESSION_DEGRADED:
            core.state = SESSION_RUNNING
            reports.connected(core, entry.a, entry.b)
            if core.speech != NULL:
                core.speech.quiet_ns = core.now_ns
            if core.choose != NULL:
                core.choose(core)
            outputs.decide(core, SIGNAL_CONNECTED, 0, -1, 0, 0)
            core.react(core, core.connected)
    elif entry.port == CONTROL_DISCONNECTED:
        if core.state == SESSION_RUNNING:
            core.state = SESSION_DEGRADED
            outputs.decide(core, SIGNAL_DISCONNECTED, 0, -1, 0, 0)
            core.turn.ends |= END_DISCONNECT
            core.turn.deferred = False
    elif entry.port == CONTROL_ENDED:
        reactions.end_session(core)
        core.turn.ends |= END_DISCONNECT
    elif entry.port == CONTROL_CANCEL_TURN:
        reactions.cancel_turn(core, CAUSE_USER)
    elif entry.port == CONTROL_CANCEL_SESSION:
        reactions.cancel_session(core, CAUSE_USER)
    elif entry.port == CONTROL_CANCEL_NODE:
        if invocations.is_effect(core, entry.a):
            reactions.cancel_node(core, <int> entry.a, CAUSE_USER)
    elif entry.port == CONTROL_ATTRIBUTE:
        if core.attributes != NULL and 0 <= entry.a < ATTRIBUTES:
            core.attributes[entry.a] = entry.b
    elif entry.port == CONTROL_END_UTTERANCE:
        hearing.end_utterance(core, ORIGIN_API)
    elif entry.port == CONTROL_BUTTON_DOWN:
        on_pressed(core, core.button_down)
    elif entry.port == CONTROL_BUTTON_UP:
        on_pressed(core, core.button_up)
    elif entry.port == CONTROL_DTMF:
        on_pressed(core, core.dtmf)
    elif entry.port == CONTROL_LEASE_ROTATED:
        if entry.a > core.epoch:
            core.epoch = entry.a
            outputs.decide(core, SIGNAL_LEASE_ROTATED, 0, -1, core.epoch, 0)
            lose_authority(core)
    elif entry.port == CONTROL_HANDOFF:
        if entry.a > core.epoch and core.state != SESSION_ENDED:
            handoff.begin(core, entry.a, entry.b != 0)
    elif entry.port == CONTROL_LEASE_REVOKED:
        core.revoked = True
        lose_authority(core)
    elif entry.port == CONTROL_SNAPSHOT:
        core.snapshot = <int> entry.a if 0 <= entry.a <= 3 else 3
    elif entry.port == CONTROL_BINDING:
        if invocations.is_node(core, entry.a):
            if entry.b:
                core.bindings_off &= ~bit(<int> entry.a)
            else:
                core.bindings_off |= bit(<int> entry.a)
    elif entry.port == CONTROL_EVIDENCE_APPENDED:
        if asked_for_evidence(core, entry):
            turns.commit(core)
    elif entry.port == CONTROL_EVIDENCE_FAILED:
        if asked_for_evidence(core, entry):
            turns.end_for_error(core, CAUSE_RECORDING_EVIDENCE_UNAVAILABLE)


cdef void on_pressed(Core* core, int event) noexcept nogil:
    """A key or a button: it may own the end of the utterance, as push to talk does."""
    if event >= 0 and event == core.turn_owner:
        hearing.end_utterance(core, ORIGIN_SPEECH)
    core.react(core, event)


cdef void lose_authority(Core* core) noexcept nogil:
    """What the turn was allowed to do, it may not do any more."""
    if core.turn.state == TURN_ACTIVE:
        core.turn.ends |= END_AUTHORITY
