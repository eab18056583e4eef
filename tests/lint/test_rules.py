"""Rules, beyond what their pages show: where they keep silent, and what their fixes make of larger pipelines."""

from __future__ import annotations

import pytest

from code_pages import fences
from linting import codes, fixed, lint
from rspp_compiler.diagnostics.catalog import CODES, WARNINGS
from rspp_compiler.diagnostics.fixes import apply
from rspp_compiler.lint.rules import RULES, RULES_OF_VALUES

TALK = """pipeline talk version "1.0.0" {
  node ears : vad
  node voice : tts
  ingress.audio -> ears -> stt -> llm -> voice -> egress.audio
  on ears.barge_in -> cancel turn
  on llm.timeout or error -> sorry -> voice
  node sorry : say { text = "Sorry?" }
}
"""


def talk(*lines: str, without: str = "", behind: str = "") -> str:
    """The pipeline with lines at its end, or less one; `behind` follows it."""
    rows = [row for row in TALK.splitlines() if not without or without not in row]
    return "\n".join([*rows[:-1], *(f"  {line}" for line in lines), rows[-1], behind, ""])


def test_every_rule_has_a_code_that_warns_and_a_purpose() -> None:
    rules = RULES | RULES_OF_VALUES
    assert set(rules) | {"W0001", "W0002", "W0003"} == {code for code in CODES if code.startswith("W")}
    assert "E0909" in WARNINGS, "what passes warn of can be left out as well"
    for code, rule in rules.items():
        assert CODES[code].severity == "warning"
        assert (rule.__doc__ or "").startswith(f"{code}: ")


def test_a_careful_pipeline_is_clean() -> None:
    assert codes(TALK) == []


def test_rules_speak_although_the_pipeline_has_errors() -> None:
    text = talk("stt -> nowhere", without="barge_in")
    assert codes(text, errors=True, until="resolve") == ["W0301", "E0203"]


def test_what_seems_unused_may_be_used_where_nothing_could_be_read() -> None:
    mode = "mode calm { off = [voice] }"
    assert codes(talk(mode)) == ["W0201"]
    assert codes(talk(mode, "on voice.error => degrade calm"), errors=True) == ["E0110"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('tool book (day : text) : python("b:book")\n', "W0202"),
        ('module m version "1" (heard : audio) -> (said : audio) { heard -> said }\n', "W0203"),
        ("provider local : llm { use scripted }\n", "W0206"),
        ("provider realtime { use openai_realtime }\n", "W0207"),
    ],
)
def test_a_library_is_for_others(text: str, name: str) -> None:
    assert name in codes(TALK + text, errors=True)
    assert name not in codes(text, errors=True)


def test_a_library_has_no_pipeline_and_need_not() -> None:
    module = "module m (heard : audio) -> (said : audio) { heard -> vad -> said }\n"
    assert codes(module, until="resolve") == ["W0101"]


def test_conditions_use_what_they_name() -> None:
    calm = ("mode calm { off = [voice] }", "llm.delta -> egress.text")
    assert codes(talk(*calm, "on ears.speech_start when session.mode == calm -> cancel turn"), errors=True) == []


def test_one_of_several_imported_names() -> None:
    library = 'module a version "1.0.0" (x : audio) -> (y : audio) { x -> y }\nprovider b : llm { use scripted }\n'
    text = 'import a, b from "lib.rspp"\n' + TALK.replace("node voice", "node llm { provider = b }\n  node voice")
    found = lint(text, errors=True, **{"lib.rspp": library})
    assert [(one.code, one.primary.column) for one in found] == [("W0204", 8)]
    assert fixed(text, "W0204", **{"lib.rspp": library}).startswith('import b from "lib.rspp"\n')


def test_removing_a_block_leaves_no_gap() -> None:
    behind = "\nprovider realtime {\n  use openai_realtime\n}\n\nprovider llm { use scripted }\n"
    assert fixed(talk(behind=behind), "W0207") == talk(behind="\nprovider llm { use scripted }\n")


def test_renaming_reaches_every_mention() -> None:
    text = talk("on tap.playback_completed -> end session", "on tap.error -> cancel turn")
    text = text.replace("sorry", "tap")
    after = fixed(text, "W0102")
    assert "tap." not in after
    assert after.count("tap_say") == 4


def test_a_voice_that_is_chosen_is_told_enough() -> None:
    stt = 'node stt { language = "de-DE" }'
    assert codes(talk(stt)) == ["W0302"]
    assert codes(talk(stt, behind='provider tts { use espeak { voice = "de" } }')) == []
    assert codes(talk(stt).replace("voice : tts", 'voice : tts { voice = "de" }')) == []
    assert codes(talk('node stt { language = "auto" }')) == []
    assert 'node voice : tts { language = "de-DE" }' in fixed(talk(stt), "W0302")


