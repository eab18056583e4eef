"""`docs/diagnostics.md` is executed: its files are written, its commands run in order, their output compared."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rspp_compiler.cli.app import app
from rspp_compiler.diagnostics.catalog import CODES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "diagnostics.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(?:(?:rspp|toml) (\S+)|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_session_prints_what_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sessions = 0
    for name, text in FENCE.findall(PAGE):
        if name:
            Path(name).write_text(text, encoding="utf-8")
            continue
        command, shown = text.split("\n", 1)
        assert command.startswith("$ rsppc ")
        said = CliRunner().invoke(app, command.split()[2:]).output
        exact, is_cut, _ = shown.partition("…")  # figures that change with the compiler are left out
        assert said.startswith(exact) if is_cut else said == shown, said
        sessions += 1
    assert sessions >= 5


def test_the_table_lists_every_rule() -> None:
    rows = re.findall(r"^\| (W\d{4}) \| (.*) \|$", PAGE, re.MULTILINE)
    assert rows == [(code, CODES[code].title) for code in CODES if code.startswith("W")]
