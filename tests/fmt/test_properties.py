"""fmt on programs over the whole grammar: as text in any layout, and as AST without a text."""

from __future__ import annotations

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formatting import assert_tidy, formatted, parsed
from rspp_compiler.ir import ast
from rspp_compiler.ir.context import Context
from rspp_compiler.source import Source
from rspp_compiler.syntax.comments import comments
from rspp_compiler.syntax.format import format_source, same_meaning
from rspp_compiler.syntax.print import print_file
from syntax_strategies import files, written
from syntax_text import Written, write

MANY = settings(max_examples=40, suppress_health_check=list(HealthCheck))


@MANY
@given(written())
def test_any_layout_of_any_program(program: Written) -> None:
    """The text says what it was made of, before and after, and no comment is lost or moved past another."""
    before = parsed(program.text)
    assert before is not None
    assert same_meaning(before.items, program.file.items)
    result = formatted(program.text)
    assert tuple(one.text for one in comments(Source("a.rspp", result))) == program.comments


@MANY
@given(files())
def test_a_program_that_was_never_written_reads_back(file: ast.File) -> None:
    """Printing is the inverse of reading; and what is printed is in canonical form."""
    text = print_file(file)
    again = parsed(text)
    assert again is not None
    assert same_meaning(again.items, file.items)
    assert formatted(text) == text
    assert_tidy(text)


@MANY
@given(files(most=2), st.integers(), st.integers())
def test_there_is_one_form_however_many_blanks_and_parentheses_there_were(file: ast.File, one: int, other: int) -> None:
    texts = (write(file, Random(seed), may_break=False).text for seed in (one, other))
    assert len({formatted(text) for text in texts}) == 1


@MANY
@given(written())
def test_carriage_returns_make_no_difference(program: Written) -> None:
    texts = (program.text, program.text.replace("\n", "\r\n"))
    assert len({format_source(Source("a.rspp", text), Context()) for text in texts}) == 1
