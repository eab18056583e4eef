"""target: what the runtime of this version cannot run yet is refused here, by name, and never ignored.

Everything before this pass speaks the whole language: a pipeline that stops here is checked, proved and laid out. Each
rule names one construct and the places where the pipeline uses it; a runtime that learns it lets its rule go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rspp_compiler.ir.abi import EDGES_MAX, NODES_MAX
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.ir.plan import Frozen
from rspp_compiler.ir.spec import ReactionSpec, SecretRef, TextTemplate
from rspp_compiler.source import Span

_KINDS = frozenset({"ingress", "egress", "vad", "stt", "llm", "tts", "say", "tap", "python"})
_VERBS = frozenset({"cancel_turn", "end_utterance", "end_session", "degrade"})
_EVENTS = frozenset({"speech_start", "speech_end", "barge_in", "idle", "started", "done", "error", "timeout"})
_SETTINGS = frozenset({"diarise", "interruptible", "max_calls", "class"})
_STRATEGIES = frozenset({"block", "drop_oldest", "drop_newest", "latest_only"})


class Missing(NamedTuple):
    """One use of a construct that the runtime does not run yet."""

    code: str
    what: str  # "parties"
    span: Span


def target(frozen: Frozen, ctx: Context) -> Frozen | None:
    """The plan, if the runtime can run it; None after reports of what it cannot (E0602, E09xx)."""
    found = missing(frozen)
    for one in found:
        ctx.sink.add(
            one.code,
            f"the runtime of this version cannot run {one.what} yet",
            one.span,
            notes=("`rsppc check` proves it all the same; only a package cannot be built from it",),
            help="leave it out to build a package today",
        )
    _size(frozen.layout.analysis.graph, ctx)
    return None if ctx.sink.has_errors else frozen


def missing(frozen: Frozen) -> tuple[Missing, ...]:
    """Every use of something that the runtime cannot run yet, in the order of the rules."""
    graph = frozen.layout.analysis.graph
    return tuple(dict.fromkeys(one for rule in _RULES for one in rule(graph)))


def _size(graph: Graph, ctx: Context) -> None:
    for count, most, what in ((len(graph.nodes), NODES_MAX, "nodes"), (len(graph.edges), EDGES_MAX, "edges")):
        if count > most:
            ctx.sink.add(
                "E0602",
                f"the pipeline has {count} {what}; the kernel can run at most {most}",
                graph.spec.span,
                label=f"{count} {what}",
                help="split it into two pipelines",
            )


def _whole(graph: Graph) -> Iterator[Missing]:
    spec = graph.spec
    for party in spec.parties:
        if party.id:
            yield Missing("E0902", "parties", party.span)
    for policy in spec.policies:
        yield Missing("E0901", "policies", policy.span)
    for tool in spec.tools:
        yield Missing("E0901", "tools", tool.span)
    for budget in spec.budget.paths:
        yield Missing("E0904", "budgets of single paths", budget.span)
    if spec.budget.cost_microusd:
        yield Missing("E0904", "budgets of cost", spec.budget.origin("cost_microusd").span)
    for field, what in (("keep_ns", "retention"), ("region", "residency")):
        if getattr(spec.recording, field):
            yield Missing("E0904", f"the {what} of recordings", spec.recording.origin(field).span)
    if len(graph.of_kind("stt")) > 1:
        yield Missing("E0908", "several recognisers", graph.of_kind("stt")[1].spec.span)
    for mode in spec.modes:
        if mode.overrides:
            yield Missing("E0904", "modes that set nodes otherwise", mode.span)


def _nodes(graph: Graph) -> Iterator[Missing]:
    for node in graph.nodes:
        if node.kind not in _KINDS:
            what = f"a converter (`{node.kind}`)" if node.id in graph.converters else f"the kind `{node.kind}`"
            yield Missing("E0903", what, node.spec.span)
        yield from _settings(node)


def _settings(node: GraphNode) -> Iterator[Missing]:
    spec = node.spec
    written = (
        ("cancel", "a soft cancel", spec.cancel == "soft"),
        ("place", "a Python node outside of the kernel", spec.kind == "python" and spec.place != "kernel"),
        ("limit", "limits of a node", spec.limit is not None),
        ("hooks", "hooks of a node", bool(spec.hooks)),
        ("tunable", "settings that can be tuned", bool(spec.tunable)),
        ("tools", "tools of a model", bool(spec.tools)),
        ("scope", "a scope of its own", spec.origins.get("scope") is not None and spec.origin("scope").kind == "user"),
    )
    for field, what, is_used in written:
        if is_used:
            yield Missing("E0904", what, spec.origin(field).span)
    for key, value in spec.settings.items():
        if isinstance(value, TextTemplate):
            yield Missing("E0906", "variables inside texts", spec.origin(f"settings.{key}").span)
        if key in _SETTINGS and spec.origin(f"settings.{key}").kind == "user":
            yield Missing("E0904", f"the setting `{key}`", spec.origin(f"settings.{key}").span)
    for port in (*spec.inputs, *spec.outputs):
        if port.type.name == "bytes":
            yield Missing("E0906", "the type `bytes`", port.span)


def _edges(graph: Graph) -> Iterator[Missing]:
    for edge in graph.edges:
        yield from _edge(graph, edge)


def _edge(graph: Graph, edge: GraphEdge) -> Iterator[Missing]:
    spec = edge.spec
    if spec.guard or spec.otherwise:
        yield Missing("E0907", "guards on flows", spec.span)
    used = (
        ("coalesce_ns", "`coalesce` on a flow", spec.coalesce_ns > 0),
        ("watermark", "watermarks", spec.watermark is not None),
        ("flow", f"`flow = {spec.flow}`", spec.flow != "signal"),
        ("lanes", "lanes of a flow", spec.lanes is not None),
        ("sync", "sync domains", spec.sync is not None),
        ("fairness", "fairness", bool(spec.fairness)),
    )
    for field, what, is_used in used:
        if is_used:
            yield Missing("E0904", what, spec.origin(field).span)
    for step in spec.overflow:
        if step.strategy not in _STRATEGIES:
            yield Missing("E0906", f"the strategy `{step.strategy}`", spec.origin("overflow").span)
    if spec.handoff and (spec.handoff.by != "sentence" or spec.handoff.chars_min > 1):
        yield Missing("E0904", "a hand-off other than by sentence", spec.handoff.span)
    target = graph.node(edge.target)
    if target.kind == "egress" and edge.scope != "turn":
        yield Missing("E0904", "a flow to the user outside of turns", spec.span)
    if graph.node(edge.source).kind == "ingress" and edge.source_port == "text":
        yield Missing("E0904", "typed text without a recogniser", spec.span)
    if target.kind == "llm" and edge.target_port == "context":
        yield Missing("E0904", "the input `context`", spec.span)


def _reactions(graph: Graph) -> Iterator[Missing]:
    for reaction in graph.spec.reactions:
        if reaction.guard:
            yield Missing("E0907", "guards on reactions", reaction.span)
        if reaction.verb and reaction.verb not in _VERBS:
            yield Missing("E0905", f"the action `{_words(reaction)}`", reaction.span)
        for event in reaction.events:
            node = graph.find(event.subject)
            if node is None or node.execution == "boundary" or event.event not in _EVENTS:
                yield Missing("E0905", f"the event `{event}`", event.span)
        if reaction.trigger and graph.node(reaction.trigger.node).kind != "say":
            yield Missing("E0905", "a path that begins at another node than a `say`", reaction.span)


def _words(reaction: ReactionSpec) -> str:
    verb = (reaction.verb or "").replace("cancel_node", "cancel").replace("_", " ")
    return f"{verb} {reaction.object}" if reaction.object else verb


def _providers(graph: Graph) -> Iterator[Missing]:
    used = {node.spec.provider for node in graph.nodes}
    for provider in graph.spec.providers:
        if provider.id not in used:
            continue
        fields = (
            ("circuit", "circuit breakers", provider.circuit is not None),
            ("cap", "caps of a provider", provider.cap is not None),
            ("speakable_ns", "the deadline `speakable`", provider.speakable_ns > 0),
        )
        for field, what, is_used in fields:
            if is_used:
                yield Missing("E0904", what, provider.origin(field).span)
        if provider.retry.times and provider.retry.origin("times").kind == "user":
            yield Missing("E0904", "retries", provider.retry.span)
        for candidate in provider.candidates[1:]:
            yield Missing("E0904", "more than one provider for a node", candidate.span)
        if provider.id != provider.kind:
            yield Missing("E0901", "named pools of providers", provider.span)
        for candidate in provider.candidates:
            if candidate.guard:
                yield Missing("E0907", "guards on providers", candidate.span)
            for key, value in candidate.settings.items():
                if isinstance(value, SecretRef) and not value.secret.startswith("env://"):
                    yield Missing(
                        "E0906", "secrets from elsewhere than `env://`", candidate.origin(f"settings.{key}").span
                    )


_RULES = (_whole, _nodes, _edges, _reactions, _providers)
