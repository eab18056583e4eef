"""Caps and budgets of cost: what providers use is counted before they use it."""

from libc.stdint cimport int64_t

from rspp_runtime.kernel.accounts cimport PRICES, Meter, Spending
from rspp_runtime.kernel cimport events, gateway, invocations, outputs
from rspp_runtime.kernel.codes cimport (
    CAUSE_BUDGET_EXHAUSTED, CAUSE_OVERSIZED, CAUSE_UNKNOWN_PORT, RESULT_ACCEPTED, RESULT_REFUSED,
    SIGNAL_BUDGET_EXHAUSTED, TURN_ACTIVE, UNIT_AUDIO_NS, UNIT_CALLS, UNIT_COST, UNIT_SESSION_AUDIO_NS,
    UNIT_TOKENS_OUT, UNIT_TURN_COST,
)
from rspp_runtime.kernel.state cimport END_BUDGET, Core, Invocation, Node, bit, lowest

cdef extern from *:
    """
    static inline int64_t rspp_share(int64_t amount, int64_t price, int64_t each) {
        return (int64_t) (((__int128) amount * price * 1000 + each - 1) / each);
    }
    """
    int64_t share "rspp_share"(int64_t amount, int64_t price, int64_t each) nogil

cdef enum:
    UNITS = 9
    FIRST_STAMPED = UNIT_AUDIO_NS
    LAST_STAMPED = UNIT_TOKENS_OUT
    THOUSAND = 1000

cdef int64_t AMOUNT_MAX = 1 << 32
cdef int64_t MINUTE_NS = 60_000_000_000


cdef int64_t cost(Meter* meter, int64_t candidate, int unit, int64_t amount) noexcept nogil:
    """Thousandths of a micro-dollar, rounded up."""
    cdef int64_t* prices = meter.prices
    if prices == NULL or candidate >= meter.priced:
        return 0
    prices += candidate * PRICES
    if unit == UNIT_CALLS:
        return amount * prices[0] * THOUSAND
    if unit == UNIT_AUDIO_NS:
        return share(amount, prices[1], MINUTE_NS)
    return share(amount, prices[unit], THOUSAND)     # characters and tokens stand in the order of their units


cdef bint passes(Meter* meter, int unit, int64_t amount) noexcept nogil:
    """This much more would pass the cap."""
    return meter.limits[unit] > 0 and meter.used[unit] + amount > meter.limits[unit]


cdef int over(
    Core* core, Meter* meter, int64_t candidate, int unit, int64_t amount, int64_t charged,
) noexcept nogil:
    """The first cap that this much more would pass; 0 for none. `charged` is the amount that is paid for."""
    cdef int64_t price = cost(meter, candidate, unit, charged)
    cdef Spending* spending = core.spending
    if passes(meter, unit, amount):
        return unit
    if unit == UNIT_AUDIO_NS and passes(meter, UNIT_SESSION_AUDIO_NS, amount):
        return UNIT_SESSION_AUDIO_NS
    if passes(meter, UNIT_COST, price):
        return UNIT_COST
    if spending.budget > 0 and spending.used + price > spending.budget:
        return UNIT_TURN_COST
    return 0


cdef void count(Core* core, Meter* meter, int64_t candidate, int unit, int64_t amount, int64_t charged) noexcept nogil:
    cdef int64_t price = cost(meter, candidate, unit, charged)
    meter.used[unit] += amount
    if unit == UNIT_AUDIO_NS:
        meter.used[UNIT_SESSION_AUDIO_NS] += amount
    meter.used[UNIT_COST] += price
    core.spending.used += price


cdef void reached(Core* core, int node_id, int64_t invocation, int unit) noexcept nogil:
    """BUDGET_EXHAUSTED: until the turn has closed, the block's nodes begin nothing."""
    outputs.decide_of(
        core, SIGNAL_BUDGET_EXHAUSTED, CAUSE_BUDGET_EXHAUSTED, node_id, 0, invocation, unit,
        -3 if unit == UNIT_TURN_COST else node_id,
    )
    core.nodes[node_id].meter.spent = True
    if unit == UNIT_TURN_COST and core.turn.state == TURN_ACTIVE:
        core.turn.ends |= END_BUDGET


cdef void act(Core* core, int node_id, int64_t invocation, int unit, bint gained) noexcept nogil:
    """What the pipeline says about it; if it says nothing, a node that has had nothing at all fails."""
    cdef Node* node = &core.nodes[node_id]
    if unit == UNIT_TURN_COST and core.turn.state == TURN_ACTIVE:
        return               # the turn ends
    events.of_node(core, node_id, 0, False, -1)
    core.happened.cause = CAUSE_BUDGET_EXHAUSTED
    if not core.react(core, node.event_exhausted) and not gained:
        invocations.overspent(core, node_id, invocation)


