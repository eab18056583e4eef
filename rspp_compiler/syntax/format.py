"""The canonical text of a file: what is written stays, how it is laid out is decided here."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Literal

from rspp_compiler.diagnostics import Diagnostic
from rspp_compiler.ir import ast
from rspp_compiler.ir.context import Context
from rspp_compiler.source import Source, Span
from rspp_compiler.syntax.columns import render
from rspp_compiler.syntax.comments import attach, comments
from rspp_compiler.syntax.json.tree import Document
from rspp_compiler.syntax.lines import lines
from rspp_compiler.syntax.lower import lower
from rspp_compiler.syntax.parse import is_json, parse
from rspp_compiler.syntax.print import Printer
from rspp_compiler.syntax.tree import Tree
from rspp_compiler.syntax.written import AsWritten


class MeaningChangedError(Exception):
    """The formatter is at fault: its text does not say what the source says, and must not take its place."""


def format_source(source: Source, ctx: Context) -> str | None:
    """The canonical text of a source; None if it cannot be read, `ctx.sink` then says why."""
    if is_json(source.name):
        parsed = parse((source,), ctx)
        is_good = parsed and not any(map(is_mistake_of_form, ctx.sink.diagnostics))
        return format_document(parsed[0].tree) if parsed and is_good else None
    file = _read(source, ctx)
    return format_file(file, source) if file else None


def format_document(document: Tree | Document) -> str:
    """The canonical text of a JSON document."""
    from rspp_compiler.syntax.json.print import data, print_json

    assert isinstance(document, Document)
    text = print_json(data(document.root))
    if json.loads(text) != json.loads(document.source.text):
        raise MeaningChangedError(f"formatting would change what {document.source.name} means; it was left as it is")
    return text


def in_notation(file: ast.File, to: Literal["rspp", "json"], ctx: Context) -> str | None:
    """A program in one of the two notations; None if it has no form there: `ctx.sink` then says why.

    `ctx.sources` are the files that it was read from: of a single `.rspp` everything stays, comments and all.
    """
    source = ctx.sources[file.span.file]
    if to == "json":
        from rspp_compiler.syntax.json.print import print_json
        from rspp_compiler.syntax.json.write import to_document

        document = to_document(file, ctx.sources, ctx.sink)
        return print_json(document) if document is not None else None
    if not is_json(source.name) and len(ctx.sources) == 1:
        return format_file(file, source)
    from rspp_compiler.syntax.json.variables import WithVariables

    text = render(lines(Printer(WithVariables(ctx.sources)).file(file)))
    again = _read(Source("text", text), Context())
    if again is None or not same_meaning(file.items, again.items):
        help = "rename what is called like a word of the language"
        ctx.sink.add("E0129", f"{file.name} says what a .rspp cannot", file.span, help=help)
        return None
    return text


def format_file(file: ast.File, source: Source) -> str:
    """The same for a source that is parsed already. Raises `MeaningChangedError` rather than do harm."""
    found = comments(source)
    document = Printer(AsWritten(source)).file(file)
    attach(document, found)
    text = render(lines(document))
    if text != source.text:
        formatted = Source(source.name, text)
        again = _read(formatted, Context())
        if again is None or not same_meaning(file.items, again.items):
            raise MeaningChangedError(f"formatting would change what {source.name} means; it was left as it is")
        if [one.text for one in comments(formatted)] != [one.text for one in found]:
            raise MeaningChangedError(f"formatting would lose a comment of {source.name}; it was left as it is")
    return text


def is_mistake_of_form(found: Diagnostic) -> bool:
    """Whether a finding is about the text and its grammar: what was written is then not all in the AST."""
    return found.severity == "error" and found.code.startswith("E01")


def same_meaning(one: Any, other: Any) -> bool:
    """Whether two parts of an AST are equal, wherever they stand."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same_meaning, one, other))
    kind: Any = type(one)
    if kind is type(other) and is_dataclass(kind):
        return all(same_meaning(getattr(one, name), getattr(other, name)) for name in _fields(kind))
    return bool(one == other)


@cache
def _fields(of: Any) -> tuple[str, ...]:
    """The fields of a class of the AST that are not spans."""
    return tuple(field.name for field in fields(of) if field.type not in ("Span", Span))


def _read(source: Source, ctx: Context) -> ast.File | None:
    parsed = parse((source,), ctx)
    program = lower(parsed, ctx) if parsed else None
    return program.files[0] if program and not any(map(is_mistake_of_form, ctx.sink.diagnostics)) else None
