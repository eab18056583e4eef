"""render: carets under what they mean, whatever the characters; every file involved; a cap; what a fix would change."""

from __future__ import annotations

import re

import pytest

from rspp_compiler.diagnostics import Fix, Sink
from rspp_compiler.diagnostics.fixes import both, line_behind, remove
from rspp_compiler.diagnostics.patch import loses
from rspp_compiler.diagnostics.render import render, render_changes
from rspp_compiler.source import Source


def carets(text: str, word: str) -> tuple[str, str]:
    """The shown line and the line of carets, both without their frame."""
    source = Source("a.rspp", text)
    at = text.index(word)
    sink = Sink()
    sink.add("E0203", "no", source.span(at, at + len(word)))
    lines = render(sink.diagnostics, {"a.rspp": source}).split("\n")
    shown = next(line for line in lines if re.match(r"\d+ \|", line))
    return shown.split("| ", 1)[1], lines[lines.index(shown) + 1].split("| ", 1)[1]


@pytest.mark.parametrize(
    ("text", "lead", "size"),
    [
        ("a -> vioce", 5, 5),
        ("\ta -> vioce", 9, 5),
        ("日本 vioce", 5, 5),
        ("é vioce", 2, 5),
        ("e\u0301 vioce", 2, 5),
        ("x\r\n  vioce\r\n", 2, 5),
        ("e\u20dd\u0e31\u200b\u2060 vioce", 2, 5),
        ("👋\tvioce", 6, 5),
        ("\x1b[31m vioce", 6, 5),
        ("\u202e vioce", 2, 5),
    ],
)
def test_carets_stand_under_the_word(text: str, lead: int, size: int) -> None:
    shown, marks = carets(text, "vioce")
    assert marks == " " * lead + "^" * size
    assert "\r" not in shown
    assert "\t" not in shown


def test_span_over_lines_marks_the_first() -> None:
    _, marks = carets("ab cd\nef", "cd\nef")
    assert marks == "   ^^"


def test_long_line_is_cut_around_its_carets() -> None:
    shown, marks = carets("x" * 5000 + " vioce " + "y" * 5000, "vioce")
    assert len(shown) < 200
    start = marks.index("^")
    assert shown[start : start + 5] == "vioce"


def test_far_apart_on_a_long_line_each_mark_has_its_part() -> None:
    source = Source("a.rspp", "ab" + " " * 5000 + "cd" + " " * 100_000 + "ef")
    sink = Sink()
    last = len(source.text)
    near, far = source.span(5002, 5004), source.span(last - 2, last)
    sink.add("E0203", "no", source.span(0, 2), secondary=[(near, "near"), (far, "far")])
    rows = render(sink.diagnostics, {"a.rspp": source}).split("\n")
    for word, marks in (("ab", "^^"), ("cd", "-- near"), ("ef", "-- far")):
        row = next(row for row in rows if word in row and row.startswith("1 |"))
        assert rows[rows.index(row) + 1].index(marks) == row.index(word)
        assert len(row) < 180


def test_what_nobody_can_read_is_cut() -> None:
    source = Source("a.rspp", "x")
    sink = Sink()
    sink.add("E0203", "m" * 100_000, source.span(0, 1), label="l" * 100_000, notes=["n" * 100_000], help="h" * 100_000)
    assert len(render(sink.diagnostics, {"a.rspp": source})) < 5000


def test_nothing_that_a_terminal_would_obey() -> None:
    source = Source("\x1b.rspp", 'a = "\x1b[2J\x9b\u202e\x00"')
    sink = Sink()
    sink.add("E0203", "no \x1b", source.span(0, 1), label="\x07", notes=["\x08"], help="\r")
    text = render(sink.diagnostics, {source.name: source})
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    assert "␛[2J" in text
    text.encode("utf-8")


def test_notes_of_several_lines_are_indented() -> None:
    source = Source("a.rspp", "\n" * 9 + "x")
    sink = Sink()
    sink.add("E0203", "no", source.span(9, 10), notes=["the path:\n 300ms  stt\n 800ms  llm"], help="one\ntwo")
    assert render(sink.diagnostics, {"a.rspp": source}).split("\n")[5:10] == [
        "   = note: the path:",
        "      300ms  stt",
        "      800ms  llm",
        "   = help: one",
        "     two",
    ]


def test_origin_in_the_profile_is_shown_as_an_excerpt_of_its_own() -> None:
    user, profile = Source("a.rspp", "turn = 1s"), Source("execution_profile/simple/v1", "# x\nstt = 300ms")
    sink = Sink()
    sink.add("E0306", "too slow", user.span(7, 9), secondary=[(profile.span(10, 15), "from the profile")])
    text = render(sink.diagnostics, {source.name: source for source in (user, profile)})
    assert "--> a.rspp:1:8" in text
    assert "::: execution_profile/simple/v1:2:7" in text
    assert "----- from the profile" in text


def test_at_most_a_hundred_are_printed() -> None:
    source = Source("a.rspp", "x\n" * 250)
    sink = Sink()
    for line in range(250):
        sink.add("E0203", f"no {line}", source.span(2 * line, 2 * line + 1))
    text = render(sink.diagnostics, {"a.rspp": source})
    assert text.count("error[E0203]") == 100
    assert "… and 150 more\n" in text
    assert text.endswith("250 errors\n")


