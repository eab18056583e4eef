"""Merges and selects: which of the flows into a node goes next (docs/kernel.md, Joins)."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from rspp_runtime.kernel cimport edges, outputs
from rspp_runtime.kernel.codes cimport CAUSE_NOT_SELECTED, SESSION_ENDED, SIGNAL_SELECTED
from rspp_runtime.kernel.state cimport OFF, Core, Header, bit


cdef void lay_out(
    Join* join, const int32_t* sources, int count, int rule, int field, uint64_t waits_for, int64_t within_ns,
) noexcept nogil:
    join.sources = sources
    join.count = count
    join.rule = <uint8_t> rule
    join.field = <uint8_t> field
    join.waits_for = waits_for
    join.within_ns = within_ns
    join.chosen = -1


cdef void begin_round(Core* core, Join* join, int node) noexcept nogil:
    """A round of a turn-scoped node is its turn; a choice outside of turns holds while its flow goes on."""
    if core.turn_nodes & bit(node):
        if join.turn != core.turn.serial:
            join.turn = core.turn.serial
            join.place = 0
            join.chosen = -1
            join.over = False
    elif join.chosen >= 0 and core.now_ns - join.last_ns > join.within_ns:
        join.chosen = -1


cdef inline int source(Join* join, int step) noexcept nogil:
    """The edge that counts at this step, from the one whose turn it is."""
    return join.sources[(join.place + step) % join.count]


cdef inline bint holds(Core* core, int edge) noexcept nogil:
    return (core.waiting_edges & bit(edge)) != 0 and edges.is_on(core, edge)


cdef int64_t oldest(Core* core, Join* join) noexcept nogil:
    """When the first of the waiting heads came; `OFF` if nothing waits."""
    cdef int64_t first = OFF
    cdef int step, edge
    for step in range(join.count):
        edge = join.sources[step]
        if holds(core, edge):
            first = min(first, edges.head(core, &core.edges[edge]).at_ns)
    return first


cdef bint others_may_come(Core* core, Join* join) noexcept nogil:
    """An empty flow could still bring what goes before: any other, or the one whose turn it is."""
    cdef int step, edge
    if join.over or join.waits_for == 0:
        return False
    for step in range(join.count):
        edge = source(join, step)
        if holds(core, edge):
            if join.rule == RULE_ROUND_ROBIN:
                return False
        elif (join.waits_for & bit(edge)) != 0 and edges.is_on(core, edge):
            return True
    return False


cdef bint waits(Core* core, Join* join) noexcept nogil:
    """What is there has to wait for others."""
    if not others_may_come(core, join):
        return False
    return join.within_ns == 0 or core.now_ns < oldest(core, join) + join.within_ns


cdef inline int64_t stamp(Header* item) noexcept nogil:
    """The media time; of an item without, the time at which it came."""
    return item.media_ns if item.media_ns > 0 else item.at_ns


cdef inline int64_t compared(Join* join, Header* item) noexcept nogil:
    """The field that `highest` compares."""
    if join.field == FIELD_WORDS:
        return item.b
    return item.size if join.field == FIELD_LENGTH else 0


cdef inline bint goes_before(Join* join, Header* one, Header* other) noexcept nogil:
    """An item goes before another that counts first."""
    if join.rule == RULE_TIMESTAMP:
        return stamp(one) < stamp(other)
    if join.rule == RULE_FIRST:
        return one.at_ns < other.at_ns
    if join.rule == RULE_HIGHEST:
        return compared(join, one) > compared(join, other)
    return False


cdef int next_edge(Core* core, Join* join) noexcept nogil:
    """The flow that goes next; -1 if there is nothing, or others are waited for."""
    cdef int found = -1
    cdef int step, edge
    if waits(core, join):
        return -1
    for step in range(join.count):
        edge = source(join, step)
        if holds(core, edge) and (found < 0 or goes_before(
            join, edges.head(core, &core.edges[edge]), edges.head(core, &core.edges[found]),
        )):
            found = edge
    return found


cdef bint is_next(Core* core, Join* join, int node, int edge) noexcept nogil:
    """The head of this edge is next: because it goes through, or because another flow was chosen."""
    begin_round(core, join, node)
    if join.chosen >= 0:
        return True
    return next_edge(core, join) == edge


cdef void shed(Core* core, int edge) noexcept nogil:
    """Another flow was chosen: what waits here is dropped."""
    edges.drop_all(core, edge, CAUSE_NOT_SELECTED)
    edges.moved(core, edge)


cdef void took(Core* core, Join* join, int node, int edge, uint32_t handle) noexcept nogil:
    """The item goes on: it may be the first of the flow that is chosen."""
    cdef int place = 0
    while join.sources[place] != edge:
        place += 1
    if join.rule == RULE_ROUND_ROBIN:
        join.place = (place + 1) % join.count
    elif join.rule >= RULE_FIRST:
        if join.chosen < 0:
            join.chosen = place
            outputs.decide(core, SIGNAL_SELECTED, 0, node, edge, compared(join, &core.headers[handle]))
        join.last_ns = core.now_ns


cdef bint end_input(Core* core, Join* join, int node) noexcept nogil:
    """Nothing more comes: what waits need not wait for others. True if that is news."""
    begin_round(core, join, node)
    if join.over or (core.waiting_edges & core.nodes[node].edges_in & ~core.edges_off) == 0:
        return False
    join.over = True
    return True


cdef int64_t patience(Core* core, Join* join, int node) noexcept nogil:
    """When it stops waiting for others; `OFF` if it does not wait for a time."""
    if join.within_ns == 0 or core.state == SESSION_ENDED or join.chosen >= 0:
        return OFF
    if (core.waiting_edges & core.nodes[node].edges_in & ~core.edges_off) == 0 or not waits(core, join):
        return OFF
    return oldest(core, join) + join.within_ns
