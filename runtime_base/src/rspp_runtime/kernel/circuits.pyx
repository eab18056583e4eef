"""Circuit breakers: a provider that keeps failing is left alone for a while, then tried once."""

from libc.stdint cimport int64_t, uint64_t

from rspp_runtime.kernel cimport outputs
from rspp_runtime.kernel.codes cimport (
    CAUSE_PROBE_ANSWERED, CAUSE_PROBE_DUE, CIRCUIT_CLOSED, CIRCUIT_HALF_OPEN, CIRCUIT_OPEN,
    OUTCOME_INFRASTRUCTURE_FAILURE, OUTCOME_OVERLOAD, OUTCOME_TIMEOUT, SIGNAL_CIRCUIT_EVENT,
)
from rspp_runtime.kernel.state cimport Attempts, Circuit, Core, Invocation, bit, lowest


cdef inline Circuit* breaker(Core* core, int node_id, int64_t candidate) noexcept nogil:
    """That of one provider; NULL if it has none."""
    cdef Attempts* attempts = core.nodes[node_id].attempts
    if attempts == NULL or attempts.circuits == NULL:
        return NULL
    return &attempts.circuits[candidate]


cdef void close_all(Core* core, int node_id) noexcept nogil:
    """Nothing is known about any of its providers."""
    cdef Attempts* attempts = core.nodes[node_id].attempts
    cdef Circuit* circuit
    cdef int candidate
    if attempts == NULL or attempts.circuits == NULL:
        return
    for candidate in range(attempts.candidates):
        circuit = &attempts.circuits[candidate]
        circuit.state = CIRCUIT_CLOSED
        circuit.until_ns = 0
        circuit.probe = 0
        circuit.first = 0
        circuit.count = 0


cdef void say(Core* core, int node_id, int64_t invocation, int64_t candidate, int state, int cause) noexcept nogil:
    """CIRCUIT_EVENT."""
    outputs.decide_of(core, SIGNAL_CIRCUIT_EVENT, cause, node_id, 0, invocation, candidate, state)


cdef bint allows(Core* core, int node_id, int candidate) noexcept nogil:
    """An attempt may begin at this provider now."""
    cdef Circuit* circuit = breaker(core, node_id, candidate)
    if circuit == NULL or circuit.state == CIRCUIT_CLOSED:
        return True
    if circuit.state == CIRCUIT_HALF_OPEN:
        return circuit.probe == 0
    return core.now_ns >= circuit.until_ns


cdef int first_offered(Core* core, int node_id, int* end) noexcept nogil:
    """The first provider that policy and mode leave a node with `attempts`; `end`, where they end, if there is none."""
    cdef Attempts* attempts = core.nodes[node_id].attempts
    cdef int row = 2 * (core.policy * core.modes_count + core.mode)
    cdef int low = 0
    end[0] = attempts.candidates
    if attempts.ranges != NULL:
        low = attempts.ranges[row]
        end[0] = low + attempts.ranges[row + 1]
    while low < end[0] and not attempts.allowed & bit(low):
        low += 1
    return low


cdef int offered(Core* core, int node_id) noexcept nogil:
    """The first of the providers that a new call may be tried at: those behind `high` are not its own."""
    cdef Attempts* attempts = core.nodes[node_id].attempts
    cdef int low
    cdef int end
    if attempts == NULL:
        return 0
    low = first_offered(core, node_id, &end)
    attempts.high = end
    return low


cdef bint is_possible(Core* core) noexcept nogil:
    """Every node has a provider."""
    cdef uint64_t rest = core.retries
    cdef int end
    while rest != 0:
        if first_offered(core, lowest(rest), &end) == end:
            return False
        rest &= rest - 1
    return True


cdef int choose(Core* core, int node_id, int first) noexcept nogil:
    """The first provider from `first` on that may be tried; -1 if there is none."""
    cdef Attempts* attempts = core.nodes[node_id].attempts
    cdef int candidate
    if attempts == NULL:
        return 0 if first == 0 else -1
    for candidate in range(first, attempts.high):
        if attempts.allowed & bit(candidate) and allows(core, node_id, candidate):
            return candidate
    return -1


cdef void begins(Core* core, int node_id, Invocation* invocation) noexcept nogil:
    """An attempt begins: at a provider that was left alone it is the probe."""
    cdef Circuit* circuit = breaker(core, node_id, invocation.candidate)
    if circuit == NULL or circuit.state == CIRCUIT_CLOSED:
        return
    if circuit.state == CIRCUIT_OPEN:
        circuit.state = CIRCUIT_HALF_OPEN
        say(core, node_id, invocation.id, invocation.candidate, CIRCUIT_HALF_OPEN, CAUSE_PROBE_DUE)
    circuit.probe = invocation.id


cdef void works(Core* core, int node_id, int64_t invocation, int64_t candidate) noexcept nogil:
    """An attempt had its first output, or its success: the provider of a probe works again."""
    cdef Circuit* circuit = breaker(core, node_id, candidate)
    if circuit == NULL or circuit.probe != invocation:
        return
    circuit.state = CIRCUIT_CLOSED
    circuit.probe = 0
    say(core, node_id, invocation, candidate, CIRCUIT_CLOSED, CAUSE_PROBE_ANSWERED)


cdef bint count(Core* core, int node_id, int64_t invocation, int64_t candidate, int64_t outcome) noexcept nogil:
    """Counts a failure; whether the circuit opens by it. A request that was blocked says nothing about the provider."""
    cdef Circuit* circuit = breaker(core, node_id, candidate)
    cdef Attempts* attempts = core.nodes[node_id].attempts
    cdef bint was_probe
    if circuit == NULL:
        return False
    was_probe = circuit.probe == invocation
    if was_probe:
        circuit.probe = 0
    if outcome != OUTCOME_TIMEOUT and outcome != OUTCOME_OVERLOAD and outcome != OUTCOME_INFRASTRUCTURE_FAILURE:
        return False
    if circuit.state == CIRCUIT_CLOSED:
        while circuit.count > 0 and core.now_ns - circuit.errors_ns[circuit.first] > attempts.within_ns:
            circuit.first = (circuit.first + 1) % attempts.errors_max
            circuit.count -= 1
        circuit.errors_ns[(circuit.first + circuit.count) % attempts.errors_max] = core.now_ns
        circuit.count += 1
        if circuit.count < attempts.errors_max:
            return False
    elif not was_probe:
        return False
    circuit.state = CIRCUIT_OPEN
    circuit.until_ns = core.now_ns + attempts.open_ns
    circuit.count = 0
    return True


cdef void opened(Core* core, int node_id, int64_t invocation, int64_t candidate, int cause) noexcept nogil:
    """Says that it opened."""
    say(core, node_id, invocation, candidate, CIRCUIT_OPEN, cause)


cdef void cancelled(Core* core, int node_id, int64_t invocation, int64_t candidate) noexcept nogil:
    """A probe that was cancelled has found out nothing: the next attempt is one."""
    cdef Circuit* circuit = breaker(core, node_id, candidate)
    if circuit != NULL and circuit.probe == invocation:
        circuit.probe = 0
