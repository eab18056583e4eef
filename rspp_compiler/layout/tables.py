"""Nodes, edges, events, reactions and modes with their integer ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from rspp_compiler.ir.analysis import Analysis
from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.ir.layout import (
    Action,
    Clock,
    Edge,
    Event,
    Gather,
    Handoff,
    Hook,
    Join,
    Keys,
    Mode,
    Node,
    Overflow,
    Pause,
    Port,
    Reaction,
    State,
    Watermark,
)
from rspp_compiler.ir.proofs.bounds import EdgeBound
from rspp_compiler.ir.spec import EventSpec, NodeSpec, ReactionSpec, WatermarkSpec
from rspp_compiler.layout import tools
from rspp_compiler.layout.attempts import attempts
from rspp_compiler.layout.events import DETECTED, signal
from rspp_compiler.layout.guards import guard, reaction_guard
from rspp_compiler.layout.letters import letters
from rspp_compiler.layout.meters import meter_ids
from rspp_compiler.layout.sync import sync

EVENT_BYTES_MAX = 1024  # of an event (CONTRACTS §2)
KEYS_MAX = 64  # what a collector can hold
SUBJECTS = {"session": -1, "turn": -2}


class Ids:
    """Ids of one graph. Nodes: topological, ingress first. Edges: the one nearest to the egress first."""

    def __init__(self, graph: Graph) -> None:
        self.nodes = {node.id: node.position for node in graph.nodes}
        order = sorted(
            range(len(graph.edges)),
            key=lambda i: (-self.nodes[graph.edges[i].target], -self.nodes[graph.edges[i].source], i),
        )
        self.edges = {graph.edges[index].id: id for id, index in enumerate(order)}
        self.modes = {"full": 0} | {mode.id: id for id, mode in enumerate(graph.spec.modes, start=1)}
        self.meters = meter_ids(graph)
        self.tools, self.calls = tools.ids(graph), tools.call_ids(graph)
        self.events = {name: id for id, (name, _, _) in enumerate(_events(graph))}

    def event(self, spec: EventSpec | None) -> int:
        return -1 if spec is None else self.events.get((spec.subject, spec.event), -1)


def events(graph: Graph, ids: Ids) -> tuple[Event, ...]:
    """Every event that a provider may emit, and every one of the kernel that a reaction names."""
    return tuple(
        Event(id, str(spec), _subject(spec, ids), port, signal(graph, spec))
        for id, (spec, port) in enumerate((_named(graph, name), port) for name, _, port in _events(graph))
    )


def _subject(event: EventSpec, ids: Ids) -> int:
    name = event.subject
    return SUBJECTS.get(name, ids.nodes.get(name, ids.tools.get(name, -1)))


def _named(graph: Graph, name: tuple[str, str]) -> EventSpec:
    return EventSpec(span=graph.spec.span, subject=name[0], event=name[1])


def _asked(graph: Graph) -> set[tuple[str, str]]:
    """Every event that a reaction names, or that owns the end of an utterance."""
    named = {(event.subject, event.event) for reaction in graph.spec.reactions for event in reaction.events}
    return named | {(owner.event.subject, owner.event.event) for owner in graph.spec.owners}


def _events(graph: Graph) -> list[tuple[tuple[str, str], int, int]]:
    named = _asked(graph)
    found: list[tuple[tuple[str, str], int, int]] = []
    for subject in (*SUBJECTS, *(tool.id for tool in graph.spec.tools)):
        found += [((subject, name), -1, -1) for other, name in sorted(named) if other == subject]
    for node in graph.nodes:
        ports = event_ports(node)
        data_ports = len(node.spec.outputs)
        keyed = [port.name for port in node.spec.outputs]
        found += [((node.id, name), node.position, data_ports + index) for index, name in enumerate(ports)]
        found += [
            ((node.id, name), node.position, keyed.index(name) if name in keyed else -1)
            for name in node.spec.events
            if name not in ports and (node.id, name) in named
        ]
    return found


def event_ports(node: GraphNode) -> tuple[str, ...]:
    """Events that a provider emits, each on a port of its own behind the data ports."""
    own = () if node.execution != "effect" else node.spec.events
    return tuple(name for name in own if name in DETECTED)


def nodes(graph: Graph, ids: Ids) -> tuple[Node, ...]:
    """Nodes by id; ids of Python handlers follow the order of nodes."""
    handlers = {node.id: index for index, node in enumerate(in_kernel(graph))}
    rows = [tools.taught(graph, node, _node(graph, node, ids, handlers)) for node in graph.nodes]
    return (*rows, *tools.nodes(graph, ids.events))


def in_kernel(graph: Graph) -> list[GraphNode]:
    """The Python nodes that run between two steps; the others are effects."""
    return [node for node in graph.of_kind("python") if node.execution == "kernel"]


def _node(graph: Graph, node: GraphNode, ids: Ids, handlers: dict[str, int]) -> Node:
    spec = node.spec
    first_ns, chunk_ns = _deadlines(graph, node)
    tried = attempts(graph, node, ids.modes)
    text = spec.settings.get("text", "") if node.kind == "say" else ""
    predecessors = {edge.source for edge in graph.into(node.id)}
    provider = graph.provider_of(node) if node.execution == "effect" else None
    return Node(
        id=node.position,
        name=node.id,
        kind=node.kind,
        execution=node.execution,
        scope=node.scope,
        line=spec.span.line,
        inputs=tuple(Port(port.name, port.type.name, port.item_bytes_max) for port in spec.inputs),
        outputs=(
            *(Port(p.name, p.type.name, p.item_bytes_max, mark(graph, node.id, p.name)) for p in spec.outputs),
            *(Port(name, "event", EVENT_BYTES_MAX) for name in event_ports(node)),
        ),
        edges_in=tuple(sorted(ids.edges[edge.id] for edge in graph.into(node.id))),
        upstream=mask(ids.nodes[id] for id in predecessors if graph.node(id).scope == "turn"),
        window=spec.window_items if node.execution == "effect" else 0,
        first_output_ns=spec.first_output_ns if tried and tried.first_chunk_ns else first_ns,
        chunk_ns=chunk_ns,
        speakable_ns=_speakable(graph, node),
        event_error=ids.events.get((node.id, "error"), -1),
        event_timeout=ids.events.get((node.id, "timeout"), -1),
        event_started=ids.events.get((node.id, "started"), -1),
        event_done=ids.events.get((node.id, "done"), -1),
        text=str(text),
        interruptible=node.kind != "say" or node.spec.settings.get("interruptible") is not False,
        handler=handlers.get(node.id, -1),
        hooks=tuple(Hook(hook.name, hook.timeout_ns) for hook in spec.hooks) if node.kind == "python" else (),
        state=_state(spec),
        emissions_max=_emissions(graph, node) if node.kind == "python" else 0,
        attempts=tried,
        **_timed(graph, node, ids),
        join=_join(graph, node, ids) if node.kind in ("merge", "select") else None,
        meter=ids.meters.get(provider.id, -1) if provider is not None else -1,
        event_exhausted=ids.events.get((node.id, "budget_exhausted"), -1),
        label=_label(node),
        letters=letters(graph, node),
    )


def _timed(graph: Graph, node: GraphNode, ids: Ids) -> dict[str, Any]:
    """What a timer, an end-pointer or a collector of keys goes by."""

    def ns(field: str) -> int:
        value = node.spec.settings.get(field, 0)
        return value if isinstance(value, int) else 0

    if node.kind == "timer":
        clock = Clock(after_ns=ns("after_ns") or ns("every_ns"), every_ns=ns("every_ns"))
        return {"clock": clock, "event_own": ids.events.get((node.id, "fired"), -1)}
    if node.kind == "endpointer":
        own = ids.events.get((node.id, "speech_end"), -1)
        return {"pause": Pause(ns("min_ns"), ns("max_ns")), "event_own": own}
    if node.kind != "collect":
        return {}
    until = str(node.spec.settings.get("until", "")).encode()
    opens = any(edge.scope == "turn" for edge in graph.out_of(node.id))
    return {"keys": Keys(ns("digits") or KEYS_MAX, until[0] if until else -1, ns("timeout_ns"), opens)}


def _state(spec: NodeSpec) -> State | None:
    held = spec.state
    return State(held.turn_bytes, held.session_bytes, held.durable_bytes) if held is not None else None


def _join(graph: Graph, node: GraphNode, ids: Ids) -> Join:
    """The rule of a merge or select. Sources count as they are written, or in the order of their priority."""
    settings = node.spec.settings
    rule = str(settings.get("order" if node.kind == "merge" else "by"))
    order = settings.get("priority")
    into = list(graph.into(node.id))
    if rule == "priority" and isinstance(order, tuple):
        into.sort(key=lambda edge: order.index(edge.source))
    within = settings.get("within_ns", 0)
    patient = rule in ("timestamp", "round_robin", "highest")
    in_turns = rule == "round_robin" and node.spec.origin("settings.within_ns").kind != "user"
    return Join(
        by=rule,
        sources=tuple(ids.edges[edge.id] for edge in into),
        waits_for=mask(ids.edges[edge.id] for edge in into if not edge.reactions) if patient else 0,
        within_ns=within if isinstance(within, int) and not in_turns and rule != "priority" else 0,
        field=str(settings.get("field", "")) if rule == "highest" else "",
    )


def _label(node: GraphNode) -> int:
    value = node.spec.settings.get("value") if node.kind == "label" else None
    return value if isinstance(value, int) else -1


def _speakable(graph: Graph, node: GraphNode) -> int:
    """Until the first text that can be spoken: of a model, as its provider block says."""
    provider = graph.provider_of(node) if node.kind == "llm" else None
    return provider.speakable_ns if provider is not None else 0


def _emissions(graph: Graph, node: GraphNode) -> int:
    """Most items of one call: no more than each edge behind the node can take at once, or it could never run."""
    most = [node.spec.emissions_max]
    for edge in graph.out_of(node.id):
        port = graph.source_port(edge)
        assert port is not None  # resolve bound it
        spare = 1 if edge.spec.handoff else 0
        most.append(min(edge.spec.buffer_items - spare, edge.spec.buffer_bytes // port.item_bytes_max))
    return max(1, min(most))


def _deadlines(graph: Graph, node: GraphNode) -> tuple[int, int]:
    """First-output budget and chunk deadline of an effect node.

    A detector waits for the user, so nothing is due of it. A recogniser owes its final once the input ended; what it
    says before depends on the user too. The others owe a first output within their budget, or the provider's own
    timeout where that is less and nobody tries again.
    """
    spec = node.spec
    if node.execution != "effect" or node.kind == "vad":
        return 0, 0
    if node.kind in ("stt", "python"):  # a Python node: for each item
        return spec.first_output_ns, 0
    provider = graph.spec.provider(spec.provider or node.kind)
    if provider is None:
        return spec.first_output_ns, spec.chunk_ns
    chunk_ns = min(spec.chunk_ns, provider.chunk_ns) if spec.chunk_ns else provider.chunk_ns
    return min(spec.first_output_ns, provider.first_chunk_ns), chunk_ns


def edges(analysis: Analysis, ids: Ids, pool_of: dict[str, int], rows: tuple[Node, ...]) -> tuple[Edge, ...]:
    """Edges by id; `pool_of` maps an edge's name to its pool. Those between models and tools come last."""
    graph = analysis.graph
    bounds = {bound.edge: bound for bound in analysis.bounds}
    table = [_edge(graph, edge, ids, pool_of[edge.id], bounds[edge.id]) for edge in graph.edges]
    ways = tools.edges(graph, rows, 1 + max(pool_of.values(), default=-1))
    return (*sorted(table, key=lambda edge: edge.id), *ways)


