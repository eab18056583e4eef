"""A session's block of memory."""

from libc.stdint cimport int64_t, uint32_t, uint64_t, uint8_t
from libc.stdlib cimport free
from libc.string cimport memset

from rspp_runtime.kernel.accounts cimport PRICES, Key, Meter, Spending
from rspp_runtime.kernel.budgets cimport Path, Paths
from rspp_runtime.kernel.callers cimport Calling
from rspp_runtime.kernel cimport awaited, egress, invocations, outputs, pauses, reports, timers
from rspp_runtime.kernel.attempts cimport budget_is_over, is_backing_off
from rspp_runtime.kernel.cancels cimport Pause, Stopping
from rspp_runtime.kernel.domains cimport Sync
from rspp_runtime.kernel.codes cimport CAUSE_BUDGET_EXHAUSTED, SESSION_CREATED, SIGNAL_BUDGET_EXHAUSTED, TURN_IDLE
from rspp_runtime.kernel.codes cimport (
    UNIT_AUDIO_NS, UNIT_CALLS, UNIT_CHARS, UNIT_COST, UNIT_SESSION_AUDIO_NS, UNIT_TOKENS_IN, UNIT_TOKENS_OUT,
)
from rspp_runtime.kernel.happened cimport Apologies, Happened, Speech
from rspp_runtime.kernel.joins cimport Join
from rspp_runtime.kernel.ledger cimport Played
from rspp_runtime.kernel.letters cimport Letters
from rspp_runtime.kernel.state cimport (
    NO_KEY, NOTHING, OFF, TIMER_CHUNK, TIMER_FIRST, TIMER_GRACE, Attempts, Circuit, Core, Edge, Entry, Header,
    Message, Node, Output, Pool, bit,
)
from rspp_runtime.kernel.timed cimport Keys

cdef extern from "stdlib.h" nogil:
    void* aligned_alloc(size_t alignment, size_t size)

cdef enum:
    CACHE_LINE = 64

cdef int64_t blocks_allocated = 0
cdef int64_t blocks_released = 0


def live_blocks() -> int:
    """Sessions of this process whose memory has not been released: what is open, and nothing else."""
    return blocks_allocated - blocks_released


