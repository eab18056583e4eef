"""target: what the runtime of this version cannot run yet is refused here, by name, and never ignored.

Everything before this pass speaks the whole language: a pipeline that stops here is checked, proved and laid out. Each
rule names one construct and the places where the pipeline uses it; a runtime that learns it lets its rule go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.diagnostic import is_label
from rspp_compiler.diagnostics.statements import setting_at
from rspp_compiler.ir.abi import EDGES_MAX, NODES_MAX
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge, GraphNode
from rspp_compiler.ir.plan import Frozen
from rspp_compiler.ir.spec import (
    CandidateSpec,
    ModeSpec,
    NodeSpec,
    PolicySpec,
    ProviderSpec,
    SecretRef,
    SpecModel,
    TextTemplate,
    ToolSpec,
)
from rspp_compiler.layout import leave_out
from rspp_compiler.layout.attempts import overrides
from rspp_compiler.layout.events import occurs
from rspp_compiler.layout.guards import unknown, unstamped
from rspp_compiler.layout.letters import unshown
from rspp_compiler.layout.meters import metered
from rspp_compiler.layout.paths import not_kept
from rspp_compiler.layout.sync import group_key, sharers
from rspp_compiler.layout.tables import marks
from rspp_compiler.layout.tools import MODEL, called
from rspp_compiler.source import Span

_LEAVE_OUT = "leave it out to build a package today"
_STAMPED = (
    "leave it out, or read what is stamped today: `event.length`, `words`, `final`, `duration`, `label`, the "
    "session, `turn.number`, `turn.origin`"
)
_KNOWN = (
    "leave it out, or read what is known today: of speech `words` and `duration`, of `idle` `count` and `duration`, of "
    "a node `attempts`, `elapsed`, `reason`, `retryable`, `provider`; a provider's failure has the reasons "
    "`timeout`, `overload`, `blocked`, `infrastructure_failure`"
)
_NOT_YET = frozenset({"realtime", "play", "redact", "grpc", "wasm", "resample", "decode"})
_VERBS = frozenset(
    {"cancel_turn", "end_utterance", "end_session", "degrade", "enter", "pause", "resume", "abort_turn", "open_turn"}
)
_SETTINGS = frozenset({"diarise", "class"})
_OF_AUDIO = frozenset({"vad", "stt", "tts"})  # whose time is that of their audio


@dataclass(frozen=True, slots=True)
class Missing:
    """One use of a construct that the runtime does not run yet.

    `span` is where it is written; with a `key`, the setting of that name in the braces there. `out` takes it out again,
    where that is one clear edit; `help` is for where something else can be said instead.
    """

    code: str
    what: str  # "parties"
    span: Span
    out: Callable[[Context, Span], Fix | None] | None = field(default=None, compare=False)
    help: str = field(default=_LEAVE_OUT, compare=False)
    key: str = ""


def target(frozen: Frozen, ctx: Context) -> Frozen | None:
    """The plan, if the runtime can run it; None after reports of what it cannot (E0602, E09xx)."""
    found = sorted(missing(frozen), key=lambda one: one.span)
    for number, one in enumerate(found):
        span, fix = _taken_out(one, ctx)
        note = "`rsppc check` proves it all the same; only a package cannot be built from it"
        ctx.sink.add(
            one.code,
            f"the runtime of this version cannot run {one.what} yet",
            span,
            notes=() if number else (note,),
            help=one.help,
            fix=fix,
        )
    _size(frozen.layout.analysis.graph, ctx)
    return None if ctx.sink.has_errors else frozen


def _taken_out(one: Missing, ctx: Context) -> tuple[Span, Fix | None]:
    """Where a construct stands, and the fix that takes it out."""
    if is_label(one.span.file):
        return one.span, None
    at = setting_at(ctx.source(one.span), one.span, one.key) if one.key else one.span
    if at is None:  # a layer set it
        return one.span, None
    return at, one.out(ctx, at) if one.out else None


def missing(frozen: Frozen) -> tuple[Missing, ...]:
    """Every use of something that the runtime cannot run yet, in the order of the rules, each once."""
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
            yield Missing("E0902", "parties", party.span, partial(leave_out.party, graph, party))
    for policy in spec.policies:
        if what := _more_than_providers(graph, policy):
            yield Missing("E0901", what, policy.span, leave_out.line)
        elif policy.providers and metered(graph):
            what = "a policy that chooses providers where something is capped"
            yield Missing("E0901", what, policy.span, leave_out.line)
    for tool in spec.tools:
        if what := _untold(tool):
            yield Missing("E0901", what, tool.span, partial(leave_out.tool, graph, tool))
    for budget in spec.budget.paths:
        if what := not_kept(graph, budget):
            yield Missing("E0904", what, budget.span, leave_out.setting)
    if spec.recording.keep_ns:
        yield _setting("the retention of recordings", spec.recording, "keep_ns", "keep")
    if spec.recording.region:
        yield _setting("the residency of recordings", spec.recording, "region", "region")
    for mode in spec.modes:
        for node in dict.fromkeys(one.node for one in mode.overrides):
            if what := _fixed(graph, mode, node):
                out = partial(leave_out.overrides, graph, mode)
                yield Missing("E0904", what, mode.span, out)


def _untold(tool: ToolSpec) -> str:
    """Why the runtime cannot perform a tool yet; "" where it can."""
    if tool.kind != "python":
        return f"tools of the kind `{tool.kind}`"
    return "tools in the `background`" if tool.background else ""


def _fixed(graph: Graph, mode: ModeSpec, id: str) -> str:
    """Why a mode cannot set a node otherwise yet; "" where it can: what a provider does, from its next call on."""
    node = graph.node(id)
    if node.kind not in ("stt", "llm", "tts"):
        return f"modes that set a `{node.kind}` otherwise"
    own = {one.field: one.value for one in overrides(graph, node, mode.id)}
    if "tools" in own:
        return "modes with tools of their own"
    usual, pool = graph.provider_of(node), graph.spec.provider(str(own.get("provider", "")))
    if usual and pool and _terms(pool) != _terms(usual):
        return f"modes with a provider of other deadlines, retries or circuits (`{pool.id}`)"
    return ""


def _more_than_providers(graph: Graph, policy: PolicySpec) -> str:
    """What a policy does that the runtime cannot yet; "" where it names other providers on the same terms."""
    if policy.nodes or policy.inserts:
        return "policies that insert nodes"
    if policy.recording:
        return "policies with another recording"
    for pool in policy.providers:
        usual = graph.spec.provider(pool.id)
        if usual and _terms(pool) != _terms(usual):
            return f"policies with a provider of other deadlines, retries or circuits (`{pool.id}`)"
    return ""


def _terms(provider: ProviderSpec) -> tuple[object, ...]:
    """Deadlines that are written, retries, circuits; where no deadline is written, the node's budget bounds."""
    retry, circuit = provider.retry, provider.circuit
    first_ns = provider.first_chunk_ns if provider.origin("first_chunk_ns").kind == "user" else 0
    breaker = (circuit.errors, circuit.within_ns, circuit.open_ns) if circuit else None
    return first_ns, provider.chunk_ns, retry.times, retry.backoff_ns, breaker


