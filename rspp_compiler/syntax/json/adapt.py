"""Findings about a JSON document: each names its field, and its fix leaves a document that can be read.

Passes speak `.rspp`: their fixes are texts of that language. One that only puts another value or name into the place of
one is put into JSON, one that takes a field out takes its comma along. What cannot be said in JSON is left to `help`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from rspp_compiler.diagnostics import Diagnostic, Fix, Sink
from rspp_compiler.diagnostics.fixes import apply
from rspp_compiler.ir import ast
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.json_form import REF
from rspp_compiler.source import Source, Span
from rspp_compiler.syntax.json.edits import quoted, without
from rspp_compiler.syntax.json.notation import Notation
from rspp_compiler.syntax.json.tree import Node, Object, Path, Text, at_path, path_at, shown
from rspp_compiler.syntax.json.write import TAGS, value_text
from rspp_compiler.syntax.lower import lower
from rspp_compiler.syntax.parse import parse

_TRIED_MAX = 600_000  # characters that are read to try fixes: what has not been tried is left to the help
_BLOCKS = ("settings", "meta", "budget")
_REF = re.compile(REF)
_OF_THE_TEXT = ("E01", "E0302")  # their fixes are JSON already
_PROFILE = re.compile(r"profile (\S+)")


def adapter(source: Source, root: Node) -> Callable[[Diagnostic], Diagnostic]:
    """What to do with every finding about the document."""
    return _Adapter(source, root).adapted


class _Adapter:
    def __init__(self, source: Source, root: Node) -> None:
        self._source = source
        self._root = root
        self._tried = 0

    def adapted(self, found: Diagnostic) -> Diagnostic:
        notes = found.notes
        if found.primary.file == self._source.name and (path := path_at(self._root, *self._range(found.primary))):
            note = f"this is `{shown(path)}`"
            if note in notes:
                return found  # it was adapted before
            notes = (*notes, note)
        return replace(found, notes=notes, fix=found.fix and self._fix(found.fix, found.code))

    def _range(self, span: Span) -> tuple[int, int]:
        start, end = (span.line, span.column), (span.end_line, span.end_column)
        return self._source.offset(*start), self._source.offset(*end)

    # ---- fixes

    def _fix(self, fix: Fix, code: str) -> Fix | None:
        files = {edit.span.file for edit in fix.edits}
        if self._source.name not in files or code.startswith(_OF_THE_TEXT):
            return fix
        if len(files) > 1:
            return None
        in_place, removal = self._value(fix), self._removal(fix)
        for one, is_sure in (
            (in_place, self._is_setting(fix)),
            (fix, self._is_name(fix)),
            (removal, self._is_setting(fix)),
        ):
            if one and (is_sure or self._is_good(one)):
                return one
        return None

    def _is_setting(self, fix: Fix) -> bool:
        """Whether a fix is about a setting: the schema does not mind what its value is, nor that it goes."""
        path = path_at(self._root, *self._range(fix.span))
        return any(part in _BLOCKS for part in path[:-1])

    def _is_name(self, fix: Fix) -> bool:
        """Whether a fix puts one name into the place of another, between its quotes."""
        place = self._range(fix.span)
        path = path_at(self._root, *place)
        node, _ = at_path(self._root, path)
        parent, _ = at_path(self._root, path[:-1])
        key = parent.member(str(path[-1])) if isinstance(parent, Object) and path else None
        texts = [text for text in (node, key.key if key else None) if isinstance(text, Text)]
        return not fix.also and bool(_REF.fullmatch(fix.replacement)) and any(text.inner == place for text in texts)

    def _is_good(self, fix: Fix) -> bool:
        """Whether the document can still be read, and has become another. Of large ones, only a few are tried."""
        self._tried += len(self._source.text)
        if self._tried > _TRIED_MAX:
            return False
        text = apply("\ufeff" * bool(self._source.bytes_before) + self._source.text, [fix]).removeprefix("\ufeff")
        scratch = Context()
        parsed = parse((Source(self._source.name, text),), scratch)
        if parsed:
            lower(parsed, scratch)
        return parsed is not None and not scratch.sink.has_errors and text != self._source.text

    def _removal(self, fix: Fix) -> Fix | None:
        """What takes away a member or an element, and perhaps blanks and a comma."""
        if fix.also or fix.replacement.strip():
            return None
        start, end = self._range(fix.span)
        written = self._source.text[start:end]
        start += len(written) - len(written.lstrip(" \t\r\n,"))
        end -= len(written) - len(written.rstrip(" \t\r\n,"))
        path = self._exactly(start, end)
        found = without(self._root, path, self._source) if path else None
        return found and replace(fix, span=found.span, replacement=found.replacement)

    def _exactly(self, start: int, end: int) -> Path | None:
        """The way to the member or element that is these characters."""
        path = path_at(self._root, start, end)
        for length in range(len(path), 0, -1):
            node, _ = at_path(self._root, path[:length])
            parent, _ = at_path(self._root, path[: length - 1])
            member = parent.member(str(path[length - 1])) if isinstance(parent, Object) else None
            if (member.key.start if member else node.start, node.end) == (start, end):
                return path[:length]
        return None

    def _value(self, fix: Fix) -> Fix | None:
        """What puts another value in the place of one."""
        if fix.also:
            return None
        start, end = self._range(fix.span)
        path = path_at(self._root, start, end)
        node, _ = at_path(self._root, path)
        places = [(node.start, node.end), *([node.inner] if isinstance(node, Text) else [])]
        if not path or (start, end) not in places:
            return None
        parent, above = at_path(self._root, path[:-1])
        if path[-1] in TAGS and isinstance(parent, Object) and len(parent.members) == 1:
            node, path = parent, above  # `{"text": "en"}` goes as a whole
        at = self._source.span(node.start, node.end)
        if profile := _PROFILE.fullmatch(fix.replacement):
            return replace(fix, span=at, replacement=f'"{profile[1]}"')
        written = _read(fix.replacement)
        key = next((part for part in reversed(path) if isinstance(part, str)), "")
        text = value_text(written, key.rpartition(".")[2]) if written else None
        if isinstance(node, Text) and (start, end) == node.inner and text == quoted(fix.replacement):
            return fix  # the quotes stay
        return replace(fix, span=at, replacement=text) if text else None


def _read(text: str) -> ast.Value | None:
    """A value as the language writes it."""
    source = Source("fix", text)
    return Notation(source, Sink()).any_value(Text(text=text, raw=text, first=0, start=0, end=len(text)))
