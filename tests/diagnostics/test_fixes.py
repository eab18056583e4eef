"""fixes: edits land on their bytes, clashes are settled in the order of the source, builders keep the layout."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rspp_compiler.diagnostics import Edit, Fix
from rspp_compiler.diagnostics.fixes import apply, apply_all, both, line_before, line_behind, remove, setting_in
from rspp_compiler.source import Source, Span


def source(text: str) -> Source:
    return Source("a.rspp", text)


def at(text: str, word: str) -> Span:
    """The span of the first `word` in `text`."""
    start = text.index(word)
    return source(text).span(start, start + len(word))


# ---- applying


def test_offsets_are_bytes() -> None:
    text = 'note = "日本 👋", sst'
    assert apply(text, [Fix(at(text, "sst"), "stt")]) == 'note = "日本 👋", stt'


def test_byte_order_mark_and_line_ends_stay() -> None:
    marked = Source("a.rspp", "a\r\nb\r\n", bytes_before=3)
    assert apply("\ufeffa\r\nb\r\n", [Fix(marked.span(3, 4), "c")]) == "\ufeffa\r\nc\r\n"


def test_bytes_that_are_no_utf8_can_be_replaced() -> None:
    broken = b"caf\xe9 = 1"
    fix = Fix(Span("a.rspp", 3, 4, 1, 4, 1, 5), "é")
    assert apply(broken.decode("utf-8", "surrogateescape"), [fix]) == "café = 1"


def test_no_fixes_change_nothing() -> None:
    assert apply("a b", []) == "a b"


def test_an_empty_span_inserts() -> None:
    text = "a b"
    assert apply(text, [Fix(source(text).span(1, 1), ","), Fix(source(text).span(3, 3), "!")]) == "a, b!"


def test_edits_that_touch_are_both_made() -> None:
    text = "node sst"
    end = source(text).span(8, 8)
    assert apply(text, [Fix(end, " : stt"), Fix(at(text, "sst"), "ears")]) == "node ears : stt"


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_that_overlap_the_first_in_the_source_is_made(turned: bool) -> None:
    text = "a b c"
    fixes = [Fix(at(text, "a b"), "x"), Fix(at(text, "b c"), "y")]
    assert apply(text, fixes[::-1] if turned else fixes) == "x c"


def test_two_insertions_at_one_place_are_one_at_a_time() -> None:
    here = source("tts").span(3, 3)
    texts, made = apply_all({"a.rspp": "tts"}, [Fix(here, " { rate = 100 }"), Fix(here, " { pitch = 50 }")])
    assert texts == {"a.rspp": "tts { pitch = 50 }"}
    assert made == (Fix(here, " { pitch = 50 }"),)


def test_the_same_edit_of_two_fixes_is_made_once() -> None:
    text = "a b c"
    declare = Edit(source(text).span(0, 0), "node x\n")
    fixes = [Fix(at(text, name), "x", (declare,)) for name in "bc"]
    assert apply(text, fixes) == "node x\na x x"


def test_a_fix_is_made_as_a_whole_or_not_at_all() -> None:
    text = "a b c"
    first = Fix(at(text, "b"), "x")
    second = Fix(at(text, "c"), "z", (Edit(at(text, "b"), "y"),))
    assert apply_all({"a.rspp": text}, [second, first]) == ({"a.rspp": "a x c"}, (first,))


def test_a_fix_reaches_into_several_files_that_may_be_changed() -> None:
    other, profile = Span("b.rspp", 0, 1, 1, 1, 1, 2), Span("execution_profile/simple/v1", 0, 1, 1, 1, 1, 2)
    texts = {"a.rspp": "a", "b.rspp": "b"}
    assert apply_all(texts, [Fix(at("a", "a"), "x", (Edit(other, "y"),))])[0] == {"a.rspp": "x", "b.rspp": "y"}
    assert apply_all(texts, [Fix(at("a", "a"), "x", (Edit(profile, "y"),))]) == (texts, ())


INTERVALS = st.tuples(st.integers(0, 30), st.integers(0, 30), st.text("xy", max_size=3))


@given(st.text("ab\n é👋", max_size=30), st.lists(INTERVALS))
def test_what_no_edit_covers_stays(text: str, wanted: list[tuple[int, int, str]]) -> None:
    """Against an independent way: the pieces between the edits that were made, joined."""
    whole = source(text)
    fixes = [Fix(whole.span(*sorted((one, two))), new) for one, two, new in wanted]
    texts, made = apply_all({"a.rspp": text}, fixes)
    pieces, data, behind = [], text.encode(), 0
    for fix in sorted(set(made), key=lambda fix: (fix.span.start, fix.span.end)):
        pieces += [data[behind : fix.span.start], fix.replacement.encode()]
        assert fix.span.start >= behind
        behind = fix.span.end
    assert texts["a.rspp"] == b"".join([*pieces, data[behind:]]).decode()
    assert bool(made) is bool(fixes)


def test_ten_thousand_fixes_take_no_time() -> None:
    text = "sst " * 10_000
    whole = source(text)
    fixes = [Fix(whole.span(at, at + 3), "stt") for at in range(0, len(text), 4)]
    assert apply(text, fixes) == "stt " * 10_000


# ---- building


@pytest.mark.parametrize(
    ("text", "word", "result"),
    [
        ("{\n  a = 1\n  b = 2\n}", "a = 1", "{\n  b = 2\n}"),
        ("{\n  a = 1,  # why\n  b = 2\n}", "a = 1", "{\n  b = 2\n}"),
        ("x\n\na -> b\n\ny", "a -> b", "x\n\ny"),
        ("x\r\n\r\na -> b\r\n\r\ny", "a -> b", "x\r\n\r\ny"),
        ("a -> b\n\ny", "a -> b", "y"),
        ("x\na -> b\n\ny", "a -> b", "x\n\ny"),
        ("x\n\na -> b\ny", "a -> b", "x\n\ny"),
        ("{\r\n  a = 1\r\n  b = 2\r\n}", "a = 1", "{\r\n  b = 2\r\n}"),
        ("{\n  a = {\n    x\n  }\n  b\n}", "a = {\n    x\n  }", "{\n  b\n}"),
        ("{ a = 1, b = 2 }", "a = 1", "{ b = 2 }"),
        ("{ a = 1, b = 2 }", "b = 2", "{ a = 1 }"),
        ("{ a = 1, b = 2, }", "b = 2", "{ a = 1, }"),
        ("{ a = 1 }", "a = 1", "{ }"),
        ("[a, b, c]", "b", "[a, c]"),
        ("[a]", "a", "[]"),
        ("{ a = 1,  # why\n  b = 2 }", "a = 1", "{   # why\n  b = 2 }"),
        ("{ a = 1\n  b = 2 }", "b = 2", "{ a = 1\n   }"),
        ("a -> b", "a -> b", ""),
    ],
)
def test_remove(text: str, word: str, result: str) -> None:
    assert apply(text, [remove(source(text), at(text, word))]) == result


@pytest.mark.parametrize(
    ("text", "word", "result"),
    [
        ("p {\n  a -> b\n}", "a -> b", "p {\n  a -> b\n  new\n}"),
        ("p {\n\ta -> b  # why\n}", "a -> b", "p {\n\ta -> b  # why\n\tnew\n}"),
        ("p {\r\n  a -> b\r\n}", "a -> b", "p {\r\n  a -> b\r\n  new\r\n}"),
        ("p {\n  a -> b {\n    c\n  }\n}", "a -> b {\n    c\n  }", "p {\n  a -> b {\n    c\n  }\n  new\n}"),
        ("p { a -> b }", "a -> b", "p { a -> b, new }"),
        ("p { a -> b, c -> d }", "a -> b", "p { a -> b, new, c -> d }"),
        ("a -> b", "a -> b", "a -> b\nnew"),
    ],
)
def test_line_behind(text: str, word: str, result: str) -> None:
    assert apply(text, [line_behind(source(text), at(text, word), "new")]) == result


@pytest.mark.parametrize(
    ("text", "word", "result"),
    [
        ("p {\n  a -> b\n}", "a -> b", "p {\n  new\n  a -> b\n}"),
        ("p { a -> b }", "a -> b", "p { new, a -> b }"),
        ("p {\r\n  a\r\n}", "a", "p {\r\n  new\r\n  a\r\n}"),
    ],
)
def test_line_before(text: str, word: str, result: str) -> None:
    assert apply(text, [line_before(source(text), at(text, word), "new")]) == result


def test_a_text_of_several_lines_is_indented_as_a_whole() -> None:
    text = "p {\n  a\n}"
    assert apply(text, [line_behind(source(text), at(text, "a"), "m {\n  x\n}")]) == "p {\n  a\n  m {\n    x\n  }\n}"


@pytest.mark.parametrize(
    ("text", "owner", "block", "result"),
    [
        ("node a : tts", "node a : tts", None, "node a : tts { x = 1 }"),
        ("node a {}", "node a {}", "{}", "node a { x = 1 }"),
        ("node a { }  # b", "node a { }", "{ }", "node a { x = 1 }  # b"),
        ("node a { b = 2 }", "node a", "{ b = 2 }", "node a { b = 2, x = 1 }"),
        ("node a { b = 2, }", "node a", "{ b = 2, }", "node a { b = 2, x = 1 }"),
        ('node a { b = "}" }', "node a", '{ b = "}" }', 'node a { b = "}", x = 1 }'),
        ("{\n  b = 2  # why, if not\n}", "{", "{\n  b = 2  # why, if not\n}", "{\n  b = 2  # why, if not\n  x = 1\n}"),
        ("{\n  b = 2,\n  # last\n}", "{", "{\n  b = 2,\n  # last\n}", "{\n  b = 2,\n  x = 1\n  # last\n}"),
        ("{\r\n  b = 2\r\n}", "{", "{\r\n  b = 2\r\n}", "{\r\n  b = 2\r\n  x = 1\r\n}"),
        ("{\n  b = 2 }", "{", "{\n  b = 2 }", "{\n  b = 2, x = 1 }"),
        ("{\n}", "{", "{\n}", "{ x = 1 }"),
        ("{  # nothing\n}", "{", "{  # nothing\n}", "{ x = 1  # nothing\n}"),
    ],
)
def test_setting_in(text: str, owner: str, block: str | None, result: str) -> None:
    fix = setting_in(source(text), at(text, owner), at(text, block) if block else None, "x = 1")
    assert apply(text, [fix]) == result


def test_both_makes_one_fix_of_many() -> None:
    text = "a\nb\nc"
    whole = source(text)
    fix = both(Fix(at(text, "a"), "x"), remove(whole, at(text, "b")), line_behind(whole, at(text, "c"), "d"))
    assert len(fix.edits) == 3
    assert apply(text, [fix]) == "x\nc\nd"