def _nodes(graph: Graph) -> Iterator[Missing]:
    for node in graph.nodes:
        if node.kind in _NOT_YET:
            what = f"a converter (`{node.kind}`)" if node.id in graph.converters else f"the kind `{node.kind}`"
            yield Missing("E0903", what, node.spec.span, partial(leave_out.node, graph, node))
        yield from _settings(node)
    for node in graph.of_kind("stt")[1:]:
        yield Missing("E0903", "several recognisers", node.spec.span)


def _settings(node: GraphNode) -> Iterator[Missing]:
    spec = node.spec
    written = (
        ("limit", "limits of a node", spec.limit is not None and not _limits(spec)),
        ("hooks", "hooks of a node", bool(spec.hooks) and (spec.kind != "python" or spec.place != "kernel")),
        ("tunable", "settings that can be tuned", bool(spec.tunable)),
        ("tools", f"tools of a `{spec.kind}`", bool(spec.tools) and spec.kind != MODEL),
        (
            "scope",
            "a scope of its own",
            spec.kind != "python" and spec.origins.get("scope") is not None and spec.origin("scope").kind == "user",
        ),
    )
    for key, what, is_used in written:
        if is_used:
            yield _setting(what, spec, key, key)
    for key, value in spec.settings.items():
        origin = spec.origin(f"settings.{key}")
        if isinstance(value, TextTemplate):
            help = "write the text without variables to build a package today"
            yield Missing("E0906", "variables inside texts", origin.span, leave_out.variables, help)
        if key == "field" and value == "confidence" and spec.settings.get("by") == "highest":
            help = "compare what is stamped today: `field = words` or `field = length`"
            yield Missing("E0907", "a `select` by `confidence`", origin.span, help=help)
        if key in _SETTINGS and origin.kind == "user":
            yield _setting(f"the setting `{key}`", spec, f"settings.{key}", key)
    for port in (*spec.inputs, *spec.outputs):
        if port.type.name == "bytes":
            yield Missing("E0906", "the type `bytes`", port.span)


