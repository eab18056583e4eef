"""What people write who know another language: one finding each, and its fix writes ours."""

from __future__ import annotations

import pytest

from pipelines import compile_text
from rspp_compiler.diagnostics.fixes import apply
from rspp_compiler.sema.language.kinds import CUSTOM_KINDS, NODE_KINDS
from rspp_compiler.syntax.hints.lines import KINDS

HEAD = """pipeline p version "1.0.0" {
  node ears  : vad
  node voice : tts
  node calm  : say { text = "Sorry." }
  ingress.audio -> ears -> stt -> llm -> voice
  voice.audio -> egress.audio
"""

# (what is written, what is meant), each a line of the pipeline
LINES = [
    # arrows and operators
    ("llm.final => egress.text", "llm.final -> egress.text"),
    ("llm.final --> egress.text", "llm.final -> egress.text"),
    ("llm.final -->|words| egress.text", "llm.final -> egress.text"),
    ("llm.final >> egress.text", "llm.final -> egress.text"),
    ("llm.final | egress.text", "llm.final -> egress.text"),
    ("llm.final |> egress.text", "llm.final -> egress.text"),
    ("llm.final ⇒ egress.text", "llm.final -> egress.text"),
    ("llm:final -> egress.text", "llm.final -> egress.text"),
    ("llm[final] -> egress.text", "llm.final -> egress.text"),
    ("llm.final -> egress.text if event.words > 2", "llm.final -> egress.text when event.words > 2"),
    ("llm.final -> [egress.text, tap]", "llm.final -> egress.text\n  llm.final -> tap"),
    ("flow llm.final -> egress.text", "llm.final -> egress.text"),
    # conditions
    ('on ingress.dtmf when event.digit = "0" -> end session', 'on ingress.dtmf when event.digit == "0" -> end session'),
    ('on ingress.dtmf when event.digit === "0" -> end session',
     'on ingress.dtmf when event.digit == "0" -> end session'),
    ('on ingress.dtmf when event.digit is "0" -> end session',
     'on ingress.dtmf when event.digit == "0" -> end session'),
    ('on ingress.dtmf when event.digit is not "0" -> end session',
     'on ingress.dtmf when event.digit != "0" -> end session'),
    ("on ears.barge_in when event.words >= 2 && event.confidence > 0.5 -> cancel turn",
     "on ears.barge_in when event.words >= 2 and event.confidence > 0.5 -> cancel turn"),
    ("on ears.barge_in when event.words >= 2 || event.confidence > 0.5 -> cancel turn",
     "on ears.barge_in when event.words >= 2 or event.confidence > 0.5 -> cancel turn"),
    ("on llm.error when !event.retryable -> calm -> voice", "on llm.error when not event.retryable -> calm -> voice"),
    ('on ingress.dtmf("0") -> end session', 'on ingress.dtmf when event.digit == "0" -> end session'),
    ("on ears.idle -> end session when event.count > 2", "on ears.idle when event.count > 2 -> end session"),
    ("llm.final -> egress.text when event.words > 2\n  llm.final -> tap else",
     "llm.final -> egress.text when event.words > 2\n  llm.final -> tap otherwise"),
    ("stt.partial + llm.final -> tap", "stt.partial -> tap\n  llm.final -> tap"),
    # reactions
    ("if ears.idle -> end session", "on ears.idle -> end session"),
    ("upon ears.idle -> end session", "on ears.idle -> end session"),
    ("on ears.idle: end session", "on ears.idle -> end session"),
    ("on ears.idle then end session", "on ears.idle -> end session"),
    ("on ears.idle { end session }", "on ears.idle -> end session"),
    ("on ears.idle, llm.error -> end session", "on ears.idle or llm.error -> end session"),
    ("on ears.idle and llm.error -> end session", "on ears.idle or llm.error -> end session"),
    ("on ears.idle | llm.error -> end session", "on ears.idle or llm.error -> end session"),
    ("on ears.idle -> cancel turn, end session", "on ears.idle -> cancel turn\n  on ears.idle -> end session"),
    ("on ears.idle -> cancel turn and end session", "on ears.idle -> cancel turn\n  on ears.idle -> end session"),
    ("after 10s -> end session", "node later : timer { after = 10s }\n  on later.fired -> end session"),
    ("on 10s -> end session", "node later : timer { after = 10s }\n  on later.fired -> end session"),
    ("every 1min -> calm -> voice", "node later : timer { every = 1min }\n  on later.fired -> calm -> voice"),
    ('on ears.idle -> say("Hello?") -> voice',
     'node hint : say { text = "Hello?" }\n  on ears.idle -> hint -> voice'),
    ("on ears.barge-in -> cancel turn", "on ears.barge_in -> cancel turn"),
    ("on ears.idle -> call desk()", "on ears.idle -> call desk"),
    ("on ears.idle -> desk()", "on ears.idle -> call desk"),
    # declarations and settings
    ("llm { max_tokens = 60 tokens }", "node llm { max_tokens = 60 tokens }"),
    ('profile "simple/v1"', "profile simple/v1"),
    ("profile simple", "profile simple/v1"),
    ("record 1", "record L1"),
    ('mode brief { llm { system = "Be brief." } }', 'mode brief { llm.system = "Be brief." }'),
    ("budget { turn = 2s; llm = 700ms }", "budget { turn = 2s, llm = 700ms }"),
    ("budget { turn < 2s }", "budget { turn = 2s }"),
    ("llm.final -> egress.text { overflow = drop oldest }", "llm.final -> egress.text { overflow = drop_oldest }"),
    ("llm.final -> egress.text { overflow = block = 40ms }", "llm.final -> egress.text { overflow = block(40ms) }"),
    ("node llm { system = ./prompts/x.md }", 'node llm { system = file("prompts/x.md") }'),
    ("node llm { tools = (book) }", "node llm { tools = [book] }"),
    ('node x (a : text) : (b : text) : python("m:C")', 'node x (a : text) -> (b : text) : python("m:C")'),
    ("node notes = tap", "node notes : tap"),
    ("node notes as tap", "node notes : tap"),
    ("node tap notes", "node notes : tap"),
    ("tap notes", "node notes : tap"),
    ("notes[TAP]", "node notes : tap"),
    ('node "notes" : tap', "node notes : tap"),
    ("node my-notes : tap", "node my_notes : tap"),
    ("component notes : tap", "node notes : tap"),
    ("node stt language = \"en-US\"", "node stt { language = \"en-US\" }"),
    ("node stt (language = \"en-US\")", "node stt { language = \"en-US\" }"),
    ("node stt [language = \"en-US\"]", "node stt { language = \"en-US\" }"),
    ("node stt { \"language\": \"en-US\" }", "node stt { language = \"en-US\" }"),
    ("node stt { language: \"en-US\" }", "node stt { language = \"en-US\" }"),
    ("node stt { language := \"en-US\" }", "node stt { language = \"en-US\" }"),
    ("node stt { language = 'en-US' }", "node stt { language = \"en-US\" }"),
    ("node llm { system = Be brief and kind. }", "node llm { system = \"Be brief and kind.\" }"),
    ("node llm { system = f\"Be brief.\" }", "node llm { system = \"Be brief.\" }"),
    ("node tts { tunable = [rate(80..120)] }", "node tts { tunable = [rate(80, 120)] }"),
    ("node llm { temperature = .5 }", "node llm { temperature = 0.5 }"),
    ("node llm { temperature = 0,5 }", "node llm { temperature = 0.5 }"),
    ("budget turn = 2s", "budget { turn = 2s }"),
    ("budget 2s", "budget { turn = 2s }"),
    ("budget: turn = 2s", "budget { turn = 2s }"),
    ("budget { turn = 2 seconds }", "budget { turn = 2s }"),
    ("budget { cost = $0.05 }", "budget { cost = 0.05usd }"),
    ("record { keep = 90 days }", "record L1 { keep = 90 days }"),
    ("node calm2 : tap // quiet", "node calm2 : tap # quiet"),
    ("node calm2 : tap -- quiet", "node calm2 : tap # quiet"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "meant"), LINES)
