"""Files in another encoding: the fix writes in UTF-8 what they mean, where that can be told."""

from __future__ import annotations

from pathlib import Path

import pytest

from rspp_compiler.diagnostics import Diagnostic
from rspp_compiler.diagnostics.fixes import apply
from rspp_compiler.diagnostics.render import render
from rspp_compiler.ir.context import Context
from rspp_compiler.syntax.load import load

TEXT = 'pipeline café {\n  # "grüße", naïve – 25 €\n}\n'


def found(data: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Diagnostic, str]:
    """The only finding of a file, and how it is printed."""
    monkeypatch.chdir(folder)
    Path("a.rspp").write_bytes(data)
    ctx = Context()
    assert load([Path("a.rspp")], ctx) is None
    (one,) = ctx.sink.diagnostics
    return one, render([one], ctx.sources)


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode("cp1252"),
        b"\xef\xbb\xbf" + TEXT.encode("cp1252"),
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.replace("é", "\0é\0").replace("\n", "\0\n").encode(),
    ],
)
def test_the_fix_writes_it_in_utf8(data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = found(data, tmp_path, monkeypatch)
    assert one.fix is not None
    fixed = apply(data.decode("utf-8", "surrogateescape"), [one.fix])
    assert fixed.removeprefix("\ufeff") == TEXT


def test_half_of_it_may_be_utf8_already(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = "# größe\n".encode() + "# grüße \ufffd".encode() + b"\xe9\n"
    one, text = found(data, tmp_path, monkeypatch)
    assert (one.primary.line, one.primary.column, one.primary.start) == (2, 10, 23)
    assert one.fix is not None
    assert apply(data.decode("utf-8", "surrogateescape"), [one.fix]) == "# größe\n# grüße \ufffdé\n"
    assert "it is probably `é`, as Windows writes it" in text


@pytest.mark.parametrize("data", [b"pipeline \x81 {}", b"pipeline \x9d {}", "日本".encode("shift-jis") + b"\x81"])
def test_what_cannot_be_told_is_left_alone(data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = found(data, tmp_path, monkeypatch)
    assert one.code == "E0102"
    assert one.fix is None


def test_megabytes_of_it_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, text = found(("é" * 3_000_000).encode("latin-1"), tmp_path, monkeypatch)
    assert one.fix is not None
    assert len(one.fix.edits) == 1000
    assert len(text) < 2000


def test_an_empty_file_gets_a_pipeline_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, pipeline in (("front-desk.rspp", "front_desk"), ("class.rspp", "hello"), ("1.rspp", "hello")):
        (tmp_path / name).write_text("# soon", encoding="utf-8")
        ctx = Context()
        load([tmp_path / name], ctx)
        (one,) = ctx.sink.diagnostics
        assert one.fix is not None
        assert apply("# soon", [one.fix]).startswith(f"# soon\npipeline {pipeline} {{\n")
