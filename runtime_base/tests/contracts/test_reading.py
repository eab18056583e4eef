"""JSON to the letter: what two programs could read differently is refused, and its place is named."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rspp_runtime.contracts.reading import BYTES_MAX, DEPTH_MAX, Document, Unreadable, read

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(value=JSON, indent=st.sampled_from([None, 0, 2]), ascii_only=st.booleans())
def test_what_json_writes_is_read(value: object, indent: int | None, ascii_only: bool) -> None:
    document = read(json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode())
    assert document.value == value
    assert repr(document.value) == repr(value)  # 1, 1.0 and true are not the same


@given(
    data=st.binary(max_size=40) | st.text(alphabet='{}[]",:0123456789.eE+-truefalsn \\u\n', max_size=40).map(str.encode)
)
def test_whatever_comes_it_is_read_or_refused_with_a_place(data: bytes) -> None:
    found: Document | None = None
    try:
        found = read(data)
    except Unreadable as error:
        said = error
    if found is None:
        assert said.line >= 1 <= said.column
        assert str(said)
    else:
        assert json.loads(data) == found.value


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (b"", (1, 1), "the text is empty"),
        (b" \n ", (2, 2), "the text is empty"),
        (b'{"a": 1,\n "b": 2,\n "a": 3}', (3, 2), "`a` stands here twice"),
        (b'{"a": {"b": 1, "b": 1}}', (1, 16), "`b` stands here twice"),
        (b'{"a": NaN}', (1, 7), "`NaN` is no JSON value"),
        (b"[1, -Infinity]", (1, 5), "`-Infinity` is no JSON value"),
        (b"[1e999]", (1, 2), "`1e999` is too large"),
        (b"[" + b"9" * 5000 + b"]", (1, 2), "a number of 5,000 digits"),
        (b"[01]", (1, 2), "`01` is no JSON value"),
        (b"[+1]", (1, 2), "`+1` is no JSON value"),
        (b"[.5]", (1, 2), "`.5` is no JSON value"),
        (b"[1.]", (1, 2), "`1.` is no JSON value"),
        (b"[0x10]", (1, 2), "`0x10` is no JSON value"),
        (b"[True]", (1, 2), "`True` is no JSON value"),
        (b"['a']", (1, 2), "`'` is no JSON value"),
        (b'{"a": "\x00"}', (1, 8), "a text that is none"),
        (b'{"a": \x00}', (1, 7), "the character U+0000 is no JSON value"),
        (b'{"a": "x', (1, 7), "a text that is none"),
        (b'["\\ud800"]', (1, 2), "half of a surrogate pair"),
        (b'{"\\udc00": 1}', (1, 2), "half of a surrogate pair"),
        (b'{"a": "\xff"}', (1, 8), "byte 0xff is not UTF-8"),
        ("é".encode("latin-1"), (1, 1), "byte 0xe9 is not UTF-8"),
        (b"\xef\xbb\xbf{}", (1, 1), "a byte order mark"),
        (b"[" * (DEPTH_MAX + 1), (1, DEPTH_MAX + 1), f"nested more than {DEPTH_MAX} deep"),
        (b'{"a":' * 100_000, (1, 5 * DEPTH_MAX + 1), f"nested more than {DEPTH_MAX} deep"),
        (b'{"a": 1} x', (1, 10), "`x` stands after the end"),
        (b"{} {}", (1, 4), "`{` stands after the end"),
        (b'{"a" 1}', (1, 6), "`1` where `:` is wanted"),
        (b'{"a": 1 "b": 2}', (1, 9), '`"` where `,` or `}` is wanted'),
        (b'{"a": 1,}', (1, 9), "nothing stands between `,` and `}`"),
        (b"[1,]", (1, 4), "nothing stands between `,` and `]`"),
        (b"[,]", (1, 2), "`,` is no JSON value"),
        (b"{a: 1}", (1, 2), '`a` where a name in "quotes" is wanted'),
        (b"[1", (1, 3), "the end of the text where `,` or `]` is wanted"),
        (b'{"a": 1 // why\n}', (1, 9), "`/` where `,` or `}` is wanted"),
        (b" " * (BYTES_MAX + 1), (1, 1), "more than 1,048,576 bytes"),
    ],
)
def test_what_is_no_json(text: bytes, place: tuple[int, int], said: str) -> None:
    with pytest.raises(Unreadable) as raised:
        read(text)
    assert said in str(raised.value)
    assert (raised.value.line, raised.value.column) == place


def test_as_deep_as_may_be() -> None:
    assert read(b"[" * DEPTH_MAX + b"]" * DEPTH_MAX).value


def test_every_value_has_its_place() -> None:
    document = read('{\n  "é": 1, "b": [10,\n 20]\n}'.encode())
    assert [document.place(path) for path in ((), ("é",), ("b",), ("b", 0), ("b", 1))] == [
        (1, 1), (2, 8), (2, 16), (2, 17), (3, 2),
    ]  # fmt: skip
    assert document.place(("b", 7)) == (2, 16)  # of what is missing: of what would hold it