def test_the_fallback_reuses_the_node_that_says_sorry() -> None:
    assert codes(talk(without="llm.timeout")) == ["W0401"]
    after = fixed(talk("on stt.error -> sorry -> voice", without="llm.timeout"), "W0401")
    assert "  on llm.timeout or error -> sorry -> voice\n" in after
    assert after.count(": say") == 1


def test_to_show_a_failure_is_not_to_say_something_about_it() -> None:
    shown = talk("node lost : tap\n  on llm.timeout -> lost", without="llm.timeout")
    assert codes(shown) == ["W0401"]


def test_the_fallback_names_only_what_is_missing_and_takes_a_free_name() -> None:
    text = talk("on llm.error -> cancel turn", without="llm.timeout").replace("node sorry : say", "node sorry : tap #")
    after = fixed(text, "W0401")
    assert 'node sorry_2 : say { text = "Sorry, could you say that again?" }' in after
    assert "on llm.timeout -> sorry_2 -> voice" in after


def test_a_line_for_every_failure_is_enough() -> None:
    assert codes(talk("on turn.error -> sorry -> voice", without="llm.timeout")) == []


def test_a_pipeline_that_does_not_speak_need_not_apologise() -> None:
    text = 'pipeline log version "1.0.0" {\n  ingress.audio -> vad -> stt -> llm -> egress.text\n}\n'
    assert codes(text) == []


def test_fillers_are_one_node_for_all_tools() -> None:
    tools = "".join(f'tool {name} (day : text) : python("b:{name}")\n' for name in ("book", "cancel_it"))
    text = tools + talk("node llm { tools = [book, cancel_it] }")
    assert codes(text) == ["W0305", "W0305"]
    after = fixed(text, "W0305")
    assert codes(after) == []
    assert after.count("One moment, please.") == 1


@pytest.mark.parametrize("setting", ["background", "timeout = 2s, background"])
def test_a_tool_in_the_background_keeps_nobody_waiting(setting: str) -> None:
    tool = f'tool book (day : text) : python("b:book") {{ {setting} }}\n'
    assert codes(tool + talk("node llm { tools = [book] }")) == []


def test_a_tool_of_a_reaction_is_called_as_well() -> None:
    desk = 'tool desk : transfer { to = "sip:desk@acorn.example" }\n'
    assert codes(desk + talk('on ingress.dtmf when event.digit == "0" -> call desk')) == ["W0402"]


def test_a_local_engine_needs_no_second() -> None:
    assert codes(talk(behind="provider tts { use espeak }")) == []
    remote = 'provider llm { use openai { model = "m", api_key = secret("env://KEY") } }'
    (found,) = [one for one in lint(talk(behind=remote)) if one.code == "W0403"]
    assert found.fix is None, "no engine that is shipped takes the place of any model"


def test_a_plain_engine_is_no_second_where_much_is_asked() -> None:
    remote = 'provider stt { use deepgram { api_key = secret("env://KEY") } }'
    plain, asks = talk(behind=remote), talk("node stt { diarise }", behind=remote)
    assert "use pocketsphinx" in fixed(plain, "W0403")
    assert [one.fix for one in lint(asks) if one.code == "W0403"] == [None]


@pytest.mark.parametrize("code", ["E0203", "E0301", "E0406", "E0803", "E0909", "W0207", "W0305"])
def test_all_fixes_together_bring_no_error(code: str) -> None:
    """The good examples of some pages, everything mended that lint finds: nothing is left, and nothing new has come."""
    texts = {one.path or "example.rspp": one.text for one in fences(code) if one.kind in ("good", "beside")}
    text = texts.pop("example.rspp")
    for _ in range(8):
        fixes = [found.fix for found in lint(text, until="check", **texts) if found.fix]
        text = apply(text, fixes) if fixes else text
    assert [found.code for found in lint(text, until="check", **texts) if found.fix] == []


def test_policies_record_as_well() -> None:
    policy = 'policy eu when session.region == "eu" {\n  record L2\n}'
    assert codes(talk(behind=policy), errors=True) == ["W0601", "W0602"]
    assert codes(talk("record L0")) == []


def test_prompts_of_modes_are_prompts() -> None:
    prompt = '"""' + "words\n    " * 11 + 'end"""'
    text = talk(f"mode billing {{ llm.system = {prompt} }}", "on ears.speech_start -> enter billing")
    assert codes(text, errors=True) == []
    assert codes(text.replace("words", "words\n", 1), errors=True) == ["W0104"]
