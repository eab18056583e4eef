"""Fixes that know the language: a flow taken out of its chain, a `use` line, a node's line. All from spans."""

from __future__ import annotations

import re

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.ir.context import Context
from rspp_compiler.source import Span


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
    text = source.text
    start = text.rfind("use", 0, source.offset(name.line, name.column))
    end = source.offset(name.end_line, name.end_column)
    depth = 0
    while end < len(text):
        mark = text[end]
        depth += (mark in "{[(") - (mark in "}])")
        if depth < 0 or (depth == 0 and mark in ",\n"):
            break
        end += 1
        if depth == 0 and mark == "}":
            break
    return remove(source, source.span(start, start + len(text[start:end].rstrip())))
