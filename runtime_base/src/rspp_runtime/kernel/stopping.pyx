"""Soft cancels: beginning one, and accepting it when the segment has ended."""

from libc.stdint cimport int64_t, uint64_t, uint8_t

from rspp_runtime.kernel cimport attempts, edges, invocations, outputs, pauses, reports, timers, turns
from rspp_runtime.kernel.cancels cimport Stopping
from rspp_runtime.kernel.codes cimport (
    CANCEL_MODE_SOFT, SCOPE_NODE, SIGNAL_CANCEL, SIGNAL_CANCEL_PENDING, TURN_ACTIVE,
)
from rspp_runtime.kernel.state cimport TIMER_CHUNK, TIMER_FIRST, Core, Node, Output, bit, lowest


cdef void lay_out(
    Core* core, Stopping* stopping, uint64_t nodes, uint64_t edges_of, uint64_t audio_edges, int port,
    int64_t max_ns, int timer,
) noexcept nogil:
    """What a pipeline needs of which a node ends its segment when it is cancelled."""
    core.stopping = stopping
    stopping.nodes = nodes
    stopping.edges = edges_of
    stopping.audio_edges = audio_edges
    stopping.port = port
    stopping.max_ns = max_ns
    stopping.timer = timer


cdef bint is_working(Core* core, int node_id) noexcept nogil:
    """From its first input on, a node is at a segment."""
    cdef Node* node = &core.nodes[node_id]
    return node.ending.id != 0 or (node.live.id != 0 and node.live.fed)


cdef void ask(Core* core, int node_id) noexcept nogil:
    """The node's next output is its last, and nobody tries again."""
    core.stopping.at |= bit(node_id)
    core.stopping.over &= ~bit(node_id)
    attempts.let_go(core, node_id)
    timers.stop(core, timers.of_node(node_id, TIMER_CHUNK))
    if not core.nodes[node_id].recogniser:
        timers.stop(core, timers.of_node(node_id, TIMER_FIRST))


cdef void pending(Core* core, int cause, int node) noexcept nogil:
    """The cancel is asked for; it is accepted by the deadline at the latest."""
    if not timers.is_on(core, core.stopping.timer):
        timers.start(core, core.stopping.timer, core.now_ns + core.stopping.max_ns)
    outputs.decide(core, SIGNAL_CANCEL_PENDING, cause, node, core.timers[core.stopping.timer], 0)


cdef void stop_timer(Core* core) noexcept nogil:
    """Nobody is awaited any more."""
    if core.stopping.at == 0 and not core.stopping.turn:
        timers.stop(core, core.stopping.timer)


cdef bint begin(Core* core) noexcept nogil:
    """Stops all that need not finish anything. False if nobody has a segment to end: then the cancel is hard."""
    cdef Stopping* stopping = core.stopping
    cdef uint64_t rest, working
    cdef int node_id
    cdef bint speaks
    if stopping == NULL or pauses.holds(core) or core.turn.evidence:
        return False
    speaks = (stopping.nodes & core.speech_nodes) != 0 and core.turn.playing and reports.sounds(core)
    working = 0
    rest = stopping.nodes & core.turn_nodes
    while rest != 0:
        node_id = lowest(rest)
        rest &= rest - 1
        if core.nodes[node_id].voice:
            if speaks and (core.nodes[node_id].live.id != 0 or core.nodes[node_id].ending.id != 0):
                working |= bit(node_id)
        elif is_working(core, node_id):
            working |= bit(node_id)
    if working == 0 and not speaks:
        return False
    stopping.turn = True
    core.turn.waiting = False
    stopping.words_until = reports.word_that_plays(core) if speaks else 0
    rest = core.turn_edges & ~stopping.edges
    while rest != 0:
        edges.flush(core, lowest(rest))
        rest &= rest - 1
    rest = core.turn_nodes & core.effects
    while rest != 0:
        node_id = lowest(rest)
        rest &= rest - 1
        if working & bit(node_id):
            ask(core, node_id)
            stopping.by_node &= ~bit(node_id)
        else:
            invocations.cancel_all(core, node_id)
    if not speaks:
        turns.stop_playback(core)
    pending(core, core.turn.cancel_cause, -1)
    return True


cdef bint cancel_node(Core* core, int node_id, int cause) noexcept nogil:
    """A cancel of scope node. False if the node has no segment to end: then it is hard."""
    cdef Stopping* stopping = core.stopping
    if stopping == NULL or not stopping.nodes & bit(node_id) or not is_working(core, node_id):
        return False
    if stopping.at & bit(node_id):
        return True
    ask(core, node_id)
    stopping.by_node |= bit(node_id)
    stopping.causes[node_id] = <uint8_t> cause
    pending(core, cause, node_id)
    return True


cdef bint step(Core* core) noexcept nogil:
    """Stops one node whose segment is over, or accepts the turn's cancel when all are. True if there was something."""
    cdef Stopping* stopping = core.stopping
    cdef uint64_t rest = stopping.at
    cdef uint64_t waits
    cdef int node_id
    cdef bint gone, silent
    cdef Output* decision
    while rest != 0:
        node_id = lowest(rest)
        rest &= rest - 1
        gone = core.nodes[node_id].live.id == 0 and core.nodes[node_id].ending.id == 0
        silent = stopping.turn and core.nodes[node_id].voice and word_is_over(core)
        if not (gone or silent or stopping.over & bit(node_id)):
            continue
        if not gone and stopping.by_node & bit(node_id):
            decision = outputs.decide(
                core, SIGNAL_CANCEL, stopping.causes[node_id], node_id, SCOPE_NODE, node_id,
            )
            decision.port = CANCEL_MODE_SOFT
        stopping.at &= ~bit(node_id)
        stop_timer(core)
        if not gone:
            invocations.cancel_all(core, node_id)
        return True
    if not stopping.turn or core.turn.state != TURN_ACTIVE or stopping.at & core.turn_nodes:
        return False
    waits = core.waiting_edges & stopping.edges
    if word_is_over(core):
        waits &= ~stopping.audio_edges
    if waits != 0 or (core.turn.playing and reports.sounds(core)):
        return False
    turns.accept_cancel(core)
    return True


cdef void too_long(Core* core) noexcept nogil:
    """The segment had its time."""
    core.stopping.over |= core.stopping.at
    if core.stopping.turn:
        turns.cancel(core, core.turn.cancel_cause)


cdef void forget(Core* core) noexcept nogil:
    """The turn is over: what is left to stop is the session's."""
    if core.stopping == NULL:
        return
    core.stopping.turn = False
    core.stopping.at &= ~core.turn_nodes
    stop_timer(core)
