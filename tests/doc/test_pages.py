"""rsppc doc: the page of a pipeline and the reference of the language, as goldens; and that they leave nothing out."""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from typer.testing import CliRunner

from pipelines import NAMES, ROOT, golden, shipped
from rspp_compiler.cli.app import app
from rspp_compiler.diagnostics.catalog import CODES
from rspp_compiler.sema.language.engines import ENGINES
from rspp_compiler.sema.language.kinds import KINDS, NODE_KINDS

RUN = CliRunner()


@pytest.mark.parametrize("name", NAMES)
def test_shipped_pipelines(name: str, snapshot: SnapshotAssertion) -> None:
    done = RUN.invoke(app, ["doc", str(shipped(name))])
    assert done.exit_code == 0
    assert done.stdout == snapshot(name=name, extension_class=golden("md"))


def test_the_reference_in_docs_is_what_the_command_writes() -> None:
    """Written anew by `rsppc doc --language -o docs/reference.md`."""
    written = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert RUN.invoke(app, ["doc", "--language"]).stdout == written


def test_the_reference_leaves_nothing_out() -> None:
    text = RUN.invoke(app, ["doc", "--language"]).stdout
    for kind in NODE_KINDS:
        assert f"### `{kind}`\n" in text
        for setting in KINDS[kind].settings:
            assert f"| `{setting.name}` |" in text
    for code in CODES:
        assert f"| `{code}` |" in text
    for _, name in ENGINES:
        assert f"| `{name}` |" in text


@pytest.mark.parametrize("arguments", [[], ["pipelines/hello.rspp", "--language"]])
def test_one_or_the_other(arguments: list[str]) -> None:
    assert RUN.invoke(app, ["doc", *arguments]).exit_code == 2


def test_a_pipeline_with_mistakes_has_no_page(tmp_path: Path) -> None:
    path = tmp_path / "a.rspp"
    path.write_text("pipeline a { ingress.audio -> vda }\n", encoding="utf-8")
    done = RUN.invoke(app, ["doc", str(path)])
    assert done.exit_code == 1
    assert "E0203" in done.output
    assert "# a" not in done.stdout


def test_texts_cannot_break_a_table(tmp_path: Path) -> None:
    path = tmp_path / "a.rspp"
    text = 'node sorry : say { text = "a | b" }\n  on llm.error -> sorry -> tts'
    path.write_text(f"pipeline a {{\n  {text}\n  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio\n}}\n")
    assert '`text = "a \\| b"`' in RUN.invoke(app, ["doc", str(path)]).stdout
