"""A session's block of memory from its first moment to its last, and what `advance` and `stats` answer."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from rspp_runtime.kernel.accounts cimport Spending
from rspp_runtime.kernel.codes cimport SESSION_ENDED, TURN_ACTIVE, TURN_OPENING
from rspp_runtime.kernel.domains cimport Sync
from rspp_runtime.kernel.state cimport Attempts, Circuit, Core, Edge, Node


cdef inline void begin_step(Core* core) noexcept nogil:
    """What happens now has no input of its own, unless it is taken from the inbox."""
    core.input_seq = core.seq
    core.input_epoch = core.epoch


cdef inline bint no_turn(Core* core) noexcept nogil:
    return core.turn.state != TURN_OPENING and core.turn.state != TURN_ACTIVE


cdef void* allocate(size_t size, size_t cleared) except NULL
cdef void release(void* memory) noexcept nogil
cdef void begin(Core* core, int64_t epoch) noexcept nogil
cdef void pool(
    Core* core, int pool_id, uint32_t first, uint32_t slots, uint32_t offset, uint32_t slot_bytes,
) noexcept nogil
cdef Node* effect(
    Core* core, int node_id, bint turn_scoped, int64_t first_output_ns, int64_t chunk_ns,
) noexcept nogil
cdef void tried_again(
    Core* core, int node_id, Attempts* attempts, uint64_t* retained, uint32_t retain_max,
    int candidates, int times, int64_t first_chunk_ns, int64_t backoff_ns, int window, bint context,
) noexcept nogil
cdef void circuits(
    Attempts* attempts, Circuit* circuits, int64_t* errors_ns, int errors_max, int64_t within_ns, int64_t open_ns,
) noexcept nogil
cdef void meter(
    Spending* spending, int meter_id, int64_t calls, int64_t audio_ns, int64_t session_audio_ns,
    int64_t chars, int64_t tokens_in, int64_t tokens_out, int64_t cost,
) noexcept nogil
cdef void price(
    Spending* spending, int meter_id, int64_t* prices, int candidate,
    int64_t call, int64_t minute, int64_t kchar, int64_t ktoken_in, int64_t ktoken_out,
) noexcept nogil
cdef void events(
    Core* core, int node_id, int error, int timeout, int done, int exhausted,
) noexcept nogil
cdef Edge* edge(
    Core* core, int edge_id, int source, int target, uint32_t* ring, uint32_t ring_slots,
    int64_t items_max, int64_t bytes_max, int64_t item_bytes_max,
) noexcept nogil
cdef void synchronised(Edge* edge, Sync* sync, uint64_t peers, bint atomic, bint by_media) noexcept nogil
cdef void on_node_timer(Core* core, int node, int which) noexcept nogil
cdef int64_t next_deadline(Core* core, uint64_t audio_edges) noexcept nogil
cdef int64_t sooner(Core* core, int64_t deadline_ns, int64_t other_ns) noexcept nogil
cdef dict stats(Core* core, int64_t memory_bytes)
cdef int64_t clock(Core* core, object now_ns) except -1
cdef int check(Core* core) except -1