def _limits(spec: NodeSpec) -> bool:
    """Whether the runtime keeps what is written: how many calls at once, and the memory of a process of its own."""
    limit = spec.limit
    if limit is None or spec.kind != "python" or spec.place == "kernel" or limit.cpu_percent:
        return False
    return not limit.memory_bytes or spec.place == "process"


def _edges(graph: Graph) -> Iterator[Missing]:
    for edge in graph.edges:
        yield from _edge(graph, edge)


def _edge(graph: Graph, edge: GraphEdge) -> Iterator[Missing]:
    spec = edge.spec
    if names := unstamped(graph, edge):
        what = f"guards on flows that read {' and '.join(f'`{name}`' for name in names)}"
        yield Missing("E0907", what, spec.span, partial(leave_out.guards, graph, edge), _STAMPED)
    used = (
        ("coalesce_ns", "coalesce", "`coalesce` beside a hand-off", spec.coalesce_ns > 0 and spec.handoff is not None),
        ("flow", "flow", f"`flow = {spec.flow}` beside a hand-off", spec.flow != "signal" and spec.handoff is not None),
    )
    for name, key, what, is_used in used:
        if is_used:
            yield _setting(what, spec, name, key)
    yield from _sync(graph, edge)
    if spec.handoff and len(marks(graph, edge.source, edge.source_port)) > 1:
        what = "hand-offs of one output by different marks"
        yield Missing("E0904", what, spec.span, leave_out.setting, key="handoff")
    target = graph.node(edge.target)
    if target.kind == "egress" and edge.scope != "turn":
        yield Missing("E0908", "a flow to the user outside of turns", spec.span, leave_out.flow)
    if graph.node(edge.source).kind == "ingress" and edge.source_port == "text" and graph.of_kind("stt"):
        yield Missing("E0908", "typed text past a recogniser", spec.span, leave_out.flow)
    if target.kind == "llm" and edge.target_port == "context":
        yield Missing("E0908", "the input `context`", spec.span, leave_out.flow)


def _sync(graph: Graph, edge: GraphEdge) -> Iterator[Missing]:
    """What of a sync domain has no rule yet: groups of one's own, edges that join items, and ends that come twice."""
    spec, sync = edge.spec, edge.spec.sync
    if sync is None or sync.drop == "no_sync":
        return
    if sync.group == "custom":
        yield _setting("a sync domain with `group = custom`", spec, "sync", "sync")
    if sync.drop != "atomic_drop":
        return
    if spec.handoff or spec.coalesce_ns or any(step.strategy == "coalesce" for step in spec.overflow):
        yield _setting("`atomic_drop` on a flow that joins its items", spec, "sync", "sync")
    if graph.node(edge.target).kind in ("merge", "select"):
        yield _setting("`atomic_drop` on a flow into a merge or select", spec, "sync", "sync")
    others = [one for one in sharers(graph, edge) if one is not edge]
    if any(one.target == edge.target and graph.node(edge.target).kind != "egress" for one in others):
        yield _setting("two flows of one `atomic_drop` domain into one node", spec, "sync", "sync")
    if any(group_key(graph, one) != group_key(graph, edge) for one in others):
        yield _setting("flows of one `atomic_drop` domain that are grouped differently", spec, "sync", "sync")


