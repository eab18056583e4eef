"""Cancel coverage: a cancel of any scope reaches everything that could still be heard (LANGUAGE, promise 5).

A cancel of a turn stops what belongs to the turn and empties its edges. So something is still heard only if it can
come to the egress without a turn of its own: from a node of the session, from behind a commit point, from a node that
what is left of the turn starts again, or from one that may end its segment first and never does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rspp_compiler.analysis.safety.report_cancel import report
from rspp_compiler.analysis.shared.modes import every_mode
from rspp_compiler.analysis.shared.reach import before, shown, way_from
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.proofs.cancel import Cancel, CancelRow, Commit, HookRun, Leak, Stop
from rspp_compiler.ir.spec import NodeSpec, ToolSpec


def cancel(graph: Graph, ctx: Context) -> Cancel:
    """The table of every scope; E1001 to E1004 for what would still be heard."""
    turns = (_turn(graph, party.id) for party in graph.spec.parties)
    nodes = [row for node in graph.nodes if node.kind not in ("ingress", "egress") for row in _node(graph, node)]
    leaks = (
        *_survivors(graph), *_exempt(graph), *_committed_early(graph), *_restarted(graph), *_endless(graph),
    )  # fmt: skip
    for leak in leaks:
        report(graph, leak, ctx)
    return Cancel((_session(graph), *turns, *nodes), leaks)


# ---- the table


def _session(graph: Graph) -> CancelRow:
    nodes = [node for node in graph.nodes if node.execution != "boundary"]
    tools = graph.spec.tools
    return CancelRow(
        "session",
        "",
        (*(_stop(graph, node.spec) for node in nodes), *(_tool_stop(graph, tool) for tool in tools)),
        tuple(edge.id for edge in graph.edges),
        (*_sent(graph, graph.of_kind("egress")), *_done(tools)),
        _hooks(nodes, ("on_cancel", "stop")),
    )


def _turn(graph: Graph, party: str) -> CancelRow:
    """A turn of one party: its nodes, its edges, and the tools that its models may call.

    A speech-to-speech model goes on listening, and stops answering.
    """
    near = {node.id for node in graph.nodes if party in node.parties or not node.parties}
    nodes = [node for node in graph.nodes if node.id in near and (node.scope == "turn" or node.kind == "realtime")]
    egress = [node for node in graph.of_kind("egress") if node.spec.party == party]
    named = {tool for node in nodes for tool in node.spec.tools}
    tools = [tool for tool in graph.spec.tools if tool.id in named and not tool.background]
    edges = [edge for edge in graph.edges if edge.scope == "turn" and near & {edge.source, edge.target}]
    hooks = ("on_cancel", "on_barge_in") if _cancels_on_barge_in(graph) else ("on_cancel",)
    return CancelRow(
        "turn",
        party,
        (*(_stop(graph, node.spec) for node in nodes), *(_tool_stop(graph, tool) for tool in tools)),
        tuple(edge.id for edge in edges),
        (*_sent(graph, egress), *_done(tools)),
        _hooks(nodes, hooks),
        tuple(node.id for node in nodes if node.spec.settings.get("interruptible") is False),
    )


def _node(graph: Graph, node: GraphNode) -> Iterator[CancelRow]:
    """A cancel of a node empties what waits for it and what it made; one of its invocation ends that attempt alone."""
    edges = (*graph.into(node.id), *graph.out_of(node.id))
    flushed = tuple(edge.id for edge in edges)
    stop = _stop(graph, node.spec)
    yield CancelRow("node", node.id, (stop,), flushed, _passed(edges), _hooks([node], ("on_cancel",)))
    if node.spec.provider is not None:
        yield CancelRow("provider_invocation", node.id, (stop,), (), (), ())


def _stop(graph: Graph, node: NodeSpec) -> Stop:
    limits = graph.spec.limits
    if node.execution != "effect":
        if node.kind == "play" and node.cancel == "soft":
            return Stop(node.id, "soft", 0, node.origin("cancel"))
        return Stop(node.id, "at once", 0, Origin.derived(node.span, "it runs inside a step of the kernel"))
    if node.cancel == "soft":
        return Stop(node.id, "soft", node.chunk_ns + limits.cancel_grace_ns, node.origin("chunk_ns"))
    return Stop(node.id, "hard", limits.cancel_grace_ns, limits.origin("cancel_grace_ns"))


def _tool_stop(graph: Graph, tool: ToolSpec) -> Stop:
    limits = graph.spec.limits
    if tool.cancel == "soft":
        return Stop(tool.id, "soft", tool.timeout_ns + limits.cancel_grace_ns, tool.origin("timeout_ns"))
    return Stop(tool.id, "hard", limits.cancel_grace_ns, limits.origin("cancel_grace_ns"))


def _hooks(nodes: Iterable[GraphNode], names: tuple[str, ...]) -> tuple[HookRun, ...]:
    return tuple(
        HookRun(node.id, hook.name, hook.timeout_ns, hook.origin("timeout_ns"))
        for node in nodes
        for hook in node.spec.hooks
        if hook.name in names
    )


def _sent(graph: Graph, egress: Iterable[GraphNode]) -> tuple[Commit, ...]:
    """What has left for the user: of audio at most the lead, which the transport is asked to drop; of text all."""
    lead = graph.spec.limits
    edges = [edge for node in egress for edge in graph.into(node.id)]
    rows = [
        Commit(edge.id, f"at most {lead.egress_lead_ns // 1_000_000} ms of audio ahead of the ear; the transport is "
               "asked to drop it", lead.origin("egress_lead_ns"))
        if edge.target_port != "text"
        else Commit(edge.id, "text that has been shown", edge.spec.origin("commit_point"))
        for edge in edges
    ]  # fmt: skip
    last = {edge.id for edge in edges}
    return (*rows, *_passed(edge for edge in graph.edges if edge.id not in last))


def _passed(edges: Iterable[GraphEdge]) -> tuple[Commit, ...]:
    """Edges that the user has made a commit point, other than those into the egress."""
    return tuple(
        Commit(edge.id, "what has passed it", edge.spec.origin("commit_point"))
        for edge in edges
        if edge.spec.commit_point
    )


def _done(tools: Iterable[ToolSpec]) -> tuple[Commit, ...]:
    rows = []
    for tool in tools:
        if tool.kind == "transfer":
            rows.append(Commit(tool.id, "a call that has been handed over", tool.origin("kind")))
        elif tool.once:
            rows.append(Commit(tool.id, "what it has done stays done; it is not run again", tool.origin("once")))
    return tuple(rows)


def _cancels_on_barge_in(graph: Graph) -> bool:
    return any(
        reaction.verb == "cancel_turn" and any(event.event == "barge_in" for event in reaction.events)
        for reaction in graph.spec.reactions
    )


# ---- what would still be heard


def _stays(edge: GraphEdge) -> bool:
    """Whether what flows here is still what it was: where a turn opens, it belongs to a new one with its own fence."""
    return not edge.opens_turn and edge.target_port != "ambient"


def _heard(graph: Graph) -> dict[str, GraphEdge | None]:
    """Nodes from which the egress is reached without a new turn, each with the first flow of the way.

    `egress.ambient` is not among its ports: it belongs to the session, and is silenced with it. Neither is text that
    comes straight from the session, such as what is recognised as it is said: it is no part of a turn.
    """

    def stays(edge: GraphEdge) -> bool:
        is_shown = graph.node(edge.target).kind == "egress" and not _is_voice(graph, edge.target, edge.target_port)
        return _stays(edge) and not (is_shown and graph.node(edge.source).scope != "turn")

    return before(graph, [node.id for node in graph.of_kind("egress")], stays)


def _survivors(graph: Graph) -> list[Leak]:
    """Flows by which something of the session comes into a turn, or to the ear, without a turn of its own."""
    heard = _heard(graph)
    leaks = [
        Leak("survivor", edge.source, "", shown((edge, *way_from(heard, edge.target))), edge.spec.span)
        for edge in graph.edges
        if _stays(edge)
        and edge.target in heard
        and graph.node(edge.source).scope != "turn"
        and (graph.node(edge.target).scope == "turn" or _is_voice(graph, edge.target, edge.target_port))
    ]
    for reaction in graph.spec.reactions:
        trigger = reaction.trigger
        if trigger is None or not _is_voice(graph, trigger.node, trigger.port):
            continue
        for event in reaction.events:
            if not _is_of_turn(graph, event.subject):
                path = (str(event), f"{trigger.node}.{trigger.port}")
                leaks.append(Leak("survivor", event.subject, reaction.id, path, reaction.span))
    return leaks


def _is_voice(graph: Graph, node: str, port: str) -> bool:
    return graph.node(node).kind == "egress" and port == "audio"


def _is_of_turn(graph: Graph, subject: str) -> bool:
    node, tool = graph.find(subject), graph.spec.tool(subject)
    return (
        subject == "turn" or (node is not None and node.scope == "turn") or (tool is not None and not tool.background)
    )


def _exempt(graph: Graph) -> list[Leak]:
    """Sounds that must not be interrupted, and play again and again: a barge-in leaves them their say for ever."""
    heard = _heard(graph)
    return [
        Leak("exempt", node.id, "", shown(way_from(heard, node.id)), node.spec.origin("settings.interruptible").span)
        for node in graph.of_kind("play")
        if node.spec.settings.get("interruptible") is False and node.spec.settings.get("loop") is True
        if node.scope == "turn" and node.id in heard
    ]


def _committed_early(graph: Graph) -> list[Leak]:
    heard = _heard(graph)
    return [
        Leak("commit", edge.id, "", shown((edge, *way_from(heard, edge.target))), edge.spec.span)
        for edge in graph.edges
        if edge.spec.commit_point and edge.target in heard and graph.node(edge.target).kind != "egress"
    ]


def _restarted(graph: Graph) -> list[Leak]:
    """Nodes that a reaction cancels while another still sends them something."""
    heard = _heard(graph)
    leaks = []
    for reaction in graph.spec.reactions:
        node = reaction.object or ""
        if reaction.verb != "cancel_node" or node not in heard:
            continue
        feeding = before(graph, [node], lambda edge: _stays(edge) and not edge.reactions)
        sources = [id for id in feeding if id != node and graph.node(id).execution in ("effect", "boundary")]
        if sources:
            way = (*way_from(feeding, sources[0]), *way_from(heard, node))
            leaks.append(Leak("restart", node, sources[0], shown(way), reaction.span))
    return leaks


def _endless(graph: Graph) -> list[Leak]:
    """Nodes that end their segment first, where nothing bounds the segment: a sound that plays, a stream without a
    deadline between its chunks.
    """
    leaks: dict[str, Leak] = {}
    heard = _heard(graph)
    for mode, varied in every_mode(graph):
        for node in varied.nodes:
            spec = node.spec
            lasts = node.kind == "play" or (node.execution == "effect" and spec.chunk_ns == 0)
            if spec.cancel == "soft" and lasts and node.id in heard and node.id not in leaks:
                way = way_from(heard, node.id)
                leaks[node.id] = Leak("endless", node.id, mode, shown(way), spec.origin("cancel").span)
    return list(leaks.values())