def test_a_line_is_mended(written: str, meant: str) -> None:
    text = f"{HEAD}  {written}\n}}\n"
    found = compile_text(text, until="resolve").diagnostics
    assert [one.code for one in found] == ["E0110"], [f"{one.code} {one.message}" for one in found]
    (one,) = found
    assert one.primary.line == HEAD.count("\n") + 1 + written.count("\n")
    assert one.help
    assert one.fix is not None
    assert not one.fix.is_guess
    assert apply(text, [one.fix]) == f"{HEAD}  {meant}\n}}\n"


BLOCKS = [
    ("provider llm = openai", "provider llm { use openai }"),
    ('provider llm { openai { model = "m" } }', 'provider llm { use openai { model = "m" } }'),
    ("provider llm { use openai, fallback anthropic }", "provider llm { use openai, use anthropic }"),
    ("provider llm openai", "provider llm { use openai }"),
    ("provider llm { use: openai }", "provider llm { use openai }"),
    ("provider llm { use [openai, groq] }", "provider llm { use openai, use groq }"),
    ("provider llm { use openai -> groq }", "provider llm { use openai, use groq }"),
    ('provider llm { use openai with { model = "m" } }', 'provider llm { use openai { model = "m" } }'),
    ('provider llm { use openai(model = "m") }', 'provider llm { use openai { model = "m" } }'),
    ('policy eu if session.region == "eu" { record L0 }', 'policy eu when session.region == "eu" { record L0 }'),
    ("import hear from lib.rspp", 'import hear from "lib.rspp"'),
    ('import { hear } from "lib.rspp"', 'import hear from "lib.rspp"'),
    (
        "module m version 1.0 (a : audio) -> (b : audio) { a -> b }",
        'module m version "1.0" (a : audio) -> (b : audio) { a -> b }',
    ),
    ("module m (a : audio) : (b : audio) { a -> b }", "module m (a : audio) -> (b : audio) { a -> b }"),
    ('provider llm { use "openai" }', "provider llm { use openai }"),
    (
        "provider llm { use openai { api_key = $OPENAI_API_KEY } }",
        'provider llm { use openai { api_key = secret("env://OPENAI_API_KEY") } }',
    ),
    ('tool book (day : text) -> text : python("m:f")', 'tool book (day : text) : python("m:f")'),
    ('tool book (seats : number = 2) : python("m:f")', 'tool book (seats : number) : python("m:f")'),
    ("tool book (day : text) : python(shop:book)", 'tool book (day : text) : python("shop:book")'),
    ("function book (day : text) { timeout = 2s }", "tool book (day : text) { timeout = 2s }"),
    ('from "lib.rspp" import clean, hear', 'import clean, hear from "lib.rspp"'),
]


