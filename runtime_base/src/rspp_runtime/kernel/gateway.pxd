"""`ingest`: what is refused, what waits in the inbox, what goes to edges. Nothing runs yet."""

from libc.stdint cimport int64_t, uint32_t
from libc.string cimport memcpy

from rspp_runtime.kernel cimport context, edges, inbox, invocations, items, outputs, timers
from rspp_runtime.kernel.codes cimport (
    CAUSE_OVERSIZED, CAUSE_SESSION_NOT_RUNNING, CAUSE_UNKNOWN_PORT, IN_CHUNK, IN_MEDIA, RESULT_ACCEPTED, RESULT_FULL,
    RESULT_REFUSED, SESSION_RUNNING,
)
from rspp_runtime.kernel.state cimport (
    ENTRY_EVENT, ENTRY_TEXT, NOTHING, TIMER_CHUNK, Core, Entry, Header, Invocation, bit,
)

cdef enum:
    GOES_ON = -1             # no answer yet


cdef struct Inbound:
    # `abi.messages.Inbound`; the payload is borrowed for the call
    int64_t op
    int64_t node
    int64_t port
    int64_t invocation
    int64_t epoch
    int64_t transport_sequence
    int64_t media_ns
    int64_t flags
    int64_t a
    int64_t b
    const unsigned char* payload
    int64_t size


cdef inline int blocked(Core* core, int64_t node) noexcept nogil:
    """The producer keeps its item until `RESUME`."""
    if invocations.is_node(core, node):
        core.blocked |= bit(<int> node)
    return RESULT_FULL


cdef inline int wait(Core* core, int node) noexcept nogil:
    """An edge would block: the producer is suspended, and is not expected to go on."""
    timers.stop(core, timers.of_node(node, TIMER_CHUNK))
    return blocked(core, node)


cdef inline int media_is_refused(Core* core, Inbound* event, int64_t bytes_max) noexcept nogil:
    if event.size > bytes_max:
        return reject(core, CAUSE_OVERSIZED)
    if core.state != SESSION_RUNNING:
        return reject(core, CAUSE_SESSION_NOT_RUNNING)
    return GOES_ON


cdef inline uint32_t take(Core* core, Inbound* event, int64_t seq, int pool, int64_t turn) noexcept nogil:
    """The input as an item. The caller releases it."""
    cdef uint32_t handle = items.take(core, pool, event.size)
    cdef Header* item
    if handle == NOTHING:
        return handle
    item = &core.headers[handle]
    item.seq = seq
    item.turn = <uint32_t> turn
    item.media_ns = event.media_ns
    item.flags = event.flags
    item.a = event.a
    item.b = event.b
    memcpy(core.payloads + item.offset, event.payload, item.size)
    return handle


cdef inline bint holds_back(Core* core, int edge, int64_t size) noexcept nogil:
    """This edge would block: its producer is told FULL."""
    if not edges.would_block(&core.edges[edge], size):
        return False
    edges.hold_back(core, edge)
    return True


cdef inline int nobody(Core* core) noexcept nogil:
    """An item without edges is taken and forgotten."""
    outputs.next_seq(core)
    return RESULT_ACCEPTED


cdef inline int event(Core* core, Inbound* event, int event_id) noexcept nogil:
    """An output on an event port: it waits in the inbox."""
    cdef Entry* entry
    if inbox.is_full(core):
        return blocked(core, event.node)
    entry = inbox.put(core, ENTRY_EVENT, event.node, event.invocation)
    entry.event = event_id
    entry.a = event.a
    return RESULT_ACCEPTED


cdef inline int typed(Core* core, Inbound* event) noexcept nogil:
    """Typed text: another way to say an utterance, and its end."""
    if not context.fits_join(core, event.size):
        return reject(core, CAUSE_OVERSIZED)
    if inbox.is_full(core):
        return blocked(core, event.node)
    inbox.put(core, ENTRY_TEXT, event.node, 0)
    context.join(core, event.payload, event.size, event.b)
    return RESULT_ACCEPTED


cdef inline void make_marks_absolute(Inbound* event, Invocation* invocation) noexcept nogil:
    """A voice counts from the beginning of its own text; the ledger counts the turn's."""
    if event.a > invocation.fed_bytes:
        event.a = invocation.fed_bytes
    if event.b > invocation.fed_words:
        event.b = invocation.fed_words
    event.a += invocation.base_bytes
    event.b += invocation.base_words


cdef inline void voiced(Inbound* event, Invocation* invocation) noexcept nogil:
    """So much of the invocation's text is audio now. `event.a` is absolute."""
    cdef int64_t until = event.a - invocation.base_bytes
    if until > invocation.voiced:
        invocation.voiced = until


cdef bint is_duplicate(Core* core, Inbound* event) noexcept nogil
cdef void remember(Core* core, int64_t key, int64_t seq) noexcept nogil
cdef int enter(Core* core, Inbound* event) noexcept nogil
cdef int reject(Core* core, int cause) noexcept nogil
cdef int late(Core* core, Inbound* event) noexcept nogil
cdef int other(Core* core, Inbound* event) noexcept nogil
cdef int read(object event, Inbound* result) except -1
