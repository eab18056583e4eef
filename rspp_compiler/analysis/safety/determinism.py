"""Determinism: every fan-in is ordered, every input that could differ is declared and recorded (LANGUAGE, promise 7).

What the kernel decides follows from what it was told and in which order. So flows that meet need a rule, and whatever
comes from outside, from a clock, from an operator or from the session itself stands in the plan with the place of its
record. `python` in the kernel and `wasm` are the user's word that they compute and do nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from rspp_compiler.analysis.safety.guards import can_both_hold
from rspp_compiler.analysis.safety.report_determinism import report_unordered
from rspp_compiler.analysis.shared.reach import behind
from rspp_compiler.ir.condition import Condition, Variable, variables
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.proofs.determinism import Determinism, FanIn, Input
from rspp_compiler.ir.spec import ReactionSpec, TextTemplate
from rspp_compiler.source import Span

VERSION = "v1.0"


def determinism(graph: Graph, ctx: Context) -> Determinism:
    """All fan-ins and inputs; E1101 for a fan-in without an order."""
    fan_ins = [fan_in for node in graph.nodes for fan_in in _of_node(graph, node, ctx)]
    found = {(one.input_key, one.source): one for one in (*_inputs(graph), *_of_session(graph))}
    return Determinism(tuple(fan_ins), tuple(found[key] for key in sorted(found)))


# ---- fan-in


def _of_node(graph: Graph, node: GraphNode, ctx: Context) -> Iterator[FanIn]:
    by_port: dict[str, list[GraphEdge]] = {}
    for edge in graph.into(node.id):
        by_port.setdefault(edge.target_port, []).append(edge)
    for port, edges in by_port.items():
        if len(edges) == 1:
            continue
        name, sources = f"{node.id}.{port}", tuple(f"{edge.source}.{edge.source_port}" for edge in edges)
        if node.kind in ("merge", "select"):
            yield FanIn(name, sources, *_rule_of(node))
        else:
            yield FanIn(name, sources, *_rule_of_reactions(graph, name, edges, ctx))


def _rule_of(node: GraphNode) -> tuple[str, str, Origin]:
    field = "order" if node.kind == "merge" else "by"
    value = node.spec.settings.get(field, "timestamp" if node.kind == "merge" else "first")
    return f"{node.kind}.{value}", VERSION, node.spec.origin(f"settings.{field}")


def _rule_of_reactions(graph: Graph, port: str, edges: list[GraphEdge], ctx: Context) -> tuple[str, str, Origin]:
    """A reaction takes the port over. Only lines for one event are there at once: see whether their order is enough."""
    plain = [edge for edge in edges if not edge.reactions]
    if len(plain) > 1:
        report_unordered(graph, port, plain, None, ctx)
        return "none", VERSION, Origin.user(plain[1].spec.span)
    ids = {id for edge in edges for id in edge.reactions}
    leading = [line for line in graph.spec.reactions if line.id in ids]
    into_port = {edge.id for edge in edges}
    lasting = [line for line in leading if _lasts(graph, line, into_port)]
    for first, second in _at_once(lasting):
        report_unordered(graph, port, edges, (first, second), ctx)
        return "none", VERSION, Origin.user(second.span)
    rule = "reaction.takeover" if next(_at_once(leading), None) is None else "reaction.lines"
    return rule, VERSION, Origin.user(leading[0].span)


def _at_once(lines: list[ReactionSpec]) -> Iterator[tuple[ReactionSpec, ReactionSpec]]:
    """Pairs of lines that one event can set going."""
    by_event: dict[str, list[ReactionSpec]] = {}
    for line in lines:
        for event in dict.fromkeys(str(event) for event in line.events):
            by_event.setdefault(event, []).append(line)
    seen: set[tuple[str, str]] = set()
    for group in by_event.values():
        for first, second in combinations(group, 2):
            if (first.id, second.id) not in seen and can_both_hold(first.guard, second.guard):
                yield first, second
            seen.add((first.id, second.id))


def _lasts(graph: Graph, line: ReactionSpec, into_port: set[str]) -> bool:
    """Whether what the line sets going comes to the port over time: through a node that waits, or a sound.

    A line without such a node is done in the step in which the event is raised.
    """
    assert line.trigger is not None  # it has a path, and that begins there
    before_port = behind(
        graph, [line.trigger.node], lambda edge: line.id in edge.reactions and edge.id not in into_port
    )
    return any(graph.node(id).execution == "effect" or graph.node(id).kind == "play" for id in before_port)


# ---- inputs


def _inputs(graph: Graph) -> Iterator[Input]:
    """What comes from outside: providers and custom nodes that wait, tools, the user, the clock."""
    for node in graph.nodes:
        if node.execution == "effect":
            yield Input(f"{node.id}.output", "external_call", f"ingest/{node.id}", node.spec.origin("kind"))
        elif node.kind == "ingress":
            for port in sorted(_arrives(graph, node)):
                yield Input(f"{node.id}.{port}", "other", f"ingest/{node.id}.{port}", node.spec.origin("kind"))
        elif node.kind == "egress" and graph.into(node.id):
            yield Input(f"{node.id}.playback", "other", f"ingest/{node.id}", node.spec.origin("kind"))
        elif node.kind == "timer":
            yield Input(f"{node.id}.fired", "system_time", "ingest/now_ns", node.spec.origin("kind"))
    used = {node.spec.provider for node in graph.nodes}
    for provider in graph.spec.providers:
        if provider.id in used and (len(provider.candidates) > 1 or provider.circuit is not None):
            key = f"provider.{provider.id}"
            yield Input(key, "other", f"plan/provider_bindings/{provider.id}", Origin.user(provider.span))
    for tool in graph.spec.tools:
        yield Input(f"{tool.id}.result", "external_call", f"ingest/{tool.id}", Origin.user(tool.span))
    yield Input("now_ns", "system_time", "ingest/now_ns", Origin.derived(graph.spec.span, "the driver stamps inputs"))
    authority = Origin.derived(graph.spec.span, "leases, cancels and snapshots come from outside")
    yield Input("control", "operator_override", "ingest/control", authority)


def _arrives(graph: Graph, ingress: GraphNode) -> set[str]:
    """What the user sends: what flows on, keys and buttons that lines react to, and texts beside what is spoken."""
    flows = {edge.source_port for edge in graph.out_of(ingress.id)}
    events = {event.event for line in graph.spec.reactions for event in line.events if event.subject == ingress.id}
    heard = any(set(ingress.parties) & set(node.parties) for node in graph.of_kind("stt"))
    return flows | events | ({"text"} if heard else set())


def _of_session(graph: Graph) -> Iterator[Input]:
    """What a session brings along, read when the plan freezes: what policies, guards and texts read, tunable fields."""
    for variable, span in _variables(graph):
        yield Input(variable, "other", f"plan/{variable}", Origin.user(span))
    for node in graph.nodes:
        for tunable in node.spec.tunable:
            key = f"{node.id}.{tunable.field}"
            yield Input(key, "operator_override", f"plan/config/{key}", Origin.user(tunable.span))


def _variables(graph: Graph) -> Iterator[tuple[str, Span]]:
    spec = graph.spec
    for policy in spec.policies:
        yield from _read(policy.condition, policy.span)
    for provider in spec.providers:
        for candidate in provider.candidates:
            yield from _read(candidate.guard, candidate.span)
    for edge in graph.edges:
        yield from _read(edge.spec.guard, edge.spec.span)
    for line in spec.reactions:
        yield from _read(line.guard, line.span)
    for node in graph.nodes:
        for value in node.spec.settings.values():
            if isinstance(value, TextTemplate):
                yield from ((name, node.spec.span) for name in value.variables)


def _read(condition: Condition | None, span: Span) -> Iterator[tuple[str, Span]]:
    """Variables of the session and the turn; fields of an event are stamped at ingest, and recorded with it."""
    found: tuple[Variable, ...] = variables(condition) if condition is not None else ()
    yield from ((f"{one.subject}.{one.field}", span) for one in found if one.subject != "event")