cdef int use(Core* core, Inbound* event) noexcept nogil:
    """Counts what an invocation is about to use; REFUSED, and it must not, where a cap would be passed."""
    cdef int node_id = <int> event.node
    cdef int unit = <int> event.port
    cdef Invocation* invocation
    cdef Node* node
    cdef bint gives
    cdef int limit
    if not invocations.is_effect(core, event.node) or not FIRST_STAMPED <= event.port <= LAST_STAMPED:
        return gateway.reject(core, CAUSE_UNKNOWN_PORT)
    if not 0 <= event.a <= AMOUNT_MAX:
        return gateway.reject(core, CAUSE_OVERSIZED)
    node = &core.nodes[node_id]
    invocation = invocations.find(core, node_id, event.invocation)
    gives = unit == UNIT_TOKENS_OUT or (unit == UNIT_AUDIO_NS and node.voice)
    if invocation == NULL or invocation.over_output or (invocation.over_input and not gives):
        return RESULT_REFUSED
    if node.meter != NULL:
        limit = over(core, node.meter, invocation.candidate, unit, event.a, event.a)
        if limit != 0:
            reached(core, node_id, invocation.id, limit)
            invocation.exhausted = limit
            if gives:
                invocation.over_output = True
            else:
                invocation.over_input = True
            core.spending.exhausted |= bit(node_id)
            return RESULT_REFUSED
        count(core, node.meter, invocation.candidate, unit, event.a, event.a)
        invocation.metered = True
    outputs.next_seq(core)
    return RESULT_ACCEPTED


cdef bint may_begin(Core* core, int node_id, int candidate) noexcept nogil:
    """Counts a call that is about to begin. Where a cap would be passed: tells, and does as the pipeline says."""
    cdef Meter* meter = core.nodes[node_id].meter
    cdef int limit
    if meter == NULL:
        return True
    limit = over(core, meter, candidate, UNIT_CALLS, 1, 1)
    if limit == 0:
        count(core, meter, candidate, UNIT_CALLS, 1, 1)
        return True
    reached(core, node_id, 0, limit)
    act(core, node_id, 0, limit, False)
    return False


cdef bint may_try_again(Core* core, int node_id, int candidate) noexcept nogil:
    """Another attempt of the same call can be paid for."""
    cdef Meter* meter = core.nodes[node_id].meter
    return meter == NULL or (not meter.spent and over(core, meter, candidate, UNIT_CALLS, 0, 1) == 0)


cdef void tries_again(Core* core, int node_id, int candidate) noexcept nogil:
    """Another attempt of the same call begins: it is charged for, and no call of its own."""
    if core.nodes[node_id].meter != NULL:
        count(core, core.nodes[node_id].meter, candidate, UNIT_CALLS, 0, 1)


cdef void cut(Core* core, int node_id, Invocation* invocation) noexcept nogil:
    """One that has had something keeps that: of its output no more is taken, or of its input it gets no more."""
    cdef Node* node = &core.nodes[node_id]
    cdef int64_t cut_id = invocation.id
    cdef int unit = invocation.exhausted
    cdef bint gained = invocation.answered or (invocation.metered and not invocation.over_output)
    invocation.exhausted = 0
    if invocation.over_output or not gained:
        invocations.cancel(core, node_id, invocation)
    elif invocation == &node.live:
        invocations.cancel(core, node_id, &node.ending)
        invocations.end_input(core, node_id)
    act(core, node_id, cut_id, unit, gained)


cdef void cut_one(Core* core) noexcept nogil:
    """Cuts the first invocation that has reached a cap short, if it is still there."""
    cdef int node_id = lowest(core.spending.exhausted)
    cdef Node* node = &core.nodes[node_id]
    if node.ending.id != 0 and node.ending.exhausted != 0:
        cut(core, node_id, &node.ending)
    elif node.live.id != 0 and node.live.exhausted != 0:
        cut(core, node_id, &node.live)
    else:
        core.spending.exhausted &= ~bit(node_id)


cdef void turn_closed(Core* core) noexcept nogil:
    """What is capped for each turn begins anew."""
    cdef Spending* spending = core.spending
    cdef int meter
    cdef int unit
    if spending == NULL:
        return
    spending.used = 0
    for meter in range(spending.meters_count):
        spending.meters[meter].spent = False
        for unit in range(UNITS):
            if unit != UNIT_SESSION_AUDIO_NS:
                spending.meters[meter].used[unit] = 0
