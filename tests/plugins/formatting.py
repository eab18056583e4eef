"""For tests of the formatter: a text's AST, and its canonical form with all that is promised of it."""

from __future__ import annotations

from rspp_compiler.ir import ast
from rspp_compiler.ir.context import Context
from rspp_compiler.source import Source
from rspp_compiler.syntax.columns import WIDTH_MAX
from rspp_compiler.syntax.comments import comments
from rspp_compiler.syntax.format import format_source, is_mistake_of_form, same_meaning
from rspp_compiler.syntax.lower import lower
from rspp_compiler.syntax.parse import parse


def parsed(text: str) -> ast.File | None:
    """The AST of a text; None if it cannot be read."""
    ctx = Context()
    trees = parse((Source("example.rspp", text),), ctx)
    program = lower(trees, ctx) if trees else None
    return program.files[0] if program and not any(map(is_mistake_of_form, ctx.sink.diagnostics)) else None


def formatted(text: str) -> str:
    """The canonical form: it means the same, has the same comments, and does not change when formatted again."""
    ctx = Context()
    source = Source("example.rspp", text)
    result = format_source(source, ctx)
    assert result is not None, [f"{found.primary}: {found.message}" for found in ctx.sink.diagnostics]
    before, after = parsed(text), parsed(result)
    assert before is not None
    assert after is not None
    assert same_meaning(before.items, after.items)
    again = Source("example.rspp", result)
    assert [one.text for one in comments(again)] == [one.text for one in comments(source)]
    assert format_source(again, Context()) == result
    assert_tidy(result)
    return result


def assert_tidy(text: str) -> None:
    """No blanks at the ends of lines, no two blank lines, no line too long that could be broken."""
    assert text.endswith("\n")
    if '"""' in text:
        return  # within a text, everything stays
    assert not text.startswith("\n")
    assert not text.endswith("\n\n")
    assert "\n\n\n" not in text
    assert "\r" not in text
    for line in text.splitlines():
        assert line == line.rstrip(" \t")
        assert len(line) <= WIDTH_MAX or '"' in line or "#" in line, line