def _edge(graph: Graph, edge: GraphEdge, ids: Ids, pool: int, bound: EdgeBound) -> Edge:
    spec = edge.spec
    outputs = [port.name for port in graph.node(edge.source).spec.outputs]
    inputs = [port.name for port in graph.node(edge.target).spec.inputs]
    return Edge(
        id=ids.edges[edge.id],
        name=edge.id,
        line=spec.span.line,
        source=ids.nodes[edge.source],
        source_port=outputs.index(edge.source_port),
        target=ids.nodes[edge.target],
        target_port=inputs.index(edge.target_port),
        scope=edge.scope,
        pool=pool,
        items_max=spec.buffer_items,
        bytes_max=spec.buffer_bytes,
        age_ns_max=bound.age_ns_max,
        overflow=tuple(Overflow(step.strategy, step.block_ns, step.rule, step.keep_percent) for step in bound.overflow),
        handoff=_handoff(graph, edge) if spec.handoff else None,
        commit_point=spec.commit_point,
        guard=guard(graph, edge, ids.modes),
        gather=Gather(spec.coalesce_ns, _rule(edge)) if spec.coalesce_ns else None,
        watermark=_watermark(spec.watermark) if spec.watermark else None,
        sync=sync(graph, edge, ids.edges),
        flow=spec.flow,
        telemetry=spec.lanes.telemetry if spec.lanes else "best_effort_drop",
    )


