"""Soft cancels: who is at work may end the segment that it is at (CONTRACTS §5)."""

from libc.stdint cimport int64_t, uint64_t

from rspp_runtime.kernel.cancels cimport Stopping
from rspp_runtime.kernel.ledger cimport Ledger
from rspp_runtime.kernel.state cimport Core, bit


cdef inline bint is_on(Core* core) noexcept nogil:
    """The turn is to end, and somebody ends a segment first."""
    return core.stopping != NULL and core.stopping.turn


cdef inline bint holds(Core* core, int node) noexcept nogil:
    """Nothing is given to the node any more."""
    if core.stopping == NULL:
        return False
    return (core.stopping.at & bit(node)) != 0 or (core.stopping.turn and core.nodes[node].turn_scoped)


cdef inline bint word_is_over(Core* core) noexcept nogil:
    """The word that was being spoken has been sent to its end: nothing more of the turn is heard."""
    cdef Ledger* ledger = &core.ledger
    if ledger.head == ledger.tail:
        return ledger.heard_words >= core.stopping.words_until
    return ledger.entries[(ledger.tail - 1) & ledger.mask].words >= core.stopping.words_until


cdef inline void said(Core* core, int node) noexcept nogil:
    """An output of the node was taken: of one that is to stop, it was the last. A voice ends its word instead."""
    if core.stopping != NULL and not (core.stopping.turn and core.nodes[node].voice):
        core.stopping.over |= core.stopping.at & bit(node)


cdef inline bint silences(Core* core, int port) noexcept nogil:
    """The voice is not soft: nothing of it leaves any more, though its turn is not over yet."""
    return is_on(core) and core.stopping.words_until == 0 and port == core.stopping.port


cdef void lay_out(
    Core* core, Stopping* stopping, uint64_t nodes, uint64_t edges_of, uint64_t audio_edges, int port,
    int64_t max_ns, int timer,
) noexcept nogil
cdef bint begin(Core* core) noexcept nogil
cdef bint cancel_node(Core* core, int node_id, int cause) noexcept nogil
cdef bint step(Core* core) noexcept nogil
cdef void too_long(Core* core) noexcept nogil
cdef void forget(Core* core) noexcept nogil
