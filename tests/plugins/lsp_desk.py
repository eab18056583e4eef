"""For tests of the language server without a process: a text with a `^` where the cursor is."""

from __future__ import annotations

from lsprotocol.types import CompletionItem, Position

from rspp_compiler.lsp.complete import complete
from rspp_compiler.lsp.hover import hover
from rspp_compiler.lsp.workspace import Workspace

PATH = "/p/a.rspp"


def marked(text: str, mark: str = "^") -> tuple[str, int]:
    """The text without the mark, and the offset where it stood."""
    assert text.count(mark) == 1
    return text.replace(mark, ""), text.index(mark)


def desk(text: str, *, compiled: bool = False) -> Workspace:
    """A workspace whose editor has the text open."""
    workspace = Workspace()
    workspace.put(PATH, text, 1)
    if compiled:
        workspace.compile(PATH)
    return workspace


def place(workspace: Workspace, needle: str) -> Position:
    """The position of the `^` of a needle such as `on ^ears.barge_in`, or of its start."""
    text = workspace.text(PATH)
    offset = text.source.text.index(needle.replace("^", "")) + max(0, needle.find("^"))
    return text.positions.position(offset)


def card(workspace: Workspace, needle: str) -> str:
    """What hover says; empty if nothing."""
    found = hover(workspace, PATH, place(workspace, needle))
    return found.contents.value if found else ""  # type: ignore[union-attr]


def items(text: str, before: str = "") -> dict[str, CompletionItem]:
    """The completions at the `^` of a text, by label. `before` is what the editor had when it could last be read."""
    plain, offset = marked(text)
    workspace = desk(before or plain)
    workspace.reading(PATH)
    workspace.put(PATH, plain, 2)
    found = complete(workspace, PATH, workspace.text(PATH).positions.position(offset))
    return {item.label: item for item in found}
