"""Worst-case latency: from the end of input to each first output, and along every fallback.

The clock starts where the turn is proposed, at the node whose event ends the utterance. From there a path adds the age
bounds of the session-scoped edges (they may hold items already), the budget to first output of each effect node, and
the hold of each hand-off. Integer nanoseconds throughout; the steps of a path are the witness of its sum.
"""

from __future__ import annotations

from rspp_compiler.analysis.bounds import contribution
from rspp_compiler.ir.analysis import PathLatency, Step
from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.ir.spec import ReactionSpec

Steps = tuple[Step, ...]


def latency(graph: Graph) -> tuple[PathLatency, ...]:
    """The slowest way to each output, and of each reaction to each output it reaches; slowest first.

    The graph must be free of cycles.
    """
    start = clock_start(graph)
    ready = _ready(graph, start, (), ()) if start else {}
    paths = [PathLatency("flow", output, "", 0, _until(steps), steps) for output, steps in _outputs(graph, ready, ())]
    for reaction in graph.spec.reactions:
        for event in reaction.events:
            before = ready.get(event.subject, ()) if event.event in ("error", "timeout") else ()
            cause = f"{event.subject}.{event.event}"
            paths += _of_reaction(graph, reaction, cause, before)
    return tuple(sorted(paths, key=lambda path: (-path.total_ns, path.kind != "flow", path.output, path.cause)))


def clock_start(graph: Graph) -> str | None:
    """The node at which the budget clock starts; None when nothing is recognised.

    It is the owner of the turn's end if what is recognised comes through it, else the ingress, since then anything
    between the ingress and the recogniser may still be on its way when the input ends.
    """
    owner = graph.spec.turn_owner
    recognisers = graph.of_kind("stt")
    if not recognisers:
        return None
    if owner is not None and _reaches(graph, owner.subject, recognisers[0].id):
        return owner.subject
    return "ingress" if _reaches(graph, "ingress", recognisers[0].id) else recognisers[0].id


def _of_reaction(graph: Graph, reaction: ReactionSpec, cause: str, before: Steps) -> list[PathLatency]:
    if reaction.trigger is None:
        return []
    start = reaction.trigger.node
    ready = _ready(graph, start, before, (reaction.id,))
    return [
        PathLatency("fallback", output, f"{cause} -> {start}", _until(before), _until(steps), steps)
        for output, steps in _outputs(graph, ready, (reaction.id,))
    ]


def _ready(graph: Graph, start: str, before: Steps, reactions: tuple[str, ...]) -> dict[str, Steps]:
    """For each node that `start` reaches: the slowest steps until its first output."""
    ready: dict[str, Steps] = {start: before}
    for node in graph.nodes:
        arrivals = [
            ready[edge.source] + _along(edge, _until(ready[edge.source]))
            for edge in graph.into(node.id)
            if edge.source in ready and _belongs(edge, reactions)
        ]
        if node.id != start and arrivals:
            slowest = max(arrivals, key=_until)
            ready[node.id] = slowest + _within(node, _until(slowest))
    return ready


def _outputs(graph: Graph, ready: dict[str, Steps], reactions: tuple[str, ...]) -> list[tuple[str, Steps]]:
    return [
        (f"egress.{edge.target_port}", ready[edge.source] + _along(edge, _until(ready[edge.source])))
        for edge in graph.into("egress")
        if edge.source in ready and _belongs(edge, reactions)
    ]


def _along(edge: GraphEdge, at_ns: int) -> Steps:
    ns, what, origin = contribution(edge)
    return (Step(edge.id, what, ns, at_ns + ns, origin),) if ns else ()


def _within(node: GraphNode, at_ns: int) -> Steps:
    ns = node.spec.first_output_ns if node.execution == "effect" else 0
    return (Step(node.id, "budget", ns, at_ns + ns, node.spec.origin("first_output_ns")),) if ns else ()


def _belongs(edge: GraphEdge, reactions: tuple[str, ...]) -> bool:
    return not edge.reactions or any(reaction in edge.reactions for reaction in reactions)


def _until(steps: Steps) -> int:
    return steps[-1].until_ns if steps else 0


def _reaches(graph: Graph, source: str, target: str) -> bool:
    found = {source}
    for node in graph.nodes:
        if any(edge.source in found for edge in graph.into(node.id)):
            found.add(node.id)
    return target in found
