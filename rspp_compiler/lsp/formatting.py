"""`rsppc fmt`, as an edit of the lines that differ, so that the editor keeps its place."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile

from lsprotocol.types import TextEdit

from rspp_compiler.ir.context import Context
from rspp_compiler.lsp.positions import Text
from rspp_compiler.syntax.format import format_source


def edits(text: Text) -> list[TextEdit]:
    """The change from the text to its canonical form; none for one that has it, or that has syntax errors."""
    old = text.source.text
    new = format_source(text.source, Context(sources={text.source.name: text.source}))
    if new is None or new == old:
        return []
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    same = _common(before, after)
    same_end = _common(reversed(before[same:]), reversed(after[same:]))
    start = sum(map(len, before[:same]))
    end = sum(map(len, before[: len(before) - same_end]))
    return [TextEdit(text.positions.range(start, end), "".join(after[same : len(after) - same_end]))]


def _common(one: Iterable[str], other: Iterable[str]) -> int:
    """How many lines both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
