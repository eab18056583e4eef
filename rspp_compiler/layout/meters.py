"""What providers may use: a meter for each block that is capped, or that a budget of cost pays for."""

from __future__ import annotations

from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.layout import Meter, Price
from rspp_compiler.ir.spec import CandidateSpec, ProviderSpec
from rspp_compiler.ir.spec_offers import CapSpec


def metered(graph: Graph) -> list[ProviderSpec]:
    """The blocks that are counted, in order; where each stands is the id of its meter."""
    used = {provider.id for node in graph.nodes if (provider := graph.provider_of(node)) is not None}
    return [one for one in graph.spec.providers if one.id in used and (one.cap is not None or _is_paid(graph, one))]


def meter_ids(graph: Graph) -> dict[str, int]:
    """The meter of each block that is counted."""
    return {provider.id: index for index, provider in enumerate(metered(graph))}


def meters(graph: Graph) -> tuple[Meter, ...]:
    """The rows of the plan."""
    return tuple(_meter(graph, index, provider) for index, provider in enumerate(metered(graph)))


def _meter(graph: Graph, index: int, provider: ProviderSpec) -> Meter:
    cap = provider.cap or CapSpec(span=provider.span)
    prices = tuple(_price(candidate) for candidate in provider.candidates)
    return Meter(
        id=index,
        name=provider.id,
        calls=cap.calls,
        audio_ns=cap.turn_ns,
        session_audio_ns=cap.session_ns,
        chars=cap.chars,
        tokens_in=cap.tokens_in,
        tokens_out=cap.tokens_out,
        cost_microusd=cap.cost_microusd,
        prices=prices if cap.cost_microusd or _is_paid(graph, provider) else (),
    )


def _is_paid(graph: Graph, provider: ProviderSpec) -> bool:
    """Whether a budget of cost counts what it charges."""
    return graph.spec.budget.cost_microusd > 0 and any(one.price is not None for one in provider.candidates)


def _price(candidate: CandidateSpec) -> Price:
    of = candidate.price
    if of is None:
        return Price()
    return Price(of.call_microusd, of.minute_microusd, of.kchar_microusd, of.ktoken_in_microusd, of.ktoken_out_microusd)