def _handoff(graph: Graph, edge: GraphEdge) -> Handoff:
    handoff = edge.spec.handoff
    assert handoff is not None
    return Handoff(handoff.age_ns_max, item_bytes_max(graph, edge), handoff.chars_min if handoff.chars_min > 1 else 0)


def mark(graph: Graph, node: str, port: str) -> str:
    """What the hand-offs of a port release by; where they differ, `target` refuses."""
    found = marks(graph, node, port)
    return found[0] if found else "sentence"


def marks(graph: Graph, node: str, port: str) -> tuple[str, ...]:
    """Every mark that a hand-off of this port asks for."""
    asked = (edge.spec.handoff.by for edge in graph.out_of(node, port) if edge.spec.handoff)
    return tuple(dict.fromkeys(asked))


def _rule(edge: GraphEdge) -> str:
    """How a flow that gathers joins: as its overflow order says, else partials supersede, and the rest is joined."""
    written = next((step.rule for step in edge.spec.overflow if step.strategy == "coalesce"), "")
    return written or ("latest_partial" if edge.source_port == "partial" else "concat")


def _watermark(mark: WatermarkSpec) -> Watermark:
    return Watermark(mark.high_items, mark.low_items, mark.high_ns, mark.low_ns)


def item_bytes_max(graph: Graph, edge: GraphEdge) -> int:
    """The largest item that the edge can hold: of its source's port, or what a hand-off assembles for its target's."""
    source, target = graph.source_port(edge), graph.target_port(edge)
    assert source is not None and target is not None  # noqa: PT018 - resolve bound both
    if edge.spec.handoff is None:
        return source.item_bytes_max
    largest = max(source.item_bytes_max, edge.spec.handoff.bytes_max)
    return min(largest, target.item_bytes_max, edge.spec.buffer_bytes)


