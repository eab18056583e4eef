"""statements: what is taken out of a line leaves the rest of it as it was."""

from __future__ import annotations

import pytest

from rspp_compiler.diagnostics.fixes import apply
from rspp_compiler.diagnostics.statements import (
    bypass,
    from_elsewhere,
    setting_at,
    without_events,
    without_flow,
    without_guard,
    without_setting,
    without_use,
)
from rspp_compiler.source import Source, Span


def at(text: str, words: str) -> tuple[Source, Span]:
    source = Source("a.rspp", text)
    start = text.index(words)
    return source, source.span(start, start + len(words))


@pytest.mark.parametrize(
    ("text", "flow", "left"),
    [
        ("p {\n  a -> b\n}\n", "a -> b", "p {\n}\n"),
        ("p {\n  a -> b -> c\n}\n", "a -> b", "p {\n  b -> c\n}\n"),
        ("p {\n  a -> b.in -> c\n}\n", "a -> b.in", "p {\n  b -> c\n}\n"),
        ("p {\n  a -> b -> c\n}\n", "b -> c", "p {\n  a -> b\n}\n"),
        ("p {\n    a -> b -> c -> d\n}\n", "b -> c", "p {\n    a -> b\n    c -> d\n}\n"),
        ("p { a -> b, c -> d }\n", "c -> d", "p { a -> b }\n"),
        ("p { x : y { a = 1 }, a -> b -> c }\n", "a -> b", "p { x : y { a = 1 }, b -> c }\n"),
        ("p {\n  a ->\n    b  # so far\n    -> c\n}\n", "b  # so far\n    -> c", "p {\n  a ->\n    b  # so far\n}\n"),
        ("p {\n  on x.y -> a -> b when z { c }\n}\n", "a -> b when z { c }", "p {\n  on x.y -> a\n}\n"),
    ],
)
def test_without_flow(text: str, flow: str, left: str) -> None:
    source, span = at(text, flow)
    assert apply(text, [without_flow(source, span)]) == left


@pytest.mark.parametrize(
    ("text", "flow", "left"),
    [
        ("  a.x -> b { c }\n", "a.x -> b", "  new.out -> b { c }\n"),
        ("  a -> b -> c\n", "a -> b", "  new.out -> b -> c\n"),
        ("  a -> b -> c -> d\n", "b -> c", "  a -> b\n  new.out -> c -> d\n"),
    ],
)
def test_from_elsewhere(text: str, flow: str, left: str) -> None:
    source, span = at(text, flow)
    assert apply(text, [from_elsewhere(source, span, "new.out")]) == left


@pytest.mark.parametrize(
    ("text", "into", "out", "left"),
    [
        ("  a.y -> x { c } -> b { d }", "a.y -> x { c }", "x { c } -> b { d }", "  a.y -> b { d }"),
        ("  a -> x -> b -> c", "a -> x", "x -> b", "  a -> b -> c"),
        ("  z -> a -> x\n  x.out -> b", "a -> x", "x.out -> b", "  z -> a\n  a -> b"),
        ("  x.out -> b\n  a.y -> x\n", "a.y -> x", "x.out -> b", "  a.y -> b\n"),
    ],
)
def test_bypass(text: str, into: str, out: str, left: str) -> None:
    source, first = at(text, into)
    assert apply(text, bypass(source, first, source, at(text, out)[1])) == left


@pytest.mark.parametrize(
    ("text", "value", "left"),
    [
        ("a -> b { x = 1, y = 2 }", "1", "a -> b { y = 2 }"),
        ("a -> b { x = 1, y = 2 }", "2", "a -> b { x = 1 }"),
        ("a -> b { x = 1 }", "1", "a -> b"),
        ("a -> b { warm }", "warm", "a -> b"),
        ("a -> b { x = 1 } -> c", "1", "a -> b -> c"),
        ("node a : b {\n  x = 1   # one\n  y = 2\n}", "1", "node a : b {\n  y = 2\n}"),
        ("node a : b {\n  x = 1,\n}", "1", "node a : b"),
        ("use a { x = { y = 1 }, z = 2 }", "1", "use a { z = 2 }"),
        ("use a { x = { y = 1 } }", "1", "use a"),
        ("p {\n  budget { a.x -> b.y = 1s }\n  c\n}", "1s", "p {\n  c\n}"),
        ("p {\n  budget { a.x -> b.y = 1s, turn = 2s }\n}", "1s", "p {\n  budget { turn = 2s }\n}"),
    ],
)
def test_without_setting(text: str, value: str, left: str) -> None:
    source, span = at(text, value)
    assert apply(text, [without_setting(source, span)]) == left


