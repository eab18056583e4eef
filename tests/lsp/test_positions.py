"""Positions: characters of the compiler, code units of the client, whatever stands before them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol.types import Position

from rspp_compiler.lsp.positions import Positions, Text
from rspp_compiler.source import Source

UNITS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
TEXTS = st.text(st.sampled_from("ab é🎙\u2028\u0085\x0b\r\n\t"), max_size=40)


@given(TEXTS, st.sampled_from(sorted(UNITS)), st.data())
def test_there_and_back(text: str, encoding: str, data: st.DataObject) -> None:
    """Every character has a position that leads back to it; inside of a line end there is none."""
    positions = Positions(text, encoding)
    offset = data.draw(st.integers(0, len(text)))
    found = positions.position(offset)
    back = positions.offset(found)
    assert back == offset or (text[offset - 1 : offset + 1] == "\r\n" and back == offset - 1)


@pytest.mark.parametrize("encoding", sorted(UNITS))
def test_columns_are_code_units(encoding: str) -> None:
    codec, width = UNITS[encoding]
    line = "say 👩🏽‍🚀 é x"
    positions = Positions(f"first\r\n{line}", encoding)
    for column in range(len(line) + 1):
        expected = Position(1, len(line[:column].encode(codec)) // width)
        assert positions.position(7 + column) == expected
        assert positions.offset(expected) == 7 + column


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_position_inside_of_a_character_is_its_start(encoding: str) -> None:
    positions = Positions("a🎙b", encoding)
    assert positions.offset(Position(0, 2)) == 1


@pytest.mark.parametrize("position", [Position(0, 99), Position(9, 0), Position(0, 3)])
def test_beyond_the_end_is_the_end(position: Position) -> None:
    assert Positions("abc").offset(position) == 3


def test_lines_end_as_the_protocol_says() -> None:
    """A lone carriage return ends the client's line and not the compiler's; a line separator ends neither."""
    source = Source("a.rspp", "a\rb\u2028c\r\nd é🎙 e\n")
    text = Text(source)
    e = source.span(source.text.index("e"), source.text.index("e") + 1)
    assert (e.line, e.column) == (2, 6)
    assert text.range(e).start == Position(2, 6)
    assert text.place(Position(2, 6)) == (2, 6)
    b = source.span(2, 3)
    assert (b.line, text.range(b).start) == (1, Position(1, 0))


def test_a_span_of_an_older_text_is_cut() -> None:
    old = Source("a.rspp", "one\ntwo\nthree")
    assert Text(Source("a.rspp", "one")).range(old.span(8, 13)).end == Position(0, 3)
