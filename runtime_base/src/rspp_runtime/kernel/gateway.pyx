"""`ingest`: what may wait, and what is refused."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from libc.stdint cimport int16_t, int64_t

from rspp_runtime.kernel cimport context, handoff, inbox, invocations, outputs, reports, spending
from rspp_runtime.kernel.accounts cimport Key
from rspp_runtime.kernel.codes cimport (
    CAUSE_AUTHORITY_EPOCH_MISMATCH, CAUSE_CANCELLED, CAUSE_DUPLICATE, CAUSE_OVERSIZED, CAUSE_SNAPSHOT_STALE,
    CAUSE_UNKNOWN_PORT, CONTROL_ATTRIBUTE,
    CONTROL_BUTTON_DOWN,
    CONTROL_CONNECTED, CONTROL_DTMF, CONTROL_EVIDENCE_APPENDED,
    CONTROL_EVIDENCE_FAILED, CONTROL_GO_ON_FROM, CONTROL_HANDOFF, CONTROL_LEASE_ROTATED, CONTROL_LEAVE, CONTROL_PLAYED,
    CONTROL_RECALL, CONTROL_SEEN,
    IN_CHUNK, IN_CONTROL, IN_CREDIT, IN_DONE,
    IN_MEDIA, IN_USAGE,
    RESULT_ACCEPTED, RESULT_FULL, RESULT_REFUSED, SESSION_CREATED,
    SIGNAL_LATE_AFTER_CANCEL, SIGNAL_REJECT, SIGNAL_STALE_EPOCH_REJECT,
)
from rspp_runtime.kernel.state cimport ENTRY_CONTROL, ENTRY_DONE, Core, Entry, Output

cdef enum:
    INBOUND_FIELDS = 11


cdef int reject(Core* core, int cause) noexcept nogil:
    """The input is malformed, or comes at the wrong time."""
    outputs.decide(core, SIGNAL_REJECT, cause, -1, 0, 0)
    return RESULT_REFUSED


cdef int late(Core* core, Inbound* event) noexcept nogil:
    """The invocation that produced it was cancelled, or has ended."""
    cdef Output* decision = outputs.decide(
        core, SIGNAL_LATE_AFTER_CANCEL, CAUSE_CANCELLED, <int> event.node, event.size, 0,
    )
    decision.port = <int16_t> event.port
    decision.invocation = event.invocation
    core.refused_outputs += 1
    return RESULT_REFUSED


cdef bint holds_any_epoch(Inbound* event) noexcept nogil:
    """Inputs that are not sent on anyone's authority, or that bring a new one."""
    if event.op == IN_CREDIT or event.op == IN_DONE or event.op == IN_USAGE:
        return True
    return event.op == IN_CONTROL and (
        event.port == CONTROL_LEASE_ROTATED
        or event.port == CONTROL_HANDOFF
        or event.port == CONTROL_EVIDENCE_APPENDED
        or event.port == CONTROL_EVIDENCE_FAILED
    )


cdef int enter(Core* core, Inbound* event) noexcept nogil:
    """What comes before everything else: there is room for the answer, and the sender has the present authority."""
    core.chain = 0
    if outputs.control_is_short(core):
        if event.op == IN_MEDIA or event.op == IN_CHUNK:
            return blocked(core, event.node)
        return RESULT_FULL
    if event.epoch != core.epoch and not holds_any_epoch(event):
        outputs.decide(core, SIGNAL_STALE_EPOCH_REJECT, CAUSE_AUTHORITY_EPOCH_MISMATCH, -1, event.epoch, 0)
        return RESULT_REFUSED
    return GOES_ON


cdef void remember(Core* core, int64_t key, int64_t seq) noexcept nogil:
    """An item with this idempotency key was taken. The oldest key is forgotten for it."""
    cdef Key* slot = &core.keys[core.keys_next]
    slot.key = key
    slot.seq = seq
    core.keys_next = (core.keys_next + 1) % core.keys_max
    if core.keys_count < core.keys_max:
        core.keys_count += 1


cdef bint is_duplicate(Core* core, Inbound* event) noexcept nogil:
    """An item with its key was taken before: refused, with the sequence that the first one had."""
    cdef uint32_t index
    cdef uint32_t place
    for index in range(core.keys_count):
        place = (core.keys_next + core.keys_max - core.keys_count + index) % core.keys_max   # the oldest first
        if core.keys[place].key == event.invocation:
            outputs.decide(
                core, SIGNAL_REJECT, CAUSE_DUPLICATE, -1, event.transport_sequence, core.keys[place].seq,
            )
            return True
    return False


