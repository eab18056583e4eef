"""Rules for the whole graph: no cycles, nothing unreachable, something for the user."""

from __future__ import annotations

import itertools

import networkx as nx

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import guess, line_behind, remove
from rspp_compiler.diagnostics.statements import begin, offsets
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.sema.language.kinds import KINDS
from rspp_compiler.sema.mending import last_line, without_flow


def no_cycles(graph: Graph, ctx: Context) -> None:
    """E0403: no item may come back to where it was; shows the cycle arrow by arrow."""
    for component in nx.strongly_connected_components(graph.flows):
        start = min(component, key=lambda id: graph.node(id).position)
        if len(component) == 1 and not graph.flows.has_edge(start, start):
            continue
        ring = _ring(graph, start, component)
        names = [edge.source for edge in ring] + [ring[0].source]
        first, *others = ring
        ctx.sink.add(
            "E0403",
            f"flows form a cycle: {' -> '.join(names)}",
            first.spec.span,
            label=f"`{first.source}` -> `{first.target}`",
            secondary=[(edge.spec.span, f"`{edge.source}` -> `{edge.target}`") for edge in others],
            notes=["an item could go round for ever, and no latency could be promised"],
            help=f"remove the arrow from `{ring[-1].source}` to `{ring[-1].target}`; "
            "one node may influence another through a reaction (`on … -> …`)",
            fix=without_flow(ring[-1].spec.span, ctx),
        )


def _ring(graph: Graph, start: str, component: set[str]) -> list[GraphEdge]:
    """The shortest way from `start` back to itself within its component."""
    inside = graph.flows.subgraph(component)
    ways = [
        [start, *nx.shortest_path(inside, follower, start)]
        for follower in sorted(inside.successors(start), key=lambda id: graph.node(id).position)
    ]
    nodes = min(ways, key=len)
    return [next(edge for edge in graph.out_of(a) if edge.target == b) for a, b in itertools.pairwise(nodes)]


def reachable(graph: Graph, ctx: Context) -> None:
    """E0404: every node is reached from an ingress or triggered by a reaction. E0405: and its output is used.

    Of nodes that only unreached ones lead to, the first is reported; and none of a module or policy that is not
    connected, which was reported already.
    """
    is_cut_off = any(found.code in ("E0215", "E0232") for found in ctx.sink.diagnostics)
    reached = _reached(graph)
    triggered = {reaction.trigger.node for reaction in graph.spec.reactions if reaction.trigger}
    named = {event.subject for reaction in graph.spec.reactions for event in reaction.events}
    for node in graph.nodes:
        if node.execution == "boundary" or (node.kind == "timer" and node.id in named):
            continue
        if node.id not in reached and (graph.into(node.id) or (is_cut_off and "." in node.id)):
            continue
        if node.id not in reached:
            edges = graph.out_of(node.id)
            ctx.sink.add(
                "E0404",
                f"nothing reaches `{node.id}`",
                node.spec.span,
                label="nothing flows into it, and nothing triggers it" if edges else "declared here, and never used",
                help=_way_in(node, graph),
                fix=_connected(node, graph, ctx) or _unused(node, graph, ctx),
            )
        elif node.spec.outputs and not graph.out_of(node.id) and node.id not in triggered:
            _goes_nowhere(node, graph, ctx)


def _reached(graph: Graph) -> set[str]:
    waiting = [node.id for node in graph.nodes if node.kind == "ingress"]
    waiting += [reaction.trigger.node for reaction in graph.spec.reactions if reaction.trigger]
    seen: set[str] = set()
    while waiting:
        id = waiting.pop()
        if id not in seen:
            seen.add(id)
            waiting += [edge.target for edge in graph.out_of(id)]
    return seen


def _way_in(node: GraphNode, graph: Graph) -> str:
    before = _before(node, graph)
    if KINDS[node.kind].is_triggered:
        return f"write a reaction, such as `{before or 'on llm.timeout -> '}{node.id} -> …`, or remove it"
    if node.kind == "timer":
        return f"write a reaction: `on {node.id}.fired -> …`, or remove it"
    return f"write a flow into it, such as `{before or 'ingress.audio -> '}{node.id}`, or remove it"


