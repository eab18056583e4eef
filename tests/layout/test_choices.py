"""Policies and guarded providers as the plan has them: places, ranges, guards."""

from __future__ import annotations

from typing import Any

from pipelines import codes, compile_text, value
from rspp_compiler.ir.layout import Check, Policy
from rspp_compiler.layout.conditions import text_id

TEXT = """pipeline p {
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
  llm -> egress.text
  on tts.error -> degrade quiet
  on turn.abort -> enter brief
  mode quiet { off = [tts] }
  mode brief { llm.max_tokens = 20 tokens }
}

provider llm {
  use scripted { first_word = 10ms }
  use scripted when session.region == "eu" { first_word = 20ms }
}

policy gold when session.tier == "gold" {
  provider llm { use scripted { first_word = 30ms } }
}

policy night when session.channel in ["night", "late"] {
  provider tts { use espeak { voice = "en-gb" } }
}
"""
EU = (Check("==", "region", text_id("eu")),)


def frozen() -> Any:
    return value(compile_text(TEXT, until="target"), "target")


def test_every_provider_of_every_policy_and_mode_has_a_place() -> None:
    made = frozen()
    first_words = [row.options.get("first_word_ns", 0) // 1_000_000 for row in made.providers if row.node == "llm"]
    tokens = [row.options.get("max_tokens") for row in made.providers if row.node == "llm"]
    assert first_words == [10, 20, 10, 20, 30, 30]
    assert [count == 20 for count in tokens] == [False, False, True, True, False, True]
    attempts = {node.name: node.attempts for node in made.layout.plan.nodes}
    # full, quiet, brief: as written, under gold, at night
    assert attempts["llm"].ranges == ((0, 2), (0, 2), (2, 2), (4, 1), (4, 1), (5, 1), (0, 2), (0, 2), (2, 2))
    assert attempts["llm"].guards == ((), EU, (), EU, (), ())
    assert attempts["tts"].ranges == ((0, 1),) * 6 + ((1, 1),) * 3
    assert attempts["stt"] is None


def test_the_first_policy_whose_condition_holds() -> None:
    night = (Check("==", "channel", text_id("night")), Check("==", "channel", text_id("late")), Check("or"))
    gold = (Check("==", "tier", text_id("gold")),)
    assert frozen().layout.plan.policies == (Policy("gold", gold), Policy("night", night))


def test_what_policies_do_beyond_providers_is_refused_by_name() -> None:
    inserting = TEXT.replace(
        "  provider tts { use",
        "  node mask : redact { classes = [PII] }\n  insert mask before llm.prompt\n  provider tts { use",
    )
    assert "E0901" in codes(compile_text(inserting, until="target"))
    slower = TEXT.replace("{ first_word = 30ms } }", "{ first_word = 30ms }\n  retry = { times = 2, backoff = 9ms } }")
    found = compile_text(slower, until="target").diagnostics
    assert any("other deadlines, retries or circuits" in one.message for one in found)
