"""Rules for providers: what the pipeline asks of a node, every candidate that may perform it can do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from rspp_compiler.diagnostics import Fix
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphNode
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.spec import CandidateSpec, ProviderSpec
from rspp_compiler.sema.language.catalog import Engine
from rspp_compiler.sema.language.engines import ENGINES, engine
from rspp_compiler.sema.mending import without_use
from rspp_compiler.source import Span


class _Need(NamedTuple):
    """What a node asks for: a feature of its provider, because of what stands at `span`."""

    feature: str
    words: str
    span: Span


def languages_known(graph: Graph, ctx: Context) -> None:
    """E0421: a switch to the next candidate must not be a switch to one that does not understand the user."""
    for node, provider, candidate in _performers(graph):
        language = node.spec.settings.get("language")
        of = engine(provider.kind, candidate.name)
        if not isinstance(language, str) or language == "auto" or of is None or not of.languages:
            continue
        if language.split("-")[0].lower() in of.languages:
            continue
        span = node.spec.origin("settings.language").span
        known = ", ".join(of.languages)
        ctx.sink.add(
            "E0421",
            f"`{candidate.name}` does not know the language `{language}` of `{node.id}`",
            span,
            label=f"`{language}`",
            secondary=[(candidate.span, f"`{candidate.name}` knows: {known}")] if _is_written(candidate) else (),
            notes=_chosen_by(candidate, node),
            help=f"choose one that it knows ({known}), or another provider",
            fix=_without(candidate, provider, ctx) or _instead(graph, node, candidate, ctx),
        )


def providers_can(graph: Graph, ctx: Context) -> None:
    """E0422: the capability of a list of providers is what all of them can do."""
    for node, provider, candidate in _performers(graph):
        of = engine(provider.kind, candidate.name)
        if of is None or of.any_settings:
            continue
        for need in _needs(graph, node):
            if need.feature in of.features:
                continue
            able = [name for (kind, name), one in ENGINES.items() if kind == of.kind and need.feature in one.features]
            ctx.sink.add(
                "E0422",
                f"`{candidate.name}` cannot {need.words}",
                need.span,
                label=f"needs a provider that can {need.words}",
                secondary=[(candidate.span, f"may perform `{node.id}`")] if _is_written(candidate) else (),
                notes=(f"these can: {', '.join(f'`{name}`' for name in able)}", *_chosen_by(candidate, node)),
                help=f"use another provider for `{node.id}`, or do without",
                fix=_without(candidate, provider, ctx) or _instead(graph, node, candidate, ctx),
            )


def _needs(graph: Graph, node: GraphNode) -> Iterator[_Need]:
    settings = node.spec.settings
    if node.kind == "stt":
        for edge in graph.out_of(node.id, "partial"):
            yield _Need("partials", "tell what it has heard so far", edge.spec.span)
        if settings.get("diarise"):
            yield _Need("diarise", "tell speakers apart", node.spec.origin("settings.diarise").span)
        if settings.get("language") == "auto":
            yield _Need("language_detection", "detect the language", node.spec.origin("settings.language").span)
    if node.kind in ("llm", "realtime") and node.spec.tools:
        yield _Need("tools", "call tools", node.spec.origin("tools").span)
    if node.kind == "llm":
        for edge in graph.into(node.id, "context"):
            yield _Need("context", "take more context than the prompt", edge.spec.span)
    if node.kind == "realtime":
        for edge in graph.out_of(node.id, "transcript"):
            yield _Need("transcript", "write down what was said", edge.spec.span)


def _performers(graph: Graph) -> Iterator[tuple[GraphNode, ProviderSpec, CandidateSpec]]:
    for node in graph.nodes:
        provider = graph.provider_of(node)
        for candidate in provider.candidates if provider else ():
            assert provider is not None
            yield node, provider, candidate


def _is_written(candidate: CandidateSpec) -> bool:
    """Whether the user chose the candidate, and not the profile."""
    return not candidate.span.file.startswith("execution_profile/")


def _chosen_by(candidate: CandidateSpec, node: GraphNode) -> tuple[str, ...]:
    if _is_written(candidate):
        return ()
    return (f"no provider block serves `{node.id}`: {Origin.profile(candidate.span)} names `{candidate.name}`",)


def _without(candidate: CandidateSpec, provider: ProviderSpec, ctx: Context) -> Fix | None:
    """Its `use` line goes, as long as another is left."""
    if len(provider.candidates) < 2 or not _is_written(candidate):
        return None
    return without_use(candidate.span, ctx)


def _instead(graph: Graph, node: GraphNode, candidate: CandidateSpec, ctx: Context) -> Fix | None:
    """One that can do all that the node asks for: in its place, or in a block of its own where the profile chose."""
    able = _able(graph, node)
    if able is None:
        return None
    keys = {setting.name for setting in able.settings}
    name = re.sub(r"\W", "_", able.name).upper()
    use = able.name + (f' {{ api_key = secret("env://{name}_API_KEY") }}' if "api_key" in keys else "")
    if not _is_written(candidate):
        source = ctx.source(graph.spec.span)
        end = len(source.text.rstrip())
        return Fix(source.span(end, len(source.text)), f"\n\nprovider {able.kind} {{ use {use} }}\n")
    source = ctx.source(candidate.span)
    end = source.offset(candidate.span.end_line, candidate.span.end_column)
    has_settings = source.text[end:].lstrip(" \t").startswith("{")
    return Fix(candidate.span, able.name if has_settings else use)


def _able(graph: Graph, node: GraphNode) -> Engine | None:
    features = {need.feature for need in _needs(graph, node)}
    language = str(node.spec.settings.get("language", "auto")).split("-")[0].lower()
    for of in ENGINES.values():
        knows = not of.languages or language in (*of.languages, "auto")
        if of.kind == node.kind and features <= of.features and knows:
            return of
    return None