cdef int follow(Core* core, Inbound* event) noexcept nogil:
    """What an earlier holder has left, for a session that has not begun."""
    cdef bint recalls = event.port == CONTROL_RECALL
    cdef int64_t turns_max = (<int64_t> 1) << 31     # an item has 32 bits for its turn
    cdef int64_t count_max = (<int64_t> 1) << 53
    if core.state != SESSION_CREATED:
        return reject(core, CAUSE_SNAPSHOT_STALE)
    if recalls and not (context.ROLE_USER <= event.a <= context.ROLE_TOOL):
        return reject(core, CAUSE_UNKNOWN_PORT)
    if recalls and (event.size > core.context.bytes_max or core.context.items_max == 0):
        return reject(core, CAUSE_OVERSIZED)
    if recalls:
        outputs.next_seq(core)
        context.remember(core, <int> event.a, <const char*> event.payload, event.size)
        return RESULT_ACCEPTED
    if not (
        core.turn.serial <= event.a <= turns_max
        and core.seq <= event.b <= count_max
        and core.invocations <= event.invocation <= count_max
    ):
        return reject(core, CAUSE_SNAPSHOT_STALE)
    core.turn.serial = event.a
    core.seq = event.b
    core.invocations = event.invocation
    outputs.next_seq(core)
    return RESULT_ACCEPTED


cdef int other(Core* core, Inbound* event) noexcept nogil:
    """Everything that is not an item: ends of invocations, credit, control."""
    cdef Entry* entry
    if event.op == IN_CREDIT:
        if invocations.is_effect(core, event.node):
            invocations.credit(core, <int> event.node, event.invocation, event.a)
        core.seq += 1
        return RESULT_ACCEPTED
    if event.op == IN_USAGE:
        return spending.use(core, event)
    if event.op == IN_CONTROL and event.port == CONTROL_SEEN:
        outputs.next_seq(core)
        remember(core, event.a, 0)
        return RESULT_ACCEPTED
    if event.op == IN_CONTROL and event.port == CONTROL_PLAYED:
        return reports.played(core, event.a, event.b)
    if event.op == IN_CONTROL and event.port == CONTROL_LEAVE:
        handoff.leave(core)
        return RESULT_ACCEPTED
    if event.op == IN_CONTROL and (event.port == CONTROL_RECALL or event.port == CONTROL_GO_ON_FROM):
        return follow(core, event)
    if event.op == IN_CONTROL and (
        CONTROL_CONNECTED <= event.port <= CONTROL_EVIDENCE_FAILED
        or CONTROL_BUTTON_DOWN <= event.port <= CONTROL_DTMF
        or event.port == CONTROL_ATTRIBUTE
        or event.port == CONTROL_HANDOFF
    ):
        if inbox.is_full(core):
            return RESULT_FULL
        entry = inbox.put(core, ENTRY_CONTROL, event.node, event.invocation)
        entry.port = <int> event.port
    elif event.op == IN_DONE:
        if inbox.is_full(core):
            return RESULT_FULL
        entry = inbox.put(core, ENTRY_DONE, event.node, event.invocation)
    else:
        return reject(core, CAUSE_UNKNOWN_PORT)
    entry.a = event.a
    entry.b = event.b
    return RESULT_ACCEPTED


cdef inline int64_t field(tuple event, Py_ssize_t index) except? -1:
    return <object> PyTuple_GET_ITEM(event, index)


cdef int read(object event, Inbound* result) except -1:
    """Reads an `abi.messages.Inbound`. Raises TypeError for anything else, OverflowError beyond 64 bits."""
    cdef tuple fields
    cdef object payload
    if not isinstance(event, tuple) or PyTuple_GET_SIZE(event) != INBOUND_FIELDS:
        raise TypeError("ingest: an Inbound, not " + type(event).__name__)
    fields = <tuple> event
    payload = <object> PyTuple_GET_ITEM(fields, 10)
    if not isinstance(payload, bytes):
        raise TypeError("ingest: payload: bytes, not " + type(payload).__name__)
    result.op = field(fields, 0)
    result.node = field(fields, 1)
    result.port = field(fields, 2)
    result.invocation = field(fields, 3)
    result.epoch = field(fields, 4)
    result.transport_sequence = field(fields, 5)
    result.media_ns = field(fields, 6)
    result.flags = field(fields, 7)
    result.a = field(fields, 8)
    result.b = field(fields, 9)
    result.payload = <const unsigned char*> PyBytes_AS_STRING(payload)
    result.size = PyBytes_GET_SIZE(payload)
    return 0
