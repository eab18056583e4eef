"""The workspace: what cannot be read falls back, imports are followed, libraries are no pipelines; and navigation."""

from __future__ import annotations

from pathlib import Path

from lsprotocol import types

from lsp_desk import PATH, desk, place
from rspp_compiler.ir.context import Context
from rspp_compiler.lsp import colours, formatting, navigate
from rspp_compiler.lsp.workspace import Workspace

TEXT = """module m (heard : audio) -> (out : audio) {
  node gate : vad
  heard -> gate -> out
}
pipeline a {
  node voice : tts
  node find (q : text) -> (a : text) : python("kb.rag:Find")
  node hello : say { text = "🎙 hi" }
  ingress.audio -> m -> stt -> llm -> find -> voice -> egress.audio
  on llm.error -> hello -> voice
}
"""


def test_the_last_that_could_be_read_stands_in() -> None:
    """Brackets without end: nothing of the file can be read. Names that still stand where they stood are known."""
    own = desk(TEXT)
    before = own.reading(PATH)
    own.put(PATH, TEXT + "((((" * 40, 2)
    after = own.reading(PATH)
    assert before is not None
    assert after is not None
    assert (before.is_current, after.is_current) == (True, False)
    assert after.unread
    mention = navigate.mention_at(own, after, place(own, "-> ^voice -> egress"))
    assert mention is not None
    own.put(PATH, "# a line more\n" + TEXT + "((((" * 40, 3)
    moved = own.reading(PATH)
    assert moved is not None
    assert navigate.mention_at(own, moved, place(own, "-> ^voice -> egress")) is None


def test_a_large_text_is_not_read_for_every_request() -> None:
    own = desk(TEXT + "#" * 120_000)
    first = own.soon(PATH)
    own.put(PATH, TEXT.replace("voice", "speaker") + "#" * 120_000, 2)
    second = own.soon(PATH)
    assert first is not None
    assert second is not None
    assert second.index is first.index
    assert not second.is_current
    own.reading(PATH)
    third = own.soon(PATH)
    assert third is not None
    assert third.is_current


def test_imports_are_read_from_the_editor_or_the_disk(tmp_path: Path) -> None:
    module = "module on_disk (a : audio) -> (b : audio) { a -> vad -> b }\n"
    (tmp_path / "lib.rspp").write_text(module, encoding="utf-8")
    path = (tmp_path / "a.rspp").as_posix()
    library = (tmp_path / "lib.rspp").as_posix()
    own = Workspace()
    own.put(path, 'import on_disk from "lib.rspp"\npipeline a { ingress.audio -> on_disk -> stt }\n', 1)
    reading = own.reading(path)
    assert reading is not None
    assert [symbol.at.file for symbol in reading.index.symbols if symbol.sort == "module"] == [library]
    assert list(own.importers(library)) == [path]
    own.put(library, module.replace("on_disk", "other"), 1)
    again = own.reading(path)
    assert again is not None
    assert {symbol.name for symbol in again.index.symbols if symbol.sort == "module"} == {"other"}


def test_files_that_import_each_other_are_read_once(tmp_path: Path) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        text = f'import {other} from "{other}.rspp"\nmodule {one} (x : audio) -> (y : audio) {{ x -> vad -> y }}\n'
        (tmp_path / f"{one}.rspp").write_text(text, encoding="utf-8")
    reading = Workspace().reading((tmp_path / "a.rspp").as_posix())
    assert reading is not None
    assert len(reading.texts) == 2


def test_a_library_needs_no_pipeline() -> None:
    own = desk('module m version "1.0.0" (a : audio) -> (b : audio) {\n  a -> vad -> b\n}\n')
    assert [one.code for one in own.compile(PATH).result.diagnostics if one.severity == "error"] == []


def test_the_outline_is_a_tree() -> None:
    own = desk(TEXT)
    reading = own.reading(PATH)
    assert reading is not None
    outline = navigate.outline(reading)
    assert [(one.name, [inner.name for inner in one.children or ()]) for one in outline] == [
        ("m", ["heard", "out", "gate"]),
        ("a", ["voice", "find", "hello"]),
    ]
    find = (outline[1].children or ())[1]
    assert (find.detail, [port.name for port in find.children or ()]) == ("node : python", ["q", "a"])


def test_highlights_tell_writing_from_reading() -> None:
    own = desk(TEXT)
    reading = own.reading(PATH)
    assert reading is not None
    marks = navigate.highlights(reading, navigate.mention_at(own, reading, place(own, "node ^voice")))
    assert [mark.kind for mark in marks] == [types.DocumentHighlightKind.Write, *[types.DocumentHighlightKind.Read] * 2]


def test_definition_leads_to_files(tmp_path: Path) -> None:
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "rag.py").write_text("import x\n\n\nclass Find:\n    pass\n", encoding="utf-8")
    (tmp_path / "prompt.md").write_text("Be brief.\n", encoding="utf-8")
    path = (tmp_path / "a.rspp").as_posix()
    text = TEXT.replace('text = "🎙 hi"', 'text = file("prompt.md")')
    own = Workspace()
    own.put(path, text, 1)
    reading = own.reading(path)
    assert reading is not None
    positions = own.text(path).positions
    (found,) = navigate.definition(own, reading, positions.position(text.index("kb.rag:Find")))
    assert found.uri == (tmp_path / "kb" / "rag.py").as_uri()
    assert found.range == types.Range(types.Position(3, 6), types.Position(3, 10))
    (found,) = navigate.definition(own, reading, positions.position(text.index("prompt.md")))
    assert found.uri == (tmp_path / "prompt.md").as_uri()


def test_tokens_are_counted_from_one_to_the_next() -> None:
    own = desk(TEXT)
    reading = own.reading(PATH)
    assert reading is not None
    data = colours.tokens(reading).data
    line = column = 0
    names = []
    for lines, columns, length, kind, modifiers in zip(*[iter(data)] * 5, strict=True):
        column = columns if lines else column + columns
        line += lines
        names.append((TEXT.split("\n")[line][column : column + length], colours.LEGEND.token_types[kind], modifiers))
    assert names[:3] == [("m", "namespace", 1), ("heard", "property", 1), ("audio", "type", 2)]
    assert ("voice", "variable", 0) in names


def test_formatting_changes_only_lines_that_differ() -> None:
    own = desk(TEXT)
    (edit,) = formatting.edits(own.text(PATH))
    canonical = formatting.format_source(own.text(PATH).source, Context(sources={PATH: own.text(PATH).source}))
    positions = own.text(PATH).positions
    start, end = positions.offset(edit.range.start), positions.offset(edit.range.end)
    assert TEXT[:start] + edit.new_text + TEXT[end:] == canonical
    assert formatting.edits(desk(canonical or "").text(PATH)) == []
    assert formatting.edits(desk("pipeline a {\n  -> \n}").text(PATH)) == []


def test_what_lies_in_the_folders_is_bounded(tmp_path: Path) -> None:
    for folder in ("a", ".hidden", "node_modules"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.rspp").write_text('import y from "y.rspp"\n', encoding="utf-8")
    own = Workspace(folders=[tmp_path.as_posix()])
    own.put(PATH, TEXT, 1)
    reading = own.everywhere(PATH)
    assert reading is not None
    assert sorted(Path(name).parent.name for name in reading.texts) == ["a", "a", "p"]
