"""Words of other tools: the finding says how it is written here, and its fix writes it. No word of ours is foreign."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import compile_text
from rspp_compiler.diagnostics.fixes import apply
from rspp_compiler.sema.language import foreign, tables
from rspp_compiler.sema.language.catalog import ACTIONS
from rspp_compiler.sema.language.events import SESSION_EVENTS, TURN_EVENTS
from rspp_compiler.sema.language.foreign_settings import SETTINGS
from rspp_compiler.sema.language.kinds import KINDS, NODE_KINDS, events_of

BODY = """pipeline p version "1.0.0" {
  node ears  : vad
  node voice : tts
  ingress.audio -> ears -> stt -> llm -> voice
  voice.audio -> egress.audio
"""


@pytest.mark.parametrize(
    ("line", "code", "fixed"),
    [
        ("node more : transcriber", "E0204", "node more : stt"),
        ("node keys : keypad { until = \"#\" }", "E0204", "node keys : collect { until = \"#\" }"),
        ("node gate (a : text) -> (b : text) : function(\"m:f\")", "E0204", None),
        ("stt -> transcriber", "E0203", "stt -> stt"),
        ("llm.final -> captions", "E0203", "llm.final -> egress.text"),
        ("mic -> tap", "E0203", "ingress.audio -> tap"),
        ("on vad.idle -> end session", "E0203", "on ears.idle -> end session"),
        ("llm.tokens -> tap", "E0205", "llm.delta -> tap"),
        ("voice.output -> tap", "E0205", "voice.audio -> tap"),
        ("on ears.interrupted -> cancel turn", "E0206", "on ears.barge_in -> cancel turn"),
        ("on session.start -> end session", "E0206", "on session.connected -> end session"),
        ("on ears.silence -> end session", "E0206", "on ears.idle -> end session"),
        ("on user.idle -> end session", "E0203", "on ears.idle -> end session"),
        ("on barge_in -> cancel turn", "E0206", "on ears.barge_in -> cancel turn"),
        ("on start -> end session", "E0206", "on session.connected -> end session"),
        ("mode calm { off = [voice] }\n  on ears.idle -> calm", "E0802", "on ears.idle -> enter calm"),
        ("on ears.idle -> hangup", "E0802", "on ears.idle -> end session"),
        ("on ears.idle -> hang up", "E0802", "on ears.idle -> end session"),
        ("on ears.barge_in -> stop voice", "E0802", "on ears.barge_in -> cancel voice"),
        ("on ears.barge_in -> interrupt", "E0802", "on ears.barge_in -> cancel turn"),
        ("node second : llm { instructions = \"Be brief.\" }", "E0301", "node second : llm { system = \"Be brief.\" }"),
        ("node more : vad { silence_timeout = 300ms }", "E0301", "node more : vad { min_silence = 300ms }"),
        ("node keys : collect { max_digits = 4 }", "E0301", "node keys : collect { digits = 4 }"),
        ("node late : timer { interval = 4s }", "E0301", "node late : timer { every = 4s }"),
        ("node find (a : string) -> (b : text) : python(\"m:f\")", "E0307", None),
        ("budget { llm.latency = 700ms }", "E0301", "budget { llm = 700ms }"),
        ("mode quiet { voice = off }", "E0301", "mode quiet { off = [voice] }"),
        ("node x (a : audio(8000, 1, ulaw)) -> (b : text) : python(\"m:C\")", "E0309",
         "node x (a : audio(8kHz, mono, mulaw)) -> (b : text) : python(\"m:C\")"),
        ("node second : llm { system = prompts.md }", "E0305", "node second : llm { system = file(\"prompts.md\") }"),
        ("budget { e2e = 2s }", "E0301", "budget { turn = 2s }"),
        ("record L1 { retention = 30d }", "E0301", "record L1 { keep = 30d }"),
        ("mode quiet { disable = [voice] }", "E0301", "mode quiet { off = [voice] }"),
        ("stt.partial -> tap { debounce = 100ms }", "E0301", "stt.partial -> tap { coalesce = 100ms }"),
    ],
)  # fmt: skip
def test_a_foreign_word_is_translated(line: str, code: str, fixed: str | None) -> None:
    text = f"{BODY}  {line}\n}}\n"
    found = [one for one in compile_text(text, until="validate").diagnostics if one.code == code]
    assert len(found) == 1
    (one,) = found
    assert one.fix is not None
    if fixed is not None:
        assert fixed in apply(text, [one.fix])
        assert one.help.startswith(("did you mean", "write ", "the budget of a node"))


@pytest.mark.parametrize(
    ("line", "help"),
    [
        ("node voice2 : tts { visemes = true }", "what must stay in step: `{ sync = { domain = lips } }` on a flow"),
        ("node slow : llm { timeout = 2s }", "the deadline of a node is its budget"),
        ("stt.partial -> tap { high_watermark = 80% }", "`watermark = { high = 48 items, low = 16 items }`"),
        ("on ears.idle -> goto menu", "write `enter MODE`"),
        ("on stt.final -> cancel turn", "`final` is an output: what comes out of it flows, `stt.final -> …`"),
        ("node brain : elevenlabs", "`provider tts { use elevenlabs }`"),
    ],
)
def test_what_is_said_otherwise_is_explained(line: str, help: str) -> None:
    found = compile_text(f"{BODY}  {line}\n}}\n", until="validate").diagnostics
    assert any(help in one.help for one in found), [one.help for one in found]


def test_an_engine_in_the_place_of_a_kind_gets_its_provider_block() -> None:
    text = f"{BODY.replace(': tts', ': elevenlabs')}}}\n"
    (one,) = compile_text(text, until="validate").diagnostics
    assert one.code == "E0204"
    assert one.fix is not None
    assert apply(text, [one.fix]) == f"{BODY}}}\n\nprovider tts {{ use elevenlabs }}\n"


def test_what_a_guess_would_change_is_left_alone() -> None:
    found = compile_text(f"{BODY}  node x : mystery\n  llm.final -> wonder\n}}\n", until="validate").diagnostics
    assert [one.fix.is_guess for one in found if one.fix] == [True, True]


def test_an_output_in_the_middle_of_a_flow() -> None:
    for port, after in (
        ("utterance", "stt -> llm"),
        ("transcript", "stt -> llm"),
        ("final", "stt\n  stt.final -> llm"),
    ):
        text = f"{BODY.replace('stt -> llm', f'stt.{port} -> llm')}}}\n"
        (one,) = compile_text(text, until="validate").diagnostics
        assert one.code == "E0212"
        assert one.fix is not None
        assert after in apply(text, [one.fix])


@pytest.mark.parametrize(
    ("block", "fixed"),
    [
        ('provider openai { model = "m" }', 'provider llm { use openai { model = "m" } }'),
        ("provider stt { use deepgram, whisper }", "provider stt { use deepgram, use whisper }"),
        ('provider llm { name = "openai", model = "m" }', 'provider llm { use openai { model = "m" } }'),
        ("provider llm { use gpt4 }", 'provider llm { use openai { model = "gpt4" } }'),
        ("provider backup { use anthropic }", "provider backup : llm { use anthropic }"),
        ("provider fast_llm { retry = { times = 1 } }", "provider fast_llm : llm { retry = { times = 1 } }"),
        ("provider asr { use deepgram }", "provider stt { use deepgram }"),
        ("provider llm { use scripted, retry = 3 }", "provider llm { use scripted, retry = { times = 3 } }"),
        (
            'provider llm { use openai { api_key = env("OPENAI_API_KEY") } }',
            'provider llm { use openai { api_key = secret("env://OPENAI_API_KEY") } }',
        ),
        ('tool desk : transfer("sip:a@b")', 'tool desk : transfer { to = "sip:a@b" }'),
        ('tool book (day : string) : python("m:f")', 'tool book (day : text) : python("m:f")'),
        ('tool book (day : text) -> (ok : flag) : python("m:f")', 'tool book (day : text) : python("m:f")'),
        ('tool book (day : text) : python("shop.book")', 'tool book (day : text) : python("shop:book")'),
    ],
)
def test_blocks(block: str, fixed: str) -> None:
    text = f"{BODY}}}\n{block}\n"
    (one,) = [one for one in compile_text(text, until="validate").diagnostics if one.severity == "error"]
    assert one.fix is not None
    assert not one.fix.is_guess
    assert apply(text, [one.fix]) == f"{BODY}}}\n{fixed}\n"


def test_a_tool_of_no_kind_is_told_once(tmp_path: Path) -> None:
    text = BODY.replace("node voice", "node llm { tools = [book] }\n  node voice")
    found = compile_text(f'{text}}}\ntool book (a : text) : http("https://x") {{ retries = 3 }}\n', until="validate")
    (one,) = found.diagnostics
    assert one.code == "E0204"
    assert "a Python callable does it" in one.help


# ---- the tables

OURS = {table.of.strip("`"): table for table in vars(tables).values() if isinstance(table, tables.Table)}
OURS |= {kind: tables.node_table(kind) for kind in NODE_KINDS}


@pytest.mark.parametrize("of", SETTINGS)
def test_settings(of: str) -> None:
    words = {word for word in SETTINGS[of].values() if " " not in word}
    if of == "the budget":
        ours = {"turn", "turn.total", "cost"}
    elif of == "a mode":
        ours = {"off"}
    else:
        ours = set(OURS[of].names)
    assert words <= ours, words - ours
    assert not SETTINGS[of].keys() & ours


def test_kinds_ports_events_and_actions() -> None:
    assert {one.partition("(")[0] for one in foreign.KINDS.values()} <= set(NODE_KINDS)
    assert not foreign.KINDS.keys() & set(NODE_KINDS)
    ports = {port.name for kind in KINDS.values() for port in (*kind.inputs, *kind.outputs)}
    assert {one for meant in foreign.PORTS.values() for one in meant} <= ports
    events = {event for kind in KINDS.values() for event in events_of(kind)} | {*SESSION_EVENTS, *TURN_EVENTS}
    assert {one for meant in foreign.EVENTS.values() for one in meant} <= events
    actions = {f"{verb} {object}" for verb, objects in ACTIONS.items() for object in objects}
    whole = {one for one in foreign.ACTIONS.values() if one.count(" ") == 1}
    assert whole <= actions
    assert set(foreign.VERBS.values()) <= set(ACTIONS)
    assert not foreign.VERBS.keys() & set(ACTIONS)
