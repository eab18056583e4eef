"""parse: the grammar, its recovery, and that nothing makes it raise."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import SOUND
from rspp_compiler.diagnostics import Diagnostic
from rspp_compiler.diagnostics.fixes import apply
from rspp_compiler.ir.context import Context
from rspp_compiler.source import Source
from rspp_compiler.syntax.findings import FOUND_MAX
from rspp_compiler.syntax.lower import lower
from rspp_compiler.syntax.parse import parse


def codes(text: str) -> list[tuple[str, int, int]]:
    ctx = Context()
    trees = parse((Source("a.rspp", text),), ctx)
    if trees:
        lower(trees, ctx)
    return [(found.code, found.primary.line, found.primary.column) for found in ctx.sink.diagnostics]


@pytest.mark.parametrize("text", SOUND)
def test_reads(text: str) -> None:
    assert codes(text) == []
    assert codes(text.replace("\n", "\r\n")) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # one mistake in each line, and reading goes on behind it
        ("pipeline a {\n node b vad\n node c : : vad\n d => e\n f -> g\n on h.i j\n}", [2, 3, 4, 6]),
        # a mistake inside a block costs the block's settings alone
        ("pipeline a {\n node b : vad { x = , y = 1 }\n b -> -> c\n}", [2, 3]),
        # a block that is not closed ends where the indentation says
        ("pipeline a {\n  node b : vad {\n    x = 1\n  c => d\n}\nprovider tts { use }\n", [2, 4, 6]),
        ("pipeline a {\n  b -> c\n\nprovider tts { use espeak }\n", [1]),
        # an arrow at the end of a line belongs to that line
        ("pipeline a {\n  b -> c ->\n  node d : vad\n}", [2]),
        ("pipeline a {\n  b -> c ->\n}", [2]),
        # a head that is wrong does not cost what is below it
        ("pipelin a {\n  b => c\n}", [1, 2]),
        ('pipeline a verson "1" {\n  b => c\n}', [1, 2]),
    ],
)
def test_goes_on_behind_a_mistake(text: str, expected: list[int]) -> None:
    assert [line for _, line, _ in codes(text)] == expected


MENDED = [
    # a line as it is, and as its fix makes it
    ("node a vad", "node a : vad"),
    ("a : vad", "node a : vad"),
    ("nod a : vad", "node a : vad"),
    ("node node a : vad", "node  a : vad"),
    ("node a : : vad", "node a :  vad"),
    ("a b", "a -> b"),
    ("a => b", "a -> b"),
    ("a --> b", "a -> b"),
    ("a > b", "a -> b"),
    ("a - > b", "a -> b"),
    ("a -> -> b", "a ->  b"),
    ("a -> b;", "a -> b"),
    ("a -> b wen event.x", "a -> b when event.x"),
    ("a -> b event.x == 3", "a -> b when event.x == 3"),
    ("on a.b cancel turn", "on a.b -> cancel turn"),
    ("a -> b { x = 300 ms }", "a -> b { x = 300ms }"),
    ("a -> b { x: 3s }", "a -> b { x = 3s }"),
    ("a -> b { x == 3s }", "a -> b { x = 3s }"),
    ("a -> b when\n    event.x", "a -> b when event.x"),
    ("a -> b { x =\n 3s }", "a -> b { x = 3s }"),
    ("a -> b { x 3s }", "a -> b { x = 3s }"),
    ("a -> b { x = 3s y = 4s }", "a -> b { x = 3s, y = 4s }"),
    ("a -> b { x = [1 2] }", "a -> b { x = [1, 2] }"),
    ("a -> b { x = 'y' }", 'a -> b { x = "y" }'),
    ("a -> b { x = “y” }", 'a -> b { x = "y" }'),
    ('a -> b { x = "y }', 'a -> b { x = "y" }'),
    ("a -> b { x = 3s", "a -> b { x = 3s }"),
    ("a -> b { x = [1, 2 }", "a -> b { x = [1, 2] }"),
    ("a -> b }", "a -> b "),
    ("a\u00a0-> b", "a -> b"),
    ("naïve -> b", "naive -> b"),
    ("a -> b // why", "a -> b # why"),
    ("a -> b # ok", "a -> b # ok"),
]


@pytest.mark.parametrize(("line", "mended"), MENDED, ids=[line for line, _ in MENDED])
def test_a_fix_mends_the_line_and_the_line_is_read_as_if_it_were_mended(line: str, mended: str) -> None:
    def read(line: str) -> tuple[str, tuple[Diagnostic, ...]]:
        text = f"pipeline p {{\n  before -> here\n  {line}\n  here -> behind\n}}\n"
        ctx = Context()
        trees = parse((Source("a.rspp", text),), ctx)
        assert trees is not None
        program = lower(trees, ctx)
        assert program is not None
        assert program.lost <= {"naïve"}
        return text, ctx.sink.diagnostics

    text, found = read(line)
    wanted, clean = read(mended)
    assert clean == ()
    assert len(found) == (line != mended)
    fixes = [one.fix for one in found if one.fix]
    assert apply(text, fixes) == wanted


@pytest.mark.parametrize(
    ("line", "mended"), [("node a : vad\n  {}", "node a : vad {}"), ("node a\n  : vad", "node a : vad")]
)
def test_what_belongs_to_the_line_above_is_offered_to_join_it(line: str, mended: str) -> None:
    ctx = Context()
    parse((Source("a.rspp", f"pipeline p {{\n  {line}\n}}\n"),), ctx)
    (found,) = ctx.sink.diagnostics
    assert found.fix is not None
    assert apply(f"pipeline p {{\n  {line}\n}}\n", [found.fix]) == f"pipeline p {{\n  {mended}\n}}\n"


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("pipeline a {\n  node b ! ? : vad\n}", {"->"}),
        ("pipeline a {\n  node ! b : vad ? x\n}", {"*", "->"}),
        ("pipeline a {\n  party b ? ! {}\n  mode c ! ? { off }\n}", {"c", "->"}),
        ("pipeline a {\n  b ! -> ? c\n}", {"->"}),
        ("provider tts {\n  use ! ? espeak\n}", {"use", "*", "->"}),
        ('import a, b ! ? "c.rspp"\npipeline a {}', {"a", "b", "->", "*"}),
        ("? ! {\n  b -> c\n}\npipeline a {}", {"*", "->"}),
    ],
)
def test_what_was_left_out_is_remembered(text: str, lost: set[str]) -> None:
    ctx = Context()
    trees = parse((Source("a.rspp", text),), ctx)
    assert trees is not None
    assert trees[0].lost == lost


def test_later_passes_are_silent_about_a_line_that_was_not_read_as_meant() -> None:
    text = "pipeline a {\n  node b : say { text = }\n  node c : say { other = 1 }\n}"
    source, ctx = Source("a.rspp", text), Context()
    parse((source,), ctx)
    for number in (2, 3):
        ctx.sink.add("E0310", "`text` is missing", source.line_span(number))
    assert [(found.code, found.primary.line) for found in ctx.sink.diagnostics] == [("E0110", 2), ("E0310", 3)]


def test_one_wrong_place_is_told_once() -> None:
    """Lines that lie outside of every block, since its head is missing."""
    body = "".join(f"  node n{number} : tap\n  llm.delta -> n{number}\n" for number in range(50))
    assert codes(f"profile simple/v1\n{body}}}\n\npipeline a {{\n  b => c\n}}\n") == [
        ("E0110", 1, 1),
        ("E0112", 102, 1),
        ("E0110", 105, 5),
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("stt llm", "unexpected `llm`: expected `->`"),
        ("stt -> llm tts", "unexpected `tts`: expected `->`, a `{ … }` block or the end of the line"),
        ("node a : { x = 1 }", "unexpected `{`: expected a name"),
        ("budget { turn = }", "unexpected `}`: expected a value"),
        ("budget", "the line ends too early: expected a `{ … }` block"),
        ("profile simple", "unexpected `simple`: expected a profile such as `simple/v1`"),
        ("on a.b", "the line ends too early: expected `->`, `when` or `or`"),
        ("= 3", "unexpected `=`: expected a declaration, a flow or a reaction"),
        ("stt -> llm when", "the line ends too early: expected a condition"),
    ],
)
def test_says_what_was_expected(line: str, expected: str) -> None:
    ctx = Context()
    parse((Source("a.rspp", f"pipeline a {{\n  {line}\n}}\n"),), ctx)
    assert ctx.sink.diagnostics[0].message == expected


GARBAGE = settings(max_examples=200)


def assert_sound(text: str) -> None:
    """Never raises, and every span lies in the text."""
    ctx = Context()
    source = Source("a.rspp", text)
    trees = parse((source,), ctx)
    if trees:
        lower(trees, ctx)
    size = len(text.encode("utf-8", "surrogatepass"))
    for found in ctx.sink.diagnostics:
        for span in (found.primary, *(span for span, _ in found.secondary)):
            assert 0 <= span.start <= span.end <= size
            assert 1 <= span.line <= span.end_line <= source.line_count
    assert trees is not None or ctx.sink.has_errors


@GARBAGE
@given(st.text(max_size=300))
def test_random_text(text: str) -> None:
    assert_sound(f"pipeline a {{\n{text}\n}}")
    assert_sound(text)


TOKENS = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    '"',
    '"""',
    "->",
    "=",
    ":",
    ",",
    "\n",
    " ",
    "#",
    "node",
    "on",
    "300ms",
    "64 items",
]


@GARBAGE
@given(data=st.data(), text=st.sampled_from(SOUND))
def test_mutated_samples(data: st.DataObject, text: str) -> None:
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 12))
        text = text[:at] + data.draw(st.sampled_from(["", *TOKENS])) + text[at + length :]
    assert_sound(text)


@pytest.mark.parametrize(
    "text",
    [
        "pipeline a {\n" + '"\n' * 20_000,
        "pipeline a " + "{" * 100_000,
        "pipeline a {" + "}" * 100_000,
        "pipeline a {" + " " * 200_000 + "!",
        "pipeline a {\n" + "#\n" * 100_000 + "!",
        "pipeline a {\n" + "nod x : y\n" * 10_000 + "}",
        "pipeline " * 20_000,
        'pipeline a { node b : say { text = "' + "\\" * 50_000,
    ],
    ids=["quotes", "openers", "closers", "blanks", "comments", "wrong lines", "words", "escapes"],
)
def test_much_garbage_is_answered_soon_and_briefly(text: str) -> None:
    found = codes(text)
    assert 1 <= len(found) <= FOUND_MAX + 1  # the last one counts the rest