def _reactions(graph: Graph) -> Iterator[Missing]:
    for reaction in graph.spec.reactions:
        if names := unknown(graph, reaction):
            what = f"guards on reactions that read {' and '.join(f'`{name}`' for name in names)}"
            yield Missing("E0907", what, reaction.span, leave_out.guard, _KNOWN)
        if reaction.verb in ("pause", "resume") and not _is_heard(graph, reaction.object or ""):
            out = partial(leave_out.reaction, graph, reaction)
            what = f"`{reaction.action}`: only what flows into `egress.audio` can be paused"
            yield Missing("E0905", what, reaction.span, out)
        calls = reaction.verb == "call" and reaction.object in {tool.id for tool in called(graph)}
        if reaction.verb and reaction.verb not in _VERBS and not calls:
            out = partial(leave_out.action, graph, reaction)
            help = f"write `{leave_out.INSTEAD[reaction.verb]}`" if reaction.verb in leave_out.INSTEAD else _LEAVE_OUT
            yield Missing("E0905", f"the action `{reaction.action}`", reaction.span, out, help)
        for event in reaction.events:
            if not occurs(graph, event):
                out = partial(leave_out.event, graph, reaction, event)
                yield Missing("E0905", f"the event `{event}`", event.span, out)
        if graph.shows(reaction):
            if what := unshown(graph, reaction):
                yield Missing("E0905", what, reaction.span, partial(leave_out.reaction, graph, reaction))
        elif reaction.trigger and graph.node(reaction.trigger.node).kind != "say":
            out = partial(leave_out.reaction, graph, reaction)
            yield Missing("E0905", "a path that begins at another node than a `say` or a `tap`", reaction.span, out)


def _is_heard(graph: Graph, node: str) -> bool:
    """Whether what the node makes is played as it is."""
    return any(graph.node(edge.target).kind == "egress" and edge.target_port == "audio" for edge in graph.out_of(node))


def _providers(graph: Graph) -> Iterator[Missing]:
    used = {node.spec.provider for node in graph.nodes}
    for provider in graph.spec.providers:
        if provider.id not in used:
            continue
        cap = provider.cap
        for name, key in (("turn_ns", "turn"), ("session_ns", "session")):
            if cap is not None and getattr(cap, name) and provider.kind not in _OF_AUDIO:
                yield _setting(f"a cap on the time of `{provider.kind}`", cap, name, key)
        if provider.speakable_ns and provider.kind != "llm":
            yield _setting(f"the deadline `speakable` of `{provider.kind}`", provider, "speakable_ns", "speakable")
        for candidate in provider.candidates:
            yield from _candidate(candidate)


def _candidate(candidate: CandidateSpec) -> Iterator[Missing]:
    for key, value in candidate.settings.items():
        if isinstance(value, SecretRef) and not value.secret.startswith(("env://", "file://")):
            name = f"{candidate.name}_{key}".upper()
            out, help = (
                partial(leave_out.secret, name),
                f'write `secret("env://{name}")`, and hand the secret over there',
            )
            at = candidate.origin(f"settings.{key}").span
            yield Missing("E0906", "secrets from elsewhere than `env://` and `file://`", at, out, help)


def _setting(what: str, of: SpecModel, name: str, key: str, code: str = "E0904") -> Missing:
    """A setting that is not run: where its value is written, or by its key in the braces of what it is a setting of."""
    at = of.origin(name).span
    return Missing(code, what, at, leave_out.setting, key=key if at == of.span else "")


_RULES = (_whole, _nodes, _edges, _reactions, _providers)
