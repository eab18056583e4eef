"""resolve: names are bound, bare kinds declare nodes, and unknown names come with a guess."""

from __future__ import annotations

from pathlib import Path

import pytest

from rspp_compiler.diagnostics import Diagnostic
from rspp_compiler.driver import compile_pipeline
from rspp_compiler.ir.bound import Bound
from rspp_compiler.ir.context import Options

FLOW = "ingress.audio -> vad -> stt -> llm -> tts -> egress.audio"


def resolve(folder: Path, *lines: str, after: str = "") -> tuple[Bound | None, tuple[Diagnostic, ...]]:
    file = folder / "a.rspp"
    body = "\n".join(f"  {line}" for line in lines)
    file.write_text(f"pipeline a {{\n{body}\n}}\n{after}\n", encoding="utf-8")
    result = compile_pipeline([file], Options(until="resolve"))
    return result.values.get("resolve"), result.diagnostics


def test_bare_kinds_declare_nodes_and_main_ports_are_used(tmp_path: Path) -> None:
    bound, found = resolve(tmp_path, FLOW)
    assert found == ()
    assert bound is not None
    assert [edge.id for edge in bound.edges] == [
        "ingress.audio -> vad.audio",
        "vad.speech -> stt.audio",
        "stt.utterance -> llm.prompt",
        "llm.delta -> tts.text",
        "tts.audio -> egress.audio",
    ]
    assert [(node.id, node.implicit) for node in bound.nodes] == [
        (id, True) for id in ("ingress", "vad", "stt", "llm", "tts", "egress")
    ]
    assert bound.is_intact


def test_bare_event_keeps_the_subject_to_its_left(tmp_path: Path) -> None:
    say = 'node sorry : say { text = "Sorry?" }'
    bound, found = resolve(tmp_path, FLOW, say, "on llm.timeout or error or stt.error -> sorry -> tts")
    assert found == ()
    assert bound is not None
    (reaction,) = bound.reactions
    assert [(event.subject, event.event) for event in reaction.events] == [
        ("llm", "timeout"),
        ("llm", "error"),
        ("stt", "error"),
    ]
    assert reaction.trigger is not None
    assert reaction.trigger.node.id == "sorry"
    assert [edge.id for edge in reaction.path] == ["sorry.text -> tts.text"]


def test_custom_node(tmp_path: Path) -> None:
    node = 'node shout (a : text, b : audio(8kHz, mono, s16le)) -> (c : text(PII)) : python("words.loud:Shout")'
    bound, found = resolve(tmp_path, FLOW, node, "llm.final -> shout")
    assert found == ()
    assert bound is not None
    shout = next(one for one in bound.nodes if one.id == "shout")
    assert shout.implementation == "words.loud:Shout"
    assert [(port.name, port.type, port.main) for port in shout.inputs] == [("a", "text", True), ("b", "audio", False)]
    assert str(shout.inputs[1].audio) == "audio(8kHz, mono, s16le)"
    assert shout.outputs[0].payload_class == "PII"


@pytest.mark.parametrize(
    ("line", "code", "help"),
    [
        ("stt -> lm", "E0203", "did you mean `llm`?"),
        ("node ears : vda", "E0204", "did you mean `vad`?"),
        ("stt.partal -> tap", "E0205", "did you mean `partial`?"),
        ("vad.idle -> tap", "E0205", "`idle` is an event: `on vad.idle -> …`"),
        ("on vad.bargein -> cancel turn", "E0206", "did you mean `barge_in`?"),
        ("on vad.idle -> degrade quiet", "E0207", "declare it: `mode quiet { off = [NODE] }`"),
        ("profile simpl/v1", "E0209", "there is `simple/v1`"),
        ("stt -> llm.final", "E0212", "right of an arrow stands an input"),
        ("stt -> egress", "E0214", "write `egress.audio`, `egress.text` or `egress.ambient`"),
        ("on vad.idle -> cancell turn", "E0802", "did you mean `cancel`?"),
        ("on vad.idle -> end turn", "E0803", "did you mean `cancel turn`?"),
        ('node a (x : txt) -> (y : text) : python("m:C")', "E0307", "did you mean `text`?"),
        ('node a (x : text) -> (y : text) : python("m")', "E0309", 'write `python("package.module:Callable")`'),
    ],
)
def test_unknown_names_come_with_a_guess(tmp_path: Path, line: str, code: str, help: str) -> None:
    _, found = resolve(tmp_path, FLOW, line)
    assert [(one.code, one.help) for one in found] == [(code, help)]


