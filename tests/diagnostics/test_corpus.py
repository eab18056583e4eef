"""A corpus of mistakes, one a file, and what the compiler says to each: read the goldens as prose."""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from rspp_compiler.diagnostics.render import render
from rspp_compiler.driver import Result, compile_pipeline
from rspp_compiler.ir.context import Options

BAD = Path(__file__).parents[1] / "corpus" / "bad"
CASES = sorted(path.stem for path in BAD.glob("*.rspp"))


class TextFile(SingleFileSnapshotExtension):
    _write_mode = WriteMode.TEXT
    file_extension = "txt"


def check(name: str, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.chdir(BAD)
    return compile_pipeline([Path(f"{name}.rspp")], Options(until="validate"))


@pytest.mark.parametrize("name", CASES)
def test_golden(name: str, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch) -> None:
    result = check(name, monkeypatch)
    assert not result.ok
    assert render(result.diagnostics, result.context.sources) == snapshot(extension_class=TextFile, name=name)


def test_corpus_is_not_small() -> None:
    assert len(CASES) >= 25


@pytest.mark.feature("NF-015", "clear")
def test_ten_mistakes_are_ten_diagnostics(monkeypatch: pytest.MonkeyPatch) -> None:
    found = check("ten_mistakes", monkeypatch).diagnostics
    assert len(found) == 10
    assert len({one.primary.line for one in found}) == 10
    assert len({one.message for one in found}) == 10


@pytest.mark.parametrize("name", CASES)
def test_spans_lie_in_the_file(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    size = (BAD / f"{name}.rspp").stat().st_size
    for found in check(name, monkeypatch).diagnostics:
        for span in (found.primary, *(span for span, _ in found.secondary)):
            assert 0 <= span.start <= span.end <= size
