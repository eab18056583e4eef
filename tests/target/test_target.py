"""target: what the runtime cannot run yet is named where it stands, and taken out by the fix printed with it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from good_corpus import CASES, GOOD
from pipelines import NAMES, codes, compile_file, compile_text, shipped
from rspp_compiler.diagnostics.fixes import apply, apply_all
from rspp_compiler.driver import Result, compile_pipeline
from rspp_compiler.ir.context import Context, Options

FLOW = "ingress.audio -> vad -> stt -> llm -> tts -> egress.audio"

# What stands in the pipeline or behind it, and what is left of it.
CASES_OF_FIXES: dict[str, tuple[str, str, str]] = {
    "the guards of siblings go together": (
        "E0907",
        '  node a : tap\n  node b : tap\n  stt -> a when event.speaker == "x"\n  stt -> b otherwise\n',
        "  node a : tap\n  node b : tap\n  stt -> a\n  stt -> b\n",
    ),
    "a guard before an action": (
        "E0907",
        "  on vad.speech_end\n    when event.confidence >= 0.5\n    -> end session\n",
        "  on vad.speech_end -> end session\n",
    ),
    "one event of several": (
        "E0905",
        "  on session.stall or vad.idle or speech_start -> end session\n",
        "  on vad.idle or speech_start -> end session\n",
    ),
    "a node with its reaction": (
        "E0903",
        '  node far (said : text) -> (heard : text) : grpc("unix:///x.sock")\n  stt.partial -> far\n  far -> tap\n'
        "  on far.done -> end session\n",
        "  stt.partial -> tap\n",
    ),
    "a reaction with what only it says": (
        "E0905",
        '  node greet : say { text = "Hello." }\n  on session.silence -> greet -> tts\n',
        "",
    ),
    "a reaction whose words others say as well": (
        "E0905",
        '  node sorry : say { text = "Sorry?" }\n  on session.stall -> sorry -> tts\n  on llm.error -> sorry -> tts\n',
        '  node sorry : say { text = "Sorry?" }\n  on llm.error -> sorry -> tts\n',
    ),
    "an action that has another name": (
        "E0905",
        "  on vad.idle -> cancel session\n",
        "  on vad.idle -> end session\n",
    ),
    "a tap that is shown what nobody worked on": (
        "E0905",
        "  node lost : tap\n  on llm.started -> lost\n  on llm.error -> lost\n",
        "  node lost : tap\n  on llm.error -> lost\n",
    ),
    "a tap that is shown what was heard": (
        "E0905",
        "  node lost : tap\n  on stt.error -> lost\n",
        "",
    ),
    "a node in the middle of a flow": (
        "E0903",
        "  node mask : redact { classes = [PII] }\n  stt -> mask -> tap { buffer = 4 items }\n",
        "  stt -> tap { buffer = 4 items }\n",
    ),
    "a node between two lines": (
        "E0903",
        "  node mask : redact { classes = [PII] }\n  mask -> tap\n  stt.partial -> mask\n",
        "  stt.partial -> tap\n",
    ),
    "a setting that leaves braces empty": (
        "E0904",
        "  node llm { limit = { concurrency = 4 } }\n",
        "  node llm\n",
    ),
    "a budget of a path outside of turns, beside others": (
        "E0904",
        "  budget { ingress.audio -> vad.speech = 900ms, turn = 3s }\n",
        "  budget { turn = 3s }\n",
    ),
    "what a mode sets, beside what it turns off": (
        "E0904",
        "  mode brief { vad.threshold = 0.2, off = [tts] }\n  llm -> egress.text\n  on tts.error -> degrade brief\n",
        "  mode brief { off = [tts] }\n  llm -> egress.text\n  on tts.error -> degrade brief\n",
    ),
    "variables of a text": (
        "E0906",
        '  node llm { system = "You help ${session.name} of ${session.tenant}. Be brief." }\n',
        '  node llm { system = "You help of. Be brief." }\n',
    ),
    "the only party": (
        "E0902",
        "  party ana\n  stt -> ana.text\n  on ana.playback_completed -> end session  # ana.text\n",
        "  stt -> egress.text\n  on egress.playback_completed -> end session  # ana.text\n",
    ),
}
BEHIND: dict[str, tuple[str, str, str, str, str]] = {
    "a tool, and all that names it": (
        "E0901",
        'node llm { tools = [find] }\n  node wait : say { text = "Wait." }\n  on find.started -> wait -> tts',
        'tool find (id : text) : grpc("dns:///shop:443") { timeout = 1s }\n',
        "node llm",
        "",
    ),
    "a secret that lies elsewhere": (
        "E0906",
        "node llm { temperature = 0.5 }",
        'provider llm { use openai { api_key = secret("vault://kv/openai") } }\n',
        "node llm { temperature = 0.5 }",
        'provider llm { use openai { api_key = secret("env://OPENAI_API_KEY") } }\n',
    ),
}


def refused(result: Result) -> list[str]:
    return [code for code in codes(result) if code.startswith("E09") and code != "E0909"]


def mended(text: str, code: str) -> str:
    """The text after the fixes of all findings of a code."""
    result = compile_text(text, until="target")
    fixes = [found.fix for found in result.diagnostics if found.code == code and found.fix]
    assert fixes, codes(result)
    return apply(text, fixes)


@pytest.mark.parametrize("name", NAMES)
def test_shipped_pipelines_can_be_run(name: str) -> None:
    assert refused(compile_file(shipped(name), until="target")) == []


@pytest.mark.parametrize("case", CASES_OF_FIXES)
def test_fix_inside(case: str) -> None:
    code, lines, left = CASES_OF_FIXES[case]
    before, after = (f"pipeline p {{\n  {FLOW}\n{part}}}\n" for part in (lines, left))
    assert mended(before, code) == after


@pytest.mark.parametrize("case", BEHIND)
def test_fix_outside(case: str) -> None:
    code, line, behind, line_left, behind_left = BEHIND[case]
    before, after = (
        f"pipeline p {{\n  {FLOW}\n  {part}\n}}\n{rest}" for part, rest in ((line, behind), (line_left, behind_left))
    )
    assert mended(before, code) == after


def test_one_note_says_what_remains_possible() -> None:
    line = "on vad.speech_end when event.confidence > 0.5 -> end session"
    text = f"pipeline p {{\n  {line}\n  record L1 {{ keep = 30d }}\n  {FLOW}\n}}\n"
    found = compile_text(text, until="target").diagnostics
    assert [one.code for one in found] == ["E0907", "E0904"]
    assert [bool(one.notes) for one in found] == [True, False]


@pytest.mark.parametrize("name", sorted(CASES))
def test_mended_again_and_again_every_pipeline_can_be_read(name: str, tmp_path: Path) -> None:
    """No fix damages a text, whatever else is refused: all of a round are made together, up to three rounds."""
    shutil.copytree(GOOD, tmp_path / "good")
    path = tmp_path / "good" / CASES[name].relative_to(GOOD)
    for _ in range(3):
        ctx = Context(options=Options(until="target"))
        found = compile_pipeline([path], ctx=ctx).diagnostics
        assert not [one.code for one in found if one.code.startswith("E01")]
        fixes = [one.fix for one in found if one.code.startswith("E09") and one.fix]
        texts = {file: one.text for file, one in ctx.sources.items() if Path(file).is_file()}
        after, made = apply_all(texts, fixes)
        for file, text in after.items():
            Path(file).write_text(text, encoding="utf-8")
        if not made:
            break
