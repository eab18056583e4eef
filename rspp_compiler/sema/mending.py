"""Fixes that know the language: a flow taken out of its chain, a `use` line, a node's line. All from spans."""

from __future__ import annotations

import re

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.diagnostic import Edit
from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph
from rspp_compiler.source import Span

_TOKEN = re.compile(r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|#[^\n]*|[{}()\[\],\n]')
_GOES_ON = re.compile(r"\s*(->|(when|otherwise|and|or)\b)")


def without_flow(span: Span, ctx: Context) -> Fix:
    """Takes one arrow out of a chain; `span` runs from the ref before it to the end of what qualifies it.

    `a -> b -> c -> d` without `b -> c` is `a -> b` and, on a line of its own, `c -> d`.
    """
    source = ctx.source(span)
    text = source.text
    start, end = source.offset(span.line, span.column), source.offset(span.end_line, span.end_column)
    arrow = text.find("->", start, end)
    goes_on = re.match(r"\s*->", text[end:])
    begins = not re.search(r"->\s*$", text[:start])
    behind = text[arrow + 2 : end]
    ref = re.match(r"\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)", behind)
    if arrow < 0 or ref is None:
        return remove(source, span)
    if begins and not goes_on:
        return remove(source, span)
    line = source.line(source.position(start)[0])
    indent = line[: len(line) - len(line.lstrip())]
    if begins:
        return Fix(source.span(start, end), ref[1].split(".")[0])
    head_end = start + len(re.match(r"[\w.]*", text[start:])[0])  # type: ignore[index]
    if not goes_on:
        return Fix(source.span(head_end, end), "")
    return Fix(source.span(head_end, end), f"\n{indent}{ref[1].split('.')[0]}")


def without_use(name: Span, ctx: Context) -> Fix:
    """Removes a whole `use` line; `name` is the provider's name in it."""
    source = ctx.source(name)
    start = source.text.rfind("use", 0, source.offset(name.line, name.column))
    end = _logical_end(source.text, source.offset(name.end_line, name.end_column), stop_at_comma=True)
    return remove(source, source.span(start, end))


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
    end = _logical_end(source.text, source.offset(span.end_line, span.end_column))
    return source.span(source.offset(span.line, span.column), end)


def _logical_end(text: str, offset: int, *, stop_at_comma: bool = False) -> int:
    """Where the line that `offset` lies in ends: lines inside brackets, and those that go on, are part of it."""
    depth = 0
    for token in _TOKEN.finditer(text, offset):
        mark = token[0]
        depth += (mark in "{[(") - (mark in "}])")
        if depth < 0 or (depth == 0 and stop_at_comma and mark == ","):
            return len(text[: token.start()].rstrip())
        if depth == 0 and mark == "\n" and not _GOES_ON.match(text, token.end()):
            return len(text[: token.start()].rstrip())
    return len(text.rstrip())


def renamed(name: Span, new: str, ctx: Context) -> Fix:
    """The word at `name` and everywhere else in its file where it stands as a name."""
    source = ctx.source(name)
    old = source.text[source.offset(name.line, name.column) : source.offset(name.end_line, name.end_column)]
    words = re.compile(rf"{_TOKEN.pattern}|(?P<name>(?<!\w){re.escape(old)}(?!\w))")
    edits = [Edit(source.span(*found.span()), new) for found in words.finditer(source.text) if found["name"]]
    if not edits:  # a text that does not end hides the rest of the file
        return Fix(name, new)
    return Fix(edits[0].span, edits[0].replacement, tuple(edits[1:]))