@pytest.mark.parametrize(
    ("text", "owner", "left"),
    [
        ("on a.b when c > 1 -> d e", "on a.b when c > 1 -> d e", "on a.b -> d e"),
        ("on a.b\n  when (c or d)\n  -> e f", "on a.b\n  when (c or d)\n  -> e f", "on a.b -> e f"),
        ('a -> b when c in ["d", "e"] { f } -> g', 'a -> b when c in ["d", "e"] { f }', "a -> b { f } -> g"),
        ("a -> b otherwise -> c", "a -> b otherwise", "a -> b -> c"),
        ("{ use a when b == 1, use c }", "a", "{ use a, use c }"),
        ("use a when b == 1 { c = 2 }", "a", "use a { c = 2 }"),
        ("use a when b  # why\nuse c", "a", "use a  # why\nuse c"),
    ],
)
def test_without_guard(text: str, owner: str, left: str) -> None:
    source, span = at(text, owner)
    fix = without_guard(source, span)
    assert fix is not None
    assert apply(text, [fix]) == left


@pytest.mark.parametrize("text", ["a -> b -> c when d", "use a, use b when c", "on a.b -> c d"])
def test_without_a_guard_there_is_none_to_take_out(text: str) -> None:
    source, span = at(text, "a -> b" if "a -> b" in text else text[:5])
    assert without_guard(source, span) is None


@pytest.mark.parametrize(
    ("text", "events", "gone", "left"),
    [
        ("  on a.b or c or d.e -> f", ["a.b", "c", "d.e"], ["a.b"], "  on a.c or d.e -> f"),
        ("  on a.b or c or d.e -> f", ["a.b", "c", "d.e"], ["c"], "  on a.b or d.e -> f"),
        ("  on x.a.b or c -> f", ["x.a.b", "c"], ["x.a.b"], "  on x.a.c -> f"),
        ("x\n  on a.b or c -> f\n", ["a.b", "c"], ["a.b", "c"], "x\n"),
    ],
)
def test_without_events(text: str, events: list[str], gone: list[str], left: str) -> None:
    source, line = at(text, text[text.index("on ") :].rstrip())
    spans = {event: at(text, event)[1] for event in events}
    fix = without_events(source, line, list(spans.values()), [spans[event] for event in gone])
    assert apply(text, [fix]) == left


def test_another_event_instead() -> None:
    text = "on a.b or c -> f"
    source, line = at(text, text)
    first, second = (at(text, event)[1] for event in ("a.b", "c"))
    assert apply(text, [without_events(source, line, [first, second], [second], "d.e")]) == "on a.b or d.e -> f"


@pytest.mark.parametrize(
    ("text", "name", "left"),
    [
        ("p a {\n  use b { c = 1, d }\n  use e when f == 1\n}", "e", "p a {\n  use b { c = 1, d }\n}"),
        ("p a { use b when f == 1 { c = 1 }, use e }", "b", "p a { use e }"),
    ],
)
def test_without_use(text: str, name: str, left: str) -> None:
    source, span = at(text, f"use {name}")
    name_span = source.span(source.offset(span.line, span.column) + 4, source.offset(span.end_line, span.end_column))
    assert apply(text, [without_use(source, name_span)]) == left


@pytest.mark.parametrize(
    ("text", "owner", "found"),
    [
        (
            "a { x = { key = 1 }, key = { y = [2, 3] }, z }",
            "a { x = { key = 1 }, key = { y = [2, 3] }, z }",
            "key = { y = [2, 3] }",
        ),
        ("provider a {\n  use b { key = 1 }\n  key = 2  # two\n}", "a", "key = 2"),
        ("a -> b { key } -> c { key = 3 }", "b { key } -> c { key = 3 }", "key = 3"),
        ("a -> b { x = key }", "a -> b { x = key }", None),
        ("a -> b", "a -> b", None),
    ],
)
def test_setting_at(text: str, owner: str, found: str | None) -> None:
    source, span = at(text, owner)
    setting = setting_at(source, span, "key")
    assert found == (setting and text[setting.start : setting.end])
