"""`rsppc lint`: exit codes, formats, `--fix`; and that no file is too broken for it."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rspp_compiler.cli.app import app
from rspp_compiler.driver import lint_pipeline
from rspp_compiler.ir.context import Context, Options

CORPUS = Path(__file__).parents[1] / "corpus"
HELLO = "pipeline hello {\n  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio\n}\n"
CAREFUL = """pipeline hello version "0.1.0" {
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
  node sorry : say { text = "Sorry, could you say that again?" }
  on llm.timeout or error -> sorry -> tts
  on vad.barge_in -> cancel turn
}
"""


def lint(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["lint", *arguments])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hello.rspp").write_text(HELLO, encoding="utf-8")
    (tmp_path / "careful.rspp").write_text(CAREFUL, encoding="utf-8")
    return tmp_path


def test_exit_codes(folder: Path) -> None:
    clean = lint("careful.rspp")
    assert (clean.exit_code, clean.output) == (0, "")
    found = lint("careful.rspp", "hello.rspp")
    assert found.exit_code == 1
    assert found.output.endswith("3 warnings\n")
    assert lint("no.rspp").exit_code == 2
    assert lint().exit_code == 2


@pytest.mark.parametrize("format", ["json", "sarif", "github"])
def test_formats(folder: Path, format: str) -> None:
    done = lint("hello.rspp", "--error-format", format)
    assert done.exit_code == 1
    assert all(code in done.output for code in ("W0101", "W0301", "W0401"))
    if format != "github":
        json.loads(done.output)


def test_fix_leaves_nothing_to_say(folder: Path) -> None:
    done = lint("hello.rspp", "--fix")
    assert done.exit_code == 0
    assert (folder / "hello.rspp").read_text(encoding="utf-8") == CAREFUL
    assert done.output.startswith("fixed hello.rspp\n1 - pipeline hello {\n1 + pipeline hello version")


def test_fix_reaches_the_settings_too(folder: Path) -> None:
    settings = folder / "rspp.toml"
    settings.write_text('[lint]\nignroe = ["W01", "W03", "W0401"]\n', encoding="utf-8")
    lint("hello.rspp", "--fix")
    assert settings.read_text(encoding="utf-8") == '[lint]\nignore = ["W01", "W03", "W0401"]\n'


def test_settings_are_named_once_for_many_files(folder: Path) -> None:
    (folder / "rspp.toml").write_text("[lint]\nother = 1\n", encoding="utf-8")
    assert lint("careful.rspp", "hello.rspp").output.count("error[E0191]") == 1


def test_nothing_is_too_broken(folder: Path) -> None:
    """The corpus of mistakes, and two hundred damaged files: words left out, doubled, put elsewhere."""
    files = sorted(CORPUS.rglob("*.rspp"))
    assert len(files) >= 25
    texts = [file.read_text(encoding="utf-8") for file in files]
    choose = random.Random(3)
    for _ in range(200):
        words = re.findall(r"\s+|\w+|\W", choose.choice(texts))
        at, to = choose.randrange(len(words)), choose.randrange(len(words))
        words[at:to] = choose.choice(([], words[at:to] * 2, words[at:to][::-1]))
        texts.append("".join(words))
    for text in texts:
        (folder / "broken.rspp").write_text(text, encoding="utf-8")
        result = lint_pipeline([Path("broken.rspp")], Context(options=Options(until="link")))
        assert all(span.file == "broken.rspp" for span in (found.primary for found in result.diagnostics))