def reactions(graph: Graph, ids: Ids) -> tuple[Reaction, ...]:
    """One row for each event of each line, in the order of the source.

    `end utterance` at the owner's own event has no row: ending the utterance is what the owner's event does.
    """
    rows: list[Reaction] = []
    for reaction in graph.spec.reactions:
        for event in reaction.events:
            id = ids.event(event)
            if reaction.verb == "end_utterance" and any(id == ids.event(owner.event) for owner in graph.spec.owners):
                continue
            rows.append(
                Reaction(
                    id=len(rows),
                    event=id,
                    action=_action(graph, reaction, ids),
                    line=reaction.span.line,
                    guard=reaction_guard(graph, reaction, event, ids.modes),
                )
            )
    return tuple(rows)


def _action(graph: Graph, reaction: ReactionSpec, ids: Ids) -> Action:
    if reaction.trigger is not None:
        return Action("show" if graph.shows(reaction) else "trigger", ids.nodes[reaction.trigger.node])
    verb, object = reaction.verb or "cancel_turn", reaction.object or ""
    if verb in ("degrade", "enter"):
        return Action(verb, ids.modes[object])
    if verb == "call" and object in ids.calls:
        return Action("trigger", ids.calls[object])
    return Action(verb, ids.nodes.get(object, -1))


def modes(graph: Graph, ids: Ids, rows: tuple[Edge, ...]) -> tuple[Mode, ...]:
    """Mode 0 is the full pipeline; in the others an edge is off with either of its ends."""
    table = [Mode(id=0, name="full", nodes_off=0, edges_off=0)]
    for mode in graph.spec.modes:
        off = {ids.nodes[id] for id in mode.off}
        table.append(
            Mode(
                id=ids.modes[mode.id],
                name=mode.id,
                nodes_off=mask(off),
                edges_off=mask(edge.id for edge in rows if {edge.source, edge.target} & off),
            )
        )
    return tuple(table)


class Soft(NamedTuple):
    """What a soft cancel waits for: masks of nodes and edges, and the longest segment."""

    nodes: int
    edges: int
    longest_ns: int


def soft(graph: Graph, nodes: tuple[Node, ...], edges: tuple[Edge, ...]) -> Soft:
    """Effect nodes with `cancel = soft`, and how what they still say gets on: not into another effect, which would
    begin anew.
    """
    effects = [node for node in nodes if node.execution == "effect" and node.tool is None]
    ends = [node for node in effects if graph.node(node.name).spec.cancel == "soft"]
    speaking, way = {node.id for node in ends}, 0
    for edge in sorted(edges, key=lambda edge: edge.source):  # nodes are in topological order
        if edge.source in speaking and edge.scope == "turn" and nodes[edge.target].execution != "effect":
            way |= 1 << edge.id
            speaking.add(edge.target)
    return Soft(mask(node.id for node in ends), way, max((node.chunk_ns for node in ends), default=0))


def mask(bits: Iterable[int]) -> int:
    """The integer with these bits set."""
    result = 0
    for bit in bits:
        result |= 1 << bit
    return result
