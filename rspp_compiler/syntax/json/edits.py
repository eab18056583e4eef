"""Changes of a JSON text that leave it one."""

from __future__ import annotations

import json

from rspp_compiler.diagnostics import Fix
from rspp_compiler.source import Source
from rspp_compiler.syntax.json.tree import Array, Node, Object, Path, at_path, extent


def quoted(text: str) -> str:
    """A text as JSON has it."""
    return json.dumps(text, ensure_ascii=False)


def without(root: Node, path: Path, source: Source) -> Fix | None:
    """Takes a member or an element out, with the comma that separates it; None for the whole document."""
    if not path:
        return None
    parent, _ = at_path(root, path[:-1])
    if isinstance(parent, Array):
        at, count = int(path[-1]), len(parent.items)
    else:
        assert isinstance(parent, Object)
        at, count = [member.key.text for member in parent.members].index(str(path[-1])), len(parent.members)
    start, end = extent(parent, at)
    if at + 1 < count:
        return Fix(source.span(start, extent(parent, at + 1)[0]), "")
    if at:
        return Fix(source.span(extent(parent, at - 1)[1], end), "")
    return Fix(source.span(parent.start + 1, parent.end - 1), "")
