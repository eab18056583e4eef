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
from rspp_compiler.diagnostics.fixes import apply_all
from rspp_compiler.driver import compile_pipeline
from rspp_compiler.ir.context import Options
from rspp_compiler.ir.dump import to_json
from rspp_compiler.ir.spec import PipelineSpec, SecretRef
from rspp_compiler.sema.language.kinds import KINDS
from rspp_compiler.sema.language.tables import node_table
from rspp_compiler.sema.validating.nodes import DEMANDING

ROOT = Path(__file__).parents[2]
WHOLE = (Path(__file__).parent / "whole.rspp").read_text(encoding="utf-8")
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


@pytest.mark.parametrize("place", ["env://KEY", "vault://a/b", "k8s://ns/name/key", "aws-sm://name", "gcp-sm://p/n"])
def test_secrets_are_references(tmp_path: Path, place: str) -> None:
    spec, found = validate(tmp_path, FLOW, after=f'provider stt {{ use deepgram {{ api_key = secret("{place}") }} }}')
    assert [one.code for one in found if one.severity == "error"] == []
    assert spec is not None
    stt = spec.provider("stt")
    assert stt is not None
    assert stt.candidates[0].settings["api_key"] == SecretRef(secret=place)


@pytest.mark.parametrize(
    ("lines", "owners"),
    [
        ([FLOW], {"": "vad.speech_end"}),
        ([FLOW, "on vad.idle -> end utterance"], {"": "vad.idle"}),
        (["ingress.text -> llm -> tts -> egress.audio"], {}),
        ([FLOW.replace("vad -> ", ""), "on ingress.button_up -> end utterance"], {"": "ingress.button_up"}),
        (
            [
                "party ana\n  party ben",
                "node a : vad\n  node b : vad\n  node sa : stt\n  node sb : stt",
                "node la : llm\n  node lb : llm\n  node va : tts\n  node vb : tts",
                "ana.audio -> a -> sa -> la -> va -> ben.audio",
                "ben.audio -> b -> sb -> lb -> vb -> ana.audio",
                "on b.idle -> end utterance",
            ],
            {"ana": "a.speech_end", "ben": "b.idle"},
        ),
        (
            [
                "party ana\n  party ben",
                "node la : llm\n  node lb : llm\n  node va : tts\n  node vb : tts\n  node sa : stt\n  node sb : stt",
                "ana.audio -> sa -> la -> va -> ben.audio",
                "ben.audio -> sb -> lb -> vb -> ana.audio",
                "on ana.button_up -> end utterance",
                "on ben.button_up -> end utterance",
            ],
            {"ana": "ana.ingress.button_up", "ben": "ben.ingress.button_up"},
        ),
    ],
)
def test_owners(tmp_path: Path, lines: list[str], owners: dict[str, str]) -> None:
    """Who ends the utterance of each party: who a line names, else the only detector that hears it."""
    spec, found = validate(tmp_path, *lines)
    assert found == ()
    assert spec is not None
    assert {owner.party: str(owner.event) for owner in spec.owners} == owners


def test_the_only_detector_is_derived(tmp_path: Path) -> None:
    spec, _ = validate(tmp_path, FLOW)
    assert spec is not None
    assert str(spec.owners[0].event.origin("event")) == "derived: `vad` is the only detector"


def test_broken_structure_gives_no_spec(tmp_path: Path) -> None:
    """What had to be left out would look unreachable to the passes behind; a bad value keeps its default instead."""
    assert validate(tmp_path, FLOW, "stt -> lm")[0] is None
    spec, found = validate(tmp_path, FLOW, "budget { turn = 2 }")
    assert [one.code for one in found] == ["E0303"]
    assert spec is not None
    assert spec.budget.turn_ns == 2_000_000_000


