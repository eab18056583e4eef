"""What the documents show is executed: every pipeline on a page compiles without a finding."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rspp_compiler.cli.app import app
from rspp_compiler.driver import compile_pipeline
from rspp_compiler.ir.context import Options

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md")])
HELLO = ROOT / "pipelines" / "hello.rspp"
EXAMPLE = re.compile(r"^```rspp\n(.*?)^```", re.MULTILINE | re.DOTALL)


def examples() -> list[pytest.param]:
    found = []
    for page in PAGES:
        for number, match in enumerate(EXAMPLE.finditer(page.read_text(encoding="utf-8")), start=1):
            found.append(pytest.param(match[1], id=f"{page.name}-{number}"))
    return found


def test_the_language_page_has_examples() -> None:
    assert sum("language.md" in example.id for example in examples()) >= 5


@pytest.mark.parametrize("text", examples())
def test_an_example_compiles_without_a_finding(text: str, tmp_path: Path) -> None:
    """An example without a pipeline of its own is read together with `hello`, beside the shipped dialogues."""
    shutil.copytree(ROOT / "pipelines" / "dialogues", tmp_path / "dialogues")
    path = tmp_path / "example.rspp"
    whole = text if "pipeline " in text else f"{HELLO.read_text(encoding='utf-8')}\n{text}"
    path.write_text(whole, encoding="utf-8")
    result = compile_pipeline([path], Options(until="freeze"))
    assert [f"{found.code} {found.message}" for found in result.diagnostics] == []
    assert result.stage("plan") is not None


CONCIERGE = """\
pipeline concierge version "1.0.0" {
  profile simple/v1

  node ears  : vad
  node voice : tts

  ingress.audio -> ears -> stt
  stt -> llm -> voice -> egress.audio

  on ears.barge_in -> cancel turn
  budget { turn = 1500ms, llm = 900ms }
}
"""
SESSION = re.compile(r"^```text\n\$ rsppc check concierge.rspp\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_diagnostic_in_the_readme_is_what_the_compiler_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("concierge.rspp").write_text(CONCIERGE, encoding="utf-8")
    result = CliRunner().invoke(app, ["check", "concierge.rspp"])
    shown = SESSION.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert shown is not None
    assert result.exit_code == 1
    assert result.output.strip() == shown[1].strip()
