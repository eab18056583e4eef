"""Values that cannot be: each is one finding of the right code, whose fix, applied, leaves nothing to find."""

from __future__ import annotations

from pathlib import Path

import pytest

from rspp_compiler.diagnostics import Diagnostic
from rspp_compiler.diagnostics.fixes import apply_all
from rspp_compiler.driver import compile_pipeline
from rspp_compiler.ir.context import Context, Options

FLOW = "ingress.audio -> vad -> stt -> llm -> tts -> egress.audio"
GATE = 'node gate (a : text) -> (b : text) : python("m:f")'

# ---- in a pipeline that has FLOW, or names the whole of it
LINES: dict[str, list[str]] = {
    "E0301": [
        "budget { tap = 2s }",
        "budget { trun = 2s }",
        "budget { path = 2s }",
        "node vad { min_silense = 300ms }",
        "node llm { min_silence = 300ms }",
        "node llm { hooks = { init = 1s } }",
        "node tts { tunable = [rat] }",
        "node tts { tunable = text }",
        "stt.partial -> tap { max_age = 100ms }",
        "stt.partial -> tap { handoff = { min_char = 3 } }",
        "stt.partial -> tap { sync = { domain = a, by = sync_id } }",
        "stt.partial -> tap { watermark = { hihg = 4 items } }",
        "record L1 { keeps = 7d }",
        "party ana { min = 2 }",
        "mode quiet { llm.sistem = \"a\" }",
    ],
    "E0302": [
        "budget { turn = 2s, turn = 3s }",
        "stt.partial -> tap { buffer = [1 items, 2 items] }",
        "node a : redact { classes = [PII, PII] }",
        "node tts { tunable = [rate, rate(100, 120)] }",
        "node llm { temperature = 0.1\n temperature = 0.2 }",
    ],
    "E0303": [
        "budget { turn = 2 }",
        "budget { turn = 800 }",
        "budget { cost = 1 }",
        "stt.partial -> tap { overflow = block(5) }",
        "stt.partial -> tap { buffer = 64 }",
        "stt.partial -> tap { watermark = { high = 12 } }",
        'node m : play { file = file("hold.wav"), volume = -6 }',
    ],
    "E0304": [
        "budget { turn = 2sec }",
        "budget { turn = 64kB }",
        "budget { cost = 2s }",
        "stt.partial -> tap { buffer = [64 words] }",
        "stt.partial -> tap { overflow = sample(3ms) }",
        "node llm { max_tokens = 60 words }",
        "node tts { rate = 120 words }",
    ],
    "E0305": [
        "budget { turn = soon }",
        'budget { turn = "2s" }',
        "budget { turn }",
        "meta { a = [1, 2] }",
        "meta { a }",
        "node a : say { text = 3 }",
        "node vad { min_silence = [300ms] }",
        "node vad { threshold = high }",
        "node stt { diarise = 3 }",
        "node stt { language = en_us }",
        "node llm { temperature = 300ms }",
        "node llm { tools = 3 }",
        "node llm { provider = 3 }",
        'node llm { system = secret("env://KEY") }',
        'node m : play { file = file("hold.wav"), loop = "no" }',
        "node tts { tunable = [3] }",
        "node tts { tunable }",
        "node tts { tunable = voice(1, 2) }",
        "node tts { tunable = [rate(100)] }",
        "node a : redact { classes = 3 }",
        "stt.partial -> tap { overflow = block }",
        "stt.partial -> tap { overflow = block(1ms, 2ms) }",
        "stt.partial -> tap { overflow = latest_only(3) }",
        "stt.partial -> tap { overflow = [] }",
        'stt.partial -> tap { overflow = "latest_only" }',
        "stt.partial -> tap { overflow = coalesce(concat, concat) }",
        "stt.partial -> tap { overflow = 64 items }",
        "stt.partial -> tap { buffer = big }",
        "stt.partial -> tap { buffer }",
        "stt.partial -> tap { commit_point = 3 }",
        "stt.partial -> tap { handoff = 150ms }",
        "stt.partial -> tap { watermark = 4 items }",
        "stt.partial -> tap { fairness = \"session.tenant\" }",
        "stt.partial -> tap { fairness }",
        'stt.partial -> tap { sync = { domain = "lips" } }',
    ],
    "E0306": [
        "budget { turn = 0ms }",
        "budget { turn = -2s }",
        "budget { turn = 0.0000001ms }",
        "budget { cost = 0.0000001usd }",
        "node vad { threshold = 2 }",
        "node tts { tunable = [rate(20, 100)] }",
        "node llm { max_tokens = 0 }",
        'node m : play { file = file("hold.wav"), volume = 40dB }',
        f"{GATE} {{ limit = {{ cpu = 0% }} }}",
        f"{GATE} {{ hooks = {{ init = 0ms }} }}",
        f"{GATE} {{ timeout = 10h }}",
        'node gate (a : text(0B)) -> (b : audio(16kHz, mono, s16le, 10s)) : python("m:f")',
        'node gate (a : audio(16kHz, mono, s16le, -1ms)) -> (b : text(1GB)) : python("m:f")',
        "stt.partial -> tap { buffer = [0 items] }",
        "stt.partial -> tap { overflow = sample(0%) }",
        "stt.partial -> tap { overflow = block(0ms) }",
        "stt.partial -> tap { latency = 2h }",
        "stt.partial -> tap { coalesce = 1us }",
        "ingress.text -> llm { handoff = { by = sentence, max_age = 0ms } }",
        "ingress.text -> llm { handoff = { min_chars = 0 chars } }",
        "party ana { max = 0 }",
        "record L1 { keep = 1s }",
    ],
    "E0307": [
        "ingress.text -> llm { handoff = { by = sentense } }",
        "ingress.text -> llm { handoff = { by = page } }",
        "stt.partial -> tap { flow = credits }",
        "stt.partial -> tap { overflow = drop_oldst }",
        "stt.partial -> tap { overflow = flush }",
        "stt.partial -> tap { overflow = [block(40ms), flush] }",
        "stt.partial -> tap { overflow = coalesce(latest) }",
        "stt.partial -> tap { lanes = { telemetry = block } }",
        "stt.partial -> tap { sync = { domain = a, drop = always } }",
        "node vad { cancel = softly }",
        "node vad { scope = forever }",
        "node a : redact { classes = [PII, SECRET] }",
        "node stt { class = secret }",
    ],
    "E0308": ['node a : say { text = "sk-abcdefghijklmnop1234" }', 'meta { a = "b" }\nnode llm { api_token = "abc" }'],
    "E0309": [
        'node llm { system = file("no.md") }',
        'node llm { system = file("hold.vaw") }',
        'node llm { system = file("/etc/hosts") }',
        "node llm { system = file() }",
    ],
    "E0310": [
        "node a : say",
        "node a : say {}",
        "on vad.idle -> say -> tts",
        "on vad.idle\n    -> say\n    -> tts",
        "stt.utterance -> redact -> tap",
        "node a : redact { action = hash }",
        "node a : play { loop }",
        "node a : timer",
        "node a : collect { timeout = 3s }",
        "node a : merge { order = priority }",
        "stt.partial -> tap { watermark = { low = 4 items } }",
        "stt.partial -> tap { sync = { drop = no_sync } }",
    ],
    "E0311": [
        "budget { turn = 2s, turn.total = 1s }",
        "budget { turn = 200s }",
        "vad.speech -> tap { handoff = { by = sentence } }",
        "stt.partial -> tap { overflow = [latest_only, block(3ms)] }",
        "stt.partial -> tap { overflow = [block(3ms), block(4ms)] }",
        "vad.speech -> tap { overflow = coalesce(latest_partial) }",
        "stt.partial -> tap { watermark = { high = 4 items, low = 8 items }, buffer = 16 items }",
        "stt.partial -> tap { watermark = { high = 40 items }, buffer = 16 items }",
        "stt.partial -> tap { watermark = { high = 4 items, low = 30ms }, buffer = 16 items }",
        "stt.partial -> tap { overflow = drop_oldest, lanes = { data = block } }",
        "node a : endpointer { min = 3s, max = 1s }",
        "node a : timer { after = 3s, every = 3s }",
        "node tts { rate = 200, tunable = [rate(100, 140)] }",
        "node tts { tunable = [rate(140, 100)] }",
        f"{GATE} {{ timeout = 300ms, place = kernel }}",
        f"{GATE} {{ timeout = 300ms }}\nbudget {{ gate = 200ms }}",
    ],
    "E0312": [
        'node a : say { text = "x ${session.nmae}" }',
        'node a : say { text = "x ${}" }',
        'node a : say { text = "x ${session.name" }',
        'node a : collect { until = "${session.name}" }',
        "stt.partial -> tap { fairness = session.tenants }",
        "stt.partial -> tap { fairness = tenant }",
    ],
    "E0314": ["mode quiet { llm.cancel = soft }", "mode quiet { llm.scope = session }"],
}  # fmt: skip

