"""`${session.name}` in a text is a variable, unless its source escapes it: `\\${` in a `.rspp`, `\\u0024{` in JSON.

The AST does not tell the two apart, so it is asked of the source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rspp_compiler.ir import ast
from rspp_compiler.source import Source
from rspp_compiler.syntax.json.edits import quoted
from rspp_compiler.syntax.json.print import Raw
from rspp_compiler.syntax.written import Anew, Literal

_PLACE = re.compile(r"(\\(?:u0024|\$)(?=\{))|\\[\s\S]|(?P<variable>\$\{)")


def escaped_variables(value: ast.Text, source: Source) -> str:
    """The text as JSON, with every `${` that is no variable escaped."""
    flags = list(_are_escaped(value, source)) if "${" in value.text else []
    return Raw(_replaced(quoted(value.text), flags, "\\u0024{")) if any(flags) else value.text


class WithVariables(Anew):
    """For a program that was read from JSON, and has no other text."""

    def __init__(self, sources: dict[str, Source]) -> None:
        self._sources = sources

    def literal(self, value: Literal, is_short: bool = False) -> str:
        written = super().literal(value, is_short)
        source = self._sources.get(value.span.file)
        if source is None or not isinstance(value, ast.Text) or "${" not in value.text:
            return written
        return _replaced(written, list(_are_escaped(value, source)), "\\${")


def _are_escaped(value: ast.Text, source: Source) -> Iterator[bool]:
    """For every `${` of the text in turn whether its source escapes it."""
    at = value.span
    written = source.text[source.offset(at.line, at.column) : source.offset(at.end_line, at.end_column)]
    for place in _PLACE.finditer(written):
        if place[1] or place["variable"]:
            yield bool(place[1])


def _replaced(text: str, flags: list[bool], by: str) -> str:
    each = iter(flags)
    return re.sub(r"\$\{", lambda found: by if next(each, False) else found[0], text)
