"""A name, changed wherever it is mentioned, in every file of the workspace; or the reason why it cannot be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath

from lsprotocol import types

from rspp_compiler.diagnostics.fixes import line_before
from rspp_compiler.ir.symbols import Index, Mention, Symbol
from rspp_compiler.lsp.findings import versioned
from rspp_compiler.lsp.workspace import Reading, Workspace
from rspp_compiler.sema.language.catalog import PREDECLARED, RESERVED
from rspp_compiler.source import Span

_LOCAL = ("node", "party", "port")  # these share one space of names
_OF_FILE = ("tool", "module", "pool")


class RenameError(Exception):
    """The name cannot be changed; the message says why, for the user."""


def prepare(reading: Reading, mention: Mention | None) -> Span:
    """Where the name stands that a rename would begin at. Raises `RenameError`."""
    if mention is None:
        raise RenameError("there is no name here")
    symbol = mention.symbol
    if symbol is None:
        raise RenameError(f"`{mention.name}` is not declared in this workspace")
    if symbol.sort == "provider":
        raise RenameError(f"`{symbol.name}` is the kind that this block serves, not a name")
    if symbol.sort == "pipeline":
        raise RenameError("the pipeline's name is that of its package: files outside of this one rely on it")
    if symbol.sort == "import":
        raise RenameError(f"the file that `{symbol.name}` is imported from cannot be read")
    if symbol.sort == "port" and symbol.parent and symbol.parent.sort == "node":
        raise RenameError(f"code outside of this file knows `{symbol.parent.name}` by the names of its ports")
    for found in reading.unread:
        at = found.primary
        raise RenameError(
            f"line {at.line} of {PurePath(at.file).name} cannot be read, and may mention it: mend it first"
        )
    return mention.span


def rename(workspace: Workspace, reading: Reading, mention: Mention | None, name: str) -> types.WorkspaceEdit:
    """The edits that give the mentioned thing another name. `reading` covers the workspace. Raises `RenameError`."""
    prepare(reading, mention)
    assert mention is not None
    assert mention.symbol is not None
    symbol = mention.symbol
    _check(reading.index, symbol, name)
    edits: dict[str, list[types.TextEdit]] = {}
    for span, text in _changes(reading, symbol, name):
        edits.setdefault(span.file, []).append(types.TextEdit(reading.texts[span.file].range(span), text))
    return versioned(workspace, edits)


def _check(index: Index, symbol: Symbol, name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise RenameError(f"`{name}` is not a name in snake_case")
    if name in RESERVED:
        raise RenameError(f"`{name}` is a reserved word")
    if name in PREDECLARED:
        raise RenameError(f"`{name}` is predeclared")
    for other in index.symbols:
        if other.name == name and other != symbol and _clash(index, symbol, other):
            raise RenameError(f"`{name}` is already a {other.sort}, in line {other.at.line} of {_file(other)}")


def _clash(index: Index, symbol: Symbol, other: Symbol) -> bool:
    """Whether two symbols of one name would be taken for each other."""
    if other.sort in _OF_FILE and symbol.sort in _OF_FILE:
        return _sees(index, symbol, other) or _sees(index, other, symbol)
    if other.sort in _LOCAL and symbol.sort in _LOCAL:
        return other.parent == symbol.parent
    if symbol.sort in _OF_FILE and other.sort in _LOCAL:
        return symbol.sort != "pool" and _sees(index, other, symbol)
    if symbol.sort in _LOCAL and other.sort in _OF_FILE:
        return other.sort != "pool" and _sees(index, symbol, other)
    return other.sort == symbol.sort and other.parent == symbol.parent


def _sees(index: Index, here: Symbol, there: Symbol) -> bool:
    """Whether a line beside `here` could name `there`."""
    return any(one == there for one in index.visible(here.at.file, here.parent))


def _changes(reading: Reading, symbol: Symbol, name: str) -> Iterator[tuple[Span, str]]:
    """Each place with its new text. A name that is the kind too becomes `new : kind` where it is declared."""
    index = reading.index
    for mention in index.of(symbol):
        keeps_kind = mention.is_declaration and symbol.names_kind
        yield mention.span, f"{name} : {symbol.kind}" if keeps_kind else name
    if symbol.implicit and symbol.parent:
        line = next(line for line in symbol.parent.item.lines if _covers(line.span, symbol.at))
        fix = line_before(reading.texts[symbol.at.file].source, line.span, f"node {name} : {symbol.kind}")
        yield fix.span, fix.replacement
    if symbol.sort != "module":
        return
    for node in index.symbols:  # those whose name says that they are made of this module
        if node.sort == "node" and node.names_kind and node.kind == symbol.name and _sees(index, node, symbol):
            for mention in index.of(node):
                if node.implicit:
                    yield mention.span, name
                elif mention.is_declaration:
                    yield mention.span, f"{node.name} : {name}"


def _covers(outer: Span, inner: Span) -> bool:
    return outer.file == inner.file and outer.start <= inner.start and inner.end <= outer.end


def _file(symbol: Symbol) -> str:
    return PurePath(symbol.at.file).name
