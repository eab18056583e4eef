"""Fixes in the words of a pipeline: settings of a node, lines of its body, a node put into a flow.

set_on_node(ctx, node, "cancel = hard")        into the braces of `node voice : tts { … }`, which are made where missing
add_line(ctx, graph, "on voice.error -> …")    the last line of the pipeline's body
put_before(ctx, edge, "mask", "node mask : redact { … }")
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, count

from rspp_compiler.diagnostics import Fix, statements
from rspp_compiler.diagnostics.fixes import both, line_before, line_behind, setting_in
from rspp_compiler.diagnostics.statements import arrow, begin, block_behind, braces, finish, offsets
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph, GraphEdge
from rspp_compiler.ir.spec import EventSpec, NodeSpec, ProviderSpec, ReactionSpec
from rspp_compiler.source import Source, Span

_TOKEN = re.compile(r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|#[^\n]*|->|[{}\[\],]|[^"#{}\[\],\-]+|.')


def set_on_node(ctx: Context, node: NodeSpec, setting: str) -> Fix:
    """Adds a setting to a node; one that only a flow names gets a line of its own."""
    source = ctx.source(node.span)
    if node.implicit:
        return line_before(source, _statement(source, node.span), f"node {local(node.id)} {{ {setting} }}")
    return setting_in(source, node.span, braces(source, node.span), setting)


def set_on_edge(ctx: Context, edge: GraphEdge, setting: str) -> Fix:
    """Adds a setting to the arrow of a flow."""
    source = ctx.source(edge.spec.span)
    return setting_in(source, edge.spec.span, braces(source, edge.spec.span), setting)


def set_on_provider(ctx: Context, graph: Graph, provider: ProviderSpec, setting: str) -> Fix:
    """Adds a setting to a provider block; where the profile chose the provider, the block is written out."""
    if provider.span.file not in ctx.sources or not is_written(graph, provider.span):
        source = ctx.source(graph.spec.span)
        kind = "" if provider.id == provider.kind else f" : {provider.kind}"
        uses = ", ".join(f"use {candidate.name}" for candidate in provider.candidates)
        return line_behind(source, graph.spec.span, f"provider {provider.id}{kind} {{ {uses}, {setting} }}")
    return set_behind(ctx, provider.span, setting)


def set_behind(ctx: Context, name: Span, setting: str) -> Fix:
    """Adds a setting to a block of which only the name is known: `provider llm { … }`, `use openai when … { … }`."""
    source = ctx.source(name)
    block = block_behind(source, name)
    return setting_in(source, block or _whole(source, name), block, setting)


def set_in_block(ctx: Context, name: Span, key: str, setting: str) -> Fix:
    """Adds a setting to `key = { … }` in the block behind a name, which is made where it is missing."""
    source = ctx.source(name)
    block = block_behind(source, name)
    if block is not None:
        start, end = source.offset(block.line, block.column), source.offset(block.end_line, block.end_column)
        found = re.compile(rf"\b{key}\s*=\s*(?=\{{)").search(source.text, start, end)
        inner = block_behind(source, source.span(found.start(), found.end())) if found else None
        if inner is not None:
            return setting_in(source, inner, inner, setting)
    return set_behind(ctx, name, f"{key} = {{ {setting} }}")


def add_line(ctx: Context, graph: Graph, line: str) -> Fix:
    """Adds a last line to the body of the pipeline."""
    source = ctx.source(graph.spec.span)
    return setting_in(source, graph.spec.span, braces(source, graph.spec.span), line)


def add_lines_in(ctx: Context, declaration: Span, lines: Sequence[str]) -> Fix:
    """Adds last lines to the body of a declaration; behind commas, where the body stands on one line."""
    source = ctx.source(declaration)
    body = braces(source, declaration)
    is_short = body is None or body.line == body.end_line
    return setting_in(source, declaration, body, (", " if is_short else "\n").join(lines))


def policy_span(ctx: Context, policy: str) -> Span | None:
    """The whole declaration of a policy; the graph of its variant no longer knows it."""
    for name in sorted(ctx.sources):
        source = ctx.sources[name]
        begins = re.search(rf"^[ \t]*(policy[ \t]+{re.escape(policy)}\b)", source.text, re.MULTILINE)
        depth = 0
        for token in _TOKEN.finditer(source.text, begins.start(1)) if begins else ():
            depth += (token[0] == "{") - (token[0] == "}")
            if token[0] == "}" and depth == 0 and begins:
                return source.span(begins.start(1), token.end())
    return None


def set_budget(ctx: Context, graph: Graph, setting: str) -> Fix:
    """Adds a budget to the pipeline's `budget { … }`, which is made where it is missing."""
    source = ctx.source(graph.spec.span)
    body = braces(source, graph.spec.span)
    block = _line_of(source, body, "budget") if body else None
    if block is None:
        return add_line(ctx, graph, f"budget {{ {setting} }}")
    return setting_in(source, block, block, setting)