@pytest.mark.parametrize(("written", "meant"), BLOCKS)
def test_a_block_is_mended(written: str, meant: str) -> None:
    text = f"{HEAD}}}\n{written}\n"
    (one, *others) = compile_text(text, until="lower").diagnostics
    assert (one.code, others) == ("E0110", [])
    assert one.fix is not None
    assert apply(text, [one.fix]) == f"{HEAD}}}\n{meant}\n"


@pytest.mark.parametrize(
    ("line", "help"),
    [
        ("edges { a -> b }", "flows stand in the pipeline itself"),
        ("nodes: [a, b]", "nodes stand in the pipeline itself"),
        ("param language = \"en\"", "`node voice : tts { tunable = ["),
        ("tenant acme { voice.voice = \"b\" }", "`policy NAME when session.tenant == "),
        ("limits { cost = 0.05usd }", "`budget { turn = 2s, cost = 0.05usd }`"),
        ("ingress { rate = 8kHz }", "`ingress` and `egress` are always there"),
        ("stage sales { llm.system = \"x\" }", "a stage of a conversation is a mode"),
        ("use openai", "a `use` line stands in a provider block"),
        ("language = \"en\"", "settings stand in the braces of what they belong to"),
        ("end session", "an action stands behind an event: `on NODE.EVENT -> end session`"),
        ("budget stt -> voice { latency = 800ms }", "a path stands in the braces"),
        ("on ears.idle -> transfer \"sip:a@b\"", "`tool desk : transfer { to = "),
        ("on ears.idle -> end session\n  -> egress.text", "a line that begins with `->` goes on"),
        ("on ears.idle -> calm or llm", "each path has a line of its own"),
        ("on *.error -> end session", "events are named"),
        ("for n in [a, b] { node n : tap }", "nothing is repeated"),
        ('if session.tenant == "a" { llm.system = "x" }', "what is other for some sessions is a policy"),
        ("version \"1.0.0\"", "a version is a text behind the name"),
        ('node x : python("m:C") (a : text) -> (b : text)', "the ports stand before the kind"),
        ('node x (a : text) -> (b : text) : python("m:C", timeout = 3s)', "settings stand in braces"),
        ("llm <- stt", "a flow is written from where it comes"),
    ],
)  # fmt: skip
def test_what_has_another_form_is_told(line: str, help: str) -> None:
    found = compile_text(f"{HEAD}  {line}\n}}\n", until="resolve").diagnostics
    assert [one.code for one in found] == ["E0110"]
    assert help in found[0].help


