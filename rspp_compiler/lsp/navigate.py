"""Where a name is declared, where it is used, and what a file declares."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from pathlib import Path

from lsprotocol.types import (
    DocumentHighlight,
    DocumentHighlightKind,
    DocumentSymbol,
    Location,
    Position,
    Range,
    SymbolKind,
)

from rspp_compiler.ir.symbols import Mention, Symbol
from rspp_compiler.lsp.workspace import Reading, Workspace
from rspp_compiler.source import Span

_KINDS: dict[str, SymbolKind] = {
    "pipeline": SymbolKind.Class,
    "module": SymbolKind.Module,
    "policy": SymbolKind.Interface,
    "tool": SymbolKind.Function,
    "provider": SymbolKind.Constant,
    "pool": SymbolKind.Constant,
    "import": SymbolKind.Namespace,
    "node": SymbolKind.Object,
    "party": SymbolKind.Variable,
    "mode": SymbolKind.Enum,
    "port": SymbolKind.Field,
}
_START = Range(Position(0, 0), Position(0, 0))


def mention_at(workspace: Workspace, reading: Reading, position: Position) -> Mention | None:
    """What the cursor touches. In a reading that is older than the text, only a name that still stands there."""
    text = workspace.text(reading.path)
    line, column = text.place(position)
    mention = reading.index.at(reading.path, line, column)
    if mention is None or reading.is_current:
        return mention
    span = mention.span
    written = text.source.line(span.line)[span.column - 1 : span.end_column - 1]
    return mention if written == mention.name else None


def definition(workspace: Workspace, reading: Reading, position: Position) -> list[Location]:
    """Where the name under the cursor is declared: in this file, in an imported one, or in a file that it names."""
    mention = mention_at(workspace, reading, position)
    if mention is None:
        return []
    if mention.symbol is not None:
        return _locations(workspace, reading, [mention.symbol.at])
    folder = posixpath.dirname(reading.path)
    if mention.sort == "file":
        return _file(workspace, posixpath.normpath(posixpath.join(folder, mention.name)))
    if mention.sort == "callable" and mention.of == "python":
        return _callable(workspace, folder, mention.name)
    return []


def references(
    workspace: Workspace, reading: Reading, mention: Mention | None, include_declaration: bool
) -> list[Location]:
    """Every place that names the same thing, in all files of the reading."""
    if mention is None or mention.symbol is None:
        return []
    found = reading.index.of(mention.symbol)
    spans = [one.span for one in found if include_declaration or not one.is_declaration]
    return _locations(workspace, reading, spans)


def highlights(reading: Reading, mention: Mention | None) -> list[DocumentHighlight]:
    """The same within one file, for the editor to mark. A word of the language is marked where it stands alone."""
    if mention is None or mention.symbol is None:
        return []
    text = reading.texts[reading.path]
    return [
        DocumentHighlight(
            text.range(one.span), DocumentHighlightKind.Write if one.is_declaration else DocumentHighlightKind.Read
        )
        for one in reading.index.of(mention.symbol)
        if one.span.file == reading.path
    ]


def outline(reading: Reading) -> list[DocumentSymbol]:
    """What the file declares, as a tree. Nodes that only a flow names are not declared."""
    index, text = reading.index, reading.texts[reading.path]

    def of(symbols: Iterable[Symbol]) -> list[DocumentSymbol]:
        return [
            DocumentSymbol(
                name=symbol.name,
                kind=_KINDS[symbol.sort],
                range=text.range(symbol.span),
                selection_range=text.range(symbol.at),
                detail=f"{symbol.sort} : {symbol.kind}" if symbol.kind not in ("", symbol.name) else symbol.sort,
                children=of(index.inside(symbol)),
            )
            for symbol in symbols
            if not symbol.implicit
        ]

    return of(one for one in index.symbols if one.parent is None and one.span.file == reading.path)


def _locations(workspace: Workspace, reading: Reading, spans: Iterable[Span]) -> list[Location]:
    return [Location(workspace.uri(span.file), reading.texts[span.file].range(span)) for span in spans]


def _file(workspace: Workspace, path: str) -> list[Location]:
    return [Location(workspace.uri(path), _START)] if Path(path).is_file() else []


def _callable(workspace: Workspace, folder: str, name: str) -> list[Location]:
    """`kb.rag:Find` in `kb/rag.py` beside the pipeline, at the `def` or `class` of that name if there is one."""
    module, _, called = name.partition(":")
    for path in (Path(folder, *module.split(".")).with_suffix(".py"), Path(folder, *module.split("."), "__init__.py")):
        if path.is_file():
            source = path.read_text(encoding="utf-8", errors="replace")
            found = re.search(rf"^(?:async )?(?:def|class) ({re.escape(called)})\b", source, re.MULTILINE)
            line = source.count("\n", 0, found.start()) if found else 0
            column = found.start(1) - found.start() if found else 0
            start = Position(line, column)
            end = Position(line, column + len(called)) if found else start
            return [Location(workspace.uri(path.as_posix()), Range(start, end))]
    return []
