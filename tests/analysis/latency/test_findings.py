"""E0501 to E0509 as the user meets them: the place, the numbers with their origin, and a fix that clears the code."""

from __future__ import annotations

import pytest

from pipelines import HELLO, codes, compile_text
from rspp_compiler.diagnostics import Diagnostic
from rspp_compiler.diagnostics.fixes import apply
from rspp_compiler.driver import Result

TALK = """pipeline talk {
  profile simple/v1
  node sorry : say { text = "Sorry?" }
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
  on llm.timeout -> sorry -> tts
  budget { turn = 2s }
}
"""
SPARE = """pipeline talk {
  profile simple/v1
  node brain : llm
  node spare : llm
  ingress.audio -> vad -> stt -> brain -> tts -> egress.audio
  on brain.timeout -> spare -> tts
  budget { turn = 2s }
}
"""
PARTIES = """module interpret version "1.0.0" (heard : audio) -> (spoken : audio) {
  node ears  : vad
  node voice : tts

  heard -> ears -> stt -> llm -> voice -> spoken
}

pipeline interpreter version "1.0.0" {
  profile simple/v1
  party ana
  party ben

  node to_en : interpret { voice.language = "en" }
  node to_es : interpret { stt.language = "en" }

  ana.audio -> to_en -> ben.audio
  ben.audio -> to_es -> ana.audio
  budget { turn = 1500ms }
}
"""


def talk(budget: str = "turn = 2s", flow: str = "", more: str = "") -> str:
    text = TALK.replace("turn = 2s", budget)
    if flow:
        text = text.replace("ingress.audio -> vad -> stt -> llm -> tts -> egress.audio", flow)
    return text + more


def provider(*lines: str) -> str:
    rows = "\n  ".join(("use scripted", "use openai", "use anthropic", *lines))
    return f"provider llm {{\n  {rows}\n}}\n"


def found(result: Result, code: str) -> list[Diagnostic]:
    return [one for one in result.diagnostics if one.code == code]


CLEARED = {
    "the largest number of the profile": ("E0501", talk("turn = 1600ms"), "budget { turn = 1600ms, llm = 650ms }"),
    "the user's own number first": ("E0501", talk("turn = 1600ms, stt = 290ms"), "stt = 150ms"),
    "no single number is enough": ("E0501", talk("turn = 100ms"), "budget { turn = 1750ms }"),
    "without a turn budget": ("E0502", talk("llm = 1500ms, tts = 1s, stt = 1s"), "stt = 1s, turn = 3850ms }"),
    "without a budget line": (
        "E0502",
        HELLO.replace("tts ->", "tts { handoff = { max_age = 500ms } } ->"),
        "max_age = 200ms",
    ),
    "a fallback": ("E0503", SPARE, "budget { turn = 2s, brain = 250ms }"),
    "the end of a chain": ("E0505", talk("turn = 2s, ingress.audio -> stt.final = 650ms"), "stt = 250ms }"),
    "no way at all": ("E0508", talk("turn = 2s, tts.audio -> stt.final = 1s"), "budget { turn = 2s }"),
    "a try for each": ("E0506", talk(more=provider("timeout = { first_chunk = 500ms }")), "first_chunk = 266ms"),
    "not again": (
        "E0506",
        talk(more="provider llm {\n  use scripted\n  retry = { times = 2, backoff = 400ms }\n}\n"),
        "retry = { times = 1, backoff = 400ms }",
    ),
    "fewer tries": ("E0506", talk(more=provider("retry = { times = 3, backoff = 250ms }")), "times = 1, backoff"),
    "a larger budget": ("E0506", talk("turn = 2s, llm = 2ms", more=provider()), "llm = 3ms"),
}


@pytest.mark.parametrize("case", CLEARED)
def test_the_fix_clears_the_code(case: str) -> None:
    code, text, changed = CLEARED[case]
    for one in found(compile_text(text), code):
        assert one.fix is not None
        fixed = apply(text, [one.fix])
        assert changed in fixed
        assert code not in codes(compile_text(fixed))
        return
    pytest.fail(f"{code} was not reported")


