"""`rsppc doc FILE`: what there is to know about a pipeline, for who runs it, on one page."""

from __future__ import annotations

from collections.abc import Iterator

from rspp_compiler.emit import pipeline_proofs as proofs
from rspp_compiler.emit.mermaid import mermaid
from rspp_compiler.emit.page import Section, code, codes, page, section
from rspp_compiler.ir.condition import show
from rspp_compiler.ir.graph import Graph, GraphNode
from rspp_compiler.ir.plan import Frozen
from rspp_compiler.ir.spec import EdgeSpec, FileRef, NodeSpec, ReactionSpec, SecretRef, SettingValue, TextTemplate

_MS = 1_000_000


def pipeline_page(frozen: Frozen) -> str:
    """The page of a frozen pipeline, in Markdown."""
    analysis = frozen.layout.analysis
    graph = analysis.graph
    return page(
        f"{graph.spec.name} {graph.spec.version}", _intro(frozen), [*_what(frozen, graph), *proofs.sections(frozen)]
    )


def _intro(frozen: Frozen) -> str:
    analysis = frozen.layout.analysis
    spec = analysis.graph.spec
    words = [f"Profile `{spec.profile}`, recording {spec.recording.level}."]
    if analysis.worst:
        limit = analysis.latency.limit_ns / _MS
        words.append(f"First output after {analysis.worst.total_ns / _MS:g} ms at worst, of {limit:g} ms.")
    words.append(f"{frozen.layout.memory_bytes_max:,} bytes a session. Template hash `{frozen.template_hash}`.")
    words.append("Everything below is what the compiler proved or filled in; numbers say where they are from.")
    return " ".join(words)


def _what(frozen: Frozen, graph: Graph) -> Iterator[Section]:
    spec = graph.spec
    yield Section("Picture", f"```mermaid\n{mermaid(graph)}\n```")
    yield section("Who talks to it", "", ("party", "sends", "gets"), _parties(graph))
    yield section("Nodes", "", ("node", "kind", "lives for a", "runs", "budget", "settings"), map(_node, graph.nodes))
    yield section(
        "Flows",
        "",
        ("flow", "passes", "holds", "then"),
        (
            (
                code(edge.id),
                _passes(edge.spec),
                _holds(edge.spec.buffer_items, edge.spec.buffer_ns, edge.spec.buffer_bytes),
                ", ".join(step.strategy.replace("_", " ") for step in edge.spec.overflow),
            )
            for edge in graph.edges
        ),
    )
    yield section("What happens when", "", ("event", "if", "then"), (_reaction(one) for one in spec.reactions))
    yield section("Modes", "", ("mode", "off", "set otherwise"), (
        (code(mode.id), codes(mode.off), codes(f"{one.node}.{one.field}" for one in mode.overrides))
        for mode in spec.modes
    ))  # fmt: skip
    yield section("Tools", "", ("tool", "takes", "calls", "within", "and"), (
        (
            code(tool.id),
            ", ".join(f"{param.name}: {param.type}" for param in tool.params),
            code(f'{tool.kind}("{tool.implementation}")' if tool.implementation else tool.kind),
            f"{tool.timeout_ns / _MS:g} ms",
            ", ".join(word for word, holds in (("once", tool.once), ("background", tool.background)) if holds),
        )
        for tool in spec.tools
    ))  # fmt: skip
    yield section("Providers", "", ("block", "in this order", "first chunk", "between chunks", "tries"), (
        (
            code(provider.id),
            codes(one.name for one in provider.candidates),
            f"{provider.first_chunk_ns / _MS:g} ms",
            f"{provider.chunk_ns / _MS:g} ms",
            provider.attempts,
        )
        for provider in spec.providers
    ))  # fmt: skip
    yield section("Policies", "The first that holds applies.", ("policy", "when", "inserts"), (
        (code(one.id), code(show(one.condition)), codes(f"{row.node} before {row.target}" for row in one.inserts))
        for one in spec.policies
    ))  # fmt: skip
    yield section("What can be tuned", "", ("setting", "from", "to"), (
        (code(f"{node.id}.{one.field}"), "" if one.low is None else one.low, "" if one.high is None else one.high)
        for node in spec.nodes
        for one in node.tunable
    ))  # fmt: skip
    yield section("What it needs", "", ("what", "for"), _needs(frozen))


