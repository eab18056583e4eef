"""Semantic tokens: what a name means, for the editor to colour. The TextMate grammar cannot tell a node from a tool."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol.types import Position, SemanticTokens, SemanticTokensLegend

from rspp_compiler.ir.symbols import Mention
from rspp_compiler.lsp.workspace import Reading

_TYPES = {
    "pipeline": "class",
    "module": "namespace",
    "import": "namespace",
    "policy": "interface",
    "tool": "function",
    "provider": "type",
    "pool": "variable",
    "node": "variable",
    "party": "variable",
    "mode": "enum",
    "port": "property",
    "kind": "type",
    "type": "type",
    "event": "event",
    "setting": "property",
    "field": "property",
    "verb": "method",
    "subject": "macro",
    "choice": "enumMember",
    "level": "enumMember",
    "engine": "decorator",
}
_NAMES = tuple(dict.fromkeys(_TYPES.values()))
LEGEND = SemanticTokensLegend(list(_NAMES), ["declaration", "defaultLibrary"])


def tokens(reading: Reading) -> SemanticTokens:
    """Five numbers a name: lines and units since the one before, length, type, modifiers."""
    data: list[int] = []
    line = start = 0
    for position, length, type, modifiers in _tokens(reading):
        behind = position.character - (start if position.line == line else 0)
        data += [position.line - line, behind, length, type, modifiers]
        line, start = position.line, position.character
    return SemanticTokens(data)


def _tokens(reading: Reading) -> Iterator[tuple[Position, int, int, int]]:
    text = reading.texts[reading.path]
    for mention in reading.index.mentions:
        if mention.span.file == reading.path and mention.sort in _TYPES:
            at = text.range(mention.span)
            if at.start.line == at.end.line and at.end.character > at.start.character:
                type = _NAMES.index(_TYPES[mention.sort])
                yield at.start, at.end.character - at.start.character, type, _modifiers(mention)


def _modifiers(mention: Mention) -> int:
    """Bit 0: it is declared here; bit 1: the language declares it."""
    return (1 if mention.is_declaration else 0) | (2 if mention.symbol is None else 0)
