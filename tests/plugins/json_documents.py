"""For tests of the JSON form: programs to documents and back, and what of a program a document does not keep."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from rspp_compiler.diagnostics.render import render
from rspp_compiler.ir import ast
from rspp_compiler.ir.context import Context
from rspp_compiler.source import Source
from rspp_compiler.syntax.json.print import print_json
from rspp_compiler.syntax.json.write import to_document
from rspp_compiler.syntax.lower import lower
from rspp_compiler.syntax.parse import parse

NAME = "example.json"
_ITEMS: tuple[type, ...] = (ast.Import, ast.Module, ast.Tool, ast.Pipeline, ast.Provider, ast.Policy)
_LINES: tuple[type, ...] = (
    *(ast.Profile, ast.Meta, ast.Record, ast.Party, ast.Node, ast.Flow, ast.Reaction, ast.Mode, ast.Budget),
)
_RULES: tuple[type, ...] = (ast.Node, ast.Insert, ast.Provider, ast.Record)
_ONCE: tuple[type, ...] = (ast.Profile, ast.Meta, ast.Record, ast.Budget, ast.Pipeline)


def read(text: str, name: str = NAME) -> tuple[ast.File | None, Context]:
    """The AST of a text, JSON unless the name says otherwise; with what was found."""
    ctx = Context()
    source = Source(name, text)
    ctx.sources[name] = source
    parsed = parse((source,), ctx)
    program = lower(parsed, ctx) if parsed else None
    return (program.files[0] if program else None), ctx


def understood(text: str, name: str = NAME) -> ast.File:
    """The same of a text without a mistake."""
    file, ctx = read(text, name)
    assert file is not None, render(ctx.sink.diagnostics, ctx.sources)
    assert not ctx.sink.diagnostics, render(ctx.sink.diagnostics, ctx.sources)
    return file


def document(file: ast.File, text: str = "") -> str:
    """The document of a program; `text` is its own."""
    ctx = Context()
    sources = {file.span.file: Source(file.span.file, text)} if text else {}
    found = to_document(file, sources, ctx.sink)
    assert found is not None, [one.message for one in ctx.sink.diagnostics]
    return print_json(found)


def sorted_by_sort(file: ast.File) -> ast.File:
    """A program as a document keeps it: lines of a sort together, which may stand anywhere; what may stand there only
    once, once; and of two settings with one key the first.
    """
    return replace(file, items=tuple(_normal(item) for item in _sorted(file.items, _ITEMS)))


def _sorted(nodes: tuple[Any, ...], sorts: tuple[type, ...]) -> tuple[Any, ...]:
    found: list[Any] = []
    for sort in sorts:
        of_sort = [node for node in nodes if isinstance(node, sort)]
        found += of_sort[:1] if sort in _ONCE else of_sort
    return tuple(found)


def _normal(node: Any) -> Any:
    match node:
        case ast.Pipeline() | ast.Module():
            node = replace(node, lines=_sorted(node.lines, _LINES))
        case ast.Provider():
            node = replace(node, offers=_unique(_sorted(node.offers, (ast.Use, ast.Setting))))
        case ast.Policy():
            node = replace(node, rules=_sorted(node.rules, _RULES))
        case ast.Settings():
            node = replace(node, items=_unique(node.items))
    if not is_dataclass(node) or isinstance(node, type):
        return tuple(map(_normal, node)) if isinstance(node, tuple) else node
    return replace(node, **{one.name: _normal(getattr(node, one.name)) for one in fields(node) if one.name != "span"})


def _unique(settings: tuple[Any, ...]) -> tuple[Any, ...]:
    found: dict[str, Any] = {}
    others = tuple(one for one in settings if not isinstance(one, ast.Setting))
    for one in settings:
        if isinstance(one, ast.Setting):
            found.setdefault(one.key.text, one)
    return (*others, *found.values())
