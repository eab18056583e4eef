"""Brackets: whatever is missing or too much, what the grammar meets is balanced, and nothing else was touched."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rspp_compiler.diagnostics import Diagnostic, Sink
from rspp_compiler.diagnostics.fixes import apply
from rspp_compiler.source import Source
from rspp_compiler.syntax.brackets import CLOSER, CLOSERS, mend_brackets
from rspp_compiler.syntax.findings import Findings
from rspp_compiler.syntax.scan import scan
from rspp_compiler.syntax.tree import Token


def mended(text: str) -> tuple[list[Token], tuple[Diagnostic, ...]]:
    sink = Sink()
    tokens = mend_brackets(scan(text), Findings(Source("a.rspp", text), sink))
    assert tokens is not None
    return tokens, sink.diagnostics


def is_balanced(tokens: list[Token]) -> bool:
    expected: list[str] = []
    for token in tokens:
        if token.kind in CLOSER:
            expected.append(CLOSER[token.kind])
        elif token.kind in CLOSERS and (not expected or expected.pop() != token.kind):
            return False
    return not expected


WORDS = ["{", "}", "(", ")", "[", "]", "a", "b", ",", "=", "provider"]
LINE = st.tuples(st.integers(0, 4), st.lists(st.sampled_from(WORDS), max_size=6))


@settings(max_examples=400)
@given(st.lists(LINE, max_size=12))
@example([(0, ["a"]), (2, ["b", ")"]), (0, ["}"]), (0, ["}"])])
@example([(1, ["a"]), (2, ["{"]), (0, [")", "{"]), (1, [")"])])
def test_is_balanced_and_the_rest_is_kept(lines: list[tuple[int, list[str]]]) -> None:
    text = "".join(f"{' ' * indent}{' '.join(words)}\n" for indent, words in lines)
    tokens, found = mended(text)
    assert is_balanced(tokens)
    brackets = {*CLOSER, *CLOSERS}
    assert [t for t in tokens if t.kind not in brackets] == [t for t in scan(text) if t.kind not in brackets]
    assert bool(found) != is_balanced(scan(text))


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("pipeline a {\n  node b : vad {\n    x = 1\n  b -> c\n}\n", "E0111", 2),
        ("pipeline a {\n  node b : vad { x = 1\n  b -> c\n}\n", "E0111", 2),
        ("pipeline a {\n  b -> c { x = [1, 2 }\n}\n", "E0111", 2),
        ("pipeline a {\n  b -> c\n\nprovider tts { use espeak }\n", "E0111", 1),
        ("pipeline a {\n  node b : vad\n    x = 1\n  }\n  b -> c\n}\n", "E0112", 2),
        ("pipeline a\n  node b : vad { x = 1 }\n  b -> c\n}\n", "E0112", 1),
        ("pipeline a {\n  b -> c } { x = 1 }\n}\n", "E0112", 2),
        ("pipeline a {\n  b -> c {{ x = 1 }\n}\n", "E0111", 2),
        ("pipeline a {\n  b -> c x = 1 }\n  c -> d\n}\n", "E0112", 2),
        ("pipeline a {\n  b -> c { x = 1, 2] }\n}\n", "E0112", 2),
        ('pipeline a {\n  b -> c { x = secret "y") }\n}\n', "E0112", 2),
        ("pipeline a {\n  b -> c\n} d -> e\n  f -> g\n}\n", "E0112", 3),
        ("pipeline a {\n  b -> c\n}\n}\n", "E0112", 4),
    ],
)
def test_the_indentation_tells_which_bracket_is_wrong(text: str, code: str, line: int) -> None:
    """And what the finding offers mends it."""
    _, found = mended(text)
    assert [(one.code, one.primary.line) for one in found] == [(code, line)]
    fix = found[0].fix
    assert fix is not None
    assert is_balanced(scan(apply(text, [fix])))
    assert mended(apply(text, [fix]))[1] == ()