cdef void* allocate(size_t size, size_t cleared) except NULL:
    """The one block of a session. Only its first `cleared` bytes are touched: pages of items come when used."""
    cdef void* memory = aligned_alloc(CACHE_LINE, (size + CACHE_LINE - 1) // CACHE_LINE * CACHE_LINE)
    if memory == NULL:
        raise MemoryError("no memory for a session of " + str(size) + " bytes")
    memset(memory, 0, cleared)
    global blocks_allocated
    blocks_allocated += 1
    return memory


cdef void release(void* memory) noexcept nogil:
    global blocks_released
    blocks_released += memory != NULL
    free(memory)


cdef void begin(Core* core, int64_t epoch) noexcept nogil:
    """The state before the first input. The generated package has set what its plan says."""
    cdef int slot
    core.epoch = epoch
    core.state = SESSION_CREATED
    core.turn.state = TURN_IDLE
    core.next_timer_ns = OFF
    core.ledger.reported_ns = -1
    for slot in range(core.timers_count):
        core.timers[slot] = OFF


cdef void pool(
    Core* core, int pool_id, uint32_t first, uint32_t slots, uint32_t offset, uint32_t slot_bytes,
) noexcept nogil:
    """Lays out a pool: `slots` headers from handle `first`, payloads from `offset`."""
    cdef Pool* pool = &core.pools[pool_id]
    pool.free = NOTHING
    pool.fresh = first
    pool.first = first
    pool.end = first + slots
    pool.offset = offset
    pool.slot_bytes = slot_bytes


cdef Node* effect(
    Core* core, int node_id, bint turn_scoped, int64_t first_output_ns, int64_t chunk_ns,
) noexcept nogil:
    """Lays out an effect node."""
    cdef Node* node = &core.nodes[node_id]
    node.effect = True
    node.turn_scoped = turn_scoped
    node.first_output_ns = first_output_ns
    node.chunk_ns = chunk_ns
    core.effects |= bit(node_id)
    return node


cdef void tried_again(
    Core* core, int node_id, Attempts* attempts, uint64_t* retained, uint32_t retain_max,
    int candidates, int times, int64_t first_chunk_ns, int64_t backoff_ns, int window, bint context,
) noexcept nogil:
    """Lays out what an effect node needs to be tried again, or at other providers."""
    core.nodes[node_id].attempts = attempts
    core.retries |= bit(node_id)
    attempts.retained = retained
    attempts.retain_max = retain_max
    attempts.candidates = candidates
    attempts.high = candidates
    attempts.allowed = <uint64_t> -1
    attempts.times = times
    attempts.first_chunk_ns = first_chunk_ns
    attempts.backoff_ns = backoff_ns
    attempts.window = <uint8_t> window
    attempts.context = context


cdef void circuits(
    Attempts* attempts, Circuit* circuits, int64_t* errors_ns, int errors_max, int64_t within_ns, int64_t open_ns,
) noexcept nogil:
    """Lays out its circuit breakers, one for each provider."""
    cdef int candidate
    attempts.circuits = circuits
    attempts.errors_max = errors_max
    attempts.within_ns = within_ns
    attempts.open_ns = open_ns
    for candidate in range(attempts.candidates):
        circuits[candidate].errors_ns = errors_ns + candidate * errors_max


cdef void meter(
    Spending* spending, int meter_id, int64_t calls, int64_t audio_ns, int64_t session_audio_ns,
    int64_t chars, int64_t tokens_in, int64_t tokens_out, int64_t cost,
) noexcept nogil:
    """Lays out what a block of providers may use."""
    cdef int64_t* limits = spending.meters[meter_id].limits
    limits[UNIT_CALLS] = calls
    limits[UNIT_AUDIO_NS] = audio_ns
    limits[UNIT_SESSION_AUDIO_NS] = session_audio_ns
    limits[UNIT_CHARS] = chars
    limits[UNIT_TOKENS_IN] = tokens_in
    limits[UNIT_TOKENS_OUT] = tokens_out
    limits[UNIT_COST] = cost


cdef void price(
    Spending* spending, int meter_id, int64_t* prices, int candidate,
    int64_t call, int64_t minute, int64_t kchar, int64_t ktoken_in, int64_t ktoken_out,
) noexcept nogil:
    """What one of its providers charges, in micro-dollars."""
    cdef int64_t* own = prices + candidate * PRICES
    spending.meters[meter_id].prices = prices
    spending.meters[meter_id].priced = candidate + 1
    own[0] = call
    own[1] = minute
    own[2] = kchar
    own[3] = ktoken_in
    own[4] = ktoken_out


cdef void events(
    Core* core, int node_id, int error, int timeout, int done, int exhausted,
) noexcept nogil:
    """The events that every node has."""
    cdef Node* node = &core.nodes[node_id]
    node.event_error = error
    node.event_timeout = timeout
    node.event_done = done
    node.event_exhausted = exhausted


cdef Edge* edge(
    Core* core, int edge_id, int source, int target, uint32_t* ring, uint32_t ring_slots,
    int64_t items_max, int64_t bytes_max, int64_t item_bytes_max,
) noexcept nogil:
    """Lays out an edge."""
    cdef Edge* edge = &core.edges[edge_id]
    edge.ring = ring
    edge.mask = ring_slots - 1
    edge.items_max = items_max
    edge.resume_items = items_max - items_max // 4
    edge.bytes_max = bytes_max
    edge.item_bytes_max = item_bytes_max
    core.nodes[source].edges_out |= bit(edge_id)
    core.nodes[target].edges_in |= bit(edge_id)
    return edge


cdef void synchronised(Edge* edge, Sync* sync, uint64_t peers, bint atomic, bint by_media) noexcept nogil:
    """Lays out what an edge of a sync domain knows of the others."""
    edge.sync = sync
    sync.fallen = NO_KEY
    sync.gone = NO_KEY
    sync.peers = peers
    sync.atomic = atomic
    sync.by_media = by_media


cdef void on_node_timer(Core* core, int node, int which) noexcept nogil:
    """A deadline of an effect node has passed: for its first output, for the next one, or for its end."""
    cdef bint exhausted, mute
    if which == TIMER_GRACE:
        invocations.force(core, node)
        return
    if which == TIMER_CHUNK and is_backing_off(core, node):
        core.nodes[node].attempts.backing_off = False
        return
    mute = 0 < core.nodes[node].speak_due_ns <= core.now_ns
    exhausted = which == TIMER_FIRST and not mute and not awaited.is_tool(core, node) and budget_is_over(core, node)
    if exhausted:
        outputs.decide(core, SIGNAL_BUDGET_EXHAUSTED, CAUSE_BUDGET_EXHAUSTED, node, 0, node)
    invocations.late(core, node, exhausted)


cdef int64_t next_deadline(Core* core, uint64_t audio_edges) noexcept nogil:
    """When `advance` has something to do again: a timer, the next frame to send, or the end of playback; or -1."""
    cdef int64_t deadline = timers.earliest(core)
    cdef int64_t cursor = core.ledger.cursor_ns
    cdef bint waits = (core.waiting_edges & audio_edges) != 0 or pauses.unsent(core) > 0
    if waits and not pauses.is_on(core) and egress.is_ahead(core) and core.state != SESSION_ENDED:
        deadline = min(deadline, cursor - core.lead_ns)
    deadline = reports.wakes_ns(core, deadline)
    if deadline == OFF:
        return -1
    return max(deadline, core.now_ns)


cdef int64_t sooner(Core* core, int64_t deadline_ns, int64_t other_ns) noexcept nogil:
    """The earlier of a deadline, -1 for none, and another moment, `OFF` for none."""
    if other_ns == OFF:
        return deadline_ns
    return other_ns if deadline_ns < 0 else min(deadline_ns, other_ns)


cdef dict stats(Core* core, int64_t memory_bytes):
    """Counters, by the names of `abi.messages.Session.stats`."""
    cdef dict counters = {
        "memory_bytes": memory_bytes,
        "runtime_sequence": core.seq,
        "turns": core.turn.serial,
        "invocations": core.invocations,
        "refused_outputs": core.refused_outputs,
        "flushed_items": core.flushed_items,
    }
    cdef int edge
    for edge in range(core.edges_count):
        counters["edge.%d.high" % edge] = core.edges[edge].high
        counters["edge.%d.dropped" % edge] = core.edges[edge].dropped
        counters["edge.%d.merged" % edge] = core.edges[edge].merged
    return counters


cdef int64_t clock(Core* core, object now_ns) except -1:
    """The driver's clock: nanoseconds since the session began. Raises ValueError if it goes back."""
    cdef int64_t now = now_ns
    if now < core.now_ns:
        raise ValueError("now_ns: %d is before %d: the clock of a session never goes back" % (now, core.now_ns))
    core.now_ns = now
    return now


cdef int check(Core* core) except -1:
    """Raises RuntimeError if a bound that the compiler promised did not hold. Memory is intact, the session is not."""
    if core.fault:
        raise RuntimeError("a bound of the plan did not hold (outputs of a step, slots of a pool): close the session")
    return 0


def struct_sizes() -> dict[str, int]:
    """sizeof of every struct of which a session has one for each of something; the compiler repeats them."""
    return {
        "Core": sizeof(Core),
        "Node": sizeof(Node),
        "Edge": sizeof(Edge),
        "Pool": sizeof(Pool),
        "Header": sizeof(Header),
        "Output": sizeof(Output),
        "Entry": sizeof(Entry),
        "Played": sizeof(Played),
        "Key": sizeof(Key),
        "Message": sizeof(Message),
        "Attempts": sizeof(Attempts),
        "Circuit": sizeof(Circuit),
        "Join": sizeof(Join),
        "Pause": sizeof(Pause),
        "Stopping": sizeof(Stopping),
        "Happened": sizeof(Happened),
        "Speech": sizeof(Speech),
        "Keys": sizeof(Keys),
        "Letters": sizeof(Letters),
        "Apologies": sizeof(Apologies),
        "Sync": sizeof(Sync),
        "Meter": sizeof(Meter),
        "Spending": sizeof(Spending),
        "Calling": sizeof(Calling),
        "Path": sizeof(Path),
        "Paths": sizeof(Paths),
    }
