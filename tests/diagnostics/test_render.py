"""render: carets under what they mean, whatever the characters; every file involved; a cap; JSON."""

from __future__ import annotations

import json
import re

import pytest

from rspp_compiler.diagnostics import Fix, Sink
from rspp_compiler.diagnostics.render import render, to_json
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
    assert "... and 150 more" in text
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


def test_json_has_everything() -> None:
    source = Source("a.rspp", "é turn = 2")
    sink = Sink()
    at = source.span(9, 10)
    sink.add("E0303", "no unit", at, label="here", notes=["n"], help="h", fix=Fix(at, "2s"), secondary=[(at, "s")])
    (one,) = json.loads(to_json(sink.diagnostics))
    place = {"file": "a.rspp", "start": 10, "end": 11, "line": 1, "column": 10, "end_line": 1, "end_column": 11}
    assert one == {
        "code": "E0303",
        "severity": "error",
        "message": "no unit",
        "primary": {**place, "label": "here"},
        "secondary": [{**place, "label": "s"}],
        "notes": ["n"],
        "help": "h",
        "fix": {**place, "replacement": "2s"},
    }