def test_a_fallback_is_shown_at_its_line_with_its_own_deadline() -> None:
    (one,) = found(compile_text(SPARE), "E0503")
    assert one.primary.line == 6
    message = (
        "`brain.timeout -> spare` reaches `egress.audio` only after 2550ms, too late for the turn budget of 2000ms"
    )
    assert one.message == message
    assert one.notes[-1] == "it needs 1250ms by itself, so it must begin by 750ms"


def test_a_fallback_that_begins_after_the_end_says_so() -> None:
    (one,) = found(compile_text(SPARE.replace("turn = 2s", "turn = 1300ms, spare = 50ms, tts = 50ms")), "E0503")
    assert one.message == "`brain.timeout -> spare` begins only after 1300ms, too late for the turn budget of 1300ms"


def test_what_follows_on_a_flow_that_is_too_slow_is_not_reported_again() -> None:
    assert codes(compile_text(SPARE.replace("turn = 2s", "turn = 1s"))) == ["E0501"]


def test_a_policys_own_node_is_given_less_time_in_its_own_line() -> None:
    policy = """policy slower when session.tenant == "clinic" {
  node   check (a : text) -> (b : text) : grpc("unix:///run/check")
  insert check before llm.prompt
}
"""
    text = talk(more=policy)
    (one,) = found(compile_text(text), "E0501")
    assert one.fix is not None
    fixed = apply(text, [one.fix])
    assert 'grpc("unix:///run/check") { timeout = 250ms }' in fixed
    assert codes(compile_text(fixed)) == []


def test_a_tool_that_runs_in_silence() -> None:
    node = "pipeline talk {\n  node llm { tools = [find], max_calls = 2 }"
    text = talk(more='tool find (number : text) : python("shop:find") { timeout = 1s }\n').replace(
        "pipeline talk {", node
    )
    (one,) = found(compile_text(text), "E0507")
    assert one.message == "2 calls of `find` take up to 2000ms, and `llm` has 800ms until its first words"
    assert one.fix is not None
    assert codes(compile_text(apply(text, [one.fix]))) == []
    said = text.replace("on llm.timeout", "on find.started -> sorry -> tts\n  on llm.timeout")
    assert codes(compile_text(said)) == []
    assert codes(compile_text(text.replace("timeout = 1s", "timeout = 1s, background"))) == []


def test_a_tool_that_only_a_mode_gives_to_the_model() -> None:
    more = 'tool find (number : text) : python("shop:find") { timeout = 1s }\n'
    text = talk(more=more).replace(
        "  budget", "  on vad.idle -> enter shop\n  mode shop { llm.tools = [find] }\n  budget"
    )
    (one,) = found(compile_text(text), "E0507")
    assert "so it is in mode `shop`" in one.notes


def test_the_latency_of_an_edge_bounds_what_it_holds_back() -> None:
    text = talk(flow="ingress.audio -> vad -> stt -> llm -> tts { latency = 100ms } -> egress.audio")
    (one,) = found(compile_text(text), "E0509")
    assert one.message == "`llm.delta -> tts.text` may hold text or items for 150ms, longer than its latency of 100ms"
    assert one.fix is not None
    assert codes(compile_text(apply(text, [one.fix]))) == []


def test_each_party_is_named() -> None:
    result = compile_text(PARTIES)
    assert [one.message for one in found(result, "E0501")] == [
        "the way from `to_en.ears` to `ben.egress.audio` takes up to 1750ms, 250ms more than the turn budget of 1500ms",
        "the way from `to_es.ears` to `ana.egress.audio` takes up to 1750ms, 250ms more than the turn budget of 1500ms",
    ]
    fixes = [one.fix for one in found(result, "E0501") if one.fix]
    assert "to_en.llm = 550ms" in apply(PARTIES, fixes[:1])
