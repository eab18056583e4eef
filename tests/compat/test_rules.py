"""Every rule with a pair of versions that shows it, and its exact places; and what no rule may miss."""

from __future__ import annotations

import functools

import pytest

from pipelines import compile_text, value
from rspp_compiler.compat.diff import Change, diff, rules
from rspp_compiler.ir.plan import Frozen

OLD = """pipeline desk version "1.2.0" {
  profile simple/v1
  record L1 { keep = 30d, region = "eu" }
  budget { turn = 2s, llm = 800ms, cost = 0.05usd }

  node ears  : vad
  node llm   {
    system   = "Be kind."
    tools    = [find]
    provider = house
    tunable  = [temperature(0, 1), max_tokens]
  }
  node voice : tts
  node polish (draft : text(text_raw, 2kB)) -> (text : text) : python("desk.words:polish")
  node seen  : merge { order = timestamp, within = 20ms }
  node shown : tap
  node sorry : say { text = "Sorry?" }

  ingress.audio -> ears -> stt
  stt           -> llm -> polish -> voice -> egress.audio
  llm.delta     -> egress.text
  stt.partial   -> seen
  stt.final     -> seen -> shown

  on ears.barge_in                        -> cancel turn
  on llm.timeout or error                 -> sorry -> voice
  on find.started                         -> sorry -> voice
  on find.error or timeout                -> sorry -> voice
  on voice.error                          -> degrade quiet
  on ingress.dtmf when event.digit == "0" -> end session

  mode quiet { off = [voice] }
}

tool find (number : text) : python("desk.orders:find") { timeout = 2s, once }
provider house : llm { use scripted { words_per_second = 3 } }
provider tts { use espeak { voice = "en-us" } }

policy clinic when session.tenant == "clinic" {
  node mask : redact { classes = [PHI] }
  insert mask before llm.prompt
}
"""

# Rule, what is replaced, by what. The rule must be among what is found; others may be right as well.
PAIRS = [
    ("BUDGET_CHANGED", "turn = 2s", "turn = 2100ms"),
    ("BUFFER_CHANGED", "stt.partial   -> seen", "stt.partial   -> seen { buffer = 4 items }"),
    ("COMMIT_POINT_MOVED", "voice -> egress.audio", "voice -> egress.audio { commit_point }"),
    ("COST_RAISED", "cost = 0.05usd", "cost = 0.08usd"),
    ("FLOW_ADDED", "  stt.partial   -> seen", "  node late : tap\n  polish -> late\n  stt.partial -> seen"),
    ("FLOW_REMOVED", "  llm.delta     -> egress.text\n", "  llm.final -> egress.text\n"),
    ("GUARD_CHANGED", "stt.partial   -> seen", "stt.partial   -> seen when event.words > 2"),
    ("IMPLEMENTATION_CHANGED", "desk.words:polish", "desk.words:Polish"),
    ("INTERRUPTION_REMOVED", "  on ears.barge_in                        -> cancel turn\n", ""),
    ("KEYS_IGNORED", '  on ingress.dtmf when event.digit == "0" -> end session\n', ""),
    ("MEMORY_RAISED", "stt.partial   -> seen", "stt.partial   -> seen { buffer = 64 items }"),
    ("MERGE_ORDER_CHANGED", "order = timestamp", "order = round_robin"),
    ("MODE_CHANGED", "off = [voice]", "off = [voice, polish]"),
    ("MODE_REMOVED", "quiet", "silent"),
    ("NAME_CHANGED", "pipeline desk", "pipeline front_desk"),
    ("NODE_ADDED", "  stt.partial   -> seen", "  node late : tap\n  polish -> late\n  stt.partial -> seen"),
    ("NODE_KIND_CHANGED", "merge { order = timestamp, within = 20ms }", "select { by = first }"),
    ("NODE_REMOVED", "seen", "watch"),
    ("NODE_SETTING_CHANGED", '"Be kind."', '"Be brief."'),
    ("OVERFLOW_CHANGED", "stt.partial   -> seen", "stt.partial   -> seen { overflow = drop_oldest }"),
    (
        "OWNER_CHANGED",
        "  on find.started",
        "  node end : endpointer\n  stt.partial -> end\n  on end.speech_end -> end utterance\n  on find.started",
    ),
    ("PLACE_CHANGED", 'python("desk.words:polish")', 'python("desk.words:polish") { timeout = 50ms }'),
    ("POLICY_CHANGED", 'session.tenant == "clinic"', 'session.tenant == "ward"'),
    ("POOL_REMOVED", "house", "home"),
    ("PORT_ADDED", "-> (text : text)", "-> (text : text, notes : text)"),
    ("PORT_ITEM_SMALLER", "text(text_raw, 2kB)", "text(text_raw, 1kB)"),
    ("PORT_REMOVED", "-> (text : text)", "-> (clean : text)"),
    ("PORT_TYPE_CHANGED", "text(text_raw, 2kB)", "text(PII, 2kB)"),
    ("PROVIDER_SETTING_CHANGED", '"en-us"', '"en-gb"'),
    ("REACTION_ADDED", "  on find.started", "  on ears.idle -> end session\n  on find.started"),
    ("REACTION_REMOVED", "on ears.barge_in      ", "on ears.speech_start  "),
    ("RECORDING_LOWERED", "record L1", "record L0"),
    ("RECORDING_LOWERED", "keep = 30d", "keep = 7d"),
    ("REGION_CHANGED", '"eu"', '"us"'),
    ("SLOWER", "llm = 800ms", "llm = 900ms"),
    ("TOOL_CHANGED", "(number : text) : python", "(number : number) : python"),
    ("TOOL_REMOVED", "find", "seek"),
    ("TOOL_REPEATABLE", "timeout = 2s, once", "timeout = 2s"),
    ("TUNABLE_NARROWED", "temperature(0, 1)", "temperature(0, 0.8)"),
    ("TUNABLE_REMOVED", ", max_tokens]", "]"),
    ("VERSION_KEPT", '"Be kind."', '"Be brief."'),
]

