"""E1201 to E1203: a turn that may cost too much, or nobody knows how much, with the sum and the smallest change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from rspp_compiler.analysis.shared.repairs import is_written, set_behind, set_in_block, set_on_provider
from rspp_compiler.analysis.shared.words import duration, in_mode, listed, usd
from rspp_compiler.diagnostics import Fix
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.proofs.cost import BlockCost, Cost, CostTerm
from rspp_compiler.ir.spec import CandidateSpec, CapSpec, ProviderSpec
from rspp_compiler.source import Span

Total = Callable[[Graph], int | None]
_PER = {
    "call": "", "minute": " a minute", "kchar": " for 1000 chars", "ktoken_in": " for 1000 tokens read",
    "ktoken_out": " for 1000 tokens written",
}  # fmt: skip
_CHARGED = {
    "call": "call", "minute": "minute", "kchar": "character", "ktoken_in": "token read", "ktoken_out": "token written",
}  # fmt: skip
_CAPS: dict[str, Callable[[int], str]] = {
    "turn_ns": duration,
    "tokens_in": "{} tokens".format,
    "tokens_out": "{} tokens".format,
    "chars": "{} chars".format,
    "calls": str,
    "cost_microusd": usd,
}
_STEP = {"turn_ns": 1_000_000}  # what a fix writes is a whole multiple of this


def report_over(graph: Graph, found: Cost, ctx: Context, total: Total) -> None:
    """E1201: the sum of all terms is more than the budget."""
    budget = graph.spec.budget
    turn = found.turn_microusd or 0
    over = turn - found.budget_microusd
    place = budget.origin("cost_microusd").span
    lowered = next(_lowered(graph, found, total), None)
    if lowered is None:
        help, fix = f"let a turn cost more: `cost = {usd(turn)}`", Fix(place, usd(turn))
    else:
        what, value, span = lowered
        help, fix = f"lower `{what}` to {value}; or let a turn cost more: `cost = {usd(turn)}`", Fix(span, value)
    ctx.sink.add(
        "E1201",
        f"a turn may cost {usd(turn)}, {usd(over)} more than its budget of {usd(found.budget_microusd)}",
        place,
        label=f"less than the {usd(turn)} that a turn may cost",
        secondary=_places(found.blocks),
        notes=[
            "\n".join(["the sum, and where each number is from:", *_rows(found)]),
            *in_mode(found.mode),
        ],
        help=help,
        fix=fix,
    )


def _lowered(graph: Graph, found: Cost, total: Total) -> Iterator[tuple[str, str, Span]]:
    """Caps of the user's that alone would bring the sum within the budget, each with its greatest value that does; the
    dearest block first.
    """
    providers = {provider.id: provider for provider in graph.spec.providers}
    for block in sorted(found.blocks, key=lambda block: -(block.total_microusd or 0)):
        provider = providers[block.block]
        cap = provider.cap
        for field, show in _CAPS.items():
            written = cap.origin(field) if cap and field in cap.origins else None
            if cap is None or written is None or written.kind != "user" or not is_written(graph, written.span):
                continue
            value = _greatest(graph, provider, field, getattr(cap, field), total)
            if value:
                yield f"cap.{field.removesuffix('_ns').removesuffix('_microusd')}", show(value), written.span


def _greatest(graph: Graph, provider: ProviderSpec, field: str, now: int, total: Total) -> int:
    """The greatest value of a cap, below what it is now, that keeps to the budget; 0 if none does."""
    step = _STEP.get(field, 1)
    low, high = 0, now // step
    while low < high:
        middle = (low + high + 1) // 2
        cost = total(_with_cap(graph, provider, field, middle * step))
        if cost is not None and cost <= graph.spec.budget.cost_microusd:
            low = middle
        else:
            high = middle - 1
    return low * step


def _with_cap(graph: Graph, provider: ProviderSpec, field: str, value: int) -> Graph:
    cap = (provider.cap or CapSpec(span=provider.span)).model_copy(update={field: value})
    providers = tuple(
        one.model_copy(update={"cap": cap}) if one.id == provider.id else one for one in graph.spec.providers
    )
    return replace(graph, spec=graph.spec.model_copy(update={"providers": providers}))


def report_unbounded(graph: Graph, found: Cost, block: BlockCost, ctx: Context) -> None:
    """E1202: something is charged that no cap bounds."""
    provider = next(one for one in graph.spec.providers if one.id == block.block)
    rest = found.budget_microusd - sum(one.total_microusd or 0 for one in found.blocks)
    share = max(1, rest // sum(one.total_microusd is None for one in found.blocks))
    name, _, unit = block.unbounded[0].partition(": ")
    candidate = next(one for one in provider.candidates if one.name == name)
    assert candidate.price is not None  # it charges for something
    price = candidate.price.origin(f"{unit}_microusd")
    how_often = "" if block.calls is not None else ", and nothing says how often it may be called in a turn"
    setting = f"cost = {usd(share)}"
    is_own = is_written(graph, provider.span)
    if is_own:
        fix = set_in_block(ctx, provider.span, "cap", setting)
    else:
        fix = set_on_provider(ctx, graph, provider, f"cap = {{ {setting} }}")
    ctx.sink.add(
        "E1202",
        f"`{name}` charges by the {_CHARGED[unit]}, and nothing bounds it{how_often}",
        price.span if is_written(graph, price.span) else graph.spec.budget.origin("cost_microusd").span,
        label="without a bound",
        secondary=[(graph.spec.budget.origin("cost_microusd").span, "each turn has a budget")],
        notes=[f"without one are {listed(block.unbounded)}"] if len(block.unbounded) > 1 else [],
        help=f"bound all of it by what is left of the budget, `cap = {{ {setting} }}`; or bound what it charges for",
        fix=fix,
    )


def report_priceless(graph: Graph, candidates: Iterable[CandidateSpec], ctx: Context) -> None:
    """E1203: the budget cannot count whoever gives no price."""
    for candidate in candidates:
        if not is_written(graph, candidate.span):
            continue
        ctx.sink.add(
            "E1203",
            f"`{candidate.name}` has no price, so the budget of a turn does not count it",
            candidate.span,
            label="what it costs is not known",
            secondary=[(graph.spec.budget.origin("cost_microusd").span, "each turn has a budget")],
            help="say what it costs, `price = { call = 0usd }` if nothing",
            fix=set_behind(ctx, candidate.span, "price = { call = 0usd }"),
        )


def _rows(found: Cost) -> list[str]:
    rows = []
    for block in found.blocks:
        rows += [_row(term) for term in block.terms]
        if block.is_capped:
            rows.append(f"{usd(block.total_microusd or 0):>12}  {block.block}, whatever the sum: its cap.cost")
    return [*rows, f"{usd(found.turn_microusd or 0):>12}  in all"]


def _row(term: CostTerm) -> str:
    several = "s" if term.times > 1 else ""
    if term.unit == "call":
        what, limit = f"{term.times} call{several}", ""
    else:
        what, limit = f"{term.times} attempt{several} of {_amount(term)}", f"; {term.limit}, {term.limit_origin}"
    price = f"{usd(term.price_microusd)}{_PER[term.unit]}"
    return f"{usd(term.total_microusd):>12}  {term.candidate}: {what} at {price} ({term.origin}{limit})"


def _amount(term: CostTerm) -> str:
    if term.unit == "minute":
        return duration(term.amount)
    return f"{term.amount} {'chars' if term.unit == 'kchar' else 'tokens'}"


def _places(blocks: Iterable[BlockCost]) -> list[tuple[Span, str]]:
    """The prices and caps of the user's that the sum is made of, each once."""
    found: dict[Span, str] = {}
    for term in (term for block in blocks for term in block.terms):
        label = f"{term.candidate}: {usd(term.total_microusd)}"
        for origin, words in ((term.origin, label), (term.limit_origin, f"at most this, by `{term.limit}`")):
            if origin.kind == "user":
                found.setdefault(origin.span, words)
    return list(found.items())