# ---- at the top level
BLOCKS: dict[str, list[str]] = {
    "E0301": [
        "provider llm { use scripted, timout = { chunk = 1s } }",
        "provider llm { use scripted { modle = \"a\" } }",
        "provider vad { use silero { treshold = 0.5 } }",
        "provider llm { use scripted, cap = { token_out = 3 } }",
        'tool t (a : text) : python("m:f") { timeot = 3s }',
        'tool t (a : text) : python("m:f") { warm }',
        'tool t : transfer { to = "sip:a", once }',
    ],
    "E0302": ["provider llm { use scripted, retry = { times = 1 }, retry = { times = 2 } }"],
    "E0303": ["provider llm { use scripted, retry = { times = 1, backoff = 3 } }"],
    "E0305": [
        "provider llm { use scripted, timeout = 300ms }",
        "provider llm { use scripted, retry = 3 }",
        "provider llm { use scripted, cap }",
        'tool t (a : text) : python("m:f") { once = 3 }',
        "provider llm { use scripted { price = 0.05usd } }",
    ],
    "E0306": [
        "provider llm { use scripted, timeout = { chunk = 0ms } }",
        "provider llm { use scripted, circuit = { errors = 0 } }",
        "provider llm { use scripted { words_per_second = 0 } }",
        "provider llm { use scripted, cap = { cost = 0usd } }",
        'tool t (a : text) : python("m:f") { timeout = 0ms }',
    ],
    "E0307": [
        "provider stt { use deepgram, accept = [PII, SECRET] }",
        "provider stt { use deepgram { accept = pii } }",
    ],
    "E0308": ['provider stt { use deepgram { api_key = "abc" } }'],
    "E0309": [
        'provider stt { use deepgram { api_key = secret("KEY") } }',
        'provider stt { use deepgram { api_key = secret("envv://KEY") } }',
        'provider stt { use deepgram { api_key = secret("env://a b") } }',
        'provider llm { use scripted { script = "no.toml" } }',
        'provider llm { use scripted { script = "." } }',
    ],
    "E0310": ["tool t : transfer", "tool t : transfer { warm }"],
    "E0311": ["provider llm { use scripted, timeout = { first_chunk = 3s } }"],
}  # fmt: skip

