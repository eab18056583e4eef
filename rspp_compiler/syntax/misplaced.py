"""Lines that are sound, and stand in the wrong place: what belongs into the pipeline outside of it, and the reverse."""

from __future__ import annotations

import textwrap

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import both, remove
from rspp_compiler.source import Source
from rspp_compiler.syntax.tree import Token

_INDENT = "  "


def into_the_pipeline(tokens: list[Token], start: int, end: int, source: Source) -> Fix | None:
    """Moves the tokens `[start, end)` to the end of the only pipeline; None if there is none, or several."""
    heads = [at for at, token in enumerate(tokens) if token.kind == "PIPELINE"]
    if len(heads) != 1:
        return None
    depth = 0
    for token in tokens[heads[0] :]:
        depth += (token.kind == "LBRACE") - (token.kind == "RBRACE")
        if token.kind == "RBRACE" and depth <= 0:
            break
    else:
        return None
    text, closing = source.text, token.start
    line_start = text.rfind("\n", 0, closing) + 1
    if text[line_start:closing].strip():
        return None
    moved = textwrap.indent(_text(tokens, start, end, source), text[line_start:closing] + _INDENT)
    there = Fix(source.span(line_start, line_start), f"{moved}\n")
    return both(there, remove(source, source.span(tokens[start].start, tokens[end - 1].end)))


def out_of_the_pipeline(tokens: list[Token], start: int, end: int, source: Source) -> Fix:
    """Moves the tokens `[start, end)` to the end of the file."""
    size = len(source.text)
    blank = "\n" if source.text.endswith("\n") else "\n\n"
    there = Fix(source.span(size, size), f"{blank}{_text(tokens, start, end, source)}\n")
    return both(there, remove(source, source.span(tokens[start].start, tokens[end - 1].end)))


def _text(tokens: list[Token], start: int, end: int, source: Source) -> str:
    """The lines as they stand, without the indentation that they share."""
    begin = tokens[start].start
    line_start = source.text.rfind("\n", 0, begin) + 1
    indent = source.text[line_start:begin]
    text = source.text[begin : tokens[end - 1].end]
    return textwrap.dedent(indent + text) if not indent.strip() else text
