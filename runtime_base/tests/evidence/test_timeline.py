"""The picture: self-contained, escaped, and true to the log."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest

from rspp_runtime.evidence.facts import Conversation, read
from rspp_runtime.evidence.log import read as read_log
from rspp_runtime.evidence.summary import figures, rows
from rspp_runtime.evidence.timeline import draw, draw_svg, window_of

Record = Callable[..., Path]
VOID = {"meta", "rect", "line", "path", "br"}


class _Balanced(HTMLParser):
    """Fails on tags that do not close, and collects what is loaded from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "action")]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None: ...

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _conversation(path: Path, scripted: ModuleType) -> tuple[Conversation, str]:
    log = read_log(path)
    conversation = read(scripted.plan(), log.entries)
    return conversation, draw(conversation, log.header)


def test_it_is_whole_and_loads_nothing(record: Record, scripted: ModuleType) -> None:
    _, page = _conversation(record("L2"), scripted)
    parser = _Balanced()
    parser.feed(page)
    assert parser.open == []
    assert parser.loads == []
    assert not re.search(r"url\(|@import|https?://", page)


def test_everything_is_escaped(record: Record, scripted: ModuleType) -> None:
    nasty = scripted.answer('<script>alert("1")</script> & more words to say and to say.')
    _, page = _conversation(record("L2", llm=nasty), scripted)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_cancel_and_the_words_are_in_it(record: Record, scripted: ModuleType) -> None:
    long = scripted.answer(scripted.LONG)
    conversation, page = _conversation(record("L2", llm=long), scripted)
    first, second = conversation.turns
    assert "interrupted" in page
    assert "1 refused" in page
    assert "turn 1 · abort (cancelled)" in page
    assert (first.outcome, second.outcome) == ("abort", "commit")
    assert first.heard_text.split() == scripted.LONG.split()[: first.words_heard]
    assert f"{first.heard_text} {first.cut_text}" == scripted.LONG
    assert second.words_heard == second.said_words == 20


def test_without_payloads_there_are_times_and_no_words(record: Record, scripted: ModuleType) -> None:
    conversation, page = _conversation(record("L0"), scripted)
    assert [turn.outcome for turn in conversation.turns] == ["abort", "commit"]
    assert conversation.turns[0].words_heard > 0
    assert "seven" not in page
    assert "interrupted" in page


def test_the_table(record: Record, scripted: ModuleType) -> None:
    conversation, _ = _conversation(record("L2"), scripted)
    known = figures(conversation, conversation.turns[0])
    assert known["asked"] == "15 frames"
    assert known["heard_basis"] == "paced"
    assert known["cancel_to_silence_ms"] == 0.0  # virtual time
    assert 0 < known["words_heard"] < known["words_said"] == 9
    assert known["budget_used_percent"] == round(known["end_to_end_ms"] / 20, 1)
    assert list(known["first_output_ms"]) == ["stt", "llm", "voice"]
    told = dict(rows(conversation, conversation.turns[0]))
    assert told["outcome"] == "abort (cancelled)"
    assert "frames taken back unplayed" in told["the fence"]


def test_the_chart_alone_is_an_svg_file(record: Record, scripted: ModuleType) -> None:
    nasty = scripted.answer("<script>alert(1)</script> & more words to say and to say.")
    conversation, _ = _conversation(record("L2", llm=nasty), scripted)
    root = ET.fromstring(draw_svg(conversation))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = ["".join(one.itertext()) for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"user", "recogniser", "turn", "model", "voice", "playback", "fence", "budget"} <= set(texts)
    assert any("<script>" in text for text in texts)
    assert not list(root.iter("script"))


def test_a_window_shows_what_happens_in_it_and_larger(record: Record, scripted: ModuleType) -> None:
    conversation, _ = _conversation(record("L2"), scripted)
    turn = conversation.turns[0]
    around = window_of(conversation, turn.opened_ns, turn.opened_ns + 50_000_000)
    part, whole = draw_svg(conversation, around), draw_svg(conversation)
    assert f"turn {turn.serial} · " in part
    grid = re.findall(r'text-anchor="middle" class="soft small">([0-9.]+) s<', part)
    assert len(grid) >= 5
    assert float(grid[-1]) - float(grid[0]) <= 0.05
    assert "0.00 s" not in whole
    before = draw_svg(conversation, window_of(conversation, 0, turn.opened_ns // 2))
    assert f"turn {turn.serial} · " not in before


def test_an_empty_window_is_refused(record: Record, scripted: ModuleType) -> None:
    conversation, _ = _conversation(record("L2"), scripted)
    with pytest.raises(ValueError, match="nothing between"):
        window_of(conversation, conversation.end_ns + 1)
