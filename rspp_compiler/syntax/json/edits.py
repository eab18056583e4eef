"""Changes of a JSON text that leave it one."""

from __future__ import annotations

import json

from rspp_compiler.diagnostics import Fix
from rspp_compiler.source import Source
from rspp_compiler.syntax.json.tree import Array, Node, Object, Path, at_path, children


def quoted(text: str) -> str:
    """A text as JSON has it."""
    return json.dumps(text, ensure_ascii=False)


def without(root: Node, path: Path, source: Source) -> Fix | None:
    """Takes a member or an element out, with the comma that separates it; None for the whole document."""
    if not path:
        return None
    parent, _ = at_path(root, path[:-1])
    assert isinstance(parent, Object | Array)
    places = [(first, node.end) for _, first, node in children(parent)]
    at = next(index for index, (part, _, _) in enumerate(children(parent)) if part == path[-1])
    start, end = places[at]
    if at + 1 < len(places):
        return Fix(source.span(start, places[at + 1][0]), "")
    if at:
        return Fix(source.span(places[at - 1][1], end), "")
    return Fix(source.span(parent.start + 1, parent.end - 1), "")