ROWS = [(code, line, "") for code, lines in LINES.items() for line in lines]
ROWS += [(code, "", block) for code, blocks in BLOCKS.items() for block in blocks]

# ---- both
ROWS += [
    ("E0208", "node stt { provider = fst }", "provider fast : stt { use pocketsphinx }"),
    ("E0301", 'node say { text = "a", provider = fast }', "provider fast : stt { use pocketsphinx }"),
    ("E0313", "node stt { provider = fast }", "provider fast : llm { use scripted }"),
    ("E0226", "node llm { tools = [bok] }", 'tool book (a : text) : python("m:f")'),
    ("E0226", "node llm { tools = [book, xyz] }", 'tool book (a : text) : python("m:f")'),
    ("E0226", "mode quiet { llm.tools = [bok] }", 'tool book (a : text) : python("m:f")'),
    ("E0801", "node pauses : endpointer\n  stt.partial -> pauses", ""),
    ("E0805", "on vad.speech_end or vad.idle -> end utterance", ""),
    ("E0805", "on vad.speech_end -> end utterance\n  on vad.idle -> end utterance", ""),
]  # fmt: skip


def found_in(folder: Path) -> tuple[Diagnostic, ...]:
    ctx = Context(options=Options(until="validate"))
    return compile_pipeline([folder / "a.rspp"], ctx=ctx).diagnostics


def write(folder: Path, line: str, block: str) -> None:
    (folder / "hold.wav").write_bytes(b"")
    body = f"pipeline a {{\n  {FLOW}\n  {line}\n}}\n{block}\n"
    (folder / "a.rspp").write_text(body, encoding="utf-8")


@pytest.mark.parametrize(("code", "line", "block"), ROWS, ids=[f"{code} {line}{block}" for code, line, block in ROWS])
def test_mistake(tmp_path: Path, code: str, line: str, block: str) -> None:
    write(tmp_path, line, block)
    found = [one for one in found_in(tmp_path) if one.severity == "error"]
    assert code in {one.code for one in found}, found
    assert {one.code for one in found} <= {code, "E0301"}, found
    for one in found:
        assert one.help, one
        assert one.fix is not None, one
        assert "abc" not in one.message + one.help
    for _ in range(3):
        fixes = [one.fix for one in found if one.fix]
        name = (tmp_path / "a.rspp").as_posix()
        texts, _ = apply_all({name: (tmp_path / "a.rspp").read_text(encoding="utf-8")}, fixes)
        (tmp_path / "a.rspp").write_text(texts[name], encoding="utf-8")
        found = [one for one in found_in(tmp_path) if one.severity == "error"]
        if not found:
            break
    assert not found, (found, texts[name])