def _before(node: GraphNode, graph: Graph) -> str:
    """What mostly leads to a node of this kind: `stt -> `, or `on llm.timeout -> `; "" where nothing is plain."""

    def only(kind: str) -> str:
        """The only node of a kind, if the node does not lead to it."""
        nodes = graph.of_kind(kind)
        is_behind = len(nodes) == 1 and nx.has_path(graph.flows, node.id, nodes[0].id)
        return nodes[0].id if len(nodes) == 1 and not is_behind else ""

    is_alone = len(graph.spec.parties) <= 1 and "." not in node.id
    match node.kind:
        case "vad" | "realtime" if is_alone:
            return "ingress.audio -> "
        case "stt" if is_alone:
            return f"{only('vad')} -> " if only("vad") else "ingress.audio -> vad -> "
        case "llm" if only("stt"):
            return f"{only('stt')} -> "
        case "tts" if only("llm"):
            return f"{only('llm')} -> "
        case "say" | "play" if only("llm"):
            return f"on {only('llm')}.timeout -> "
    return ""


def _connected(node: GraphNode, graph: Graph, ctx: Context) -> Fix | None:
    """The flow or reaction that mostly leads to a node of this kind, in front of the line that begins with it."""
    before, out = _before(node, graph), graph.out_of(node.id)
    if not before:
        return None
    if out:
        source, span = ctx.source(out[0].spec.span), out[0].spec.span
        start, _ = offsets(source, span)
        return guess(Fix(source.span(start, start), before)) if begin(source, span) == start else None
    voices = graph.of_kind("tts")
    if node.kind != "say" or len(voices) != 1:
        return None
    at = last_line(graph, ctx)
    return guess(line_behind(ctx.source(at), at, f"{before}{node.id} -> {voices[0].id}"))


def _unused(node: GraphNode, graph: Graph, ctx: Context) -> Fix | None:
    """The declaration goes, if nothing else names the node; else the flow out of it."""
    out = graph.out_of(node.id)
    if not out and not node.spec.implicit:
        return remove(ctx.source(node.spec.span), node.spec.span)
    return without_flow(out[0].spec.span, ctx) if out and node.spec.implicit else None


def _goes_nowhere(node: GraphNode, graph: Graph, ctx: Context) -> None:
    ports = ", ".join(f"`{node.id}.{port.name}`" for port in node.spec.outputs)
    main = next((port for port in node.spec.outputs if port.main), node.spec.outputs[0])
    tap = next((other.id for other in graph.nodes if other.kind == "tap" and not graph.into(other.id)), "")
    taps = [other for other in graph.nodes if other.kind == "tap"]
    at = last_line(graph, ctx)
    fix = line_behind(ctx.source(at), at, f"{node.id}.{main.name} -> {tap or 'tap'}") if tap or not taps else None
    ctx.sink.add(
        "E0405",
        f"what `{node.id}` makes goes nowhere",
        node.spec.span,
        label="no output of it is used",
        notes=[f"it has {ports}"],
        help="write a flow from it, or remove the node",
        fix=fix,
    )


def something_reaches_the_user(graph: Graph, ctx: Context) -> None:
    """E0414: a pipeline without a flow into the egress answers nobody. One that only writes somewhere says so."""
    if any(graph.into(node.id) for node in graph.nodes if node.kind == "egress"):
        return
    line = _last_words(graph)
    at = last_line(graph, ctx)
    ctx.sink.add(
        "E0414",
        f"nothing that `{graph.spec.name}` does reaches the user",
        graph.spec.span,
        label="no flow ends at `egress`",
        help=f"write `{line}`" if line else "end a flow at `egress.audio` or `egress.text`",
        fix=guess(line_behind(ctx.source(at), at, line)) if line else None,
    )


def _last_words(graph: Graph) -> str:
    """A flow to the user from the last node that makes something for them: an answer, or what was understood."""
    for kinds in (("tts", "play", "realtime"), ("llm", "say"), ("stt", "collect")):
        makers = graph.of_kind(*kinds)
        if makers:
            port = "audio" if makers[-1].spec.output("audio") else "text"
            return f"{makers[-1].id} -> {_egress(graph)}.{port}"
    return ""


def _egress(graph: Graph) -> str:
    """What the egress is called in the file: by its party, where there are several."""
    parties = [party.id for party in graph.spec.parties if party.id]
    return parties[0] if len(parties) > 1 else "egress"
