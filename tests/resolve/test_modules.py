"""resolve: modules are expanded, imports read, and their inside is their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from rspp_compiler.driver import Result, compile_pipeline
from rspp_compiler.ir.bound import Bound
from rspp_compiler.ir.context import Options

INTERPRET = """module interpret version "1.4.0" (heard : audio) -> (spoken : audio) {
  node ears  : vad { min_silence = 250ms }
  node voice : tts

  heard -> ears -> stt -> llm -> voice -> spoken { latency = 60ms }
  on ears.barge_in -> cancel turn
  budget { llm = 700ms }
}
"""
HALL = """pipeline hall {
  node echo : interpret { llm.system = "Repeat.", ears.min_silence = 400ms }

  ingress.audio -> echo -> egress.audio { commit_point }
  on echo.ears.idle -> end session
}
"""


def compiled(folder: Path, text: str, until: str = "resolve", **files: str) -> Result:
    for name, content in files.items():
        path = folder / "lib" / f"{name}.rspp"
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
    path = folder / "hall.rspp"
    path.write_text(text, encoding="utf-8")
    return compile_pipeline([path], Options(until=until))


def bound(result: Result) -> Bound:
    assert result.diagnostics == (), [f"{found.code} {found.message}" for found in result.diagnostics]
    made: Bound = result.values["resolve"]
    return made


def codes(result: Result) -> list[str]:
    return [found.code for found in result.diagnostics]


@pytest.mark.parametrize("where", ["same file", "imported"])
def test_a_module_is_expanded_where_it_is_used(tmp_path: Path, where: str) -> None:
    if where == "imported":
        made = bound(compiled(tmp_path, f'import interpret from "lib/talk.rspp"\n{HALL}', talk=INTERPRET))
    else:
        made = bound(compiled(tmp_path, INTERPRET + HALL))
    assert [node.id for node in made.nodes if not node.implicit] == ["echo.ears", "echo.voice"]
    assert {edge.id for edge in made.edges} == {
        "ingress.audio -> echo.ears.audio",
        "echo.ears.speech -> echo.stt.audio",
        "echo.stt.utterance -> echo.llm.prompt",
        "echo.llm.delta -> echo.voice.text",
        "echo.voice.audio -> egress.audio",
    }
    assert [(reaction.events[0].subject, reaction.verb) for reaction in made.reactions] == [
        ("echo.ears", "cancel_turn"),
        ("echo.ears", "end_session"),
    ]
    assert [setting.key.text for setting in made.budget] == ["echo.llm"]


def test_settings_from_outside_win(tmp_path: Path) -> None:
    made = bound(compiled(tmp_path, INTERPRET + HALL))
    ears = next(node for node in made.nodes if node.id == "echo.ears")
    assert [setting.value.number for setting in ears.settings] == ["400"]  # type: ignore[union-attr]
    out = next(edge for edge in made.edges if edge.target.node.id == "egress")
    assert [setting.key.text for setting in out.settings] == ["latency", "commit_point"]
    assert out.span.line > INTERPRET.count("\n"), "the place of a joined flow is that of the outer one"


def test_modules_in_modules(tmp_path: Path) -> None:
    depth = 100
    inner = "module m0 (a : audio) -> (b : audio) { a -> vad -> b }\n"
    for level in range(1, depth):
        inner += f"module m{level} (a : audio) -> (b : audio) {{\n  node in : m{level - 1}\n  a -> in -> b\n}}\n"
    text = f"{inner}pipeline p {{\n  node ears : m{depth - 1}\n"
    made = bound(compiled(tmp_path, f"{text}  ingress.audio -> ears -> stt -> llm -> tts -> egress.audio\n}}\n"))
    (vad,) = (node for node in made.nodes if node.kind == "vad")
    assert vad.id == "ears." + "in." * (depth - 1) + "vad"
    assert {edge.id for edge in made.edges} >= {f"ingress.audio -> {vad.id}.audio", f"{vad.id}.speech -> stt.audio"}


def test_one_port_feeds_several_nodes_with_the_guards_of_both_arrows(tmp_path: Path) -> None:
    module = """module split (words : text) -> (seen : text) {
  node long  : tap
  words -> long when event.words > 3
  words -> seen
}
"""
    text = """pipeline hall {
  node parts : split
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
  stt.partial   -> parts when event.confidence >= 0.5
  parts         -> tap
}
"""
    made = bound(compiled(tmp_path, module + text))
    from rspp_compiler.ir.condition import show

    guards = {edge.id: show(edge.guard) for edge in made.edges if edge.guard}
    assert guards == {
        "stt.partial -> parts.long.in": "event.confidence >= 0.5 and event.words > 3",
        "stt.partial -> tap.in": "event.confidence >= 0.5",
    }


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("node echo : interpret { vioce.rate = 120 }", "E0203"),
        ("node echo : interpret { rate = 120 }", "E0301"),
        ("node echo : interpret, stt.partial -> echo.ears", "E0205"),
        ("node echo : interpret", "E0215"),
        ("node echo : interpret, ingress.audio -> echo, on echo.idle -> end session", "E0206"),
    ],
)
def test_what_a_module_does_not_offer(tmp_path: Path, line: str, code: str) -> None:
    text = f"pipeline hall {{\n  {line}\n  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio\n}}\n"
    assert code in codes(compiled(tmp_path, INTERPRET + text))


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('import interpret from "lib/tlak.rspp"', "E0218"),
        ('import interpet from "lib/talk.rspp"', "E0219"),
        ('import interpret from "lib/talk.rspp" version "2.0.0"', "E0220"),
        ('import interpret from "lib/talk.rspp" version "1.5"', "E0220"),
        ('import interpret from "lib/talk.rspp" version "1.4.1"', "E0220"),
        ('import interpret from "lib/talk.rspp"\nimport interpret from "lib/talk.rspp"', "E0202"),
    ],
)
def test_imports_that_do_not_work(tmp_path: Path, line: str, code: str) -> None:
    assert codes(compiled(tmp_path, f"{line}\n{HALL}", talk=INTERPRET)) == [code]


@pytest.mark.parametrize("version", ["1.4.0", "1.0", "1.3.9", "1"])
def test_an_older_version_of_the_same_line_is_served(tmp_path: Path, version: str) -> None:
    line = f'import interpret from "lib/talk.rspp" version "{version}"'
    assert codes(compiled(tmp_path, f"{line}\n{HALL}", talk=INTERPRET)) == []


def test_files_in_a_circle(tmp_path: Path) -> None:
    a = f'import other from "b.rspp"\n{INTERPRET}'
    b = 'import interpret from "a.rspp"\nmodule other (a : audio) -> (b : audio) { a -> vad -> b }\n'
    result = compiled(tmp_path, f'import interpret from "lib/a.rspp"\n{HALL}', a=a, b=b)
    assert codes(result) == ["E0217"]
    assert result.diagnostics[0].message == "files import each other: a.rspp -> b.rspp -> a.rspp"


def test_names_of_a_library_stay_in_it(tmp_path: Path) -> None:
    """`helper` is used inside the library, and means nothing in the pipeline."""
    library = (
        f"module helper (a : audio) -> (b : audio) {{ a -> vad -> b }}\n{INTERPRET.replace(': vad {', ': helper {')}"
    )
    library = library.replace("{ min_silence = 250ms }", "{ vad.min_silence = 250ms }").replace(
        "on ears.barge_in", "on ears.vad.barge_in"
    )
    text = f'import interpret from "lib/talk.rspp"\n{HALL}'.replace("ears.min_silence", "ears.vad.min_silence")
    text = text.replace("echo.ears.idle", "echo.ears.vad.idle")
    made = bound(compiled(tmp_path, text, talk=library))
    assert "echo.ears.vad" in {node.id for node in made.nodes}
    outside = text.replace("\n  ingress", "\n  node extra : helper\n  ingress", 1)
    assert codes(compiled(tmp_path, outside, talk=library)) == ["E0204"]


def test_a_finding_inside_of_a_library_shows_its_line(tmp_path: Path) -> None:
    broken = INTERPRET.replace("node voice : tts", "node voice : tss")
    result = compiled(tmp_path, f'import interpret from "lib/talk.rspp"\n{HALL}', talk=broken)
    assert codes(result) == ["E0204"]
    assert result.diagnostics[0].primary.file.endswith("lib/talk.rspp")
