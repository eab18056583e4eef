"""`rspp.toml` and `pyproject.toml`: which rules a project wants; and what is wrong there, with its place."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import pytest

from linting import codes, lint
from rspp_compiler.ir.context import Context
from rspp_compiler.lint.settings import Settings, settings

BAD = "pipeline talk {\n  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio\n}\n"  # W0101 W0301 W0401


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        ("", ["W0101", "W0301", "W0401"]),
        ('select = ["W"]', ["W0101", "W0301", "W0401"]),
        ('select = ["W03", "W0401"]', ["W0301", "W0401"]),
        ('ignore = ["W01"]', ["W0301", "W0401"]),
        ('ignore = ["W"]\nselect = ["W0301"]', ["W0301"]),
        ('select = ["W03"]\nignore = ["W0301"]', []),
        ('select = ["W0301"]\nignore = ["W0301"]', []),
        ("select = []", []),
        ('ignore = ["E0909"]', ["W0101", "W0301", "W0401"]),
    ],
)
def test_the_longest_prefix_decides(lines: str, left: list[str]) -> None:
    assert codes(BAD, **{"rspp.toml": f"[lint]\n{lines}\n"}) == left
    assert codes(BAD, **{"pyproject.toml": f"[tool.rsppc.lint]\n{lines}\n"}) == left


def test_a_project_that_says_nothing_wants_everything() -> None:
    assert codes(BAD, **{"pyproject.toml": '[project]\nname = "x"\n', "rspp.toml": "[other]\n"}) == codes(BAD)


def test_the_nearest_file_that_speaks_of_lint() -> None:
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        inner = Path("a/b")
        inner.mkdir(parents=True)
        Path("rspp.toml").write_text('[lint]\nignore = ["W01"]\n', encoding="utf-8")
        Path("a/pyproject.toml").write_text('[tool.rsppc.lint]\nignore = ["W02"]\n', encoding="utf-8")
        Path("a/b/pyproject.toml").write_text("[project]\n", encoding="utf-8")
        assert settings("a/b/x.rspp", Context()) == Settings(ignore=("W02",))
        assert settings("x.rspp", Context()) == Settings(ignore=("W01",))


@pytest.mark.parametrize(
    ("text", "code", "line", "column", "message"),
    [
        ('[lint]\nignore = ["W0101", "W9999"]\n', "E0192", 2, 21, "no warning has the code `W9999`"),
        ('[lint]\nselect = ["E0203"]\n', "E0192", 2, 12, "no warning has the code `E0203`"),
        ('[lint]\nselect = [""]\n', "E0192", 2, 12, "no warning has the code ``"),
        ("[lint]\nselect = 3\n", "E0191", 2, 1, "`select` takes a list of codes"),
        ("[lint]\n  ignore = [3]\n", "E0191", 2, 3, "`ignore` takes a list of codes"),
        ("[lint]\nselekt = []\n", "E0191", 2, 1, "`lint` has no setting `selekt`"),
        ("# x\nlint = 3\n", "E0191", 2, 1, "`lint` is a table"),
        ("[lint]\nselect = [\n", "E0191", 2, 11, "rspp.toml is no TOML: "),
        ("[lint\n", "E0191", 1, 6, "rspp.toml is no TOML: "),
    ],
)
def test_what_is_wrong_is_shown_where_it_stands(text: str, code: str, line: int, column: int, message: str) -> None:
    (found,) = [one for one in lint(BAD, errors=True, **{"rspp.toml": text}) if one.severity == "error"]
    assert found.code == code
    assert found.message.startswith(message)
    assert (found.primary.file, found.primary.line, found.primary.column) == ("rspp.toml", line, column)


def test_settings_that_cannot_be_read() -> None:
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("rspp.toml").write_bytes(b"\xff")
        ctx = Context()
        assert settings("x.rspp", ctx) == Settings()
        assert [found.message for found in ctx.sink.diagnostics] == ["cannot read rspp.toml: it is not UTF-8"]


REMOTE = 'provider llm { use openai { model = "m", api_key = secret("env://KEY") }, use scripted }\n'


def test_warnings_of_the_compiler_are_wanted_too_unless_they_are_ignored() -> None:
    text = BAD.replace("pipeline talk", 'pipeline talk version "1.0.0"') + REMOTE
    found = ["W0301", "W0401", "E0909"]
    assert codes(text, until="resolve") == found
    assert codes(text, until="resolve", **{"rspp.toml": '[lint]\nselect = ["W"]\n'}) == found[:2]
    assert codes(text, until="resolve", **{"rspp.toml": '[lint]\nignore = ["E0909"]\n'}) == found[:2]
