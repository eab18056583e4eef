"""The fixes of E10 to E12 on texts of every shape: one line, many lines, modules, policies, blocks written and not."""

from __future__ import annotations

import pytest

from pipelines import compile_text
from rspp_compiler.diagnostics.fixes import apply

ROUNDS_MAX = 3  # a fix may bring the same code to light in another place

CASES: dict[str, tuple[str, str]] = {
    "one line": (
        "E1004",
        "pipeline p { ingress.audio -> vad -> stt -> llm -> tts -> egress.audio, on vad.barge_in -> cancel tts }\n",
    ),
    "a flow over several lines": (
        "E1111",
        """pipeline p {
  node stt { class = PHI }

  ingress.audio -> vad
    -> stt
    -> llm -> tts ->
      egress.audio
}
provider llm { use openai { model = "m" } }
""",
    ),
    "a redaction in one line": (
        "E1111",
        """pipeline p { node stt { class = PII }, ingress.audio -> vad -> stt -> llm -> tts -> egress.audio }
provider llm { use openai }
""",
    ),
    "accept where text cannot be taken out": (
        "E1111",
        """pipeline p {
  node stt { class = PII }
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
}
provider stt {
  use deepgram when session.region in ["eu", "us"] { language = "en" }
  use assemblyai   # the other
}
""",
    ),
    "accept beside a lesser one": (
        "E1111",
        """pipeline p {
  node stt { class = PHI }
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
}
provider stt { use deepgram { accept = [PII] } }
""",
    ),
    "a provider that the profile chose": (
        "E1111",
        """pipeline p {
  node realtime { class = PII }
  ingress.audio -> realtime -> egress.audio
}
""",
    ),
    "a policy with another provider": (
        "E1111",
        """pipeline p {
  node stt { class = PII }
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
}
policy cloud when session.tier == "basic" {
  provider llm { use openai }
}
""",
    ),
    "a policy in one line": (
        "E1111",
        """pipeline p {
  node stt { class = PII }
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
}
policy cloud when session.tier == "basic" { provider llm { use openai } }
""",
    ),
    "two flows of personal data": (
        "E1111",
        """pipeline p {
  node stt { class = PII }
  node find (q : text(PII)) -> (a : text(PII)) : python("kb:find")
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
  stt -> find -> llm.context
}
provider llm { use openai }
""",
    ),
    "a module": (
        "E1112",
        """module hear (sound : audio) -> (said : text) {
  node stt   { class = PII }
  node notes : tap
  sound -> vad -> stt -> said
  stt.partial -> notes
}
pipeline p {
  node ears : hear
  ingress.audio -> ears -> llm -> tts -> egress.audio
}
""",
    ),
    "several taps": (
        "E1112",
        """pipeline p {
  node stt   { class = PII }
  node heard : tap
  node said  : tap
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
  stt.partial -> heard
  llm.final   -> said
}
policy other when session.tier == "basic" { node more : redact { classes = [PHI] }, insert more before llm.prompt }
""",
    ),
    "a name that is taken": (
        "E1112",
        """pipeline p {
  node stt   { class = PII }
  node mask  : say { text = "Sorry" }
  node notes : tap
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
  stt.partial -> notes
  on llm.error -> mask -> tts
}
""",
    ),
    "a port that takes too little": (
        "E1114",
        """pipeline p {
  node stt { class = PHI }
  node find (q : text(PII)) -> (a : text) : python("kb:find")
  ingress.audio -> vad -> stt -> find -> llm -> tts -> egress.audio
}
""",
    ),
    "a recording": (
        "E1113",
        """pipeline p {
  record L2 { keep = 7d }
  node stt { class = PHI }
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
}
""",
    ),
    "a commit point among other settings": (
        "E1003",
        """pipeline p {
  ingress.audio -> vad -> stt -> llm -> tts { commit_point, handoff = { by = sentence, max_age = 100ms } }
  tts -> egress.audio
}
""",
    ),
    "a commit point alone on its line": (
        "E1003",
        """pipeline p {
  ingress.audio -> vad -> stt -> llm {
    buffer = [8 items]
    commit_point
  }
  llm -> tts -> egress.audio
}
""",
    ),
    "two models that fall back on each other": (
        "E1010",
        """pipeline p {
  node llm
  node small : llm
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
  on llm.error   -> small -> tts
  on small.error -> llm
  budget { turn = 5s }
}
""",
    ),
    "an abort that says sorry": (
        "E1010",
        """pipeline p {
  node sorry : say { text = "Sorry" }
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
  on turn.abort -> sorry -> tts
}
""",
    ),
    "a tool that only a key calls": (
        "E1011",
        """tool desk : transfer { to = "sip:desk@acorn.example" }
pipeline p {
  node sorry : say { text = "Sorry" }
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
  on ingress.dtmf when event.digit == "0" -> call desk
  on desk.error or timeout -> open turn
  on llm.error -> sorry -> tts
}
""",
    ),
    "a mode with the wrong node off": (
        "E1011",
        """pipeline p {
  mode text_only { off = [tts] }
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
  llm.delta -> egress.text
  on llm.error or timeout -> degrade text_only
}
""",
    ),
    "paused in one line": (
        "E1013",
        "pipeline p { node ears : vad, ingress.audio -> ears -> stt -> llm -> tts -> egress.audio, "
        "on session.stall -> pause ears }\n",
    ),
    "three models for one event": (
        "E1101",
        """pipeline p {
  node a : llm
  node b : llm
  node c : llm
  node llm
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
  on llm.error            -> a -> tts
  on llm.error            -> b -> tts
  on llm.error or timeout -> c -> tts
  budget { turn = 9s }
}
""",
    ),
    "several caps": (
        "E1201",
        """pipeline p {
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
  budget { cost = 0.02usd }
}
provider stt { use deepgram { price = { minute = 0.006usd } }, cap = { turn = 90s } }
provider llm {
  use openai    { price = { call = 0.0001usd, ktoken_in = 0.0025usd, ktoken_out = 0.01usd } }
  use anthropic { price = { ktoken_in = 0.003usd, ktoken_out = 0.015usd } }
  retry = { times = 1 }
  cap   = { tokens_in = 3000 tokens, tokens_out = 400 tokens }
}
""",
    ),
    "a budget that no cap can keep": (
        "E1201",
        """pipeline p {
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
  budget { turn = 2s, cost = 0.0001usd }
}
provider llm { use openai { price = { call = 0.001usd } } }
""",
    ),
    "blocks without a cap": (
        "E1202",
        """pipeline p {
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
  budget { cost = 0.02usd }
}
provider stt { use deepgram { price = { minute = 0.006usd } } }
provider llm {
  use openai { price = { ktoken_in = 0.0025usd } }
}
""",
    ),
    "a guarded use without a price": (
        "E1203",
        """pipeline p {
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
  budget { cost = 0.02usd }
}
provider llm {
  use openai when session.tier == "gold"
  use anthropic
}
""",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_fix_clears_it_and_brings_no_error(name: str) -> None:
    code, text = CASES[name]
    found = compile_text(text, until="layout").diagnostics
    assert code in [one.code for one in found], [f"{one.code} {one.message}" for one in found]
    for _ in range(ROUNDS_MAX):
        fixes = [one.fix for one in found if one.code == code]
        if not fixes:
            break
        assert all(fix is not None for fix in fixes)
        text = apply(text, [fix for fix in fixes if fix is not None])
        found = compile_text(text, until="layout").diagnostics
    left = [f"{one.code} {one.message}" for one in found if one.code == code or one.severity == "error"]
    assert left == [], text


@pytest.mark.parametrize("name", CASES)
def test_all_fixes_at_once(name: str) -> None:
    """As `--fix` does: every round makes all fixes that do not touch one another."""
    _, text = CASES[name]
    for _ in range(2 * ROUNDS_MAX):
        fixes = [one.fix for one in compile_text(text, until="layout").diagnostics if one.fix]
        if not fixes:
            break
        text = apply(text, fixes)
    found = compile_text(text, until="layout").diagnostics
    assert [f"{one.code} {one.message}" for one in found if one.severity == "error"] == [], text
