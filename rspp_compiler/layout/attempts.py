"""How an effect node is tried again: its providers in their order, retries, circuit breakers, and what is retained."""

from __future__ import annotations

from rspp_compiler.ir.graph import Graph, GraphNode
from rspp_compiler.ir.layout import Attempts, Circuit
from rspp_compiler.ir.spec import ProviderSpec

LISTENERS = ("stt", "vad")
"""Kinds that hear the user: they owe nothing until the input ends, so no deadline bounds an attempt of theirs."""

WINDOW_MAX = 255  # the kernel keeps it in a byte
RETAIN_MAX = 256  # items; what goes on for longer without an output is not tried again
_FRAME_NS = 20_000_000


def attempts(graph: Graph, node: GraphNode) -> Attempts | None:
    """The plan's row; None where one provider is tried once and always."""
    provider = graph.provider_of(node)
    if node.execution != "effect" or provider is None:
        return None
    if provider.attempts == 1 and provider.circuit is None:
        return None
    circuit = provider.circuit
    return Attempts(
        providers=tuple(candidate.name for candidate in provider.candidates),
        times=1 + provider.retry.times,
        first_chunk_ns=0 if node.kind in LISTENERS else provider.first_chunk_ns,
        backoff_ns=provider.retry.backoff_ns if provider.retry.times else 0,
        retain_items=retain_items(graph, node),
        circuit=Circuit(circuit.errors, circuit.within_ns, circuit.open_ns) if circuit else None,
    )


def retain_items(graph: Graph, node: GraphNode) -> int:
    """Items of input that are kept until the first output.

    As many as may be with the provider and in the edges before it; for who listens, also what is said within the
    deadline of its first chunk. 0 where nobody tries again.
    """
    provider = graph.provider_of(node)
    if provider is None or provider.attempts == 1:
        return 0
    held = node.spec.window_items + sum(edge.spec.buffer_items for edge in graph.into(node.id))
    if node.kind in LISTENERS:
        held += _frames(graph, node, provider)
    return min(held, RETAIN_MAX)


def _frames(graph: Graph, node: GraphNode, provider: ProviderSpec) -> int:
    frames = [port.item_ns for edge in graph.into(node.id) if (port := graph.source_port(edge)) and port.item_ns]
    return -(-provider.first_chunk_ns // min(frames, default=_FRAME_NS))
