"""The parser's tables are those of the grammar, and the parser reads as lark does."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import lark
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import ROOT, WHOLE_LANGUAGE, files, read
from rspp_compiler.syntax.machine import Machine
from rspp_compiler.syntax.make_tables import make_tables, write
from rspp_compiler.syntax.scan import scan
from rspp_compiler.syntax.tables import read_grammar, tables
from rspp_compiler.syntax.tree import Token, Tree

TEXTS = [WHOLE_LANGUAGE, *(read(path) for path in files("pipelines", "tests/corpus"))]


def test_the_tables_are_those_of_the_grammar(tmp_path: Path) -> None:
    write(make_tables(read_grammar()), tmp_path / "tables.json")
    kept = (ROOT / "grammar" / "tables.json").read_bytes()
    assert (tmp_path / "tables.json").read_bytes() == kept, "the grammar was edited: run `make tables`"


def test_an_edited_grammar_works_before_its_tables_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    edited = read_grammar().replace('"budget" settings', '"limits" settings')
    monkeypatch.setattr("rspp_compiler.syntax.tables.read_grammar", lambda: edited)
    assert "limits" in tables.__wrapped__().keywords


def test_a_grammar_with_conflicts_is_refused() -> None:
    ambiguous = read_grammar().replace("insert      :", 'insert : "insert" NAME "before" ref\ninsert_too  :')
    with pytest.raises(lark.exceptions.GrammarError):
        make_tables(ambiguous.replace("_rule       :", "_rule       : insert_too |"))


# ---- lark is the oracle


@cache
def oracle() -> lark.Lark:
    return lark.Lark(
        read_grammar(), parser="lalr", lexer="contextual", propagate_positions=True, maybe_placeholders=False
    )


def by_lark(text: str) -> Any:
    """The text's tree as nested tuples; None when it cannot be read."""

    def plain(part: lark.Tree[lark.Token] | lark.Token) -> Any:
        if isinstance(part, lark.Token):
            return part.type, str(part), part.start_pos, part.end_pos
        is_whole = part.data == "start"  # lark counts the comments around it
        place = () if is_whole else (part.meta.start_pos, part.meta.end_pos)
        return str(part.data), place, [plain(child) for child in part.children]

    try:
        return plain(oracle().parse(text))
    except lark.UnexpectedInput:
        return None


def by_us(text: str) -> Any:
    def plain(part: Tree | Token) -> Any:
        if isinstance(part, Token):
            return tuple(part)
        place = () if part.rule == "start" else (part.start, part.end)
        return part.rule, place, [plain(child) for child in part.children]

    machine, tokens = Machine(tables()), scan(text)
    return plain(machine.values[0]) if machine.run(tokens, 0) == len(tokens) else None


@pytest.mark.parametrize("text", TEXTS)
def test_reads_the_corpus_as_lark_does(text: str) -> None:
    assert by_us(text) == by_lark(text)


def words() -> Iterator[str]:
    for text in TEXTS:
        yield from (token.text for token in scan(text) if token.text)


@settings(max_examples=150)
@given(data=st.data())
def test_reads_changed_pipelines_as_lark_does(data: st.DataObject) -> None:
    tokens = [token.text for token in scan(data.draw(st.sampled_from(TEXTS)))]
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.integers(0, len(tokens) - 1))
        tokens[at : at + data.draw(st.integers(0, 2))] = data.draw(st.lists(st.sampled_from(WORDS), max_size=2))
    text = " ".join(tokens)
    assert by_us(text) == by_lark(text)


WORDS = sorted(set(words()))
