"""Every value that LANGUAGE has, in base units: one pipeline that says all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rspp_compiler.driver import compile_pipeline
from rspp_compiler.ir.condition import show
from rspp_compiler.ir.context import Context, Options
from rspp_compiler.ir.spec import EdgeSpec, FileRef, NodeSpec, OverflowStep, PipelineSpec, ProviderSpec, TextTemplate

MS, S = 1_000_000, 1_000_000_000
DAY = 86_400 * S

TEXT = (Path(__file__).parent / "whole.rspp").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> PipelineSpec:
    folder = tmp_path_factory.mktemp("whole")
    (folder / "billing.md").write_text("Bills.", encoding="utf-8")
    (folder / "hold.wav").write_bytes(b"")
    (folder / "whole.rspp").write_text(TEXT, encoding="utf-8")
    result = compile_pipeline([folder / "whole.rspp"], ctx=Context(options=Options(until="validate")))
    assert [one for one in result.diagnostics if one.severity == "error"] == []
    spec = result.stage("spec")
    assert isinstance(spec, PipelineSpec)
    return spec


def node(spec: PipelineSpec, id: str) -> NodeSpec:
    found = spec.node(id)
    assert found is not None
    return found


def edge(spec: PipelineSpec, target: str) -> EdgeSpec:
    return next(one for one in spec.edges if one.target == target)


def provider(spec: PipelineSpec, id: str) -> ProviderSpec:
    found = spec.provider(id)
    assert found is not None
    return found


def test_settings(spec: PipelineSpec) -> None:
    assert spec.meta == {"owner": "us", "size": "64kB", "items": "64 items"}
    ears, stt, llm, music = (node(spec, id) for id in ("ears", "stt", "llm", "music"))
    assert ears.settings["idle_after_ns"] == 8 * S
    assert [(one.field, one.low, one.high) for one in ears.tunable] == [
        ("min_silence_ns", 200 * MS, S),
        ("threshold", 0.05, 0.95),
    ]
    assert (stt.cancel, stt.work_ns, stt.settings["class"]) == ("soft", 3 * MS, "PII")
    assert {port.type.payload_class for port in stt.outputs} == {"PII"}  # type: ignore[union-attr]
    system = TextTemplate(
        template="Hi ${session.name}, \\${x}, turn ${turn.number}.", variables=("session.name", "turn.number")
    )
    assert llm.settings["system"] == system
    assert (llm.tools, llm.provider, llm.settings["max_calls"]) == (("book", "look"), "fast", 4)
    assert music.settings == {"file": FileRef(file="hold.wav"), "loop": True, "volume_db": -6}


def test_nodes_of_ones_own(spec: PipelineSpec) -> None:
    find, wide = node(spec, "find"), node(spec, "wide")
    assert (find.execution, find.place, find.first_output_ns) == ("effect", "loop", 250 * MS)
    assert find.limit is not None
    assert (find.limit.concurrency, find.limit.cpu_percent, find.limit.memory_bytes) == (8, 50, 512_000_000)
    assert [(hook.name, hook.timeout_ns) for hook in find.hooks] == [("init", 5 * S), ("on_cancel", 100 * MS)]
    assert (str(find.outputs[0].type), find.outputs[0].item_bytes_max) == ("text(PII)", 2000)
    assert (wide.execution, wide.place) == ("effect", "thread")
    audio = wide.inputs[0]
    assert (str(audio.type), audio.item_bytes_max, audio.item_ns) == ("audio(48kHz, stereo, s16le)", 1920, 10 * MS)
    assert wide.outputs[0].item_bytes_max == 1000


def test_flows(spec: PipelineSpec) -> None:
    into = edge(spec, "stt")
    assert (into.buffer_items, into.buffer_ns, into.buffer_bytes) == (64, 400 * MS, 128_000)
    assert into.overflow == (
        OverflowStep(strategy="block", block_ns=40 * MS),
        OverflowStep(strategy="drop_oldest"),
    )
    assert (into.latency_ns, into.flow, into.fairness) == (60 * MS, "credit", "session.tenant")
    assert into.watermark is not None
    assert (into.watermark.high_items, into.watermark.low_items) == (48, 16)
    assert into.lanes is not None
    assert into.lanes.telemetry == "sample"
    assert into.sync is not None
    assert (into.sync.domain, into.sync.drop, into.sync.group, into.sync.scope) == (
        "lips",
        "drop_with_discontinuity",
        "event_id",
        "plan_wide",
    )
    captions = edge(spec, "captions")
    assert captions.coalesce_ns == 100 * MS
    assert captions.overflow == (
        OverflowStep(strategy="coalesce", rule="latest_partial"),
        OverflowStep(strategy="sample", keep_percent=25),
    )
    marks = captions.watermark
    assert marks is not None
    assert (marks.high_items, marks.low_items, marks.high_ns, marks.low_ns) == (8, 4, 90 * MS, 45 * MS)
    handoff = edge(spec, "voice").handoff
    assert handoff is not None
    assert (handoff.by, handoff.age_ns_max, handoff.chars_min) == ("clause", 120 * MS, 12)
    assert edge(spec, "egress").commit_point
    wide = edge(spec, "wide")
    assert wide.guard is not None
    assert show(wide.guard) == "event.speech"
    assert wide.overflow == (OverflowStep(strategy="sample", keep_percent=25),)


def test_budgets_modes_and_recording(spec: PipelineSpec) -> None:
    budget = spec.budget
    assert (budget.turn_ns, budget.turn_total_ns, budget.cost_microusd) == (2500 * MS, 120 * S, 50_000)
    assert [(path.source, path.target_port, path.ns) for path in budget.paths] == [("ingress", "final", 700 * MS)]
    assert node(spec, "llm").first_output_ns == 500 * MS
    (mode,) = spec.modes
    assert [(one.node, one.field, one.value) for one in mode.overrides] == [
        ("llm", "provider", "local"),
        ("llm", "system", FileRef(file="billing.md")),
        ("llm", "tools", ("book",)),
        ("voice", "rate", 100),
    ]
    assert (spec.recording.level, spec.recording.keep_ns, spec.recording.region) == ("L1", 30 * DAY, "eu")


def test_tools(spec: PipelineSpec) -> None:
    tools = {tool.id: tool for tool in spec.tools}
    book, look, desk = tools["book"], tools["look"], tools["desk"]
    assert (book.timeout_ns, book.once, book.cancel, book.about) == (3 * S, True, "soft", "Books")
    assert [(param.name, param.type) for param in book.params] == [("day", "text"), ("seats", "number")]
    assert (look.timeout_ns, look.background, look.once) == (5 * S, True, False)
    assert (desk.implementation, desk.warm, desk.timeout_ns) == ("sip:desk@example.com", True, 45 * S)


def test_providers(spec: PipelineSpec) -> None:
    fast = provider(spec, "fast")
    openai, llama = fast.candidates
    assert (openai.accept, llama.accept) == (("PII",), ("PII", "PHI"))
    assert openai.price is not None
    assert openai.price.ktoken_in_microusd == 2500
    assert llama.guard is not None
    assert show(llama.guard) == 'session.region == "eu"'
    assert (fast.chunk_ns, fast.speakable_ns) == (300 * MS, 400 * MS)
    assert node(spec, "llm").chunk_ns == 300 * MS
    assert (fast.retry.times, fast.retry.backoff_ns) == (1, 50 * MS)
    # (500 ms - 2 candidates * 50 ms of backing off) / 4 attempts
    assert (fast.attempts, fast.first_chunk_ns) == (4, 100 * MS)
    assert fast.circuit is not None
    assert (fast.circuit.errors, fast.circuit.within_ns, fast.circuit.open_ns) == (3, 30 * S, 10 * S)
    assert fast.cap is not None
    assert (fast.cap.turn_ns, fast.cap.tokens_out, fast.cap.chars, fast.cap.cost_microusd) == (
        60 * S,
        500,
        4000,
        20_000,
    )
    assert provider(spec, "stt").candidates[0].accept == ("PII", "PHI")
    assert [one.id for one in spec.providers] == ["vad", "stt", "fast", "local", "tts"]


def test_policies(spec: PipelineSpec) -> None:
    (clinic,) = spec.policies
    (mask,) = clinic.nodes
    assert (mask.settings["classes"], mask.settings["action"]) == (("PHI",), "drop")
    assert [(one.node, one.target, one.target_port) for one in clinic.inserts] == [(mask.id, "llm", "prompt")]
    assert [one.id for one in clinic.edges] == [f"{mask.id}.text -> llm.prompt"]
    assert clinic.providers[0].candidates[0].name == "whisper"
    assert clinic.recording is not None
    assert (clinic.recording.level, clinic.recording.keep_ns) == ("L0", DAY)
