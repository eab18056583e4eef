"""Caps and budgets of cost: what providers use is counted before they use it (`docs/kernel.md`, Caps)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Cause, Result, Signal, Unit
from rspp_runtime.abi.messages import Inbound
from rspp_runtime.abi.plan import EFFECT, Meter
from rspp_runtime.reference import invocations, reactions
from rspp_runtime.reference.outputs import decide
from rspp_runtime.reference.state import End, Invocation, MeterState, NodeState, State

STAMPED = (Unit.AUDIO_NS, Unit.CHARS, Unit.TOKENS_IN, Unit.TOKENS_OUT)
AMOUNT_MAX = 2**32  # of one stamp
MINUTE_NS = 60_000_000_000
MILLI = 1000  # thousandths of a micro-dollar


def wrong(s: State, event: Inbound) -> Cause:
    """What is wrong with a stamp, or NONE."""
    known = 0 <= event.node < len(s.nodes) and s.nodes[event.node].plan.execution == EFFECT
    if not known or event.port not in STAMPED:
        return Cause.UNKNOWN_PORT
    return Cause.NONE if 0 <= event.a <= AMOUNT_MAX else Cause.OVERSIZED


def use(s: State, node: NodeState, event: Inbound) -> Result:
    """Count what an invocation is about to use; REFUSED, and it must not, where a cap would be passed."""
    call = node.find(event.invocation)
    gives = event.port == Unit.TOKENS_OUT or (event.port == Unit.AUDIO_NS and s.voices(node.plan.id))
    if call is None or call.over_output or (call.over_input and not gives):
        return Result.REFUSED
    meter = meter_of(s, node)
    if meter is not None:
        over = _over(s, meter, call.candidate, event.port, event.a)
        if over:
            _reached(s, node, meter, call.id, over)
            call.exhausted = over
            if gives:
                call.over_output = True
            else:
                call.over_input = True
            return Result.REFUSED
        _count(s, meter, call.candidate, event.port, event.a)
        call.metered = True
    s.next_seq()
    return Result.ACCEPTED


def may_begin(s: State, node: NodeState, candidate: int) -> bool:
    """Count a call that is about to begin; where a cap would be passed, tell, and do as the pipeline says."""
    meter = meter_of(s, node)
    if meter is None:
        return True
    over = _over(s, meter, candidate, Unit.CALLS, 1)
    if not over:
        _count(s, meter, candidate, Unit.CALLS, 1)
        return True
    _reached(s, node, meter, 0, over)
    _react(s, node, over, 0, gained=False)
    return False


def may_try_again(s: State, node: NodeState, candidate: int) -> bool:
    """Whether another attempt of the same call can be paid for."""
    meter = meter_of(s, node)
    return meter is None or not (meter.spent or _over(s, meter, candidate, Unit.CALLS, 0, attempts=1))


def tries_again(s: State, node: NodeState, candidate: int) -> None:
    """Another attempt of the same call begins: it is charged for, and no call of its own."""
    meter = meter_of(s, node)
    if meter is not None:
        _count(s, meter, candidate, Unit.CALLS, 0, attempts=1)


def is_spent(s: State, node: NodeState) -> bool:
    """Whether the node begins nothing any more in this turn."""
    meter = meter_of(s, node)
    return meter is not None and meter.spent and node.live is None


def cut_one(s: State) -> bool:
    """Cut the first invocation that has reached a cap short; whether there was one."""
    for node in s.nodes:
        for call in (node.ending, node.live):
            if call is not None and call.exhausted:
                _cut(s, node, call)
                return True
    return False


def turn_closed(s: State) -> None:
    """What is capped for each turn begins anew."""
    s.turn_cost = 0
    for meter in s.meters:
        kept = meter.used.get(Unit.SESSION_AUDIO_NS, 0)
        meter.used = {Unit.SESSION_AUDIO_NS: kept}
        meter.spent = False


def meter_of(s: State, node: NodeState) -> MeterState | None:
    return s.meters[node.plan.meter] if node.plan.meter >= 0 else None


def _cut(s: State, node: NodeState, call: Invocation) -> None:
    """One that has had something keeps that: of its output no more is taken, or of its input it gets no more."""
    unit, gained = call.exhausted, call.answered or (call.metered and not call.over_output)
    call.exhausted = 0
    if call.over_output or not gained:
        invocations.cancel(s, node, call)
    elif call is node.live:
        if node.ending is not None:
            invocations.cancel(s, node, node.ending)
        invocations.end_input(s, node)
    _react(s, node, unit, call.id, gained=gained)


def _react(s: State, node: NodeState, unit: int, invocation: int, *, gained: bool) -> None:
    """What the pipeline says about it; if it says nothing, one that has had nothing at all fails."""
    ends = unit == Unit.TURN_COST and s.active
    if not ends and not reactions.raise_event(s, node.plan.event_exhausted, Cause.BUDGET_EXHAUSTED) and not gained:
        invocations.overspent(s, node, invocation)


def _reached(s: State, node: NodeState, meter: MeterState, invocation: int, unit: int) -> None:
    meter.spent = True
    if unit == Unit.TURN_COST and s.active:
        s.turn.ends.add(End.BUDGET)
    of = -3 if unit == Unit.TURN_COST else node.plan.id
    decide(
        s, Signal.BUDGET_EXHAUSTED, Cause.BUDGET_EXHAUSTED, node=node.plan.id, invocation=invocation, x=unit, y=of,
    )  # fmt: skip


def _limit(plan: Meter, unit: int) -> int:
    return {
        Unit.AUDIO_NS: plan.audio_ns,
        Unit.CHARS: plan.chars,
        Unit.TOKENS_IN: plan.tokens_in,
        Unit.TOKENS_OUT: plan.tokens_out,
        Unit.CALLS: plan.calls,
        Unit.SESSION_AUDIO_NS: plan.session_audio_ns,
        Unit.COST: plan.cost_microusd * MILLI,
    }[Unit(unit)]


def _over(s: State, meter: MeterState, candidate: int, unit: int, amount: int, *, attempts: int = 0) -> int:
    """The first cap that this much more would pass, as a `Unit`; 0 for none."""
    cost, charges = _charges(meter, candidate, unit, amount, attempts)
    for counted, much in charges:
        limit = _limit(meter.plan, counted)
        if limit and meter.used.get(counted, 0) + much > limit:
            return int(counted)
    budget = s.plan.turn_cost_microusd * MILLI
    return int(Unit.TURN_COST) if budget and s.turn_cost + cost > budget else 0


def _count(s: State, meter: MeterState, candidate: int, unit: int, amount: int, *, attempts: int = 0) -> None:
    cost, charges = _charges(meter, candidate, unit, amount, attempts)
    s.turn_cost += cost
    for counted, much in charges:
        meter.used[counted] = meter.used.get(counted, 0) + much


def _charges(
    meter: MeterState, candidate: int, unit: int, amount: int, attempts: int
) -> tuple[int, list[tuple[int, int]]]:
    """What it costs, and what it counts towards: (unit, how much), in the order in which caps are asked."""
    cost = _cost(meter.plan, candidate, unit, amount + attempts)
    of_session = [(int(Unit.SESSION_AUDIO_NS), amount)] if unit == Unit.AUDIO_NS else []
    return cost, [(unit, amount), *of_session, (int(Unit.COST), cost)]


def _cost(plan: Meter, candidate: int, unit: int, amount: int) -> int:
    """Thousandths of a micro-dollar, rounded up."""
    if candidate >= len(plan.prices):
        return 0
    price = plan.prices[candidate]
    charged, each = {
        Unit.AUDIO_NS: (price.minute, MINUTE_NS),
        Unit.CHARS: (price.kchar, 1000),
        Unit.TOKENS_IN: (price.ktoken_in, 1000),
        Unit.TOKENS_OUT: (price.ktoken_out, 1000),
        Unit.CALLS: (price.call, 1),
    }[Unit(unit)]
    return -(-amount * charged * MILLI // each)
