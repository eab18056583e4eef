"""parse: text → tree with spans, by `grammar/rspp.lark` (LALR). After a mistake it goes on behind it.

A `.json` is read by its schema instead: see `syntax.json`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

from rspp_compiler.diagnostics.nearest import nearest
from rspp_compiler.ir.context import Context
from rspp_compiler.source import Source
from rspp_compiler.syntax.brackets import mend_brackets
from rspp_compiler.syntax.expected import TOP_LEVEL
from rspp_compiler.syntax.findings import Findings
from rspp_compiler.syntax.json.tree import Document
from rspp_compiler.syntax.other_files import other_kind
from rspp_compiler.syntax.quotes import mend_quotes
from rspp_compiler.syntax.recover import Recovery
from rspp_compiler.syntax.scan import scan
from rspp_compiler.syntax.tree import Token, Tree

_OPERATORS = ("AND", "OR", "NOT")
_OPERATORS_MAX = 100
_FIRST_WORDS = 2000  # lines that are looked at to see whether a file is a pipeline file


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's tree, or its JSON document. `lost` are the names that lines which could not be read would have declared;
    see `Recovery`.
    """

    source: Source
    tree: Tree | Document
    lost: frozenset[str]


def parse(sources: tuple[Source, ...], ctx: Context) -> tuple[Parsed, ...] | None:
    """Parses every source; None when one of them is beyond recovery."""
    parsed = [_parse(source, ctx) for source in sources]
    trees = tuple(tree for tree in parsed if tree is not None)
    return trees if len(trees) == len(parsed) else None


def is_json(name: str) -> bool:
    """Whether a file is in the JSON form, going by its name."""
    return name.endswith(".json")


def _parse(source: Source, ctx: Context) -> Parsed | None:
    if is_json(source.name):
        from rspp_compiler.syntax.json.read import read

        found = read(source, ctx)
        return Parsed(source, *found) if found else None
    if other := other_kind(source, looks_right=_looks_like_pipeline(source.text)):
        (help, fix), name = other, PurePath(source.name).name
        first = source.line_span(source.position(len(source.text) - len(source.text.lstrip()))[0])
        ctx.sink.add("E0105", f"{name} does not look like a pipeline file", first, help=help, fix=fix)
        return None

    findings = Findings(source, ctx.sink)
    tokens = mend_brackets(mend_quotes(scan(source.text), findings), findings)
    if tokens is None or _has_overlong_condition(tokens, findings):
        return None
    recovery = Recovery(tokens, findings)
    tree = recovery.tree()
    findings.finish()
    return Parsed(source, tree, frozenset(recovery.lost))


def _has_overlong_condition(tokens: list[Token], findings: Findings) -> bool:
    """Whether a condition has more operators than any pass would want to walk into. Reported."""
    count = 0
    for token in tokens:
        kind = token.kind
        if kind in _OPERATORS:
            count += 1
            if count > _OPERATORS_MAX:
                message = f"more than {_OPERATORS_MAX} of `and`, `or` and `not` in one line"
                findings.add("E0110", message, token.start, token.end, help="split the condition")
                return True
        elif kind in ("_NL", "_COMMA"):
            count = 0
    return False


def _looks_like_pipeline(text: str) -> bool:
    words = dict.fromkeys(re.findall(r"^[ \t]*([A-Za-z_]\w*)", text, re.MULTILINE)[:_FIRST_WORDS])
    return any(word in TOP_LEVEL for word in words) or any(nearest(word, TOP_LEVEL) for word in words)
