"""Fixes that know the language: a flow taken out of its chain, a `use` line, a node's line. All from spans."""

from __future__ import annotations

import re

from rspp_compiler.diagnostics import Fix, statements
from rspp_compiler.diagnostics.diagnostic import Edit
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph
from rspp_compiler.source import Span

_TOKEN = re.compile(r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|#[^\n]*')


def without_flow(span: Span, ctx: Context) -> Fix:
    """Takes one arrow out of a chain; `span` runs from the ref before it to the end of what qualifies it."""
    return statements.without_flow(ctx.source(span), span)


def without_use(name: Span, ctx: Context) -> Fix:
    """Removes a whole `use` line; `name` is the provider's name in it."""
    return statements.without_use(ctx.source(name), name)


def without_clause(span: Span, ctx: Context) -> Fix:
    """Takes a part of a line out, with the blanks before it."""
    source = ctx.source(span)
    start, end = statements.offsets(source, span)
    return Fix(source.span(len(source.text[:start].rstrip()), end), "")


def last_line(graph: Graph, ctx: Context) -> Span:
    """The last flow that the user wrote in the pipeline's own body: a new line goes behind it."""
    inside = graph.spec.span
    spans = [
        edge.spec.span
        for edge in graph.edges
        if edge.spec.span.file == inside.file and inside.start <= edge.spec.span.start < inside.end
    ]
    return whole_line(max(spans, key=lambda span: span.end), ctx) if spans else inside


def whole_line(span: Span, ctx: Context) -> Span:
    """From where `span` begins to the end of the logical line that it is part of."""
    source = ctx.source(span)
    start, end = statements.offsets(source, span)
    return source.span(start, statements.finish(source, end))


def renamed(name: Span, new: str, ctx: Context) -> Fix:
    """The word at `name` and everywhere else in its file where it stands as a name."""
    source = ctx.source(name)
    old = source.text[source.offset(name.line, name.column) : source.offset(name.end_line, name.end_column)]
    words = re.compile(rf"{_TOKEN.pattern}|(?P<name>(?<!\w){re.escape(old)}(?!\w))")
    edits = [Edit(source.span(*found.span()), new) for found in words.finditer(source.text) if found["name"]]
    if not edits:  # a text that does not end hides the rest of the file
        return Fix(name, new)
    return Fix(edits[0].span, edits[0].replacement, tuple(edits[1:]))
