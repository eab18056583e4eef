"""The deadline of every try of a provider, within the budget of the node that it performs."""

from __future__ import annotations

from collections.abc import Iterator

from rspp_compiler.ir.graph import Graph, GraphNode
from rspp_compiler.ir.proofs.latency import Attempt
from rspp_compiler.ir.spec import ProviderSpec
from rspp_compiler.ir.spec_offers import waits_ns

ANSWERS = frozenset({"llm", "tts", "realtime"})
"""Kinds whose tries run within the node's budget. A detector or recogniser listens long before its input ends."""


def attempts(graph: Graph) -> tuple[Attempt, ...]:
    """Every try for every node, in order, as if each ran into its deadline."""
    return tuple(attempt for node in graph.nodes for attempt in tries_of(graph, node))


def tries_of(graph: Graph, node: GraphNode) -> Iterator[Attempt]:
    """Those for one node: each provider as often as it is tried, one behind the other."""
    provider = graph.provider_of(node)
    if provider is None:
        return
    limit = node.spec.first_output_ns if node.kind in ANSWERS else None
    starts = 0
    for candidate in provider.candidates:
        for number in range(1, 2 + provider.retry.times):
            if number > 1:
                starts += provider.retry.backoff_ns << (number - 2)
            deadline = starts + provider.first_chunk_ns
            yield Attempt(node.id, candidate.name, number, starts, deadline if limit is None else min(deadline, limit))
            starts = deadline


def backoffs_ns(provider: ProviderSpec) -> int:
    """The time that an invocation spends waiting between tries, at most."""
    return len(provider.candidates) * waits_ns(provider.retry.times, provider.retry.backoff_ns)
