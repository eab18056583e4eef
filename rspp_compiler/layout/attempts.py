"""How an effect node is tried again: its providers in their order, retries, circuit breakers, and what is retained."""

from __future__ import annotations

from dataclasses import dataclass

from rspp_compiler.ir.graph import Graph, GraphNode
from rspp_compiler.ir.layout import Attempts, Circuit
from rspp_compiler.ir.spec import CandidateSpec, OverrideSpec, ProviderSpec, SettingValue
from rspp_compiler.layout.conditions import session_guard

LISTENERS = ("stt", "vad")
"""Kinds that hear the user: they owe nothing until the input ends, so no deadline bounds an attempt of theirs."""

WINDOW_MAX = 255  # the kernel keeps it in a byte
RETAIN_MAX = 256  # items; what goes on for longer without an output is not tried again
_FRAME_NS = 20_000_000


def attempts(graph: Graph, node: GraphNode, modes: dict[str, int]) -> Attempts | None:
    """The plan's row; None where one provider is tried once and always."""
    provider = graph.provider_of(node)
    if node.execution != "effect" or provider is None:
        return None
    offered = places(graph, node)
    guarded = any(place.candidate.guard for place in offered)
    if provider.attempts == 1 and provider.circuit is None and len(offered) == 1 and not guarded:
        return None
    circuit = provider.circuit
    return Attempts(
        providers=tuple(place.candidate.name for place in offered),
        times=1 + provider.retry.times,
        first_chunk_ns=0 if node.kind in LISTENERS else provider.first_chunk_ns,
        backoff_ns=provider.retry.backoff_ns if provider.retry.times else 0,
        retain_items=retain_items(graph, node),
        circuit=Circuit(circuit.errors, circuit.within_ns, circuit.open_ns) if circuit else None,
        ranges=_ranges(graph, node, offered),
        guards=tuple(session_guard(place.candidate.guard, modes) for place in offered) if guarded else (),
    )


Settings = dict[str, SettingValue]


@dataclass(frozen=True, slots=True)
class Place:
    """One provider of a node with its settings, as a policy and a mode leave it."""

    policy: str  # "" for the pipeline as written
    mode: str  # "" for the full pipeline
    candidate: CandidateSpec
    settings: Settings


def places(graph: Graph, node: GraphNode) -> list[Place]:
    """Every provider of a node: first those of the pipeline as written, then what modes and policies have otherwise."""
    found: dict[tuple[str, str], list[Place]] = {}
    for policy, mode in _variants(graph):
        pool, owner, own = _pool(graph, node, policy, mode)
        if pool is not None and owner not in found:
            changed = {name.removeprefix("settings."): value for name, value in own.items() if name != "provider"}
            settings = node.spec.settings | changed
            found[owner] = [Place(*owner, one, settings | one.settings) for one in pool.candidates]
    return [place for rows in found.values() for place in rows]


def overrides(graph: Graph, node: GraphNode, mode: str) -> tuple[OverrideSpec, ...]:
    """What a mode sets otherwise of a node."""
    return tuple(one for spec in graph.spec.modes if spec.id == mode for one in spec.overrides if one.node == node.id)


def _variants(graph: Graph) -> list[tuple[str, str]]:
    """Policies and modes in the order of `Attempts.ranges`; "" is none."""
    policies, modes = ("", *(one.id for one in graph.spec.policies)), ("", *(one.id for one in graph.spec.modes))
    return [(policy, mode) for policy in policies for mode in modes]


def _pool(
    graph: Graph, node: GraphNode, policy: str, mode: str
) -> tuple[ProviderSpec | None, tuple[str, str], dict[str, SettingValue]]:
    """Who performs the node there, to whom that is due, and what is set otherwise."""
    own = {one.field: one.value for one in overrides(graph, node, mode)}
    id = str(own.get("provider", node.spec.provider or node.kind))
    of_policy = [one for spec in graph.spec.policies if spec.id == policy for one in spec.providers if one.id == id]
    pool = of_policy[0] if of_policy else graph.spec.provider(id)
    return pool, (policy if of_policy else "", mode if own else ""), own


def _ranges(graph: Graph, node: GraphNode, offered: list[Place]) -> tuple[tuple[int, int], ...]:
    """Of all places that are offered, those of each policy and mode; empty where none has the node otherwise."""
    owners = [(place.policy, place.mode) for place in offered]
    if len(set(owners)) == 1:
        return ()
    wanted = [_pool(graph, node, policy, mode)[1] for policy, mode in _variants(graph)]
    return tuple((owners.index(owner), owners.count(owner)) for owner in wanted)


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