WORDS = [
    *("vad", "stt", "llm", "tts", "say", "tap", "python", "egress.audio", "stt.partial", "turn", "node", "on", "off"),
    *("block", "coalesce", "sample", "latest_only", "handoff", "watermark", "high", "domain", "max_age", "timeout"),
    *(
        "retry",
        "price",
        "accept",
        "PII",
        "tunable",
        "rate",
        "limit",
        "hooks",
        "init",
        "provider",
        "tools",
        "book",
        "to",
    ),
    *(
        "first_chunk",
        "cap",
        "level",
        "session.name",
        "turn.total",
        "cost",
        "region",
        "scope",
        "party",
        "place",
        "class",
    ),
]
VALUES = [
    *("2", "-1ms", "0s", "9999999d", "64 items", "0 items", "1GB", "-6dB", "0.05usd", "150%", "12 chars", "1.5"),
    *(
        '"x"',
        '"${session.name}"',
        '"${"',
        '"\\\\${x}"',
        "[]",
        "[1, a]",
        "{}",
        "{ a = 1 }",
        "{ high = 1 }",
        "[[a]]",
        "true",
    ),
    *("block(0ms)", "block(1ms, 2)", "[block(1ms), coalesce]", "sample(3)", "rate(1, 2)", 'file("x")', 'secret("x")'),
]


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nothing_makes_the_front_half_raise(tmp_path: Path, data: st.DataObject) -> None:
    """Words and values swapped at random, in a shipped pipeline and in one that says everything: there may be errors,
    but never an exception.
    """
    text = data.draw(
        st.sampled_from([(ROOT / "pipelines" / "voice_assistant.rspp").read_text(encoding="utf-8"), WHOLE])
    )
    for _ in range(data.draw(st.integers(1, 4))):
        pattern, choices = data.draw(
            st.sampled_from(
                [
                    (r"\b[a-z_]+(?:\.[a-z]+)?\b", WORDS),
                    (r"-?\b\d+(?:\.\d+)?(?:[a-zA-Z]+|%| items)?|\"[^\"\n]*\"", VALUES),
                    (r"(?<== )(?:\{[^{}]*\}|\[[^\[\]]*\]|\w+)", VALUES),
                ]
            )
        )
        if matches := list(re.finditer(pattern, text)):
            found = data.draw(st.sampled_from(matches))
            text = text[: found.start()] + data.draw(st.sampled_from(choices)) + text[found.end() :]
    file = tmp_path / "a.rspp"
    file.write_text(text, encoding="utf-8")
    result = compile_pipeline([file], Options(until="validate"))
    assert result.stage("spec") is not None or not result.ok
    for one in result.diagnostics:
        assert one.primary.line >= 1
        if one.fix:
            apply_all({name: source.text for name, source in result.context.sources.items()}, [one.fix])


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


@pytest.mark.parametrize(
    ("line", "after", "help"),
    [
        ("", "provider vad { use silero { treshold = 0.5 } }", "`threshold` is a setting of `vad`"),
        (
            'node llm { model = "a" }',
            "",
            "`model` belongs to a provider: `provider llm { use llama_cpp { model = … } }`",
        ),
        ("node llm { first_chunk = 1s }", "", "`first_chunk` belongs in `timeout` of a provider block"),
        ("stt.partial -> tap { max_age = 1s }", "", "`max_age` belongs in `handoff`, which belongs to a flow"),
        ("node llm { latency = 1s }", "", "the time to its first output is a budget: `budget { NODE = 500ms }`"),
        ("node llm { times = 1 }", "", "`times` belongs in `retry` of a provider block"),
        ("node llm { cpu = 5% }", "", "`cpu` belongs in `limit` of a node"),
        ("node llm { colour = 1 }", "", "remove it"),
        ("node llm { retries = 3 }", "", "it belongs to the provider block: `provider llm { use …, retry ="),
        ("stt.partial -> tap { credits = 8 }", "", "the consumer tells how much it takes: `flow = credit`"),
    ],
)
def test_a_setting_that_is_at_home_elsewhere_is_sent_there(tmp_path: Path, line: str, after: str, help: str) -> None:
    _, found = validate(tmp_path, FLOW, line, after=after)
    (one,) = (one for one in found if one.severity == "error")
    assert one.code == "E0301"
    assert one.help.startswith(help)


def test_what_a_kind_requires_is_in_both_tables() -> None:
    required = {kind.name for kind in KINDS.values() if any(setting.required for setting in kind.settings)}
    assert required <= DEMANDING.keys()
    for kind, rows in DEMANDING.items():
        assert {name for names, _, _ in rows for name in names} <= set(node_table(kind).by_name)