@pytest.mark.feature("F-078", "refused")
@pytest.mark.parametrize("profile", ["simple/v2", "low_latency/v1", "telephony/v1", "quality/v3"])
def test_a_profile_that_does_not_exist_yet_is_refused_always_alike(tmp_path: Path, profile: str) -> None:
    for _ in range(2):
        _, (found,) = resolve(tmp_path, f"profile {profile}", FLOW)
        assert (found.code, found.severity, found.message) == ("E0209", "error", f"no profile `{profile}`")
        assert found.help == "there is `simple/v1`"
        assert found.fix is not None
        assert found.fix.replacement == "profile simple/v1"


@pytest.mark.parametrize(
    ("lines", "second"),
    [
        (["node a : tap", "node a : tap"], "a"),
        (["mode a { off = [tts] }", "mode a { off = [tts] }"], "a"),
        (["budget { turn = 2s }", "budget { turn = 3s }"], "budget { turn = 3s }"),
        (["stt -> tap", "stt -> tap"], "stt -> tap"),
    ],
)
def test_duplicates_show_both_places(tmp_path: Path, lines: list[str], second: str) -> None:
    _, found = resolve(tmp_path, FLOW, *lines)
    (one,) = found
    assert one.code == "E0202"
    assert one.primary.line == one.secondary[0][0].line + 1
    assert one.primary.end - one.primary.start == len(second)


def test_bare_kind_is_ambiguous_beside_a_declared_node(tmp_path: Path) -> None:
    _, found = resolve(tmp_path, "node ears : vad", FLOW)
    assert [(one.code, one.help) for one in found] == [("E0210", "did you mean `ears`?")]
    assert found[0].fix is not None
    assert found[0].fix.replacement == "ears"


@pytest.mark.parametrize("name", ["when", "node", "turn", "ingress"])
def test_reserved_names(tmp_path: Path, name: str) -> None:
    _, found = resolve(tmp_path, FLOW, f"node {name} : tap")
    assert [one.code for one in found] == ["E0201"]


def test_names_of_unreadable_lines_are_not_complained_about(tmp_path: Path) -> None:
    _, found = resolve(tmp_path, "node ears vad", FLOW.replace("vad", "ears"))
    assert [one.code for one in found] == ["E0110"]


def test_a_provider_that_an_installed_package_registers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name is known while the package is there, and its settings are its own business."""
    info = tmp_path / "parrot-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: parrot\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[rspp.providers]\nparrot = parrot:Parrot\n", encoding="utf-8")
    settings = 'delay = 20ms, loud, mood = calm, token = "sk-live-1"'
    text = f"pipeline a {{\n  {FLOW}\n}}\nprovider llm {{ use parrot {{ {settings} }} }}\n"
    good = text.replace(', token = "sk-live-1"', "")
    path = tmp_path / "example.rspp"
    path.write_text(good, encoding="utf-8")
    assert [found.code for found in compile_pipeline([path], Options(until="validate")).diagnostics] == ["E0208"]
    monkeypatch.syspath_prepend(str(tmp_path))
    result = compile_pipeline([path], Options(until="validate"))
    assert result.diagnostics == ()
    (llm,) = (one for one in result.values["validate"].providers if one.kind == "llm")
    assert llm.candidates[0].settings == {"delay_ns": 20_000_000, "loud": True, "mood": "calm"}
    path.write_text(text, encoding="utf-8")
    assert [found.code for found in compile_pipeline([path], Options(until="validate")).diagnostics] == ["E0308"]