def test_sorted_by_place_and_each_once() -> None:
    source = Source("a.rspp", "a b c")
    sink = Sink()
    for at in (4, 0, 2, 0):
        sink.add("E0203", "no", source.span(at, at + 1))
    assert [found.primary.start for found in sink.diagnostics] == [0, 2, 4]


def test_unknown_code_is_a_mistake_of_the_compiler() -> None:
    with pytest.raises(KeyError):
        Sink().add("E9999", "no", Source("a.rspp", "a").span(0, 1))


def test_colour_only_when_asked() -> None:
    source = Source("a.rspp", "a")
    sink = Sink()
    sink.add("E0203", "no", source.span(0, 1))
    plain = render(sink.diagnostics, {"a.rspp": source})
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[\d;]*m", "", render(sink.diagnostics, {"a.rspp": source}, colour=True)) == plain


# ---- what a fix would change

TWO = "pipeline a {\n  node ears : vad\n  ears -> stt\n}\n"


def shown(fix: Fix, help: str, text: str = TWO, **others: Source) -> list[str]:
    """What stands below the carets of a finding at `ears`."""
    source = Source("a.rspp", text)
    sink = Sink()
    at = text.index("ears")
    sink.add("E0203", "no", source.span(at, at + 4), help=help, fix=fix)
    sources = {"a.rspp": source, **{other.name: other for other in others.values()}}
    rows = render(sink.diagnostics, sources).split("\n\n")[0].split("\n")
    return rows[5:]


def replacing(word: str, new: str, text: str = TWO) -> Fix:
    at = text.index(word)
    return Fix(Source("a.rspp", text).span(at, at + len(word)), new)


def test_a_fix_that_help_spells_out_is_not_shown_again() -> None:
    assert shown(replacing("ears", "eyes"), "did you mean `eyes`?") == ["  = help: did you mean `eyes`?"]
    assert shown(replacing("ears", ""), "remove it") == ["  = help: remove it"]


def test_only_the_words_that_are_new_have_to_be_said() -> None:
    text = 'a {\n  ears = file("a/greter.toml")\n}'
    fix = replacing('file("a/greter.toml")', 'file("a/greeter.toml")', text)
    assert shown(fix, "did you mean `a/greeter.toml`?", text) == ["  = help: did you mean `a/greeter.toml`?"]
    assert len(shown(fix, "did you mean the other one?", text)) == 4


def test_a_word_inside_of_another_is_not_spelled_out() -> None:
    assert shown(replacing("ears", "eye"), "use your eyes") == [
        "  = help: use your eyes",
        "  |",
        "2 -   node ears : vad",
        "2 +   node eye : vad",
    ]


def test_inserted_and_removed_lines_are_shown() -> None:
    source = Source("a.rspp", TWO)
    node, flow = (
        source.span(TWO.index(line), TWO.index(line) + len(line)) for line in ("node ears : vad", "ears -> stt")
    )
    assert shown(line_behind(source, flow, "node stt"), "declare it")[1:] == ["  |", "4 +   node stt"]
    assert shown(remove(source, flow), "let it go")[1:] == ["  |", "3 -   ears -> stt"]
    assert shown(both(remove(source, node), line_behind(source, flow, "x")), "move it")[1:] == [
        "  |",
        "2 -   node ears : vad",
        "3 +   x",
    ]


def test_a_fix_in_another_file_says_where() -> None:
    other = Source("lib/b.rspp", "module x {\n  a -> b\n}\n")
    fix = Fix(other.span(13, 14), "c")
    assert shown(fix, "rename it", other=other)[1:] == ["  |", " ::: lib/b.rspp:2", "2 -   a -> b", "2 +   c -> b"]
    assert shown(fix, "rename it") == ["  = help: rename it"], "a text that is not known cannot be shown"


def test_a_fix_without_help_is_shown() -> None:
    assert shown(replacing("vad", "stt"), "") == [
        "  = help: change this:",
        "  |",
        "2 -   node ears : vad",
        "2 +   node ears : stt",
    ]


def test_a_long_fix_is_cut_with_a_count() -> None:
    rows = shown(replacing("vad", "vad\n" + "x\n" * 30), "do this")
    assert len(rows) == 15
    assert rows[-1] == "… and 19 more lines"


def test_what_a_fix_takes_away() -> None:
    sources = {"a.rspp": Source("a.rspp", TWO)}
    assert loses(replacing("node ears : vad", ""), sources)
    assert not loses(replacing("ears", "eyes"), sources)
    assert not loses(replacing("}", ""), sources)
    moved = both(replacing("node ears : vad", ""), Fix(Source("a.rspp", TWO).span(0, 0), "node ears : vad\n"))
    assert not loses(moved, sources)


def test_changes_of_several_fixes_and_files() -> None:
    source, other = Source("a.rspp", TWO), Source("b.rspp", "x\n" * 20)
    fixes = [replacing("vad", "hears"), replacing("stt", "x"), Fix(other.span(38, 39), "y")]
    assert render_changes(fixes, {"a.rspp": source, "b.rspp": other}) == (
        "fixed a.rspp\n"
        " 2 -   node ears : vad\n"
        " 2 +   node ears : hears\n"
        " 3 -   ears -> stt\n"
        " 3 +   ears -> x\n"
        "fixed b.rspp\n"
        "20 - x\n"
        "20 + y\n"
    )