MISPLACED = [
    (
        f"""node notes : tap {{
  limit = {{ cpu = 5% }}
}}
{HEAD}}}
""",
        f"""{HEAD}  node notes : tap {{
    limit = {{ cpu = 5% }}
  }}
}}
""",
    ),
    (f"{HEAD}}}\nllm.final -> egress.text\n", f"{HEAD}  llm.final -> egress.text\n}}\n"),
    (
        f"""{HEAD}  provider llm {{
    use scripted
  }}
}}
""",
        f"""{HEAD}}}

provider llm {{
  use scripted
}}
""",
    ),
    (
        f'{HEAD}  tool book (day : text) : python("m:f")\n}}\n',
        f'{HEAD}}}\n\ntool book (day : text) : python("m:f")\n',
    ),
]


@pytest.mark.parametrize(("text", "meant"), MISPLACED)
def test_a_line_in_the_wrong_place_is_moved(text: str, meant: str) -> None:
    (one,) = compile_text(text, until="resolve").diagnostics
    assert one.code == "E0110"
    assert one.fix is not None
    assert apply(text, [one.fix]) == meant


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ('{"nodes": []}\n', "this is JSON: the JSON form of a pipeline stands in a file that ends in `.json`"),
        ("flowchart LR\n  a --> b\n", "this is Mermaid"),
        ("digraph p {\n  a -> b;\n}\n", "this is DOT"),
        ("# a comment\npipeline: p\nnodes:\n  - name: ears\n    kind: vad\n", "this is YAML"),
        ("from pipecat import Pipeline\npipeline = Pipeline([])\n", "this is Python"),
        ("[pipeline]\nname = 1\n", "this is TOML"),
        ("All work and no play.\n", "a file begins like `pipeline hello { … }`"),
    ],
)
def test_a_file_of_another_kind_is_called_by_its_name(text: str, help: str) -> None:
    (one,) = compile_text(text, until="resolve").diagnostics
    assert one.code == "E0105"
    assert one.help.startswith(help)
    assert one.fix is None


def test_lines_without_a_pipeline_become_one() -> None:
    text = "profile simple/v1\ningress.audio -> vad -> stt -> llm -> tts -> egress.audio\n"
    (one,) = compile_text(text, until="resolve").diagnostics
    assert one.code == "E0105"
    assert one.fix is not None
    assert compile_text(apply(text, [one.fix]), until="resolve").diagnostics == ()


def test_a_text_over_lines_gets_three_quotes() -> None:
    text = f'{HEAD}  node llm {{ system = "Be brief.\n    Be kind." }}\n}}\n'
    (one,) = compile_text(text, until="resolve").diagnostics
    assert one.code == "E0113"
    assert one.fix is not None
    assert apply(text, [one.fix]) == f'{HEAD}  node llm {{ system = """Be brief.\n    Be kind.""" }}\n}}\n'


def test_a_long_text_on_one_line_ends_before_its_bracket() -> None:
    text = f'{HEAD}  node llm {{ system = """Be brief. }}\n}}\n'
    (one,) = compile_text(text, until="resolve").diagnostics
    assert one.code == "E0113"
    assert one.fix is not None
    assert apply(text, [one.fix]) == f'{HEAD}  node llm {{ system = """Be brief.""" }}\n}}\n'


def test_a_guess_is_no_promise() -> None:
    text = f"{HEAD}}}\ntool book (day : text) {{ timeout = 2s }}\n"
    (one,) = compile_text(text, until="resolve").diagnostics
    assert one.fix is not None
    assert one.fix.is_guess
    assert compile_text(apply(text, [one.fix]), until="resolve").diagnostics == ()


def test_the_kinds_that_are_known_here_are_all_that_have_no_signature() -> None:
    assert set(KINDS) == set(NODE_KINDS) - set(CUSTOM_KINDS)