def _parties(graph: Graph) -> Iterator[tuple[str, str, str]]:
    for party in graph.spec.parties:
        sends = [
            edge for node in graph.of_kind("ingress") if node.spec.party == party.id for edge in graph.out_of(node.id)
        ]
        gets = [edge for node in graph.of_kind("egress") if node.spec.party == party.id for edge in graph.into(node.id)]
        many = f" (up to {party.members_max})" if party.members_max > 1 else ""
        yield (
            f"{code(party.id) or 'the user'}{many}",
            ", ".join(dict.fromkeys(code(_type(graph.node(edge.source), edge.source_port)) for edge in sends)),
            ", ".join(dict.fromkeys(code(_type(graph.node(edge.target), edge.target_port)) for edge in gets)),
        )


def _type(node: GraphNode, port: str) -> str:
    found = node.spec.output(port) or node.spec.input(port)
    return f"{port} : {found.type}" if found else port


def _node(node: GraphNode) -> tuple[str, str, str, str, str, str]:
    spec = node.spec
    budget = ""
    if spec.first_output_ns and node.execution == "effect" and node.kind != "vad":
        budget = f"{spec.first_output_ns / _MS:g} ms ({spec.origin('first_output_ns')})"
    return code(node.id), code(node.kind), node.scope, _runs(spec), budget, ", ".join(_settings(spec))


def _runs(spec: NodeSpec) -> str:
    if spec.implementation:
        return f"{code(spec.implementation)}, {spec.place}"
    return {"kernel": "in the kernel", "effect": "by a provider", "boundary": "transport"}[spec.execution]


def _settings(spec: NodeSpec) -> Iterator[str]:
    for key, value in spec.settings.items():
        if key.endswith("_ns") and isinstance(value, int):
            yield code(f"{key.removesuffix('_ns')} = {value / _MS:g}ms")
        else:
            yield code(f"{key} = {_value(value)}")


def _value(value: SettingValue) -> str:
    match value:
        case SecretRef(secret=reference):
            return f'secret("{reference}")'
        case FileRef(file=path):
            return f'file("{path}")'
        case TextTemplate(template=text):
            return f'"{text}"'
        case str():
            return f'"{value if len(value) < 48 else value[:45] + "…"}"'
        case tuple():
            return f"[{', '.join(value)}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _passes(edge: EdgeSpec) -> str:
    return f"when {code(show(edge.guard))}" if edge.guard else "otherwise" if edge.otherwise else ""


def _holds(items: int, ns: int, size: int) -> str:
    return f"{items} items, {f'{ns / _MS:g} ms, ' if ns else ''}{size:,} bytes"


def _reaction(reaction: ReactionSpec) -> tuple[str, str, str]:
    events = " or ".join(code(event) for event in reaction.events)
    if reaction.trigger:
        then = " → ".join(code(name) for name in [reaction.trigger.node, *(edge.target for edge in reaction.path)])
    else:
        then = f"{reaction.verb_words} {code(reaction.object or '')}".strip()
    return events, code(show(reaction.guard)) if reaction.guard else "", then


def _needs(frozen: Frozen) -> Iterator[tuple[str, str]]:
    spec = frozen.layout.analysis.graph.spec
    for provider in spec.providers:
        for candidate in provider.candidates:
            for value in candidate.settings.values():
                if isinstance(value, SecretRef):
                    yield code(f'secret("{value.secret}")'), f"{code(candidate.name)} of {code(provider.id)}"
    for handler in dict.fromkeys(frozen.layout.handlers):
        yield code(handler), "a Python node"
    for resource in frozen.resources:
        yield code(resource.path), "a file, inside the package"
