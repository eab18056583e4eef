"""The smallest change that brings a path within its limit: one number, and by how much."""

from __future__ import annotations

from dataclasses import dataclass

from rspp_compiler.analysis.latency.attempts import ANSWERS, backoffs_ns
from rspp_compiler.analysis.latency.figures import ms
from rspp_compiler.analysis.shared.repairs import set_budget, set_on_edge, set_on_node
from rspp_compiler.diagnostics import Fix
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphNode
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.proofs.latency import Step

MS = 1_000_000


@dataclass(frozen=True, slots=True)
class WayOut:
    """What to do, in words and as a fix."""

    help: str
    fix: Fix


def lower_one(graph: Graph, ctx: Context, steps: tuple[Step, ...], over_ns: int) -> WayOut | None:
    """Lowers one number of a path by as much as it is over; None if no single number can give that much.

    The user's own numbers come first, then the largest. Budgets are lowered to whole milliseconds, so that it fits.
    """
    fits = [step for step in steps if step.ns - over_ns >= MS and step.what not in ("start", "budget warning")]
    for step in sorted(fits, key=lambda step: (step.origin.kind != "user", -step.ns, step.until_ns)):
        lower = (step.ns - over_ns) // MS * MS
        way = _lower(graph, ctx, step, lower)
        if way is not None and not _starves(graph, step, lower):
            return way
    return None


def raise_turn(graph: Graph, ctx: Context, limit_origin: Origin, total_ns: int) -> WayOut:
    """Gives the turn as much as the path needs."""
    needed = -(-total_ns // MS) * MS
    help = f"declare a larger turn budget: `budget {{ turn = {ms(needed)} }}`"
    if limit_origin.kind == "user":
        return WayOut(help, Fix(limit_origin.span, ms(needed)))
    return WayOut(help, set_budget(ctx, graph, f"turn = {ms(needed)}"))


def _lower(graph: Graph, ctx: Context, step: Step, lower: int) -> WayOut | None:
    if step.origin.kind == "user":
        return WayOut(f"lower `{step.subject}` from {ms(step.ns)} to {ms(lower)}", Fix(step.origin.span, ms(lower)))
    if step.what == "budget":
        return _less_time(graph, ctx, graph.node(step.subject), lower)
    edge = next((edge for edge in graph.edges if edge.id == step.subject), None)
    if edge is None or step.origin.kind != "profile":
        return None
    if step.what == "age bound":
        setting = f"buffer = [{edge.spec.buffer_items} items, {ms(lower)}]"
        return WayOut(f"hold less on `{edge.id}`: `{setting}`", set_on_edge(ctx, edge, setting))
    held = edge.spec.handoff
    if held is None or any(held.origin(field).kind == "user" for field in ("by", "age_ns_max", "chars_min")):
        return None
    setting = f"handoff = {{ by = {held.by}, max_age = {ms(lower)} }}"
    return WayOut(f"hold less on `{edge.id}`: `{setting}`", set_on_edge(ctx, edge, setting))


def _less_time(graph: Graph, ctx: Context, node: GraphNode, lower: int) -> WayOut | None:
    """In the pipeline's budget; that does not know the nodes of a policy, of which those of the user have a timeout."""
    if not (graph.policy and node.id.startswith(f"{graph.policy}.")):
        setting = f"{node.id} = {ms(lower)}"
        return WayOut(f"give `{node.id}` less: `budget {{ {setting} }}`", set_budget(ctx, graph, setting))
    if node.spec.implementation is None:
        return None
    setting = f"timeout = {ms(lower)}"
    return WayOut(f"give `{node.id}` less: `{setting}`", set_on_node(ctx, node.spec, setting))


def _starves(graph: Graph, step: Step, lower: int) -> bool:
    """Whether less time for a node would leave none for the tries of its provider."""
    node = graph.find(step.subject)
    if node is None or step.what != "budget":
        return False
    provider = graph.provider_of(node) if node.kind in ANSWERS else None
    if provider is not None and provider.origin("first_chunk_ns").kind == "user":
        return (provider.attempts - 1) * provider.first_chunk_ns + backoffs_ns(provider) >= lower
    return provider is not None and backoffs_ns(provider) >= lower
