"""Every wait, with its deadline and where that is from."""

from __future__ import annotations

from collections.abc import Iterator

from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.proofs.ends import Wait
from rspp_compiler.ir.spec import ProviderSpec, SpecModel

_OF_KIND = {
    "collect": ("timeout_ns", "the next key"),
    "endpointer": ("max_ns", "the end of what is being said"),
}
_CANCELS = ("cancel_turn", "cancel_session", "abort_turn", "end_session")


def waits(graph: Graph) -> tuple[Wait, ...]:
    """Waits of nodes in topological order, then of edges, provider blocks, tools, and of the session."""
    used = {node.spec.provider for node in graph.nodes}
    return (
        *(wait for node in graph.nodes for wait in _of_node(graph, node)),
        *(wait for edge in graph.edges for wait in _of_edge(graph, edge)),
        *(wait for provider in graph.spec.providers if provider.id in used for wait in _of_provider(provider)),
        *(_wait(tool.id, "its result", tool, "timeout_ns") for tool in graph.spec.tools),
        *_of_session(graph),
    )


def _wait(subject: str, what: str, of: SpecModel, field: str) -> Wait:
    return Wait(subject, what, getattr(of, field), of.origin(field))


def _of_node(graph: Graph, node: GraphNode) -> Iterator[Wait]:
    spec = node.spec
    if node.kind in ("vad", "realtime"):
        yield Wait(node.id, "the user to speak", 0, spec.origin("kind"), "person")
    if node.execution == "effect" and node.kind != "vad":
        yield _wait(node.id, "its first output", spec, "first_output_ns")
        if node.kind != "stt":  # what is recognised on the way depends on who speaks
            yield _wait(node.id, "its next output", spec, "chunk_ns")
    yield from _speakable(graph, node)
    if node.kind in _OF_KIND:
        yield _setting(node, *_OF_KIND[node.kind])
    if node.kind == "select" and spec.settings.get("by") == "highest":
        yield _setting(node, "within_ns", "the other candidates")
    if node.kind == "merge":
        yield from _of_merge(graph, node)
    if node.kind == "play" and spec.settings.get("loop") is True:
        yield _looping(graph, node)
    for hook in spec.hooks:
        yield _wait(node.id, f"its hook {hook.name}", hook, "timeout_ns")


def _setting(node: GraphNode, field: str, what: str) -> Wait:
    value = node.spec.settings.get(field, 0)
    return Wait(node.id, what, value if isinstance(value, int) else 0, node.spec.origin(f"settings.{field}"))


def _of_merge(graph: Graph, node: GraphNode) -> Iterator[Wait]:
    """By time it waits for what is earlier, by priority for nothing. In turn it waits for each of its flows: for as
    long as was written, or else as there is something to wait for, since `liveness` has shown that they go together.
    """
    order, within = node.spec.settings.get("order", "timestamp"), node.spec.origin("settings.within_ns")
    is_written = "settings.within_ns" in node.spec.origins and within.kind == "user"
    if order == "timestamp" or (order == "round_robin" and is_written):
        yield _setting(node, "within_ns", "an earlier item of another flow")
    elif order == "round_robin" and node.scope == "turn":
        budget = graph.spec.budget
        yield Wait(node.id, "the next of its flows", budget.turn_total_ns, budget.origin("turn_total_ns"))
    elif order == "round_robin":
        yield Wait(node.id, "the next of its flows", 0, node.spec.origin("settings.order"), "person")


def _speakable(graph: Graph, node: GraphNode) -> Iterator[Wait]:
    """The first text that can be spoken: as the provider block says, else the first output and the hold behind it."""
    holds = [edge.spec.handoff for edge in graph.out_of(node.id) if edge.spec.handoff is not None]
    if node.kind != "llm" or not holds:
        return
    provider = graph.provider_of(node)
    what = "its first text that can be spoken"
    if provider is not None and provider.speakable_ns:
        yield _wait(node.id, what, provider, "speakable_ns")
        return
    longest = max(hold.age_ns_max for hold in holds)
    origin = Origin.derived(node.spec.span, "its first output, and the longest hold of its hand-offs")
    yield Wait(node.id, what, node.spec.first_output_ns + longest, origin)


def _looping(graph: Graph, node: GraphNode) -> Wait:
    """A sound that plays again and again: in a turn it must be cancelled, in the background it may go on."""
    what, origin = "somebody to cancel it", node.spec.origin("settings.loop")
    if node.scope != "turn":
        return Wait(node.id, "the end of the session", 0, origin, "person")
    lines = graph.spec.reactions
    if not any(line.verb in _CANCELS or (line.verb, line.object) == ("cancel_node", node.id) for line in lines):
        return Wait(node.id, what, 0, origin)
    return Wait(node.id, what, graph.spec.budget.turn_total_ns, graph.spec.budget.origin("turn_total_ns"))


def _of_edge(graph: Graph, edge: GraphEdge) -> Iterator[Wait]:
    spec, limits = edge.spec, graph.spec.limits
    for step in spec.overflow:
        if step.strategy != "block":
            continue
        if step.block_ns == 0 and graph.node(edge.target).kind == "egress":
            yield Wait(edge.id, "room", limits.egress_stall_ns, limits.origin("egress_stall_ns"))
        else:
            yield Wait(edge.id, "room", step.block_ns, spec.origin("overflow"))
    if spec.handoff is not None:
        yield _wait(edge.id, "the end of a sentence", spec.handoff, "age_ns_max")
    if spec.coalesce_ns:
        yield _wait(edge.id, "more to join", spec, "coalesce_ns")


def _of_provider(provider: ProviderSpec) -> Iterator[Wait]:
    name = f"provider {provider.id}"
    yield _wait(name, "the first chunk of an attempt", provider, "first_chunk_ns")
    yield _wait(name, "the next chunk", provider, "chunk_ns")
    if provider.retry.times and provider.retry.backoff_ns:
        yield _wait(name, "the next attempt", provider.retry, "backoff_ns")
    if provider.circuit is not None:
        yield _wait(name, "a candidate that is left alone", provider.circuit, "open_ns")


def _of_session(graph: Graph) -> Iterator[Wait]:
    budget, limits = graph.spec.budget, graph.spec.limits
    yield _wait("turn", "its first output", budget, "turn_ns")
    yield _wait("turn", "its end", budget, "turn_total_ns")
    if any(reaction.verb == "pause" for reaction in graph.spec.reactions):
        yield _wait("turn", "a pause to end", budget, "turn_pause_ns")
    yield _wait("session", "what is cancelled to stop", limits, "cancel_grace_ns")
    yield _wait("session", "the transport to play", limits, "egress_stall_ns")
    yield _wait("session", "evidence to be appended", limits, "evidence_append_ns")
