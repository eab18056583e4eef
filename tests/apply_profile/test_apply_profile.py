"""apply_profile: every field has a value, and every value an origin."""

from __future__ import annotations

from pathlib import Path

import pytest

from rspp_compiler.driver import compile_pipeline
from rspp_compiler.ir.context import Options
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.spec import EdgeSpec, FileRef, NodeSpec, OverflowStep, PipelineSpec
from rspp_compiler.sema.language.profile import profile_table

FLOW = "ingress.audio -> vad -> stt -> llm -> tts -> egress.audio"
MS = 1_000_000


def spec(folder: Path, *lines: str, after: str = "") -> PipelineSpec:
    file = folder / "a.rspp"
    body = "\n".join(f"  {line}" for line in lines)
    file.write_text(f"pipeline a {{\n{body}\n}}\n{after}\n", encoding="utf-8")
    result = compile_pipeline([file], Options(until="validate"))
    assert result.diagnostics == ()
    value = result.stage("spec")
    assert isinstance(value, PipelineSpec)
    return value


def node(of: PipelineSpec, id: str) -> NodeSpec:
    found = of.node(id)
    assert found is not None
    return found


def edge(of: PipelineSpec, source: str) -> EdgeSpec:
    return next(one for one in of.edges if one.source == source)


def line_of(origin: Origin) -> str:
    """The text of the profile's line."""
    assert origin.kind == "profile"
    return profile_table("simple/v1").source.line(origin.span.line)


@pytest.mark.feature("F-078", "defaults")
def test_figures_of_simple_v1(tmp_path: Path) -> None:
    """CONTRACTS §7, to the figure."""
    of = spec(tmp_path, FLOW)
    budget, limits = of.budget, of.limits
    assert (budget.turn_ns, budget.path_ns, budget.edge_ns) == (2000 * MS, 1800 * MS, 250 * MS)
    assert (budget.turn_total_ns, budget.warning_percent) == (120_000 * MS, 80)
    assert [node(of, id).first_output_ns for id in ("stt", "llm", "tts")] == [300 * MS, 800 * MS, 300 * MS]
    assert (limits.cancel_grace_ns, limits.egress_lead_ns) == (75 * MS, 200 * MS)
    assert (limits.egress_hold_ns, limits.egress_stall_ns, limits.evidence_append_ns) == (2000 * MS, 500 * MS, 500 * MS)
    assert of.recording.level == "L0"
    assert edge(of, "vad").buffer_ns == 200 * MS
    handoff = edge(of, "llm").handoff
    assert handoff is not None
    assert handoff.age_ns_max == 150 * MS
    assert [provider.candidates[0].name for provider in of.providers] == [
        "silero",
        "pocketsphinx",
        "scripted",
        "espeak",
    ]
    assert str(node(of, "ingress").outputs[0].type) == "audio(16kHz, mono, s16le)"
    assert [(port.name, port.item_bytes_max) for port in node(of, "stt").outputs] == [
        ("utterance", 4096),
        ("partial", 1024),
        ("final", 4096),
    ]
    assert node(of, "vad").inputs[0].item_bytes_max == 640


def test_profile_origins_are_real_lines(tmp_path: Path) -> None:
    of = spec(tmp_path, FLOW)
    assert line_of(of.budget.origin("turn_ns")).startswith('turn           = "2s"')
    assert line_of(node(of, "stt").origin("first_output_ns")).startswith('stt            = "300ms"')
    assert line_of(node(of, "llm").origin("first_output_ns")).startswith('node           = "800ms"')
    assert line_of(node(of, "vad").origin("settings.min_silence_ns")).startswith('min_silence    = "300ms"')
    assert line_of(edge(of, "vad").origin("buffer_ns")).startswith('age            = "200ms"')
    assert str(of.budget.origin("path_ns")) == "execution_profile/simple/v1, line 7"


def test_every_line_of_the_profile_has_a_value() -> None:
    table = profile_table("simple/v1")
    lines = [line for line in table.source.text.splitlines() if "=" in line.split("#")[0]]
    assert len(lines) == sum(map(len, table.sections.values()))
    values = [valued for section in table.sections.values() for valued in section.values()]
    assert all(valued.origin.kind == "profile" for valued in values)


def test_user_values_point_at_themselves(tmp_path: Path) -> None:
    of = spec(
        tmp_path, "node ears : vad { min_silence = 250ms }", FLOW.replace("vad", "ears"), "budget { stt = 200ms }"
    )
    ears, stt = node(of, "ears"), node(of, "stt")
    assert ears.settings["min_silence_ns"] == 250 * MS
    assert str(ears.origin("settings.min_silence_ns")) == "user, a.rspp:2:35"
    assert stt.first_output_ns == 200 * MS
    assert str(stt.origin("first_output_ns")) == "user, a.rspp:4:18"
    assert stt.origin("first_output_ns").defaulting_source == "explicit_edge_config"
    assert stt.origin("chunk_ns").defaulting_source == "execution_profile_default"


def test_first_chunk_is_never_more_than_the_budget(tmp_path: Path) -> None:
    """CONTRACTS §7: 1000 ms to the first chunk, never more than the node's budget."""
    of = spec(tmp_path, FLOW)
    llm, tts = of.provider("llm"), of.provider("tts")
    assert llm is not None
    assert tts is not None
    assert (llm.first_chunk_ns, tts.first_chunk_ns) == (800 * MS, 300 * MS)
    assert str(tts.origin("first_chunk_ns")) == "derived: never more than the budget of `tts`, 300ms"


def test_egress_holds_two_seconds_and_blocks(tmp_path: Path) -> None:
    into = edge(spec(tmp_path, FLOW), "tts")
    assert into.buffer_items == 100
    assert into.overflow == (OverflowStep(strategy="block", block_ns=500 * MS),)
    assert into.buffer_ns == 0
    assert str(into.origin("buffer_items")) == "derived: 2s of audio in items of 20ms"


def test_recogniser_learns_from_the_dialogue(tmp_path: Path) -> None:
    (tmp_path / "d.toml").write_text("", encoding="utf-8")
    of = spec(tmp_path, FLOW, after='provider llm { use scripted { script = "d.toml" } }')
    stt = of.provider("stt")
    assert stt is not None
    (candidate,) = stt.candidates
    assert candidate.settings["script"] == FileRef(file="d.toml")
    assert str(candidate.origin("settings.script")) == "derived: the dialogue of provider llm"


@pytest.mark.parametrize(
    ("written", "items", "age", "overflow"),
    [
        ("", 1, 200, ["latest_only"]),
        ("{ buffer = [64 items, 100ms] }", 64, 100, ["latest_only"]),
        ("{ buffer = 32 items }", 32, 200, ["latest_only"]),
        ("{ overflow = block(40ms) }", 16, 0, ["block"]),
        ("{ overflow = [block(40ms), drop_newest] }", 16, 200, ["block", "drop_newest"]),
    ],
)
def test_buffers(tmp_path: Path, written: str, items: int, age: int, overflow: list[str]) -> None:
    of = spec(tmp_path, FLOW, f"stt.partial -> tap {written}")
    one = next(one for one in of.edges if one.target == "tap")
    assert (one.buffer_items, one.buffer_ns) == (items, age * MS)
    assert one.buffer_bytes == items * 1024
    assert [step.strategy for step in one.overflow] == overflow
