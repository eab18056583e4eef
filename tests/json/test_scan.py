"""Texts that are JSON, nearly JSON, and nothing like it."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from json_documents import NAME
from rspp_compiler.diagnostics import Diagnostic, Sink
from rspp_compiler.diagnostics.fixes import apply
from rspp_compiler.source import Source
from rspp_compiler.syntax.findings import Findings
from rspp_compiler.syntax.json.print import data, print_json, print_value
from rspp_compiler.syntax.json.scan import scan
from rspp_compiler.syntax.json.tree import Node, Object, Text, each

_texts = st.text(st.characters(codec="utf-8"), max_size=6)
_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=8,
)
ROUNDS_MAX = 30

# (what was written, what is wrong with it, what it becomes)
NEARLY = [
    ('{"a": [1, 2,], "b": 3}', "no comma may stand before the end", '{"a": [1, 2], "b": 3}'),
    ('{"a": 1 "b": 2}', "a comma is missing here", '{"a": 1 ,"b": 2}'),
    ('{"a": 1; "b": 2}', "a comma is missing here", '{"a": 1, "b": 2}'),
    ('{"a" = 1}', "a `:` is missing behind the key", '{"a" : 1}'),
    ('{"a" => 1}', "a `:` is missing behind the key", '{"a" : 1}'),
    ('{"a" 1}', "a `:` is missing behind the key", '{"a" :1}'),
    ('{"a": \'b\n}', "this text does not end on its line", '{"a": "b"\n}'),
    ("{'a': 1}", "`'a'` is not JSON", '{"a": 1}'),
    ('{"a": \'it\\\'s "x"\'}', "`'it\\'s \"x\"'` is not JSON", '{"a": "it\'s \\"x\\""}'),
    ("{a: 1}", "`a` lacks its quotes", '{"a": 1}'),
    ('{"a": 300ms}', "`300ms` is not JSON", '{"a": "300ms"}'),
    ('{"a": simple/v1}', "`simple/v1` is not JSON", '{"a": "simple/v1"}'),
    ('{"a": True}', "`True` is not JSON", '{"a": true}'),
    ('{"a": .5}', "`.5` is not JSON", '{"a": 0.5}'),
    ('{"a": +1.}', "`+1.` is not JSON", '{"a": 1}'),
    ('{"a": 007}', "`007` is not JSON", '{"a": 7}'),
    ('{"a": 1} // why', "JSON has no comments", '{"a": 1} '),
    ('{"a": /* why */ 1}', "JSON has no comments", '{"a":  1}'),
    ('# why\n{"a": 1}', "JSON has no comments", '\n{"a": 1}'),
    ('{"a": "b\n}', "this text does not end on its line", '{"a": "b"\n}'),
    ('{"a": "b,\n "c": 1}', "this text does not end on its line", '{"a": "b",\n "c": 1}'),
    ('{"a": "\\d"}', "JSON has no escape `\\d`", '{"a": "\\\\d"}'),
    ('{"a": "\\${x}"}', "JSON has no escape `\\$`", '{"a": "\\u0024{x}"}'),
    ('{"a": "\t"}', "a tab in a text is written `\\t`", '{"a": "\\t"}'),
    ('{"a": [1, 2}', "`[` is not closed here by `}`", '{"a": [1, 2]}'),
    ('{"a": 1]', "`{` is not closed here by `]`", '{"a": 1}'),
    ('{"a": [1', "`[` is never closed", '{"a": [1]}'),
    ('{"a": 1} }', "something stands behind the end of the document", '{"a": 1} '),
]
# (what was written, what is wrong with it): nobody can tell what was meant.
BEYOND = [
    ("", "a value was expected here, not the end of the text"),
    ('{"a": }', "a value was expected here, not `}`"),
    ('{"a": 1, : 2}', "a key was expected here, not `:`"),
    ("[" * 80, "nested deeper than 64 levels"),
]


def read(text: str) -> tuple[Node | None, tuple[Diagnostic, ...]]:
    findings = Findings(Source(NAME, text), sink := Sink())
    root = scan(findings)
    findings.finish()
    return root, sink.diagnostics


def mended(text: str) -> tuple[str, Node | None, tuple[Diagnostic, ...]]:
    """The text after all its fixes, one round after the other; a line has one finding at a time."""
    for _ in range(ROUNDS_MAX):
        root, found = read(text)
        fixes = [one.fix for one in found if one.fix]
        if not fixes:
            return text, root, found
        text = apply(text, fixes)
    raise AssertionError(f"no end of fixing: {text}")


@given(_json, st.booleans())
def test_whatever_is_json(value: Any, indented: bool) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=2 if indented else None)
    root, found = read(text)
    assert found == ()
    assert root is not None
    assert json.loads(print_value(data(root))) == json.loads(text)


@pytest.mark.parametrize(("text", "message", "meant"), NEARLY)
def test_what_is_nearly_json_is_mended(text: str, message: str, meant: str) -> None:
    before, found = read(text)
    assert [(one.code, one.message) for one in found][:1] == [("E0120", message)]
    after, root, left = mended(text)
    assert (after.split("}")[0], left) == (meant.split("}")[0], ())
    assert json.loads(after) == json.loads(meant)
    assert before is not None
    assert root is not None
    assert before.plain == root.plain == json.loads(meant)


@pytest.mark.parametrize(("text", "message"), BEYOND)
def test_what_is_beyond_mending_is_one_finding(text: str, message: str) -> None:
    root, found = read(text)
    assert root is None
    assert [one.message for one in found] == [message]
    assert found[0].help


DOCUMENT = json.dumps({"a": [1, {"b": "x\ny", "c": None}], "d": {"e": True, "f": -0.5}}, indent=1)


@settings(max_examples=100)
@given(st.integers(0, 10**9))
def test_damage_anywhere(seed: int) -> None:
    """Characters lost, doubled, swapped or put in: no traceback, every finding in the text, and fixes that end."""
    chance = Random(seed)
    text = DOCUMENT
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(text))
        put = chance.choice(['"', "'", "{", "}", "[", "]", ",", ":", "\\", "\n", "é", "nul", "#", "//", ""])
        text = text[:at] + put + text[at + chance.choice([0, 1, 1, 2]) :]
    root, found = read(text)
    size = len(text.encode())
    assert all(0 <= one.primary.start <= one.primary.end <= size for one in found)
    assert found or root is not None
    after, root, left = mended(text)
    if not left:
        assert root is not None
        assert json.loads(after) == root.plain or any(one.noun == "`null`" or _repeats(one) for _, one in each(root))


def _repeats(node: Node) -> bool:
    return isinstance(node, Object) and bool(node.repeated)


def test_places_within_a_text_count_escapes() -> None:
    source = '{"a": "x\\"é\\ud83d\\ude00\\u00e9z"}'
    root, _ = read(source)
    assert isinstance(root, Object)
    text = root.get("a")
    assert isinstance(text, Text)
    assert text.text == 'x"é😀éz'
    assert [source[start:end] for start, end in zip(text.offsets, text.offsets[1:], strict=False)] == [
        "x", '\\"', "é", "\\ud83d\\ude00", "\\u00e9", "z",
    ]  # fmt: skip


def test_numbers_too_long_to_be_meant() -> None:
    root, found = read('{"a": ' + "9" * 5000 + "}")
    assert root is not None
    assert [one.code for one in found] == ["E0120"]


LAYOUT = """{
  "schema_version": "x",
  "short": { "a": 1, "b": [true, null] },
  "nodes": [
    { "node_id": "a" },
    { "node_id": "b" }
  ],
  "long": [
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
  ],
  "none": []
}
"""


def test_layout() -> None:
    root, found = read(json.dumps(json.loads(LAYOUT)))
    assert root is not None
    assert found == ()
    assert print_json(data(root)) == LAYOUT