PARTIES = """pipeline hall version "1.0.0" {
  party ana
  party guests { max = 4 }
  node ears : vad
  node watch   : tap { scope = session }
  node presses : tap
  ana.audio -> ears -> stt -> llm -> tts -> guests.audio
  stt.partial -> watch
  ana.dtmf    -> presses
}
"""
PHONE = """pipeline phone version "1.0.0" {
  node ears  : vad
  node keys  : collect { digits = 4, class = PII }
  ingress.audio -> ears -> stt -> llm -> tts -> egress.audio
  ingress.dtmf  -> keys -> egress.text
}
provider tts { use cartesia { api_key = secret("env://CARTESIA_KEY") } }
"""
DROP = 'node drop (digits : text(PII)) -> (out : text) : python("phone:drop")'
OTHERS = {
    "CLASS_ACCEPTED": (PHONE, "provider tts {", "provider tts { accept = [PII],"),
    "CLASS_RAISED": (PHONE, "class = PII", "class = PHI"),
    "INPUT_REMOVED": (PARTIES, "ana.dtmf    -> presses", "stt.final   -> presses"),
    "NODE_SCOPE_CHANGED": (PARTIES, "scope = session", "scope = party"),
    "OUTPUT_ADDED": (PHONE, "tts -> egress.audio", "tts -> egress.audio\n  tts -> egress.ambient"),
    "OUTPUT_REMOVED": (PHONE, "keys -> egress.text", f"keys -> drop\n  {DROP}"),
    "PARTY_REMOVED": (PARTIES, "guests", "people"),
    "PARTY_SMALLER": (PARTIES, "max = 4", "max = 2"),
    "PROVIDERS_CHANGED": (PHONE, 'cartesia { api_key = secret("env://CARTESIA_KEY") }', "espeak"),
    "SECRET_NEEDED": (PHONE, "env://CARTESIA_KEY", "env://CARTESIA_KEY_2"),
}


@functools.cache
def frozen(text: str) -> Frozen:
    made: Frozen = value(compile_text(text), "freeze")
    return made


def changes(old: str, new: str) -> tuple[Change, ...]:
    return diff(frozen(old), frozen(new))


@pytest.mark.parametrize(("id", "before", "after"), PAIRS, ids=str)
def test_a_pair_shows_its_rule(id: str, before: str, after: str) -> None:
    """With its places; and what two hashes tell apart is at least one boundary, so that nobody replays across it."""
    assert before in OLD
    new = OLD.replace(before, after)
    found = changes(OLD, new)
    assert id in {change.rule.id for change in found}
    for change in found:
        assert change.before or change.after
        for span, text in ((change.before, OLD), (change.after, new)):
            assert span is None or text.encode()[span.start : span.end]
    if frozen(OLD).template_hash != frozen(new).template_hash:
        assert any(change.rule.is_boundary for change in found)


@pytest.mark.parametrize("id", sorted(OTHERS))
def test_rules_of_other_pipelines(id: str) -> None:
    old, before, after = OTHERS[id]
    assert before in old
    assert id in {change.rule.id for change in changes(old, old.replace(before, after))}


def test_the_same_pipeline_has_no_difference() -> None:
    other = OLD.replace("  node ears  : vad\n", '  # hears\n  node ears : vad\n  meta { owner = "me" }\n')
    assert changes(OLD, other) == ()
    assert changes(OLD, OLD) == ()


def test_every_rule_has_a_purpose_and_a_pair() -> None:
    named = {id for id, _, _ in PAIRS} | OTHERS.keys()
    # No pair of legal files can show these today: one profile, one format at the user's end, no change without a rule.
    unseen = {"PROFILE_CHANGED", "AUDIO_FORMAT_CHANGED", "TEMPLATE_CHANGED"}
    assert {rule.id for rule in rules()} == named | unseen
    assert all(rule.purpose.endswith(".") for rule in rules())
    assert {rule.category for rule in rules()} == {"SOURCE", "PLAN", "WIRE", "ABI"}
