"""load: what is no text is said once, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from rspp_compiler.diagnostics import Diagnostic
from rspp_compiler.ir.context import Context
from rspp_compiler.source import Source
from rspp_compiler.syntax.load import load


def load_bytes(folder: Path, data: bytes) -> tuple[Source | None, tuple[Diagnostic, ...]]:
    path = folder / "a.rspp"
    path.write_bytes(data)
    ctx = Context()
    sources = load([path], ctx)
    return (sources[0] if sources else None), ctx.sink.diagnostics


@pytest.mark.parametrize(
    ("data", "code", "line", "column", "offset"),
    [
        (b"", "E0104", 1, 1, 0),
        (b"\xef\xbb\xbf", "E0104", 1, 1, 3),
        (b"# only a comment\n", "E0104", 1, 1, 0),
        (b"pipeline a {\n\x00}", "E0103", 2, 1, 13),
        ("pipeline a {\n é\u202e}".encode(), "E0103", 2, 3, 16),
        (b"pipeline caf\xe9 {}", "E0102", 1, 13, 12),
        ("é\n".encode() + b"\xff", "E0102", 2, 1, 3),
    ],
)
def test_what_is_no_text(tmp_path: Path, data: bytes, code: str, line: int, column: int, offset: int) -> None:
    source, found = load_bytes(tmp_path, data)
    assert source is None
    assert [one.code for one in found] == [code]
    assert (found[0].primary.line, found[0].primary.column, found[0].primary.start) == (line, column, offset)


def test_too_large(tmp_path: Path) -> None:
    source, found = load_bytes(tmp_path, b"#" * (4 * 1024 * 1024 + 1))
    assert source is None
    assert [one.code for one in found] == ["E0106"]


def test_a_device_without_an_end() -> None:
    ctx = Context()
    assert load([Path("/dev/zero")], ctx) is None
    assert [one.code for one in ctx.sink.diagnostics] == ["E0106"]


@pytest.mark.parametrize("name", ["missing.rspp", "folder"])
def test_unreadable(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    ctx = Context()
    assert load([tmp_path / name], ctx) is None
    assert [one.code for one in ctx.sink.diagnostics] == ["E0101"]


def test_an_overlay_stands_in_for_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.rspp"
    path.write_text("pipeline saved {}", encoding="utf-8")
    missing = tmp_path / "new.rspp"
    ctx = Context(overlays={path.as_posix(): "pipeline unsaved {}", missing.as_posix(): "pipeline new {}"})
    sources = load([path, missing], ctx)
    assert sources is not None
    assert [source.text for source in sources] == ["pipeline unsaved {}", "pipeline new {}"]
    assert ctx.sources[missing.as_posix()] is sources[1]
    assert ctx.sink.diagnostics == ()


def test_an_overlay_is_checked_like_a_file() -> None:
    ctx = Context(overlays={"a.rspp": "pipeline \ud800 {}", "b.rspp": "pipeline b {\0}", "c.rspp": ""})
    assert load([Path(name) for name in sorted(ctx.overlays)], ctx) is None
    assert [found.code for found in ctx.sink.diagnostics] == ["E0102", "E0103", "E0104"]


def test_spans_are_exact_to_the_byte(tmp_path: Path) -> None:
    """Behind a byte order mark, CRLF, tabs, wide characters and emoji."""
    data = b"\xef\xbb\xbf" + "a {\r\n\t日本 👋🏽 x\r\n}".encode()
    source, _ = load_bytes(tmp_path, data)
    assert source is not None
    at = source.text.index("x")
    span = source.span(at, at + 1)
    assert data[span.start : span.end] == b"x"
    assert (span.line, span.column) == (2, 8)  # tab, two characters, blank, two code points, blank
    assert source.line(2) == "\t日本 👋🏽 x"
    assert source.offset(*source.position(at)) == at