def _line_of(source: Source, body: Span, word: str) -> Span | None:
    """The braces of the line `word { … }` that stands in a body itself, not in a block of it; None if there is none."""
    start, end = source.offset(body.line, body.column), source.offset(body.end_line, body.end_column)
    depth, before = 0, ""
    for token in _TOKEN.finditer(source.text, start, end):
        if token[0] == "{" and depth == 1 and before.split() == [word]:
            return block_behind(source, source.span(token.start(), token.start()))
        depth += (token[0] in ("{", "[")) - (token[0] in ("}", "]"))
        before = "" if token[0] in ("{", "}", "[", "]", ",") else before + token[0]
        before = before.rpartition("\n")[2]
    return None


def act(ctx: Context, reaction: ReactionSpec, action: str) -> Fix:
    """Gives a reaction another action, behind its first arrow."""
    source, span = ctx.source(reaction.span), reaction.span
    at = arrow(source, span)
    return Fix(source.span(at, source.offset(span.end_line, span.end_column)), f"-> {action}")


def without_events(ctx: Context, reaction: ReactionSpec, events: Sequence[EventSpec], instead: str = "") -> Fix:
    """Takes some of its events out of a reaction, and puts another in their place; without any, the line goes."""
    every, gone = [event.span for event in reaction.events], [event.span for event in events]
    return statements.without_events(ctx.source(reaction.span), reaction.span, every, gone, instead)


def without_flow(ctx: Context, edge: GraphEdge) -> Fix:
    """Takes one flow out of its line: of `a -> b -> c`, `b -> c` is left when the first one goes."""
    return statements.without_flow(ctx.source(edge.spec.span), edge.spec.span)


def put_before(ctx: Context, edge: GraphEdge, name: str, declaration: str) -> Fix:
    """Declares a node and leads a flow through it: `a -> b` becomes `a -> name -> b`."""
    source = ctx.source(edge.spec.span)
    at = arrow(source, edge.spec.span)
    through = Fix(source.span(at, at), f"-> {name} ")
    return both(through, line_before(source, _statement(source, edge.spec.span), declaration))


def free_names(graph: Graph, wanted: str) -> Iterator[str]:
    """`mask`, `mask_2`, …: each once, and none that is declared already."""
    taken = {local(node.id) for each in (graph, *graph.variants) for node in each.nodes}
    taken |= {local(node.id) for policy in graph.spec.policies for node in policy.nodes}
    numbered = (f"{wanted}_{number}" for number in count(2))
    return (name for name in chain([wanted], numbered) if name not in taken)


def local(id: str) -> str:
    """The name by which the node's own file calls it: `stt` of `to_en.stt`."""
    return id.rpartition(".")[2]


def is_written(graph: Graph, span: Span) -> bool:
    """Whether the span lies in a file of the user's, not in the profile."""
    return span.file != graph.spec.profile and not span.file.startswith("execution_profile/")


def _statement(source: Source, span: Span) -> Span:
    """Where the statement begins that `span` lies in."""
    start = begin(source, span)
    return source.span(start, start + 1)


def _whole(source: Source, name: Span) -> Span:
    """From a name to the end of its statement: `openai when session.region == "eu"`."""
    start, end = offsets(source, name)
    return source.span(start, finish(source, end))
