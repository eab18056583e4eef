"""Cost: what a turn can cost at most, from caps, prices, retries and fallbacks (LANGUAGE, promise 10).

A cap bounds what a turn may use of a block. But an attempt that fails does not say what it used, and its provider may
charge for it all the same; so every attempt that can fail is counted with the whole cap, and only calls that succeed
share it. A model that calls tools has succeeded with every call but its last. Whole micro-dollars, terms rounded up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rspp_compiler.analysis.data.report_cost import report_over, report_priceless, report_unbounded
from rspp_compiler.analysis.data.runs import MINUTE, Runs, distance_ns, more_calls, summed
from rspp_compiler.analysis.shared.modes import in_mode
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphNode
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.proofs.cost import BlockCost, Cost, CostTerm
from rspp_compiler.ir.spec import CandidateSpec, ProviderSpec

UNITS = {"call": 1, "minute": MINUTE, "kchar": 1000, "ktoken_in": 1000, "ktoken_out": 1000}
"""What is charged, and how much of it the price is for."""


class Bound(NamedTuple):
    """The most that one attempt uses. `spare` is what calls that succeed may use in a turn besides, without leaving
    less to those behind them; None where no cap counts what they use.
    """

    amount: int
    limit: str
    origin: Origin
    spare: int | None = None


def cost(graph: Graph, ctx: Context) -> Cost:
    """The ceiling of the dearest mode. With a budget for it: E1201 where it is more, E1202 where nothing bounds it,
    E1203 for providers without a price.
    """
    found = ceiling(graph)
    if found.budget_microusd:
        for block in found.blocks:
            if block.total_microusd is None:
                report_unbounded(graph, found, block, ctx)
        if found.turn_microusd is not None and found.turn_microusd > found.budget_microusd:
            report_over(graph, found, ctx, lambda varied: ceiling(varied).turn_microusd)
        report_priceless(graph, _priceless(graph), ctx)
    return found


def ceiling(graph: Graph) -> Cost:
    """The same without any finding."""
    turns = [(mode, tuple(blocks)) for mode, blocks in _variants(graph)]
    mode, blocks = max(turns, key=lambda turn: _rank(turn[1]))
    turn = summed(block.total_microusd for block in blocks)
    often = _turns_a_minute(graph)
    spoken = summed(block.total_microusd for block in blocks if not _listens(graph, block))
    answering = None if often is None or spoken is None else often * spoken
    if spoken == 0:
        answering = 0
    minute = summed([answering, _listening(graph)])
    names = tuple(candidate.name for candidate in _priceless(graph))
    return Cost(mode, blocks, turn, often, minute, graph.spec.budget.cost_microusd, names)


def _variants(graph: Graph) -> Iterator[tuple[str, list[BlockCost]]]:
    """The full pipeline and each mode that a line brings about. A degrade adds to what the turn has cost before."""
    whole = list(_blocks(graph))
    yield "", whole
    verbs = {(line.object, line.verb) for line in graph.spec.reactions if line.verb in ("enter", "degrade")}
    for mode in graph.spec.modes:
        changed = {one.node for one in mode.overrides if one.field in ("provider", "max_calls", "max_tokens", "tools")}
        if not changed or not {verb for name, verb in verbs if name == mode.id}:
            continue
        varied = list(_blocks(in_mode(graph, mode)))
        if (mode.id, "degrade") in verbs:
            yield mode.id, [*whole, *(block for block in varied if changed & set(block.nodes))]
        else:
            yield mode.id, varied


def _rank(blocks: Iterable[BlockCost]) -> tuple[bool, int]:
    total = summed(block.total_microusd for block in blocks)
    return total is None, total or 0


# ---- one block


def _blocks(graph: Graph) -> Iterator[BlockCost]:
    """Every block that some candidate charges for, in order."""
    using: dict[str, list[GraphNode]] = {}
    for node in graph.nodes:
        if node.spec.provider is not None:
            using.setdefault(node.spec.provider, []).append(node)
    runs = Runs(graph)
    for provider in graph.spec.providers:
        if provider.id in using and any(candidate.price is not None for candidate in provider.candidates):
            yield _block(graph, provider, using[provider.id], runs)


def _block(graph: Graph, provider: ProviderSpec, nodes: list[GraphNode], runs: Runs) -> BlockCost:
    cap = provider.cap
    counts = [runs.of(node) for node in nodes]
    ways, more = summed(counts), sum(more_calls(node) for node in nodes)
    calls = None if ways is None else ways + more
    if cap is not None and cap.calls:
        calls = cap.calls if calls is None else min(calls, cap.calls)
        ways = calls if ways is None else min(ways, calls)
    terms: list[CostTerm] = []
    unbounded: list[str] = []
    tries, last = 1 + provider.retry.times, len(provider.candidates) - 1
    for place, candidate in enumerate(provider.candidates):
        for unit, price, origin in _prices(candidate):
            bound = _bound(graph, provider, nodes, unit)
            if bound is None or ways is None or calls is None:
                unbounded.append(f"{candidate.name}: {unit}")
                continue
            succeeding = calls - ways if bound.spare is not None and place == last else 0
            about = (unit, price, bound, origin)
            terms.append(_term(candidate.name, calls * tries - succeeding, bound.amount, *about))
            if spare := min(succeeding * bound.amount, bound.spare or 0):
                terms.append(_term(candidate.name, 1, spare, *about))
    total = None if unbounded else sum(term.total_microusd for term in terms)
    is_capped = cap is not None and cap.cost_microusd > 0 and (total is None or total > cap.cost_microusd)
    if cap is not None and is_capped:
        total = cap.cost_microusd
    return BlockCost(
        provider.id, tuple(node.id for node in nodes), ways, calls, provider.attempts, tuple(terms), tuple(unbounded),
        is_capped, total,
    )  # fmt: skip


def _term(name: str, times: int, amount: int, unit: str, price: int, bound: Bound, origin: Origin) -> CostTerm:
    total = -(-times * amount * price // UNITS[unit])
    return CostTerm(name, unit, times, amount, price, total, bound.limit, bound.origin, origin)


def _prices(candidate: CandidateSpec) -> Iterator[tuple[str, int, Origin]]:
    """What a candidate charges for, each with its price."""
    if candidate.price is not None:
        for unit in UNITS:
            price = getattr(candidate.price, f"{unit}_microusd")
            if price:
                yield unit, price, candidate.price.origin(f"{unit}_microusd")


def _bound(graph: Graph, provider: ProviderSpec, nodes: list[GraphNode], unit: str) -> Bound | None:
    """What bounds one attempt: the cap, what a node may ask for, or the length of a turn."""
    cap = provider.cap
    if unit == "call":
        return Bound(1, "one call", Origin.derived(provider.span, "each attempt is a call"))
    field = {"minute": "turn_ns", "kchar": "chars", "ktoken_in": "tokens_in", "ktoken_out": "tokens_out"}[unit]
    capped = getattr(cap, field) if cap is not None else 0
    if cap is not None and unit == "minute" and cap.session_ns and (not capped or cap.session_ns < capped):
        field, capped = "session_ns", cap.session_ns
    asked = _asked(graph, nodes, unit)
    if cap is not None and capped and (asked is None or capped <= asked.amount):
        return Bound(capped, f"cap.{field.removesuffix('_ns')}", cap.origin(field), 0)
    if capped and asked is not None:
        return asked._replace(spare=capped - asked.amount)
    return asked


def _asked(graph: Graph, nodes: list[GraphNode], unit: str) -> Bound | None:
    """A model's `max_tokens` bounds each answer, the turn's total each stream of a turn."""
    budget = graph.spec.budget
    if unit == "minute" and all(node.scope == "turn" for node in nodes):
        return Bound(budget.turn_total_ns, "turn.total", budget.origin("turn_total_ns"))
    if unit != "ktoken_out":
        return None
    most = [(node.spec.settings.get("max_tokens"), node) for node in nodes]
    if not all(isinstance(tokens, int) for tokens, _ in most):
        return None
    tokens, node = max(most, key=lambda pair: int(str(pair[0])))
    return Bound(int(str(tokens)), "max_tokens", node.spec.origin("settings.max_tokens"))


# ---- a minute


def _listens(graph: Graph, block: BlockCost) -> bool:
    return all(graph.node(id).scope != "turn" for id in block.nodes)


def _listening(graph: Graph) -> int:
    """What a minute of hearing costs: of each listener its dearest candidate, since one listens at a time."""
    dearest = 0
    for node in graph.nodes:
        provider = graph.provider_of(node) if node.scope != "turn" else None
        prices = [one.price.minute_microusd for one in provider.candidates if one.price] if provider else []
        members = next((party.members_max for party in graph.spec.parties if party.id in node.parties), 1)
        dearest += max(prices, default=0) * (members if node.scope == "party" else 1)
    return dearest


def _turns_a_minute(graph: Graph) -> int | None:
    """Turns that can be begun by speaking: an utterance takes at least its shortest speech and silence."""
    total = 0
    for owner in graph.spec.owners:
        node = graph.find(owner.event.subject)
        distance = distance_ns(node, owner.event.event) if node is not None else 0
        if not distance:
            return None
        total += -(-MINUTE // distance)
    return total if graph.spec.owners else None


def _priceless(graph: Graph) -> list[CandidateSpec]:
    """Candidates outside of the process that give no price, though each turn has a budget."""
    used = {node.spec.provider for node in graph.nodes}
    return [
        candidate
        for provider in graph.spec.providers
        if provider.id in used
        for candidate in provider.candidates
        if candidate.price is None and not is_local(candidate)
    ]


def is_local(candidate: CandidateSpec) -> bool:
    """Whether it runs inside the process: then it accepts everything, though the user did not say so."""
    return candidate.origin("accept").kind == "derived" and bool(candidate.accept)
