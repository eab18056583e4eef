"""Rename: every place, in every file; and the reasons why not."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol.types import TextDocumentEdit, TextEdit, WorkspaceEdit

from lsp_desk import PATH, desk, place
from rspp_compiler.lsp.navigate import mention_at
from rspp_compiler.lsp.positions import Positions
from rspp_compiler.lsp.rename import RenameError, rename
from rspp_compiler.lsp.workspace import Workspace

TEXT = """module clean (raw : audio) -> (out : audio) {
  node gate : vad
  raw -> gate -> out
}
tool book (day : text) : python("b:book")
provider local : llm { use scripted }
provider stt { use pocketsphinx }
pipeline a {
  node stt
  node llm   { tools = [book], provider = local }
  node voice : tts
  node clean
  node find (question : text) -> (prompt : text) : python("kb:Find")
  party ana
  ingress.audio -> clean -> vad -> stt -> llm -> voice -> egress.audio
  on stt.error or voice.error -> degrade quiet
  on voice.error when session.mode == quiet -> call book
  mode quiet { off = [voice], stt.language = "en" }
  budget { stt = 300ms, voice = 300ms }
}
"""


def renamed(needle: str, name: str, text: str = TEXT) -> str:
    """The text after what stands at the `^` of a needle got another name."""
    workspace = desk(text)
    reading = workspace.everywhere(PATH)
    assert reading is not None
    edit = rename(workspace, reading, mention_at(workspace, reading, place(workspace, needle)), name)
    return applied(text, edit, workspace.uri(PATH))


def applied(text: str, edit: WorkspaceEdit, uri: str) -> str:
    positions = Positions(text)
    (changes,) = [
        change.edits
        for change in edit.document_changes or ()
        if isinstance(change, TextDocumentEdit) and change.text_document.uri == uri
    ]
    edits = [change for change in changes if isinstance(change, TextEdit)]
    for change in sorted(edits, key=lambda one: positions.offset(one.range.start), reverse=True):
        start, end = positions.offset(change.range.start), positions.offset(change.range.end)
        text = text[:start] + change.new_text + text[end:]
    return text


@pytest.mark.parametrize(
    ("needle", "old", "new", "count"),
    [
        ("node ^voice", "voice", "speaker", 6),
        ("degrade ^quiet", "quiet", "silent", 3),
        ("tools = [^book", "book", "reserve", 3),
        ("provider = ^local", "local", "here", 2),
        ("party ^ana", "ana", "bob", 1),
        ("raw -> ^gate", "gate", "ears", 2),
        ("(^raw", "raw", "heard", 2),
    ],
)
def test_every_place_follows(needle: str, old: str, new: str, count: int) -> None:
    after = renamed(needle, new)
    changed = [(a, b) for a, b in zip(TEXT.split(), after.split(), strict=True) if a != b]
    assert len(changed) == count
    assert all(b == a.replace(old, new) for a, b in changed)


def test_a_name_that_is_the_kind_keeps_its_kind() -> None:
    after = renamed("-> ^stt", "recogniser")
    assert "node recogniser : stt\n" in after
    assert "provider stt {" in after
    assert after.count("recogniser") == 5


def test_a_node_that_only_a_flow_names_gets_a_line() -> None:
    after = renamed("-> ^vad", "ears")
    assert "  node ears : vad\n  ingress.audio -> clean -> ears -> stt" in after
    assert "node gate : vad" in after


def test_a_module_keeps_the_nodes_that_are_called_after_it() -> None:
    after = renamed("module ^clean", "denoise")
    assert after.startswith("module denoise (raw")
    assert "  node clean : denoise\n" in after
    assert "ingress.audio -> clean ->" in after
    bare = TEXT.replace("  node clean\n", "")
    assert "ingress.audio -> denoise ->" in renamed("module ^clean", "denoise", bare)


@pytest.mark.parametrize(
    ("needle", "name", "reason"),
    [
        ("node ^voice", "otherwise", "`otherwise` is a reserved word"),
        ("node ^voice", "ingress", "`ingress` is predeclared"),
        ("node ^voice", "Voice", "`Voice` is not a name in snake_case"),
        ("node ^voice", "llm", "`llm` is already a node, in line 10 of a.rspp"),
        ("node ^voice", "vad", "`vad` is already a node, in line 15 of a.rspp"),
        ("node ^voice", "ana", "`ana` is already a party, in line 14 of a.rspp"),
        ("node ^voice", "book", "`book` is already a tool, in line 5 of a.rspp"),
        ("tool ^book", "voice", "`voice` is already a node, in line 11 of a.rspp"),
        ("tool ^book", "clean", "`clean` is already a module, in line 1 of a.rspp"),
        ("pipeline ^a", "b", "the pipeline's name is that of its package: files outside of this one rely on it"),
        ("find (^question", "q", "code outside of this file knows `find` by the names of its ports"),
        ("provider ^stt", "x", "`stt` is the kind that this block serves, not a name"),
        ("voice.^error", "x", "`error` is not declared in this workspace"),
        ("{ ^tools", "x", "`tools` is not declared in this workspace"),
        ("=", "x", "there is no name here"),
    ],
)
def test_refused_with_the_reason(needle: str, name: str, reason: str) -> None:
    with pytest.raises(RenameError) as refused:
        renamed(needle, name)
    assert str(refused.value) == reason


def test_a_mode_may_be_called_like_a_node() -> None:
    assert "mode voice { off = [voice]" in renamed("mode ^quiet", "voice")


def test_refused_while_a_line_cannot_be_read() -> None:
    with pytest.raises(RenameError, match=r"^line 14 of a\.rspp cannot be read, and may mention it: mend it first$"):
        renamed("node ^voice", "speaker", TEXT.replace("  party ana\n", "  party voice ]\n"))


def test_a_file_that_nobody_has_open_follows(tmp_path: Path) -> None:
    """The workspace's folders are searched; a file of another module of that name stays."""
    (tmp_path / "lib").mkdir()
    library = "module clean (raw : audio) -> (out : audio) { raw -> vad -> out }\n"
    user = 'import clean from "lib/audio.rspp"\npipeline b { ingress.audio -> clean -> stt }\n'
    (tmp_path / "lib" / "audio.rspp").write_text(library, encoding="utf-8")
    (tmp_path / "b.rspp").write_text(user, encoding="utf-8")
    (tmp_path / "c.rspp").write_text(library, encoding="utf-8")
    path = (tmp_path / "lib" / "audio.rspp").as_posix()
    workspace = Workspace(folders=[tmp_path.as_posix()])
    workspace.put(path, library, 7, "file:///audio")
    reading = workspace.everywhere(path)
    assert reading is not None
    mention = reading.index.at(path, 1, 8)
    edit = rename(workspace, reading, mention, "denoise")
    assert applied(library, edit, "file:///audio") == library.replace("clean", "denoise")
    assert applied(user, edit, (tmp_path / "b.rspp").as_uri()) == user.replace("clean", "denoise")
    changes = [change for change in edit.document_changes or () if isinstance(change, TextDocumentEdit)]
    assert [change.text_document.version for change in changes] == [None, 7]
