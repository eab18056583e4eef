"""The pipeline as a policy leaves it: its nodes inserted, its providers and its recording instead of the usual ones."""

from __future__ import annotations

from rspp_compiler.ir.spec import EdgeSpec, InsertSpec, PipelineSpec, PolicySpec, ReactionSpec, TriggerSpec


def under(spec: PipelineSpec, policy: PolicySpec) -> PipelineSpec:
    """The spec with a policy applied. Of several nodes inserted before one port, the first written comes first."""
    edges, reactions = list(spec.edges), list(spec.reactions)
    onward = {(edge.source, edge.target, edge.target_port): edge for edge in policy.edges}
    for insert in policy.inserts:
        edge = onward[insert.node, insert.target, insert.target_port]
        port = next(port.name for node in policy.nodes if node.id == insert.node for port in node.inputs if port.main)
        edges = [*(_redirected(flow, insert, port) for flow in edges), edge]
        reactions = [_detoured(reaction, insert, port) for reaction in reactions]
    providers = {provider.id: provider for provider in (*spec.providers, *policy.providers)}
    return spec.changed(
        nodes=(*spec.nodes, *policy.nodes),
        edges=tuple(edges),
        reactions=tuple(reactions),
        providers=tuple(providers[id] for id in sorted(providers)),
        recording=policy.recording or spec.recording,
        policies=(),
    )


def _redirected(edge: EdgeSpec, insert: InsertSpec, port: str) -> EdgeSpec:
    if (edge.target, edge.target_port) != (insert.target, insert.target_port) or edge.source == insert.node:
        return edge
    id = f"{edge.source}.{edge.source_port} -> {insert.node}.{port}"
    return edge.model_copy(update={"id": id, "target": insert.node, "target_port": port})


def _detoured(reaction: ReactionSpec, insert: InsertSpec, port: str) -> ReactionSpec:
    """A path that leads to the port, or begins there, leads to the inserted node, and on with what flows out of it."""
    path = tuple(_redirected(one, insert, port) for one in reaction.path)
    trigger = reaction.trigger
    if trigger and (trigger.node, trigger.port) == (insert.target, insert.target_port):
        trigger = TriggerSpec(span=trigger.span, node=insert.node, port=port)
    return reaction.model_copy(update={"trigger": trigger, "path": path})
