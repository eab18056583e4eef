"""The same pipeline, written otherwise: laid out untidily, with other notes, its parts in another order."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Protocol, TypeVar

from formatting import parsed
from rspp_compiler.ir import ast
from rspp_compiler.source import Span
from vocabulary import parts

_PIECE = re.compile(
    r'"""[\s\S]*?"""|"(?:[^"\\\n]|\\.)*"|#[^\n]*|[^\s"#]*\d (?:items|chars|tokens|words)\b|[ ]+|\n|[^\s"#]+'
)
_BREAKS = ("\n", "\n", "\n\n", "\n\n\n", "   # a note\n", "\n    # a note of its own\n", " \n")
_ITEMS = ("policy", "provider", "pipeline", "module", "tool", "import")  # the order of kinds; that within a kind stays


class Placed(Protocol):
    """Any part of an AST."""

    @property
    def span(self) -> Span: ...


T = TypeVar("T", bound=Placed)


def untidy(text: str, chance: random.Random) -> str:
    """Other blanks, other breaks between lines, comments everywhere, and another `meta`."""
    pieces = []
    for piece in _PIECE.findall(_with_other_meta(text)):
        if piece == "\n":
            piece = chance.choice(_BREAKS)
        elif piece.isspace():
            piece = " " * chance.randrange(1, 5)
        pieces.append(piece)
    return "".join(pieces)


def _with_other_meta(text: str) -> str:
    metas = [part for part in parts(_file(text)) if isinstance(part, ast.Meta)]
    for meta in metas:
        text = _written(text, meta.span, 'meta { owner = "somebody else", reviewed = 3 }')
    return text if metas else text.replace("profile simple/v1\n", "profile simple/v1\n  meta { owner = first }\n", 1)


def reordered(text: str) -> str:
    """Settings of every block the other way round, lines of the control lane first, and other kinds of items first."""
    for is_nested in (False, True):
        blocks = [part for part in parts(_file(text)) if isinstance(part, ast.Settings) and _nests(part) == is_nested]
        for block in reversed(blocks):
            text = _in_order(text, block.items, block.items[::-1])
    for item in reversed(_file(text).items):
        if isinstance(item, ast.Pipeline):
            text = _in_order(text, item.lines, sorted(item.lines, key=_is_declared_or_flows))
    items = _file(text).items
    return _in_order(text, items, sorted(items, key=lambda item: _ITEMS.index(type(item).__name__.lower())))


def _is_declared_or_flows(line: ast.Line) -> bool:
    return isinstance(line, ast.Profile | ast.Node | ast.Party | ast.Flow)


def _nests(block: ast.Settings) -> bool:
    return any(isinstance(part, ast.Settings) for one in block.items for part in parts(one.value))


def _in_order(text: str, old: Sequence[T], new: Sequence[T]) -> str:
    """The text with some of its parts at each other's places."""
    data = text.encode()
    for place, part in reversed(list(zip(old, new, strict=True))):
        data = data[: place.span.start] + text.encode()[part.span.start : part.span.end] + data[place.span.end :]
    return data.decode()


def _written(text: str, span: Span, replacement: str) -> str:
    data = text.encode()
    return (data[: span.start] + replacement.encode() + data[span.end :]).decode()


def _file(text: str) -> ast.File:
    file = parsed(text)
    assert file is not None
    return file
