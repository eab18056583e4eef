"""validate: the specification of both pipelines, ranges, contradictions, and the owner of the turn's end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from rspp_compiler.diagnostics import Diagnostic
from rspp_compiler.driver import compile_pipeline
from rspp_compiler.ir.context import Options
from rspp_compiler.ir.dump import to_json
from rspp_compiler.ir.spec import PipelineSpec, SecretRef

ROOT = Path(__file__).parents[2]
FLOW = "ingress.audio -> vad -> stt -> llm -> tts -> egress.audio"


class JsonFile(SingleFileSnapshotExtension):
    _write_mode = WriteMode.TEXT
    file_extension = "json"


def validate(folder: Path, *lines: str, after: str = "") -> tuple[PipelineSpec | None, tuple[Diagnostic, ...]]:
    file = folder / "a.rspp"
    body = "\n".join(f"  {line}" for line in lines)
    file.write_text(f"pipeline a {{\n{body}\n}}\n{after}\n", encoding="utf-8")
    result = compile_pipeline([file], Options(until="validate"))
    return result.stage("spec"), result.diagnostics


@pytest.mark.parametrize("name", ["hello", "voice_assistant"])
def test_golden(name: str, snapshot: SnapshotAssertion) -> None:
    result = compile_pipeline([ROOT / "pipelines" / f"{name}.rspp"], Options(until="validate"))
    assert result.diagnostics == ()
    assert to_json(result.stage("spec")) == snapshot(extension_class=JsonFile, name=name)


def test_same_bytes_from_another_folder(tmp_path: Path) -> None:
    name = "hello.rspp"
    (tmp_path / name).write_bytes((ROOT / "pipelines" / name).read_bytes())
    here = compile_pipeline([ROOT / "pipelines" / name], Options(until="validate"))
    there = compile_pipeline([tmp_path / name], Options(until="validate"))
    assert to_json(here.stage("spec")) == to_json(there.stage("spec"))


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("budget { turn = 2 }", "E0303"),
        ("budget { turn = 2sec }", "E0304"),
        ("budget { turn = 64kB }", "E0304"),
        ("budget { turn = soon }", "E0305"),
        ("budget { turn = 0ms }", "E0306"),
        ("budget { turn = -2s }", "E0306"),
        ("budget { turn = 0.0000001ms }", "E0306"),
        ("budget { tap = 2s }", "E0301"),
        ("budget { trun = 2s }", "E0301"),
        ("budget { turn = 2s, turn.total = 1s }", "E0311"),
        ("budget { ingress.audio -> stt.final = 700ms }", "E0904"),
        ("budget { cost = 0.05usd }", "E0904"),
        ("stt.partial -> tap { buffer = [64 itms] }", "E0110"),
        ("stt.partial -> tap { buffer = [0 items] }", "E0306"),
        ("stt.partial -> tap { buffer = [64 words] }", "E0304"),
        ("stt.partial -> tap { buffer = [1 items, 2 items] }", "E0302"),
        ("stt.partial -> tap { overflow = block }", "E0305"),
        ("stt.partial -> tap { overflow = block(5) }", "E0303"),
        ("stt.partial -> tap { overflow = sample }", "E0906"),
        ("stt.partial -> tap { commit_point = 3 }", "E0305"),
        ("stt.partial -> tap { flow = credit }", "E0904"),
        ("ingress.text -> llm { handoff = { by = word } }", "E0307"),
        ("ingress.text -> llm { handoff = { by = sentence, max_age = 0ms } }", "E0306"),
        ("vad.speech -> tap { handoff = { by = sentence } }", "E0311"),
        ('node a : say { text = "x ${session.name}" }', "E0906"),
        ("node a : say { text = 3 }", "E0305"),
        ("meta { a = [1, 2] }", "E0305"),
    ],
)
def test_values_that_cannot_be(tmp_path: Path, line: str, code: str) -> None:
    _, found = validate(tmp_path, FLOW, line)
    assert [one.code for one in found] == [code]


@pytest.mark.parametrize(
    ("written", "fix"),
    [("turn = 2", "2s"), ("turn = 800", "800ms"), ("turn = 2sec", "2s"), ("turn = 300msec", "300ms")],
)
def test_missing_unit_offers_the_likely_one(tmp_path: Path, written: str, fix: str) -> None:
    _, found = validate(tmp_path, FLOW, f"budget {{ {written} }}")
    assert found[0].fix is not None
    assert found[0].fix.replacement == fix
    assert f"`{fix}`" in found[0].help


def test_a_fix_mends_what_it_complains_about(tmp_path: Path) -> None:
    """Applied one after the other, fixes lead to a clean file."""
    validate(tmp_path, "node ears : vdd { min_silence = 300 }", FLOW.replace("vad", "eras"), "budget { turn = 2 }")
    file = tmp_path / "a.rspp"
    for _ in range(10):
        found = [one for one in compile_pipeline([file], Options(until="validate")).diagnostics if one.fix]
        if not found:
            break
        fix = found[-1].fix
        assert fix is not None
        data = file.read_bytes()
        file.write_bytes(data[: fix.span.start] + fix.replacement.encode() + data[fix.span.end :])
    assert compile_pipeline([file], Options(until="validate")).diagnostics == ()


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ('"abc"', "E0308"),
        ('secret("env://KEY")', None),
        ('secret("vault://a/b")', "E0906"),
        ('secret("KEY")', "E0309"),
        ("KEY", "E0305"),
        ('file("key.txt")', "E0305"),
    ],
)
def test_secrets_are_references(tmp_path: Path, value: str, code: str | None) -> None:
    spec, found = validate(tmp_path, FLOW, after=f"provider stt {{ use deepgram {{ api_key = {value} }} }}")
    errors = [one.code for one in found if one.severity == "error"]
    assert errors == ([code] if code else [])
    assert all("abc" not in one.message + one.help for one in found)
    if not code:
        assert spec is not None
        stt = spec.provider("stt")
        assert stt is not None
        assert stt.candidates[0].settings["api_key"] == SecretRef(secret="env://KEY")


def test_a_text_that_looks_like_a_key_is_refused_anywhere(tmp_path: Path) -> None:
    _, found = validate(tmp_path, FLOW, 'node a : say { text = "sk-abcdefghijklmnop1234" }')
    assert [one.code for one in found] == ["E0308"]


@pytest.mark.parametrize("path", ["no.toml", "/etc/passwd", "."])
def test_files_lie_beside_the_pipeline(tmp_path: Path, path: str) -> None:
    _, found = validate(tmp_path, FLOW, after=f'provider llm {{ use scripted {{ script = "{path}" }} }}')
    assert [one.code for one in found] == ["E0309"]


def test_turn_owner(tmp_path: Path) -> None:
    spec, _ = validate(tmp_path, FLOW)
    assert spec is not None
    assert spec.turn_owner is not None
    assert (spec.turn_owner.subject, spec.turn_owner.event) == ("vad", "speech_end")
    assert spec.turn_owner.origin("event").kind == "derived"

    spec, _ = validate(tmp_path, FLOW, "on vad.idle -> end utterance")
    assert spec is not None
    assert spec.turn_owner is not None
    assert (spec.turn_owner.subject, spec.turn_owner.event) == ("vad", "idle")

    spec, found = validate(tmp_path, "ingress.text -> llm -> tts -> egress.audio")
    assert found == ()
    assert spec is not None
    assert spec.turn_owner is None


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["node a : vad", "node b : vad"], "E0801"),
        (["on vad.speech_end or vad.idle -> end utterance", FLOW], "E0805"),
        (["on vad.speech_end -> end utterance", "on vad.idle -> end utterance", FLOW], "E0805"),
    ],
)
def test_turn_owner_is_one(tmp_path: Path, lines: list[str], code: str) -> None:
    _, found = validate(tmp_path, *lines)
    assert [one.code for one in found] == [code]
    assert found[0].secondary


def test_broken_structure_gives_no_spec(tmp_path: Path) -> None:
    """What had to be left out would look unreachable to the passes behind; a bad value keeps its default instead."""
    assert validate(tmp_path, FLOW, "stt -> lm")[0] is None
    spec, found = validate(tmp_path, FLOW, "budget { turn = 2 }")
    assert [one.code for one in found] == ["E0303"]
    assert spec is not None
    assert spec.budget.turn_ns == 2_000_000_000


WORDS = ["vad", "stt", "llm", "tts", "say", "tap", "python", "egress.audio", "stt.partial", "turn", "node", "on", "off"]
VALUES = [
    "2",
    "-1ms",
    "0s",
    "9999999d",
    "64 items",
    "0 items",
    "1GB",
    '"x"',
    "[]",
    "[1, a]",
    "{}",
    "block(0ms)",
    "150%",
]


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nothing_makes_the_front_half_raise(tmp_path: Path, data: st.DataObject) -> None:
    """Words and values of the shipped pipeline, swapped at random: there may be errors, but never an exception."""
    text = (ROOT / "pipelines" / "voice_assistant.rspp").read_text(encoding="utf-8")
    for _ in range(data.draw(st.integers(1, 4))):
        pattern, choices = data.draw(
            st.sampled_from([(r"\b[a-z_]+(?:\.[a-z]+)?\b", WORDS), (r"\b\d+(?:ms|s| items)\b|\"[^\"]*\"", VALUES)])
        )
        found = data.draw(st.sampled_from(list(re.finditer(pattern, text)) or [None]))
        if found:
            text = text[: found.start()] + data.draw(st.sampled_from(choices)) + text[found.end() :]
    file = tmp_path / "a.rspp"
    file.write_text(text, encoding="utf-8")
    result = compile_pipeline([file], Options(until="validate"))
    assert result.stage("spec") is not None or not result.ok
    for one in result.diagnostics:
        assert one.primary.line >= 1


@pytest.mark.parametrize(
    ("line", "help"),
    [
        ("node tts { rate = 5kHz }", "write `rate = 80`"),
        ("node vad { idle_after = soon }", "write `idle_after = 1s`"),
        ("node vad { min_silence = soon }", "write `min_silence = 300ms`"),
    ],
)
def test_an_advised_value_is_a_legal_one(tmp_path: Path, line: str, help: str) -> None:
    _, found = validate(tmp_path, line, FLOW)
    assert [(finding.code, finding.help) for finding in found] == [("E0305", help)]
    advised = re.sub(r"= \w+", help.removeprefix("write `").removesuffix("`").partition(" ")[2], line)
    assert validate(tmp_path, advised, FLOW)[1] == ()


def test_a_setting_of_the_node_in_a_use_line_is_sent_there(tmp_path: Path) -> None:
    _, found = validate(tmp_path, FLOW, after="provider vad { use silero { treshold = 0.5 } }")
    assert [finding.help for finding in found] == ["`threshold` is a setting of the node: `node vad { threshold = … }`"]
