"""Completion items, made alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lsprotocol import types

from rspp_compiler.ir.symbols import Symbol
from rspp_compiler.lsp import words
from rspp_compiler.lsp.names import Names
from rspp_compiler.lsp.snippets import Snippet

ItemKind = types.CompletionItemKind
Items = Iterator[types.CompletionItem]
REF = r"[A-Za-z_][\w.]*"
"""A dotted name, as a pattern."""
_SYMBOLS = {
    "node": ItemKind.Variable,
    "party": ItemKind.Variable,
    "port": ItemKind.Field,
    "mode": ItemKind.EnumMember,
    "tool": ItemKind.Function,
    "module": ItemKind.Module,
    "pool": ItemKind.Constant,
}


def word(label: str, kind: types.CompletionItemKind, detail: str, insert: str = "") -> types.CompletionItem:
    """One item. What it inserts, if not itself, is a snippet."""
    return types.CompletionItem(
        label,
        kind=kind,
        detail=detail or None,
        insert_text=insert or None,
        insert_text_format=types.InsertTextFormat.Snippet if insert else None,
    )


def symbols(names: Names, *sorts: str) -> Items:
    for symbol in names.symbols(*sorts):
        yield word(symbol.name, _SYMBOLS.get(symbol.sort, ItemKind.Variable), _of(symbol))


def _of(symbol: Symbol) -> str:
    return f"{symbol.sort} : {symbol.kind}" if symbol.kind else symbol.sort


def snippets(snippets: Iterable[Snippet]) -> Items:
    for snippet in snippets:
        form, about = words.KEYWORDS[snippet.word]
        item = word(snippet.word, ItemKind.Snippet, form, snippet.insert)
        item.documentation = markdown(about)
        yield item


def markdown(text: str) -> types.MarkupContent | None:
    return types.MarkupContent(types.MarkupKind.Markdown, text) if text else None
